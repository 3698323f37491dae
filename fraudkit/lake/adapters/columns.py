"""A user's own table: its columns named in a TOML file, brought to the core schema.

[columns]
user = "customer"            # required: user, merchant, amount, time, label
merchant = "shop"
amount = "total"
time = "paid_at"
label = "chargeback"
country = "shop_country"     # optional, see OPTIONAL
extra = ["basket_size"]      # numeric, kept aside

[time]
format = "iso"               # iso, epoch_s, epoch_ms, seconds
origin = "2025-01-01"        # for seconds

[labels]
delay_days = 120             # where label_time is not named, or empty for a legitimate transaction
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from fraudkit.core.errors import InvalidInput
from fraudkit.core.label import MATURITY_DAYS
from fraudkit.lake.adapters.adapted import AdaptedTable, Draft, as_label, finish
from fraudkit.lake.adapters.times import epoch_ms, iso, seconds_since
from fraudkit.lake.casting import cast_column

REQUIRED = ("user", "merchant", "amount", "time", "label")
# Role in the TOML -> core column.
CORE_COLUMNS = {
    "user": "user_id",
    "merchant": "merchant_id",
    "amount": "amount",
    "transaction": "transaction_id",
    "currency": "currency",
    "country": "country",
    "category": "merchant_category",
    "latitude": "latitude",
    "longitude": "longitude",
    "device": "device_id",
    "device_type": "device_type",
    "ip": "ip_address",
    "ip_reputation": "ip_reputation",
    "card_present": "card_present",
    "online": "online_transaction",
}
OPTIONAL = (*(role for role in CORE_COLUMNS if role not in REQUIRED), "known_at", "label_time")
TIME_FORMATS = ("iso", "epoch_s", "epoch_ms", "seconds")
_EPOCH = pd.Timestamp(0, tz="UTC")


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """Which column plays which role, and how moments are written.

    Attributes
    ----------
    columns : role (REQUIRED and OPTIONAL) to the table's column name
    time_format : one of TIME_FORMATS, for time, known_at and label_time
    time_origin : what `seconds` are counted from, UTC
    label_delay_days : assumed where no label_time column is named, and for legitimate transactions where
        it is empty; 0 or more
    extra : numeric columns to keep aside
    """

    columns: Mapping[str, str]
    time_format: str = "iso"
    time_origin: pd.Timestamp | None = None
    label_delay_days: float = MATURITY_DAYS
    extra: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        missing = [role for role in REQUIRED if role not in self.columns]
        if missing:
            raise InvalidInput(f"[columns] names no {', '.join(missing)}; add the name of that column")
        unknown = [role for role in self.columns if role not in (*REQUIRED, *OPTIONAL)]
        if unknown:
            known = ", ".join((*REQUIRED, *OPTIONAL))
            raise InvalidInput(f"[columns] has {', '.join(unknown)}, which is no role; the roles are {known}")
        if not all(isinstance(name, str) for name in (*self.columns.values(), *self.extra)):
            raise InvalidInput("[columns] holds column names; write each as text in quotes")
        if self.time_format not in TIME_FORMATS:
            raise InvalidInput(f"[time] format={self.time_format!r} is none of {', '.join(TIME_FORMATS)}")
        if (self.time_format == "seconds") != (self.time_origin is not None):
            raise InvalidInput('[time] origin goes with format="seconds" and only with it, as origin = "2025-01-01"')
        if not 0 <= self.label_delay_days <= 3650:
            raise InvalidInput(f"[labels] delay_days={self.label_delay_days} is out of range; choose 0 to 3650")

    @property
    def text(self) -> list[str]:
        """Columns that hold names and codes, to be read as they are written."""
        codes = ("user", "merchant", "transaction", "category", "country", "currency", "device", "device_type", "ip")
        return [self.columns[role] for role in codes if role in self.columns]

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> ColumnMapping:
        """From a parsed TOML; sections other than columns, time and labels are left alone.

        Raises
        ------
        InvalidInput
            A role is missing or unknown, or a value has the wrong type or range.
        """
        sections = {name: content.get(name, {}) for name in ("columns", "time", "labels")}
        for name, section in sections.items():
            if not isinstance(section, Mapping):
                raise InvalidInput(f"{name} is not a section; write it as [{name}]")
        _refuse_unknown(sections)
        delay = sections["labels"].get("delay_days", MATURITY_DAYS)
        if isinstance(delay, bool) or not isinstance(delay, int | float):
            raise InvalidInput(f"[labels] delay_days={delay!r} is not a number of days")
        columns = dict(sections["columns"])
        extra = columns.pop("extra", [])
        if not isinstance(extra, list):
            raise InvalidInput(f'[columns] extra={extra!r} is not a list; write extra = ["name"]')
        return cls(
            columns,
            sections["time"].get("format", "iso"),
            _origin(sections["time"].get("origin")),
            delay,
            tuple(extra),
        )

    @classmethod
    def from_toml(cls, path: Path) -> ColumnMapping:
        """Read a TOML file; raises as `from_dict`, and where the file is missing or no TOML."""
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise InvalidInput(f"{path} cannot be read ({error.strerror}); give the path of a TOML file") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InvalidInput(f"{path} is not TOML: {error}") from error
        return cls.from_dict(content)


def from_columns(table: pd.DataFrame, mapping: ColumnMapping) -> AdaptedTable:
    """Bring `table` to the core schema as `mapping` says.

    Rows that cannot be used are counted in `notes`, reported in `report` and kept in `rejected`.

    Raises
    ------
    InvalidInput
        A named column is not in the table, a label is neither 0 nor 1, an extra column is not
        numeric, or no row can be used.
    """
    _refuse_absent(table, mapping)
    columns = {core: table[mapping.columns[role]] for role, core in CORE_COLUMNS.items() if role in mapping.columns}
    columns["event_time"] = _moments(table, mapping, "time")
    if "known_at" in mapping.columns:
        columns["known_at"] = _moments(table, mapping, "known_at")
    for flag, other in (("card_present", "online_transaction"), ("online_transaction", "card_present")):
        if flag in columns and other not in columns:
            columns[other] = ~cast_column(columns[flag], "bool")
    return finish(
        Draft(
            columns=columns,
            is_fraud=as_label(table[mapping.columns["label"]], mapping.columns["label"]),
            label_delay_days=mapping.label_delay_days,
            label_time=_label_time(table, mapping),
            extra=_extra(table, mapping),
        )
    )


def _moments(table: pd.DataFrame, mapping: ColumnMapping, role: str) -> pd.Series:
    values = table[mapping.columns[role]]
    if mapping.time_format == "iso":
        if pd.api.types.is_numeric_dtype(values.dtype) and values.notna().any():
            name = mapping.columns[role]
            raise InvalidInput(f'column {name!r} holds numbers; say what they count, as [time] format = "epoch_s"')
        return values  # the arrival checks read it, and keep what was written where they cannot
    if mapping.time_format == "epoch_ms":
        return epoch_ms(values)
    return seconds_since(values, mapping.time_origin if mapping.time_origin is not None else _EPOCH)


def _label_time(table: pd.DataFrame, mapping: ColumnMapping) -> pd.Series | None:
    if "label_time" not in mapping.columns:
        return None
    moments = _moments(table, mapping, "label_time")
    return iso(moments) if mapping.time_format == "iso" else moments


def _extra(table: pd.DataFrame, mapping: ColumnMapping) -> pd.DataFrame | None:
    if not mapping.extra:
        return None
    for name in mapping.extra:
        if not pd.api.types.is_numeric_dtype(table[name].dtype):
            raise InvalidInput(f"extra column {name!r} is not numeric ({table[name].dtype}); leave it out or encode it")
    return table[list(mapping.extra)].astype("float64")


def _refuse_absent(table: pd.DataFrame, mapping: ColumnMapping) -> None:
    there = ", ".join(map(str, table.columns))
    for role, name in mapping.columns.items():
        if name not in table:
            raise InvalidInput(
                f"there is no column {name!r} (named as {role}); the table has {there}; correct [columns]"
            )
    for name in mapping.extra:
        if name not in table:
            raise InvalidInput(f"there is no extra column {name!r}; the table has {there}; correct [columns]")


def _refuse_unknown(sections: Mapping[str, Mapping[str, Any]]) -> None:
    allowed = {"time": {"format", "origin"}, "labels": {"delay_days"}}
    for name, keys in allowed.items():
        unknown = sorted(set(sections[name]) - keys)
        if unknown:
            raise InvalidInput(f"[{name}] has {', '.join(unknown)}; it takes {', '.join(sorted(keys))}")


def _origin(value: Any) -> pd.Timestamp | None:
    """The moment seconds are counted from; TOML's own dates and text are both fine."""
    if value is None:
        return None
    try:
        moment = pd.Timestamp(str(value))
    except ValueError:
        raise InvalidInput(f'[time] origin={value!r} is not a date; write origin = "2025-01-01"') from None
    return moment.tz_localize("UTC") if moment.tzinfo is None else moment.tz_convert("UTC")
