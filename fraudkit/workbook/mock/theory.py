"""The theory round: eight questions of the quiz over all weeks; what comes after one depends on the answer.

Whether an answer was right is told only by what the interviewer asks next, and in full afterwards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.mock.data import theory_book
from fraudkit.workbook.mock.prompt import Prompt, Replies, Reply, Setup, Wish
from fraudkit.workbook.quiz.bank import find_question, read_bank
from fraudkit.workbook.quiz.plots import as_text
from fraudkit.workbook.quiz.question import Choice, Free, Question
from fraudkit.workbook.quiz.showing import LETTERS, Showing

COUNT, ALOUD = 8, 3  # questions, and how many of them are answered in one's own words
OF_A_TOPIC = 2
UNSEEN, SURE = 0.6, 0.1  # weight of a question never asked, and the least of one that is well known
DEPTH, CLARITY, PRACTICE = "Depth of knowledge", "Clarity of explanation", "Practical application"


def draw(wish: Wish) -> tuple[str, ...]:
    """Eight questions, what is little known more often, at most two of a topic while there are others."""
    entries = [(topic.id, question) for topic in read_bank() for question in topic.questions]
    weights = {question.id: weight(question.id, wish) for _, question in entries}
    # Efraimidis and Spirakis: keys u ** (1 / w) in falling order are a draw without replacement by weight.
    keys = {name: wish.rng.random() ** (1 / w) for name, w in weights.items()}
    ordered = sorted(entries, key=lambda entry: -keys[entry[1].id])
    of_topic: Counter[str] = Counter()
    aloud: list[Question] = []
    written: list[Question] = []
    rest: list[Question] = []
    for topic_id, question in ordered:
        if of_topic[topic_id] >= OF_A_TOPIC:
            rest.append(question)
            continue
        kind, room = (aloud, ALOUD) if isinstance(question, Free) else (written, COUNT - ALOUD)
        if len(kind) < room:
            kind.append(question)
            of_topic[topic_id] += 1
        else:
            rest.append(question)
    chosen = [*written, *aloud, *rest][:COUNT]
    return tuple(chosen[place].id for place in wish.rng.permutation(len(chosen)))


def weight(question_id: str, wish: Wish) -> float:
    """How likely a question is drawn: by what is forgotten of it, a tenth of that when it was asked lately."""
    recall = wish.known.get(question_id)
    found = UNSEEN if recall is None else max(1 - recall, SURE)
    return found / 10 if question_id in wish.recent else found


def demand(about: str) -> tuple[str, ...]:
    """The questions of one topic of the bank, at most eight.

    Raises
    ------
    InvalidInput
        There is no such topic.
    """
    for topic in read_bank():
        if topic.id == about:
            return tuple(question.id for question in topic.questions)[:COUNT]
    raise InvalidInput(f"the bank has no topic {about!r}; there are {', '.join(topic.id for topic in read_bank())}")


def asks(setup: Setup, replies: Replies) -> Iterator[Prompt]:
    """Each question; a wrong answer is held against one, every second right one is probed."""
    yield Prompt(
        id="clarify",
        stage="Before we start",
        says=f"I have {len(setup.about)} questions and {setup.minutes} minutes. Before you answer, you may ask what I "
        "mean by a question. Is there something about the role that would help you to choose examples?",
    )
    probed = 0
    for place, name in enumerate(setup.about):
        question = find_question(name)
        showing = Showing(question, setup.rng(place))
        yield _asked(question, showing, f"Question {place + 1} of {len(setup.about)}")
        reply = replies.get(name, Reply())
        if reply.grade in ("wrong", "partly"):
            yield _pushed(name, showing, reply)
        elif reply.grade == "right":
            probed += 1
            if probed % 2:
                probes = theory_book().probes
                probe = probes[int(setup.rng(place, 1).integers(len(probes)))]
                yield Prompt(f"{name}/probe", "Follow-up", probe.ask, "talk", probe.points, probe.good, PRACTICE)


def _asked(question: Question, showing: Showing, stage: str) -> Prompt:
    says = showing.ask
    hints: tuple[str, ...] = (f"It is about {question.item.replace('-', ' ')}.",)
    if isinstance(question, Free):
        return Prompt(
            question.id, stage, says, points=question.points, model=question.model, shows=CLARITY,
            hints=(*hints, f"A good answer has {len(question.points)} points; the first: {question.points[0]}."),
            cost=DEPTH, showing=showing,
        )  # fmt: skip
    if isinstance(question, Choice):
        if question.code:
            says += f"\n\n```python\n{question.code.strip()}\n```"
        if question.plot:
            says += f"\n\n```\n{as_text(question.plot)}\n```"
        wrong = next(option for option in showing.options if not option.right)
        hints = (*hints, f"It is not this: {wrong.text}")
        says += "\n\n" + "\n".join(f"- {a}) {o.text}" for a, o in zip(LETTERS, showing.options, strict=False))
    return Prompt(question.id, stage, says, kind="question", shows=DEPTH, hints=hints, cost=DEPTH, showing=showing)


def _pushed(name: str, showing: Showing, reply: Reply) -> Prompt:
    """What is said to an answer that was not right."""
    if isinstance(showing.question, Free):
        missing = [p for number, p in enumerate(showing.question.points, 1) if number not in reply.points]
        return Prompt(
            f"{name}/push", "Follow-up", f"You have not said everything yet. What about this: {missing[0]}?",
            points=tuple(missing), shows=DEPTH,
        )  # fmt: skip
    why = showing.mark(reply.text).why or "I would have said something else."
    return Prompt(
        f"{name}/push", "Follow-up", f"Let me push on that. {why}\n\nWhat do you say now, and why?",
        points=(f"the answer {showing.right_answer}", "the reason, in your own words"),
        model=showing.explain, shows=CLARITY,
    )  # fmt: skip


def reviews(setup: Setup, replies: Replies) -> Iterator[Prompt]:
    """Every question with what is right and why."""
    blocks = []
    for place, name in enumerate(setup.about):
        showing = Showing(find_question(name), setup.rng(place))
        grade = replies.get(name, Reply()).grade or "not reached"
        blocks.append(
            f"**{place + 1}. {showing.ask}**\n\n*{grade}.* {showing.right_answer}\n\n{showing.explain}\n\n"
            f"{showing.question.source}"
        )
    yield Prompt("review", "Afterwards", "\n\n".join(blocks), kind="read", timed=False)
