"""The facts of an incident that a report must get right, taken from decisions and metrics.

Facts say what happened. Which cause is behind it is found by people; it is told to this module in
words, so that a report can be checked for naming it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fraudkit.core.errors import InvalidInput
from fraudkit.features.catalog import INDEX
from fraudkit.workbook.incident.alert import MINUTE_MS, AlertRule, firings
from fraudkit.workbook.incident.snapshot import Snapshot
from fraudkit.workbook.incident.timeline import RULES, clock_time, decisions_between, harmed, releases

STOPPED = ("REVIEW", "DECLINE")


@dataclass(frozen=True, slots=True)
class Cause:
    """What a report must name: of each group at least one word. And what was checked and is not the cause."""

    named_by: tuple[tuple[str, ...], ...]
    refuted: tuple[str, ...] = ()


LEAK = Cause(
    named_by=(("connection",), ("leak", "never returned", "not returned", "not given back"), ("error path", "except")),
    refuted=("traffic", "slow store", "store was down", "store outage", "human error"),
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What happened, times in ms since 1970.

    Attributes
    ----------
    released_ms : the code that brought it in began to decide
    started_ms, ended_ms : first and last harmed payment
    detected_ms, first_alert : when the first alert was raised, and which
    fixed_ms : the code that ended it began to decide; None while there is none
    decided, affected : payments from start to end, and those of them that were harmed
    affected_usd : worth of the harmed payments
    stopped_usd : worth of those that the policy would have stopped, had the answer come in time
    """

    released_ms: int
    started_ms: int
    ended_ms: int
    detected_ms: int
    first_alert: str
    fixed_ms: int | None
    decided: int
    affected: int
    affected_usd: float
    stopped_usd: float
    cause: Cause = LEAK

    @property
    def duration_min(self) -> int:
        """From the first harmed payment to the last, in minutes: what customers felt, whenever it was noticed."""
        return round((self.ended_ms - self.started_ms) / MINUTE_MS)

    @property
    def detection_min(self) -> int:
        """From the first harmed payment to the first alert, in minutes."""
        return round((self.detected_ms - self.started_ms) / MINUTE_MS)

    @property
    def latent_min(self) -> int:
        """From the release to the first harmed payment, in minutes."""
        return round((self.started_ms - self.released_ms) / MINUTE_MS)

    def slots(self) -> dict[str, str]:
        """The facts as text, for filling a form."""
        return {
            "released": clock_time(self.released_ms),
            "started": clock_time(self.started_ms),
            "detected": clock_time(self.detected_ms),
            "ended": clock_time(self.ended_ms),
            "fixed": clock_time(self.fixed_ms) if self.fixed_ms is not None else "not yet",
            "first_alert": self.first_alert,
            "duration": str(self.duration_min),
            "detection": str(self.detection_min),
            "latent": str(self.latent_min),
            "decided": f"{self.decided:,}",
            "affected": f"{self.affected:,}",
            "affected_share": f"{self.affected / self.decided:.0%}",
            "affected_usd": f"${self.affected_usd:,.0f}",
            "stopped_usd": f"${self.stopped_usd:,.0f}",
        }


def gather_facts(
    database: Path, snapshots: Sequence[Snapshot], rules: Iterable[AlertRule] = RULES, cause: Cause = LEAK
) -> Facts:
    """The facts of the incident that decisions and snapshots hold.

    Raises
    ------
    InvalidInput
        Nobody was harmed, or no alert was raised: there is no incident to report on.
    NotReady
        There is no decision database.
    """
    hurt = harmed(database)
    raised = sorted((firing for rule in rules for firing in firings(rule, snapshots)), key=lambda f: f.raised_ms)
    if not hurt or not raised:
        missing = "no payment was decided without a part" if not hurt else "no alert was raised"
        raise InvalidInput(f"there is no incident here: {missing}; run until the fault shows")
    started, ended = hurt[0].at_ms, hurt[-1].at_ms
    known = releases(database)
    amounts = np.array([np.frombuffer(decision.vector, dtype="<f4")[INDEX["amount_usd"]] for decision in hurt])
    stopped = np.array([decision.action in STOPPED for decision in hurt])
    return Facts(
        released_ms=max(release.at_ms for release in known if release.at_ms <= started),
        started_ms=started,
        ended_ms=ended,
        detected_ms=raised[0].raised_ms,
        first_alert=raised[0].rule.name,
        fixed_ms=min((release.at_ms for release in known if release.at_ms > ended), default=None),
        decided=decisions_between(database, started, ended),
        affected=len(hurt),
        affected_usd=float(amounts.sum(dtype=np.float64)),
        stopped_usd=float(amounts[stopped].sum(dtype=np.float64)),
        cause=cause,
    )
