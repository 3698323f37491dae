"""An interview that is running, as it stands in the progress file under `mocks` · `current`.

It holds what cannot be computed again: what the interview is about, the time spent, the replies. Knows no clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from fraudkit.core.errors import FraudkitError
from fraudkit.workbook.mock.prompt import Reply, Setup, read_reply, read_shelved
from fraudkit.workbook.mock.rounds import MINUTES, ROUNDS, Round
from fraudkit.workbook.mock.timer import Timer
from fraudkit.workbook.progress import Progress

UNREADABLE = 5  # damaged interviews kept for whoever can mend them


@dataclass(frozen=True, slots=True)
class State:
    """A running interview; `ended` is "" while it is asked, then "finished" or "time over"."""

    id: str
    round_name: str
    setup: Setup
    started_at: str
    timer: Timer
    replies: Mapping[str, Reply] = field(default_factory=dict)
    ended: str = ""

    @property
    def round(self) -> Round:
        """Its round."""
        return ROUNDS[self.round_name]

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "id": self.id,
            "round": self.round_name,
            "about": list(self.setup.about),
            "seed": self.setup.seed,
            "minutes": self.setup.minutes,
            "started_at": self.started_at,
            "spent_ms": self.timer.spent_ms,
            "seen_ms": self.timer.seen_ms,
            "replies": {name: reply.as_dict() for name, reply in self.replies.items()},
            "ended": self.ended,
        } | ({"stories": [asdict(story) for story in self.setup.stories]} if self.setup.stories else {})


def parse_state(values: Any) -> State:
    """A running interview from plain values.

    Raises
    ------
    ValueError
        They have another form.
    """
    if not isinstance(values, dict):
        raise ValueError("an interview should be an object")
    kinds = {"id": str, "round": str, "about": list, "seed": int, "minutes": int, "started_at": str, "spent_ms": int,
             "seen_ms": int, "replies": dict, "ended": str}  # fmt: skip
    wrong = [key for key, kind in kinds.items() if type(values.get(key)) is not kind]
    if wrong or values["round"] not in ROUNDS or values["minutes"] not in MINUTES or values["spent_ms"] < 0:
        raise ValueError(f"an interview with wrong {', '.join(wrong) or 'round, minutes or time'}")
    if not values["about"] or not all(isinstance(name, str) for name in values["about"]):
        raise ValueError("an interview about nothing")
    stories = values.get("stories", [])
    if not isinstance(stories, list):
        raise ValueError("the stories of an interview should be a list")
    state = State(
        values["id"],
        values["round"],
        Setup(tuple(values["about"]), values["seed"], values["minutes"], tuple(map(read_shelved, stories))),
        values["started_at"],
        Timer(values["minutes"] * 60_000, values["spent_ms"], values["seen_ms"]),
        {name: read_reply(reply) for name, reply in values["replies"].items()},
        values["ended"],
    )
    for script in (state.round.asks, state.round.reviews):  # what it is about may be gone from this version
        for _ in script(state.setup, state.replies):
            pass
    return state


def running(progress: Progress) -> State | None:
    """The interview that is running; None where there is none, or none that can be read."""
    try:
        return parse_state(progress.mocks["current"]) if "current" in progress.mocks else None
    except (ValueError, TypeError, LookupError, FraudkitError):
        return None


def keep_unreadable(progress: Progress) -> None:
    """Lay aside what stands in the place of a running interview and cannot be read, before a new one takes it."""
    old = progress.mocks.pop("current", None)
    if old is not None:
        kept = progress.mocks.get("unreadable")
        progress.mocks["unreadable"] = [*(kept if isinstance(kept, list) else []), old][-UNREADABLE:]
