"""How a candidate in the shadow compares with the serving model, read from a service's /metrics.

Both saw the same payments. The counts begin with the service's start, or with the candidate's registration;
what the candidate's decisions would have led to, nobody knows: money is amounts, and amounts times
probability of fraud, by either model's word.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import nan
from typing import Any

from fraudkit.core.errors import NotReady
from fraudkit.monitor.snapshot import Sample, histogram_of

STOPPED = "DECLINE"


@dataclass(frozen=True, slots=True)
class Change:
    """Payments on which the two act otherwise.

    Attributes
    ----------
    serving, candidate : what each does
    payments, amount_usd : how many, and their worth
    fraud_by_serving_usd, fraud_by_candidate_usd : probability of fraud times amount, by each model's word
    """

    serving: str
    candidate: str
    payments: int
    amount_usd: float
    fraud_by_serving_usd: float
    fraud_by_candidate_usd: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """A candidate beside the serving model; numbers that nothing was counted for are NaN.

    Attributes
    ----------
    version : of the candidate
    payments, dropped : compared, and passed over as they came too fast
    agreement : share of payments on which both act alike
    changes : the others, the most first
    mean_score : of each where no rule decided
    difference_p50, difference_p99 : of the scores, without sign
    us_per_payment : time of each for the same batches, in one thread, microseconds
    """

    version: str
    payments: int
    dropped: int
    agreement: float
    changes: tuple[Change, ...]
    mean_score: dict[str, float]
    difference_p50: float
    difference_p99: float
    us_per_payment: dict[str, float]

    @property
    def declined_more_usd(self) -> float:
        """Amount that the candidate alone declines, less that which only the serving model declines."""
        more = sum(c.amount_usd for c in self.changes if c.candidate == STOPPED)
        return more - sum(c.amount_usd for c in self.changes if c.serving == STOPPED)

    def content(self) -> dict[str, Any]:
        """For JSON: NaN becomes null."""
        found = {**asdict(self), "declined_more_usd": self.declined_more_usd}
        return {name: _without_nan(value) for name, value in found.items()}


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nan(part) for name, part in value.items()}
    return None if isinstance(value, float) and value != value else value


def compare(samples: list[Sample]) -> Comparison:
    """Read the comparison out of a service's samples.

    Raises
    ------
    NotReady
        No candidate was compared yet.
    """

    def of(name: str) -> list[tuple[dict[str, str], float]]:
        return [(labels, value) for found, labels, value in samples if found == f"shadow_{name}_total"]

    decisions = of("decisions")
    payments = int(sum(value for _, value in decisions))
    if not payments:
        raise NotReady(
            "no candidate was compared with the serving model yet; register one (`fraudkit train`), let the service "
            "run with `--model production`, and ask again when it has scored payments"
        )
    amounts, frauds = _by_pair(of("amount_usd")), of("fraud_usd")
    by = {model: _by_pair([s for s in frauds if s[0]["by"] == model]) for model in ("serving", "candidate")}
    changes = [
        Change(*pair, int(n), *(round(found.get(pair, 0.0), 2) for found in (amounts, by["serving"], by["candidate"])))
        for pair, n in _by_pair(decisions).items()
        if pair[0] != pair[1]
    ]
    difference = histogram_of(samples, "shadow_score_difference")
    timed = sum(value for _, value in of("timed"))
    return Comparison(
        version=decisions[0][0]["version"],
        payments=payments,
        dropped=int(sum(value for _, value in of("dropped"))),
        agreement=1.0 - sum(change.payments for change in changes) / payments,
        changes=tuple(sorted(changes, key=lambda change: -change.payments)),
        mean_score={labels["model"]: _ratio(value, difference.count) for labels, value in of("score")},
        difference_p50=difference.quantile(0.5),
        difference_p99=difference.quantile(0.99),
        us_per_payment={labels["model"]: 1e6 * _ratio(value, timed) for labels, value in of("seconds")},
    )


def _by_pair(counts: list[tuple[dict[str, str], float]]) -> dict[tuple[str, str], float]:
    return {(labels["serving"], labels["candidate"]): value for labels, value in counts}


def _ratio(value: float, count: float) -> float:
    return value / count if count else nan
