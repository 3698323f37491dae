"""The coding round: one or two exercises in a fresh notebook, with what an interviewer asks before and after."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import numpy as np

from fraudkit.workbook.exercise import Exercise, exercise, exercise_ids
from fraudkit.workbook.mock.data import coding_book
from fraudkit.workbook.mock.prompt import Prompt, Replies, Reply, Setup, Wish
from fraudkit.workbook.notebooks import ordered_ids, section, solution_text

EDGES = 5  # edge cases that one could have asked about
FILL = 0.8  # share of the time that the exercises take by their own estimate
WEIGHTS = {"tried": 4.0, "open": 3.0, "solution seen": 2.0, "passed after the solution": 1.5, "passed": 0.5}
FOLDING = re.compile(r"</?(details|summary)>|^### .*$|(?<=<summary>).*(?=</summary>)", re.MULTILINE)
UNDERSTANDING, CORRECT, TALK = "Problem understanding", "Solution correctness", "Communication"


def draw(wish: Wish) -> tuple[str, ...]:
    """One exercise of middle or high difficulty that fits the time, and a second where there is room for it."""
    items = [exercise(name) for name in ordered_ids() if name in exercise_ids()]
    room = FILL * wish.minutes
    fitting = [item for item in items if item.minutes <= room]
    first = _one(wish, [item for item in fitting if item.difficulty != "easy"] or fitting)
    if first is None:
        return (min(items, key=lambda item: item.minutes).id,)
    left = [item for item in fitting if item.id != first.id and item.minutes <= room - first.minutes]
    second = _one(wish, left)
    return (first.id, second.id) if second else (first.id,)


def _one(wish: Wish, items: list[Exercise]) -> Exercise | None:
    """One of them, those not passed and not asked lately more often."""
    if not items:
        return None
    weights = [WEIGHTS[wish.progress.record(item.id).state] / (20 if item.id in wish.recent else 1) for item in items]
    return items[int(wish.rng.choice(len(items), p=np.array(weights) / sum(weights)))]


def demand(about: str) -> tuple[str, ...]:
    """That one exercise.

    Raises
    ------
    InvalidInput
        There is none of this id.
    """
    return (exercise(about).id,)


def asks(setup: Setup, replies: Replies) -> Iterator[Prompt]:
    """For each exercise: clarify, approach, write; then follow-ups by what was covered, and the explanation."""
    book = coding_book()
    for place, name in enumerate(setup.about):
        item, found = exercise(name), section(name)
        which = f" · problem {place + 1} of {len(setup.about)}" if len(setup.about) > 1 else ""
        statement = found.question.partition("\n")[2].strip()
        yield Prompt(
            id=f"{name}/clarify",
            stage=f"Clarifying questions{which}",
            says=f"**{found.title}.** {statement.partition(chr(10) * 2)[0]}\n\n{book.clarify}",
            points=edges(name),
            model=f"The whole problem, as it stands in your notebook:\n\n{statement}",
            shows=UNDERSTANDING,
        )
        approach = Prompt(
            id=f"{name}/approach",
            stage=f"Approach{which}",
            says=book.approach,
            points=tuple(point.says for point in book.approach_points),
            shows=TALK,
        )
        yield approach
        yield Prompt(
            id=name,
            stage=f"Code{which}",
            says=f"{book.write} About {item.minutes} minutes. The function is `{item.name}`.",
            kind="code",
            shows=CORRECT,
            hints=item.hints,
            cost=CORRECT,
            exercise=name,
        )
        held = replies.get(approach.id, Reply()).points
        covered = {point.topic for number, point in enumerate(book.approach_points, 1) if number in held}
        code = replies.get(name, Reply())
        if code.total and code.passed == code.total:
            covered.add("passed")
        for turn in book.follow_ups:
            says = turn.covered if turn.topic in covered else turn.missed
            yield Prompt(f"{name}/{turn.topic}", f"Follow-up{which}", says, "talk", (turn.good,), "", TALK)
        if place == 0:
            yield Prompt(
                id=f"{name}/explain",
                stage=f"Two minutes aloud{which}",
                says=book.explain_first,
                points=("the idea before the code", "why it is right", "what it costs", "where it is used"),
                model=unfolded(found.aloud),
                shows=TALK,
            )


@cache
def edges(exercise_id: str) -> tuple[str, ...]:
    """What the exercise's cases are there to catch, as points to have asked about."""
    cases = exercise(exercise_id).cases(np.random.default_rng(7))
    return tuple(dict.fromkeys(case.why for case in cases if case.why))[:EDGES]


def unfolded(aloud: str) -> str:
    """A section's question and model answer without the folding of a notebook.

    >>> unfolded("### Two minutes aloud\\n\\n<details><summary>A</summary>\\n\\nyes\\n\\n</details>")
    'yes'
    """
    return FOLDING.sub("", aloud).strip()


def reviews(setup: Setup, replies: Replies) -> Iterator[Prompt]:
    """Our solution with its notes, to hold beside one's own."""
    for name in setup.about:
        found = section(name)
        yield Prompt(
            id=f"review/{name}",
            stage=f"Afterwards: {found.title}",
            says=f"One solution, to judge your code's quality by:\n\n```python\n{solution_text(found.answer)}\n```\n\n"
            f"{found.notes.partition(chr(10))[2].strip()}",
            kind="read",
            timed=False,
        )
