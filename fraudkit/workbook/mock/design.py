"""The system-design round: a drill in the seven steps of PROBLEM, follow-ups by what was covered, then the rubric."""

from __future__ import annotations

from collections.abc import Iterator

from fraudkit.workbook.drills.drill import MINUTES, drill_ids, read_drill
from fraudkit.workbook.drills.show import drill
from fraudkit.workbook.mock.prompt import Prompt, Replies, Reply, Setup, Wish

REQUIREMENTS, SCALE = "Requirements gathering", "Scalability considerations"
CRITERION = {
    "P": REQUIREMENTS,
    "R": REQUIREMENTS,
    "O": "High-level design",
    "B": "Deep dives",
    "L": "Trade-off analysis",
    "E": SCALE,
    "M": SCALE,
}
ASKS = {
    "P": "What exactly do we predict, for whom, and how do we know that it works?",
    "R": "Which numbers does the system have to hold? Do the arithmetic aloud.",
    "O": "Draw the whole on one page, with what flows where.",
    "B": "Go into the parts that carry the most risk.",
    "L": "Which choices could have gone the other way?",
    "E": "What goes wrong at the edges, and what at ten times the load?",
    "M": "It is live. What do you look at, and what makes you act?",
}


def draw(wish: Wish) -> tuple[str, ...]:
    """One system; those of the last interviews only when nothing else is left."""
    drawn = [str(name) for name in wish.rng.permutation(drill_ids())]
    return (min(drawn, key=lambda name: name in wish.recent),)


def demand(about: str) -> tuple[str, ...]:
    """That one system.

    Raises
    ------
    InvalidInput
        There is no such drill.
    """
    return (read_drill(about).id,)


def asks(setup: Setup, replies: Replies) -> Iterator[Prompt]:
    """Clarifying questions, then step after step; a follow-up depends on whether its topic was covered by then."""
    found = read_drill(setup.about[0])
    yield Prompt(
        id="clarify",
        stage="Clarifying questions",
        says=f"{found.opening}\n\nWhat would you like to know before you draw anything?",
        points=tuple(question.ask for question in found.questions),
        model=f"What the interviewer would have answered:\n\n{drill(found.id, 'answers').text}",
        shows=REQUIREMENTS,
    )
    for step in found.steps:
        minutes = round(step.minutes * setup.minutes / MINUTES) or 1
        yield Prompt(
            id=step.letter,
            stage=f"{step.letter} · {step.title}",
            says=f"{ASKS[step.letter]} Take about {minutes} minute{'s' if minutes > 1 else ''}.",
            hints=(f"Do not leave out: {step.rubric[1]}.", f"A strong answer has: {step.rubric[2]}."),
            cost=CRITERION[step.letter],
        )
        here = [follow_up for follow_up in found.follow_ups if follow_up.step == step.letter]
        if not here:
            continue
        topics = tuple(follow_up.topic for follow_up in here)
        asked = Prompt(
            f"{step.letter}/covered", step.title, "Which of these has your design covered so far?", "topics", topics
        )
        yield asked
        numbers = replies.get(asked.id, Reply()).points
        covered = [topic for number, topic in enumerate(topics, 1) if number in numbers]
        for follow_up in here:
            yield Prompt(
                id=f"{step.letter}/{follow_up.topic}",
                stage="Follow-up",
                says=follow_up.ask(covered),
                points=(follow_up.good,),
                shows=CRITERION[step.letter],
            )


def reviews(setup: Setup, replies: Replies) -> Iterator[Prompt]:
    """For each step the worked answer and its rubric, then the usual mistakes."""
    found = read_drill(setup.about[0])
    for step in found.steps:
        levels = "\n".join(f"- **{points}** {text}" for points, text in enumerate(step.rubric))
        own = replies.get(step.letter, Reply()).text
        noted = f"\n\nYour notes: {own}" if own else ""
        yield Prompt(
            id=f"rubric/{step.letter}",
            stage=f"Afterwards: {step.letter} · {step.title}",
            says=f"{step.worked.strip()}{noted}\n\n**What earns how much**\n\n{levels}",
            kind="level",
            shows=CRITERION[step.letter],
            timed=False,
        )
    yield Prompt("mistakes", "Afterwards: usual mistakes", drill(found.id, "mistakes").text, kind="read", timed=False)
