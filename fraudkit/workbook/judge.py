"""The verdict on an answer: right on every case, or wrong, where, and why.

Works on replies that came out of the sandbox and on the oracle's answers, which never go in. When
an answer is wrong, the exercise's named wrong answers are run on the same cases; one that behaves
the same names the misconception.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np

from fraudkit.workbook.agree import brief, difference
from fraudkit.workbook.exercise import Case, Exercise, Mutant, expected_answer
from fraudkit.workbook.limits import Limits
from fraudkit.workbook.notebooks import reference_source, section, solution_text, source_of
from fraudkit.workbook.sandbox import Reply, Sandbox
from fraudkit.workbook.show import show_call, show_value
from fraudkit.workbook.shrink import is_large, smallest

VerdictStatus = Literal["pass", "fail", "timeout", "crash", "missing", "tampered"]
GROWTH_ROUNDS = 6
SHRINK_SECONDS = 0.5  # of one call while a smaller case is searched
CLEARLY_UNDER = 0.8  # of the limit; right answers stay below 0.7
CLEARLY_OVER = 1.3  # n squared gives a ratio of 16, where n log n and its overheads stay below 6


@dataclass(frozen=True, slots=True)
class Failure:
    """The first case that an answer gets wrong, for somebody who should mend it.

    `certain` is true when the named wrong answer agrees with the learner's on every case, false when
    it does on the shown one only.
    """

    case: str
    why: str
    call: str
    expected: str
    got: str
    reason: str
    misconception: str = ""
    mutant: str = ""
    certain: bool = True
    printed: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an answer did: `credit` in 0..1 counts only what a constant answer would not get."""

    exercise_id: str
    status: VerdictStatus
    passed: int
    total: int
    credit: float
    seconds: float
    failure: Failure | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def missing(exercise: Exercise, reason: str) -> Verdict:
    """The verdict where there is no answer."""
    failure = Failure("", "", "", "", "", reason)
    return Verdict(exercise.id, "missing", 0, 0, 0.0, 0.0, failure)


def judge(
    exercise: Exercise,
    source: str,
    *,
    sandbox: Sandbox,
    rng: np.random.Generator,
    limits: Limits | None = None,
    explain: bool = True,
    restarts: int = 0,
    wrong: Sequence[tuple[Mutant, list[Reply]]] | None = None,
    shrink: bool = False,
) -> Verdict:
    """Run an answer on the exercise's cases and say how it did.

    Parameters
    ----------
    source : text that defines `exercise.name`, as `source.slice_source` gives it
    rng : draws the cases; the grader's is one that the learner cannot know
    explain : look for the misconception, at the price of running the named wrong answers
    wrong : what the named wrong answers reply on these cases, where that is known already
    restarts : how often an answer that hangs or dies on a case is tried on the cases after it
    shrink : show a smaller case in the place of a large one, where the answer is wrong on one; takes two seconds
    """
    cases = exercise.cases(rng)
    right = [None if case.raises else expected_answer(exercise, case) for case in cases]
    replies = sandbox.run(source, exercise.name, cases, limits, restarts=restarts)
    if all(reply.error == "NotImplementedError" for reply in replies):
        return missing(exercise, "the stub is untouched: write your answer in its place and run the cell")
    reasons = [
        reason_against(exercise, case, answer, reply) for case, answer, reply in zip(cases, right, replies, strict=True)
    ]
    slow = False
    if not any(reasons) and exercise.growth is not None:
        slow = grows_too_fast(exercise, source, sandbox, rng, limits)
    passed = sum(not reason for reason in reasons)
    status = status_of(replies, reasons, slow)
    failure = None
    if status != "pass":
        failure = explained(
            exercise,
            cases,
            right,
            replies,
            reasons,
            mutant_replies(exercise, cases, sandbox, limits) if wrong is None and explain else wrong or (),
        )
        if shrink and any(reasons):
            index = next(i for i, reason in enumerate(reasons) if reason)
            failure = on_smaller_case(failure, exercise, source, cases[index], replies[index], sandbox, limits)
    total = len(cases) + (exercise.growth is not None)
    credit = 1.0 if status == "pass" else credit_of(exercise, cases, right, reasons, total)
    if status in ("crash", "tampered"):
        credit = 0.0
    return Verdict(
        exercise.id,
        status,
        passed + (status == "pass" and exercise.growth is not None),
        total,
        round(credit, 4),
        round(sum(reply.seconds for reply in replies), 4),
        failure,
    )


def status_of(replies: Sequence[Reply], reasons: Sequence[str], slow: bool) -> VerdictStatus:
    """One word for all replies: the worst of them."""
    seen = {reply.status for reply in replies}
    if "blocked" in seen:
        return "tampered"
    if "timeout" in seen:
        return "timeout"
    if "crash" in seen:
        return "crash"
    return "fail" if slow or any(reasons) else "pass"


def reason_against(exercise: Exercise, case: Case, right: Any, reply: Reply) -> str:
    """Why a reply is wrong, in words, or ""."""
    if reply.status == "blocked":
        return f"your code tried something that is not allowed here: {reply.message}"
    if reply.status in ("timeout", "crash", "unrun"):
        return reply.message or "not run, because your code did not get through the cases before"
    if case.raises:
        if reply.status == "ok":
            return f"{case.raises} should be raised here, but your function returned a value"
        if case.raises not in reply.mro:
            return f"{case.raises} should be raised here, not {reply.error}: {reply.message[:200]}"
    elif reply.status == "error":
        return error_in_words(reply)
    elif reason := disagreement(exercise, case, right, reply.value):
        return reason
    if reply.changed:
        return "your function modified its input; work on a copy, the caller still needs the original"
    return ""


def error_in_words(reply: Reply) -> str:
    """What was raised, and where."""
    if reply.error == "NotEncodable":
        return f"your function returned {reply.message}; return numbers, text, lists or arrays"
    line = f" (line {reply.line} of your code)" if reply.line else ""
    return f"your code raised {reply.error}{line}: {reply.message[:300]}"


def disagreement(exercise: Exercise, case: Case, right: Any, value: Any) -> str:
    """The exercise's comparison; a value that it cannot even compare is wrong."""
    try:
        return exercise.agree(value, right, case)
    except Exception as error:  # the value may be anything at all
        return f"the answer cannot be compared ({type(error).__name__}: {error}); it is {brief(value)}"


def credit_of(exercise: Exercise, cases: list[Case], right: list[Any], reasons: Sequence[str], total: int) -> float:
    """The share of right cases beyond what an answer that ignores its input would get."""
    share = sum(not reason for reason in reasons) / total
    baseline = max(
        sum(not reason_against(exercise, c, r, reply) for c, r in zip(cases, right, strict=True) for reply in [make(c)])
        for make in THOUGHTLESS
    )
    floor = baseline / total
    return max(0.0, (share - floor) / (1 - floor)) if floor < 1 else 0.0


def _thoughtless() -> tuple[Callable[[Case], Reply], ...]:
    """Answers that take no thought: constants, an exception everywhere, the input itself."""

    def constant(value: Any) -> Callable[[Case], Reply]:
        return lambda case: Reply("ok", value=value)

    def raising(name: str) -> Callable[[Case], Reply]:
        return lambda case: Reply("error", error=name, mro=(name, "Exception"))

    def echo(case: Case) -> Reply:
        return Reply("ok", value=case.args[0] if case.args else None)

    values: tuple[Any, ...] = (0, 1, 0.5, None, [], {}, False, True)
    errors = ("ValueError", "TypeError", "KeyError", "IndexError", "ZeroDivisionError")
    return (*map(constant, values), *map(raising, errors), echo)


THOUGHTLESS = _thoughtless()


def grows_too_fast(
    exercise: Exercise, source: str, sandbox: Sandbox, rng: np.random.Generator, limits: Limits | None
) -> bool:
    """Whether time at 4n over time at n is above the limit, measured until that is clear.

    A busy machine lengthens single runs, never shortens them, so the best time of all rounds counts
    for either size. It may lengthen those at n alone, so a ratio near the limit is measured again
    before it is believed.
    """
    growth = exercise.growth
    if growth is None:
        return False
    small, large = growth.case(rng, growth.n), growth.case(rng, 4 * growth.n)
    fastest = np.full(2, np.inf)
    for round_number in range(1, GROWTH_ROUNDS + 1):
        replies = sandbox.run(source, exercise.name, [small, large, small, large], limits)
        if any(reply.status != "ok" for reply in replies):
            return True
        times = np.array([reply.cpu_seconds for reply in replies]).reshape(2, 2)
        fastest = np.minimum(fastest, times.min(axis=0))
        ratio = fastest[1] / fastest[0]
        if ratio <= CLEARLY_UNDER * growth.limit:
            return False
        if round_number >= 2 and ratio > CLEARLY_OVER * growth.limit:
            return True
    return bool(fastest[1] > growth.limit * fastest[0])


def mutant_source(exercise: Exercise, mutant: Mutant) -> str:
    """The text of a named wrong answer.

    Raises
    ------
    ValueError
        A text to be swapped does not occur exactly once in the solution.
    """
    answer = solution_text(section(exercise.id).answer)
    for old, new in mutant.swaps:
        if answer.count(old) != 1:
            raise ValueError(f"{exercise.id}, mutant {mutant.name}: {old!r} occurs {answer.count(old)} times")
        answer = answer.replace(old, new)
    return source_of(exercise.id, answer, exercise.name)


def explained(
    exercise: Exercise,
    cases: list[Case],
    right: list[Any],
    replies: list[Reply],
    reasons: list[str],
    wrong: Iterable[tuple[Mutant, list[Reply]]],
) -> Failure:
    """The first wrong case, and the misconception where one is recognised."""
    index = next((i for i, reason in enumerate(reasons) if reason), None)
    if index is None:
        growth = exercise.growth
        says = growth.says if growth else ""
        reason = "the values are right, but the time grows faster than the question allows"
        return Failure(f"four times {growth.n if growth else 0:,} rows", "", "", "", "", reason, says, "slow")
    case, reply = cases[index], replies[index]
    mutant, certain = (None, True)
    if reply.status in ("ok", "error"):
        mutant, certain = recognise(wrong, replies, index)
    return Failure(
        case=case.name,
        why=case.why,
        call=show_call(exercise.name, case),
        expected=f"raises {case.raises}" if case.raises else show_value(right[index]),
        got=show_value(reply.value) if reply.status == "ok" else reply.error or reply.status,
        reason=reasons[index],
        misconception=mutant.says if mutant else "",
        mutant=mutant.name if mutant else "",
        certain=certain,
        printed=reply.printed,
    )


def on_smaller_case(
    failure: Failure,
    exercise: Exercise,
    source: str,
    case: Case,
    reply: Reply,
    sandbox: Sandbox,
    limits: Limits | None,
) -> Failure:
    """The failure shown on a smaller case that is got wrong in the same way, itself where there is none.

    A smaller case counts only where the reference solution gives the oracle's answer: one for which the question
    raises, or of which it says nothing, is no case of the same kind.
    """
    picked_by_hand = bool(case.raises or case.why)
    if exercise.shrink is None or picked_by_hand or reply.status not in ("ok", "error") or not is_large(case):
        return failure
    short = replace(limits or Limits(), seconds=SHRINK_SECONDS)
    reference = reference_source(exercise.id, exercise.name)
    seen: dict[int, tuple[Any, Reply, str]] = {}

    def first_failing(batch: Sequence[Case]) -> int | None:
        wrong = {}
        for position, mine in enumerate(sandbox.run(source, exercise.name, batch, short)):
            if (mine.status, mine.error, mine.changed) == (reply.status, reply.error, reply.changed):
                with suppress(Exception):  # an oracle may expect what the question promises
                    right = expected_answer(exercise, batch[position])
                    if reason := reason_against(exercise, batch[position], right, mine):
                        wrong[position] = (right, mine, reason)
        doubtful = [batch[position] for position in wrong]
        ours = sandbox.run(reference, exercise.name, doubtful, short) if doubtful else []
        for (position, found), other in zip(wrong.items(), ours, strict=True):
            if other.status == "ok" and not reason_against(exercise, batch[position], found[0], other):
                seen[id(batch[position])] = found
                return position
        return None

    shown = smallest(case, exercise.shrink, first_failing)
    if shown is case:
        return failure
    right, mine, reason = seen[id(shown)]
    known = next((mutant for mutant in exercise.mutants if mutant.name == failure.mutant), None)
    if known is not None and not failure.certain:
        other = sandbox.run(mutant_source(exercise, known), exercise.name, [shown], short)[0]
        if not same_reply(mine, other):
            return failure
    return replace(
        failure,
        case=shown.name if shown.name != case.name else f"{case.name}, made smaller",
        call=show_call(exercise.name, shown),
        expected=show_value(right),
        got=show_value(mine.value) if mine.status == "ok" else mine.error,
        reason=reason,
        printed=mine.printed,
    )


def recognise(
    wrong: Iterable[tuple[Mutant, list[Reply]]], replies: list[Reply], index: int
) -> tuple[Mutant | None, bool]:
    """The named wrong answer that replies as the learner's did on every case, or else on case `index`."""
    on_this_case: list[Mutant] = []
    for mutant, theirs in wrong:
        alike = [same_reply(mine, other) for mine, other in zip(replies, theirs, strict=True)]
        if all(alike):
            return mutant, True
        if alike[index] and replies[index].status == "ok" and not replies[index].changed:
            on_this_case.append(mutant)
    return (on_this_case[0], False) if len(on_this_case) == 1 else (None, True)


def mutant_replies(
    exercise: Exercise, cases: list[Case], sandbox: Sandbox, limits: Limits | None
) -> Iterator[tuple[Mutant, list[Reply]]]:
    """What each named wrong answer replies on the cases."""
    for mutant in exercise.mutants:
        yield mutant, sandbox.run(mutant_source(exercise, mutant), exercise.name, cases, limits)


def same_reply(mine: Reply, other: Reply) -> bool:
    """Whether two wrong answers did the same: equal values to nine digits, or the same exception."""
    if mine.status != other.status or mine.changed != other.changed or mine.error != other.error:
        return False
    if mine.status != "ok":
        return True
    return not difference(mine.value, other.value, rtol=1e-9, atol=1e-12)
