"""The behavioural round: an opener and three more questions; what an answer left out is asked for, and its story."""

from __future__ import annotations

from collections.abc import Iterator

from fraudkit.workbook.mock.data import behavioral_book
from fraudkit.workbook.mock.prompt import Prompt, Replies, Reply, Setup, Wish
from fraudkit.workbook.mock.telling import afterwards, by_fit, offer, story_id, summary

COUNT = 4
PROBES = 2  # how many missing parts are asked for


def draw(wish: Wish) -> tuple[str, ...]:
    """An opener and `COUNT - 1` others, those of the last interviews only when nothing else is left."""
    questions = behavioral_book().questions
    openers = [question.id for question in questions if question.opener]
    others = [question.id for question in questions if not question.opener]
    return (_fresh(wish, openers, 1) + _fresh(wish, others, COUNT - 1))[:COUNT]


def _fresh(wish: Wish, ids: list[str], count: int) -> tuple[str, ...]:
    """So many ids, drawn; those asked lately come last."""
    drawn = [str(name) for name in wish.rng.permutation(ids)]
    return tuple(sorted(drawn, key=lambda name: name in wish.recent)[:count])


def demand(about: str) -> tuple[str, ...]:
    """That one question.

    Raises
    ------
    InvalidInput
        There is none of this id.
    """
    return (behavioral_book().question(about).id,)


def asks(setup: Setup, replies: Replies) -> Iterator[Prompt]:
    """Each question, then probes for what was missing, or one that goes deeper."""
    book = behavioral_book()
    for place, name in enumerate(setup.about):
        question = book.question(name)
        parts = book.form(question.form).parts
        yield Prompt(
            id=name,
            stage="Opening" if not place else f"Question {place + 1} of {len(setup.about)}",
            says=question.ask + offer(question, setup),
            points=tuple(part.holds for part in parts),
            model=afterwards(question, setup, replies),
            point_shows=tuple(part.shows for part in parts),
            hints=(f"The interviewer listens for this: {question.listens}",),
            cost="STAR structure",
        )
        if setup.stories:
            titles = tuple(story.title for story in by_fit(question, setup.stories))
            yield Prompt(story_id(name), "Your story", "Which of your stories did you tell?", "topics", titles)
        held = replies.get(name, Reply()).points
        missing = [part for number, part in enumerate(parts, 1) if number not in held]
        for part in missing[-PROBES:]:  # the later parts are what interviewers ask for: result, number, reflection
            yield Prompt(
                id=f"{name}/{part.part.lower().replace(' ', '-')}",
                stage="Follow-up",
                says=part.probe,
                points=(part.holds,),
                shows=part.shows,
            )
        if not missing:
            yield Prompt(
                id=f"{name}/deeper",
                stage="Follow-up",
                says=question.deeper,
                points=("a concrete answer, not a principle", "it does not contradict the story"),
                shows="Self-awareness",
            )


def reviews(setup: Setup, replies: Replies) -> Iterator[Prompt]:
    """What the interviewer listened for, and which stories were told, left out or missing."""
    book = behavioral_book()
    lines = [f"- **{book.question(name).ask}** {book.question(name).listens}" for name in setup.about]
    says = "What was listened for:\n\n" + "\n".join(lines) + "\n\n" + summary(setup, replies)
    yield Prompt("review", "Afterwards", says, kind="read", timed=False)
