"""Marks that the evidence suggests. What nothing was seen of is left to the learner.

A criterion begins with the mean of what was shown for it, 0..1 spread over 1..5; each hint that was asked for takes
one off the criterion that it costs, down to 1. A hint of an exercise counts wherever it was read, and code that was
written beside our solution counts for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fraudkit.workbook.mock.prompt import Prompt, Reply, value
from fraudkit.workbook.mock.state import State
from fraudkit.workbook.mock.timer import clock_text
from fraudkit.workbook.plan.scorecard import HIGHEST, LOWEST

TIME = "Time management"
IN_TIME, IN_TIME_UNSOLVED, LATE = 5, 3, 2

Transcript = Sequence[tuple[Prompt, Reply]]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A criterion with the suggested mark, None where there is no evidence, and why in a few words."""

    criterion: str
    mark: int | None
    why: str


def transcript(state: State) -> Transcript:
    """Everything that is asked in this interview as it went, with what came back."""
    prompts = (*state.round.asks(state.setup, state.replies), *state.round.reviews(state.setup, state.replies))
    return [(prompt, state.replies.get(prompt.id, Reply())) for prompt in prompts]


def suggestions(state: State) -> list[Suggestion]:
    """One for each criterion of the round, in its order."""
    went = transcript(state)
    return [_time(state, went) if name == TIME else _shown(name, went) for name in state.round.criteria]


def _shown(criterion: str, went: Transcript) -> Suggestion:
    values = [found[criterion] for prompt, reply in went if criterion in (found := value(prompt, reply))]
    hints = sum(reply.hints_had for prompt, reply in went if prompt.cost == criterion)
    copied = any(reply.solution == "before" for prompt, reply in went if prompt.shows == criterion)
    if not values:
        return Suggestion(criterion, None, "no evidence; yours to set")
    share = sum(values) / len(values)
    mark = int(LOWEST + share * (HIGHEST - LOWEST) + 0.5)
    why = f"{share:.0%} of what was listened for"
    if hints:
        why += f", less {hints} for {'a hint' if hints == 1 else 'hints'}"
    if copied:
        why += "; our solution was open before the code was done"
    return Suggestion(criterion, max(LOWEST, mark - hints), why)


def _time(state: State, went: Transcript) -> Suggestion:
    solved = all(reply.total and reply.passed == reply.total for prompt, reply in went if prompt.kind == "code")
    over = state.ended == "time over"
    mark = LATE if over else IN_TIME if solved else IN_TIME_UNSOLVED
    left = "the time ran out" if over else f"{clock_text(state.timer.left_s)} left"
    return Suggestion(TIME, mark, f"{left}, {'all' if solved else 'not all'} problems solved")


def evidence(state: State) -> dict[str, Any]:
    """What the scorecard is kept with: time used, prompts answered, hints, tests passed, questions right."""
    went = transcript(state)
    asked = [(prompt, reply) for prompt, reply in went if prompt.timed]
    found: dict[str, Any] = {
        "minutes_used": round(state.timer.used_s / 60, 1),
        "answered": sum(reply.done and not reply.late for _, reply in asked),
        "asked": len(asked),
        "hints": sum(reply.hints_had for _, reply in went),
    }
    beside = {prompt.exercise: looked for prompt, reply in asked if (looked := _beside(reply))}
    if beside:
        found["opened_beside_the_interview"] = beside
    tests = {p.exercise: f"{r.passed} of {r.total}" for p, r in asked if p.kind == "code" and r.total}
    if tests:
        found["tests_passed"] = tests
        found["checks"] = sum(reply.attempts for _, reply in asked)
    graded = [reply.grade for prompt, reply in asked if prompt.showing is not None and not reply.late]
    if graded:
        found["questions_right"] = f"{graded.count('right')} of {len(graded)}"
    levels = {p.id.partition("/")[2]: r.points[0] for p, r in went if p.kind == "level" and r.points}
    if levels:
        found["rubric"] = levels
    return found | state.round.evidence(state.setup, state.replies)


def _beside(reply: Reply) -> str:
    """What of an exercise was opened in a notebook while the interview ran, in words."""
    hints = ", ".join(map(str, reply.looked))
    said = [f"hint{'s' if len(reply.looked) > 1 else ''} {hints}"] if hints else []
    if reply.solution:
        said.append(f"our solution, {reply.solution} the code was done")
    return "; ".join(said)
