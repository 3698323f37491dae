"""What the system can verify by itself of a checklist: each check measures and answers in three words.

"ok" and "not ok" are measurements on this machine and this home; "cannot tell" means that there is
nothing to measure yet. A check starts its own service, or asks the `fraudkit` command in another
process; it changes nothing in the reader's home.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np

from fraudkit.core.cards import holds_card_number
from fraudkit.core.config import PROJECT_ROOT, settings
from fraudkit.core.errors import CorruptArtefact, FraudkitError, InvalidInput, NotReady

State = Literal["ok", "not ok", "cannot tell"]

LATENCY_MS = 50.0
RATE = 100.0  # requests a second of the short open loop
REQUESTS = 600
WARM_UP = 100  # of these, not counted
PARITY_EVENTS = 5_000
MIN_AUC = 0.90
MIN_COUNTRIES = 50
MIN_TPS = 10_000.0
COMMAND_S = 300.0
CARD = "4111111111111111"  # the form of a card number; no card has it


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: a word, the figure in a sentence, and the command that shows the same by hand."""

    check: str
    state: State
    says: str
    command: str

    def as_dict(self) -> dict[str, str]:
        """Plain values."""
        return asdict(self)


def p99_below_50_ms() -> tuple[State, str]:
    """A service of its own under a short open loop; latencies run from when a request was due."""
    from fraudkit.workbook.service_probe import open_loop, own_service

    with own_service(_production_folder()) as probe:
        latencies = open_loop(probe, [_payment(number) for number in range(REQUESTS)], RATE)
    p99 = float(np.quantile(latencies[WARM_UP:], 0.99)) * 1_000
    count = REQUESTS - WARM_UP
    says = f"p99 {p99:.1f} ms of {count} payments at {RATE:.0f} a second on this machine; the limit is {LATENCY_MS:.0f}"
    return _word(p99 < LATENCY_MS), says


def no_card_numbers() -> tuple[State, str]:
    """A service is sent card numbers in every field that takes text; neither its files nor this home may hold one."""
    from fraudkit.workbook.service_probe import own_service

    bodies = [_payment(1) | {"card_token": CARD}]
    bodies += [_payment(2) | {key: CARD} for key in ("transaction_id", "user_id", "merchant_id", "note")]
    with own_service(_production_folder()) as probe:
        statuses = [probe.post(body)[0] for body in bodies]
        found = [path.name for path in _texts(probe.home) if _holds_card(path.read_bytes())]
    kept = [path for path in _texts(settings().home / "run") if path.stat().st_size]
    found += [path.name for path in kept if _holds_card(path.read_bytes())]
    if statuses[0] != 200:
        return "cannot tell", f"the service answered {statuses[0]} to a payment with a card token"
    if found:
        return "not ok", f"a card number stands in {', '.join(sorted(set(found)))}"
    taken = sum(status == 200 for status in statuses[1:])
    says = (
        f"{len(bodies)} payments with a card number sent: {taken} of {len(statuses) - 1} misplaced ones were accepted; "
    )
    return _word(taken == 0), says + f"none stands in its log and decisions, nor in this home's ({len(kept)} files)"


def auc_above_090() -> tuple[State, str]:
    """The published figure of the reference world, with this home's own model beside it."""
    value = _published("models", "ROC AUC, ensemble, 0.6 XGBoost + 0.4 network")
    says = f"ROC AUC {value:.3f} on the reference world, as published; the target is above {MIN_AUC:.2f}"
    try:
        own = ask_fraudkit("models", "show", "production", "--json")["metrics"]["ensemble"]["roc_auc"]
        says += f". This home's own model: {own:.3f} on its smaller test period"
    except (NotReady, KeyError):
        pass  # the published figure stands without it
    return _word(value > MIN_AUC), says


def online_equals_offline() -> tuple[State, str]:
    """Events of the small world through a real store and offline, compared bit for bit."""
    report = ask_fraudkit("features", "parity", "--events", str(PARITY_EVENTS), "--json", fails=True)
    says = f"{report['mismatches']} of {report['values']:,} values differ, over {report['events']:,} events"
    return _word(report["mismatches"] == 0), says


def countries_above_50() -> tuple[State, str]:
    """Countries and currencies that a payment may come from."""
    from fraudkit.core.money import countries, currencies

    says = f"{len(countries())} countries with {len(currencies())} currencies; more than {MIN_COUNTRIES} are needed"
    return _word(len(countries()) > MIN_COUNTRIES), says


def artefacts_match() -> tuple[State, str]:
    """Every file of the production model against the digest in its manifest."""
    from fraudkit.models.bundle import read_bundle_files

    try:
        manifest, files = read_bundle_files(_production_folder())
    except CorruptArtefact as error:
        return "not ok", str(error)
    return "ok", f"{len(files)} files match their digests; bundle {manifest['digest'][:12]}"


def rules_have_digest() -> tuple[State, str]:
    """The rules and the policy as data: read back, they have the same digest."""
    from fraudkit.rules.catalog import RULES
    from fraudkit.rules.policy import DEFAULT_POLICY, Policy
    from fraudkit.rules.rule import RuleSet

    same = RuleSet.from_json(RULES.to_json()).digest() == RULES.digest()
    same = same and Policy.from_json(DEFAULT_POLICY.to_json()).digest() == DEFAULT_POLICY.digest()
    says = (
        f"{len(RULES)} rules, digest {RULES.digest()[:12]}; policy {DEFAULT_POLICY.digest()[:12]}; same when read back"
    )
    return _word(same), says


def throughput_10k() -> tuple[State, str]:
    """The published figure; a load test of this size would take the machine for itself."""
    value = _published("service", "batch door")
    says = f"{value:,.0f} transactions a second through the batch door on two cores, as published"
    return _word(value >= MIN_TPS), says + f"; {MIN_TPS:,.0f} are asked for, more machines are needed above that"


def explanation_adds_up() -> tuple[State, str]:
    """The published distance between a score and the sum of its parts."""
    value = _published("explain", "distance of the sum from the margin")
    return _word(value < 1e-4), f"the parts of a score add up to it within {value:.0e} log-odds, as published"


CHECKS: dict[str, tuple[Callable[[], tuple[State, str]], str]] = {
    "p99-below-50-ms": (p99_below_50_ms, "python -m benchmarks.service"),
    "no-card-numbers": (no_card_numbers, "fraudkit checklist constraints --verify"),
    "auc-above-090": (auc_above_090, "fraudkit evaluate"),
    "online-equals-offline": (online_equals_offline, "fraudkit features parity"),
    "countries-above-50": (countries_above_50, "fraudkit checklist constraints --verify"),
    "artefacts-match": (artefacts_match, "fraudkit models show production"),
    "rules-have-digest": (rules_have_digest, "fraudkit rules list --json"),
    "throughput-10k": (throughput_10k, "python -m benchmarks.service"),
    "explanation-adds-up": (explanation_adds_up, "python -m benchmarks.explain"),
}


def verify(name: str) -> Finding:
    """Run one check; what keeps it from measuring is its answer, never an exception.

    Raises
    ------
    InvalidInput
        No check has this name.
    """
    if name not in CHECKS:
        raise InvalidInput(f"there is no check {name!r}; there are {', '.join(CHECKS)}")
    check, command = CHECKS[name]
    try:
        state, says = check()
    except (FraudkitError, OSError, subprocess.SubprocessError) as error:
        state, says = "cannot tell", str(error)
    return Finding(name, state, says, command)


def _word(holds: bool) -> State:
    return "ok" if holds else "not ok"


def _payment(number: int) -> dict[str, Any]:
    """An ordinary payment of one of 50 card holders, now."""
    return {
        "transaction_id": f"verify-{number}",
        "user_id": f"verify-user-{number % 50}",
        "amount": 20.0 + number % 90,
        "currency": "USD",
        "merchant_id": f"verify-merchant-{number % 20}",
        "merchant_category": "5411",
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "location": {"country": "US", "latitude": 40.71, "longitude": -74.0},
        "device": {"device_id": f"verify-device-{number % 50}", "device_type": "mobile", "ip_address": "203.0.113.7"},
    }


def ask_fraudkit(*arguments: str, fails: bool = False) -> Any:
    """What a `fraudkit` command prints as JSON; `fails` takes it with exit code 1 too.

    Raises
    ------
    NotReady
        It printed no JSON or ended with an error; the message has its last words.
    """
    command = [sys.executable, "-m", "fraudkit", *arguments]
    done = subprocess.run(  # noqa: S603 - our own command, no shell
        command, capture_output=True, text=True, encoding="utf-8", timeout=COMMAND_S, check=False
    )
    try:
        if done.returncode and not fails:
            raise ValueError
        return json.loads(done.stdout)
    except ValueError as error:
        said = " ".join((done.stderr.strip() or done.stdout.strip() or "no output").split())
        raise NotReady(f"fraudkit {' '.join(arguments)}: {said[-300:]}") from error


def _production_folder() -> Path:
    """Where the production model's files lie."""
    return Path(ask_fraudkit("models", "show", "production", "--json")["folder"])


def _published(record: str, what: str) -> float:
    """A figure of benchmarks/results.

    Raises
    ------
    NotReady
        The record or the figure is not there, as outside a checkout.
    """
    path = PROJECT_ROOT / "benchmarks" / "results" / f"{record}.json"
    try:
        figures = json.loads(path.read_text(encoding="utf-8"))["figures"]
        return float(next(figure["value"] for figure in figures if figure["what"] == what))
    except (OSError, ValueError, KeyError, StopIteration) as error:
        raise NotReady(f"no published figure {what!r} in {path.name}; run python -m benchmarks.{record}") from error


def _texts(folder: Path) -> list[Path]:
    """Logs and decision databases below a folder, with what SQLite keeps beside them."""
    kinds = (".log", ".jsonl", ".db", ".sqlite", ".sqlite3", ".db-wal", ".sqlite-wal", ".sqlite3-wal")
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name.endswith(kinds))


def _holds_card(data: bytes) -> bool:
    """Whether the readable parts of a file hold something with the form of a card number."""
    return CARD.encode() in data or any(
        holds_card_number(line) for line in data.decode("latin-1").replace("\x00", "\n").splitlines()
    )
