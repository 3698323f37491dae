"""What a learner remembers of the questions: one card of the `fsrs` scheduler a question, kept with the progress.

The scheduler is the library's; here stand only how a mark becomes a rating and where the cards lie. Times are UTC
and come from the progress file's clock. A clock that was set back moves nothing into the past: a review is taken at
the card's last one at the earliest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from fsrs import Card, Rating, Scheduler

from fraudkit.workbook.progress import Progress, ProgressFile
from fraudkit.workbook.quiz.showing import Grade

# Without fuzz the same answers give the same days; a quiz of a few hundred cards does not need to be spread.
SCHEDULER = Scheduler(desired_retention=0.9, enable_fuzzing=False, maximum_interval=365)
RATINGS: Mapping[Grade, Rating] = {"right": Rating.Good, "partly": Rating.Hard, "wrong": Rating.Again}
HISTORY = 2000  # answers kept, for the pictures; the cards themselves need none


@dataclass(frozen=True, slots=True)
class Memory:
    """One question as the learner knows it.

    Attributes
    ----------
    seen, right : showings, and those answered right
    last : grade of the last answer
    due : when it should be shown again
    card : the scheduler's own state
    """

    seen: int
    right: int
    last: Grade
    due: datetime
    card: Card

    def recall(self, now: datetime) -> float:
        """The chance, 0..1, that it is remembered now, by the scheduler's forgetting curve."""
        return float(SCHEDULER.get_card_retrievability(self.card, max(now, self.card.last_review or now)))


def memories(progress: Progress) -> dict[str, Memory]:
    """Question id -> what is remembered, for those that were ever shown; an entry of another form is passed over."""
    found = {}
    cards = progress.quiz.get("cards")
    for question_id, kept in (cards if isinstance(cards, dict) else {}).items():
        try:
            card = Card.from_dict(kept["card"])
            found[question_id] = Memory(int(kept["seen"]), int(kept["right"]), kept["last"], card.due, card)
        except (KeyError, TypeError, ValueError):
            continue
    return found


def remember(file: ProgressFile, question_id: str, grade: Grade) -> Memory:
    """Record one answer; gives the question as it now stands."""
    with file.change() as progress:
        before = memories(progress).get(question_id)
        now = file.moment()
        card = before.card if before else Card(card_id=card_number(question_id), due=now)
        if card.last_review is not None:
            now = max(now, card.last_review)
        card, _ = SCHEDULER.review_card(card, RATINGS[grade], now)
        seen, right = (before.seen, before.right) if before else (0, 0)
        memory = Memory(seen + 1, right + (grade == "right"), grade, card.due, card)
        cards = progress.quiz.setdefault("cards", {})
        cards[question_id] = {"seen": memory.seen, "right": memory.right, "last": grade, "card": dict(card.to_dict())}
        answers: list[Any] = progress.quiz.setdefault("answers", [])
        answers.append([now.isoformat(timespec="seconds"), question_id, grade])
        del answers[:-HISTORY]
    return memory


def card_number(question_id: str) -> int:
    """The scheduler's number for a question: the same on every machine, below 2**53 so that JSON keeps it."""
    return int.from_bytes(sha256(question_id.encode()).digest()[:6], "big")
