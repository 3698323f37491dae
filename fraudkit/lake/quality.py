"""Arrival checks: what is wrong with each row of an incoming transactions table, and the report on it.

A row that fails a quarantining check is set aside with its reasons; every row that came in is
either accepted or quarantined. Knows nothing of files; a card number never leaves this module.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from fraudkit.core.cards import mask_column
from fraudkit.core.money import countries, currencies
from fraudkit.core.transaction import DEVICE_TYPES, TRANSACTION_COLUMNS, conform
from fraudkit.lake.casting import Cast, cast_rows

Severity = Literal["error", "warning"]

EARLIEST = pd.Timestamp("1990-01-01", tz="UTC")
LATEST_ARRIVAL = pd.Timedelta(days=365)  # card schemes present within weeks; a year is a broken clock
UNKNOWN_COUNTRY = "ZZ"  # ISO 3166 user-assigned: the source does not say
EXAMPLES = 3
ID_COLUMNS = ("transaction_id", "user_id", "merchant_id", "device_id", "ip_address")
MAY_BE_MISSING = ("device_id", "ip_address", "ip_reputation")
MISSING_IS_ODD = ("latitude", "longitude")


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check on one table.

    `failed` rows out of all, `share` 0..1; `examples` name transactions by id and, where it is safe,
    the value. `quarantines` says whether failing rows are set aside.
    """

    check: str
    meaning: str
    severity: Severity
    quarantines: bool
    failed: int
    share: float
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QualityReport:
    """What came in, what was accepted, and every check; rows == accepted + quarantined."""

    rows: int
    accepted: int
    quarantined: int
    checks: tuple[CheckResult, ...]

    @property
    def failures(self) -> tuple[CheckResult, ...]:
        """Checks that some row failed."""
        return tuple(check for check in self.checks if check.failed)

    @property
    def has_errors(self) -> bool:
        """Whether a check of severity error failed."""
        return any(check.severity == "error" for check in self.failures)

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Inspection:
    """The table split in two.

    `accepted` conforms to TRANSACTION_COLUMNS; `quarantined` has the incoming columns as strings and
    `reasons`. Both keep the positions of their rows in the incoming table as index.
    """

    report: QualityReport
    accepted: pd.DataFrame
    quarantined: pd.DataFrame


@dataclass(frozen=True, slots=True)
class _Check:
    name: str
    meaning: str
    failed: np.ndarray
    shows: str | None = None  # column whose value an example gives
    severity: Severity = "error"
    quarantines: bool = True


def inspect(incoming: pd.DataFrame, stored: pd.DataFrame | None = None, absent: Collection[str] = ()) -> Inspection:
    """Run all checks on `incoming` and split its rows.

    Parameters
    ----------
    incoming : any table; the contract's columns are looked for by name
    stored : transactions the lake has already, to find duplicates against
    absent : columns that the source does not carry; that they are empty is no news

    Returns
    -------
    Inspection
    """
    incoming = incoming.reset_index(drop=True)
    cast = cast_rows(incoming)
    masked = {name: mask_column(cast.table[name]) for name in ID_COLUMNS}
    checks = list(_all_checks(cast, masked, stored, absent))
    bad = np.zeros(len(incoming), dtype=bool)
    for check in checks:
        if check.quarantines:
            bad |= check.failed
    report = QualityReport(
        rows=len(incoming),
        accepted=int((~bad).sum()),
        quarantined=int(bad.sum()),
        checks=tuple(_result(check, cast.table, masked["transaction_id"]) for check in checks),
    )
    return Inspection(report, _accept(cast.table[~bad]), _quarantine(incoming[bad], checks, bad))


def _all_checks(
    cast: Cast, masked: dict[str, pd.Series], stored: pd.DataFrame | None, absent: Collection[str]
) -> Iterator[_Check]:
    yield from _schema(cast)
    yield from _nulls(cast, absent)
    yield from _duplicates(cast.table, stored)
    yield from _clocks(cast.table)
    yield from _codes(cast.table)
    yield from _numbers(cast.table)
    yield from _cards(cast.table, masked)


def _schema(cast: Cast) -> Iterator[_Check]:
    for name, dtype in TRANSACTION_COLUMNS.items():
        absent = np.full(len(cast.table), name in cast.missing)
        yield _Check(f"missing_column:{name}", f"the table has no column {name}", absent)
        yield _Check(f"uncastable:{name}", f"{name} cannot be read as {dtype}", cast.uncastable[name])


def _nulls(cast: Cast, absent: Collection[str]) -> Iterator[_Check]:
    for name in TRANSACTION_COLUMNS:
        if name in MAY_BE_MISSING or name in absent:
            continue
        empty = cast.table[name].isna().to_numpy(dtype=bool) & ~cast.uncastable[name] & (name not in cast.missing)
        if name in MISSING_IS_ODD:
            yield _Check(f"null:{name}", f"{name} is empty", empty, severity="warning", quarantines=False)
        else:
            yield _Check(f"null:{name}", f"{name} is empty", empty)


def _duplicates(table: pd.DataFrame, stored: pd.DataFrame | None) -> Iterator[_Check]:
    """Exact copies after the first, and ids that stand for different rows (all of those in `table`)."""
    everything = table.astype({"card_present": "object", "online_transaction": "object"})
    n_stored = 0
    if stored is not None and len(stored):
        stored = conform(stored, TRANSACTION_COLUMNS).astype({"card_present": "object", "online_transaction": "object"})
        everything = pd.concat([stored, everything], ignore_index=True)
        n_stored = len(stored)
    ids = everything["transaction_id"]
    repeated = np.flatnonzero((ids.duplicated(keep=False) & ids.notna()).to_numpy(dtype=bool))
    rows = everything.iloc[repeated].astype("string").fillna("")
    content = pd.util.hash_pandas_object(rows, index=False)
    variants = content.groupby(rows["transaction_id"].to_numpy()).transform("nunique").to_numpy()
    copy = content.groupby(rows["transaction_id"].to_numpy()).cumcount().to_numpy() > 0
    exact, conflicting = np.zeros(len(everything), dtype=bool), np.zeros(len(everything), dtype=bool)
    exact[repeated] = copy & (variants == 1)
    conflicting[repeated] = variants > 1
    yield _Check("duplicate_exact", "the same row came before", exact[n_stored:], "transaction_id", severity="warning")
    yield _Check("duplicate_conflicting", "another row has the same transaction_id", conflicting[n_stored:])


def _clocks(table: pd.DataFrame) -> Iterator[_Check]:
    event, known = table["event_time"], table["known_at"]
    yield _Check("clock_future", "event_time is after known_at", _true(event > known), "event_time")
    early = _true(event < EARLIEST) | _true(known < EARLIEST)
    yield _Check("clock_before_1990", "a time before 1990", early, "event_time")
    late = _true(known - event > LATEST_ARRIVAL)
    yield _Check("clock_late", f"known_at is more than {LATEST_ARRIVAL.days} days after event_time", late, "known_at")


def _codes(table: pd.DataFrame) -> Iterator[_Check]:
    present = {name: table[name].notna() for name in ("currency", "country", "device_type")}
    known_currency = table["currency"].isin(list(currencies()))
    yield _Check(
        "currency_unknown",
        "no exchange rate for the currency",
        _true(present["currency"] & ~known_currency),
        "currency",
    )
    shaped = table["country"].str.fullmatch("[A-Z]{2}").fillna(False)
    yield _Check(
        "country_malformed", "country is not a two-letter code", _true(present["country"] & ~shaped), "country"
    )
    known_country = table["country"].isin([*countries(), UNKNOWN_COUNTRY])
    yield _Check(
        "country_unknown",
        "country is not in countries.csv",
        _true(present["country"] & shaped & ~known_country),
        "country",
        severity="warning",
        quarantines=False,
    )
    known_type = table["device_type"].isin(DEVICE_TYPES)
    yield _Check(
        "device_type_unknown",
        f"device_type is none of {', '.join(DEVICE_TYPES)}",
        _true(present["device_type"] & ~known_type),
        "device_type",
    )


def _numbers(table: pd.DataFrame) -> Iterator[_Check]:
    amount = table["amount"]
    yield _Check("amount_not_finite", "amount is infinite", np.isinf(amount.to_numpy()), "amount")
    yield _Check("amount_negative", "amount is below zero", _true(amount < 0) & np.isfinite(amount), "amount")
    yield _Check("amount_zero", "amount is zero", _true(amount == 0), severity="warning", quarantines=False)
    for name, bound in (("latitude", 90), ("longitude", 180)):
        yield _Check(
            f"{name}_out_of_range", f"{name} is outside -{bound}..{bound}", _true(table[name].abs() > bound), name
        )
    reputation = table["ip_reputation"]
    outside = _true((reputation < 0) | (reputation > 1))
    yield _Check("ip_reputation_out_of_range", "ip_reputation is outside 0..1", outside, "ip_reputation")


def _cards(table: pd.DataFrame, masked: dict[str, pd.Series]) -> Iterator[_Check]:
    for name in ID_COLUMNS:
        yield _Check(f"card_number:{name}", f"{name} looks like a card number", _true(table[name] != masked[name]))


def _true(mask: pd.Series) -> np.ndarray:
    """Where a comparison holds; a comparison with a missing value does not."""
    return mask.fillna(False).to_numpy(dtype=bool)


def _result(check: _Check, table: pd.DataFrame, masked_ids: pd.Series) -> CheckResult:
    failed = np.flatnonzero(check.failed)
    examples = []
    for row in failed[:EXAMPLES].tolist():
        name = masked_ids.iat[row]
        text = f"row {row}" if pd.isna(name) else f"row {row} ({name})"
        if check.shows not in (None, "transaction_id"):
            text += f": {_shown(table[check.shows], row)}"
        examples.append(text)
    share = failed.size / len(table) if len(table) else 0.0
    return CheckResult(
        check.name, check.meaning, check.severity, check.quarantines, int(failed.size), share, tuple(examples)
    )


def _shown(column: pd.Series, row: int) -> str:
    """The value for people: short, one line, and without a card number that sits in the wrong column."""
    value = mask_column(column.iloc[[row]].astype("string")).iat[0]
    return repr(str(value)[:40])


def _accept(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows under the contract, with categories of the same string type that a lake gives back."""
    packed = [name for name, dtype in TRANSACTION_COLUMNS.items() if dtype == "category"]
    return conform(rows.astype(dict.fromkeys(packed, "str")), TRANSACTION_COLUMNS)


def _quarantine(rows: pd.DataFrame, checks: list[_Check], bad: np.ndarray) -> pd.DataFrame:
    positions = np.flatnonzero(bad)
    reasons: list[list[str]] = [[] for _ in positions]
    for check in checks:
        if check.quarantines:
            for place in np.flatnonzero(check.failed[positions]).tolist():
                reasons[place].append(check.name)
    out = pd.DataFrame({str(name): mask_column(rows[name].astype("string")) for name in rows.columns}, index=rows.index)
    out["reasons"] = pd.array(["; ".join(found) for found in reasons], dtype="string")
    return out
