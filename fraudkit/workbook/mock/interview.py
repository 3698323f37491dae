"""One mock interview: what is asked now, what came back, how much time is left. Knows nothing of screens.

Each change is made on what stands in the progress file at that moment and saved at once, so that a kernel may die, a
terminal may close, and two of them may be open. There is no pause: an interview goes on, or it is abandoned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from time import monotonic
from typing import Literal

import numpy as np

from fraudkit.core.clock import from_epoch_ms
from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.mock import record
from fraudkit.workbook.mock.prompt import LEVELS, Prompt, Reply, Setup, Wish, numbers_of
from fraudkit.workbook.mock.record import Held
from fraudkit.workbook.mock.rounds import MINUTES, find_round
from fraudkit.workbook.mock.state import State, keep_unreadable, running
from fraudkit.workbook.mock.suggest import Suggestion, evidence, suggestions
from fraudkit.workbook.mock.telling import SHELF, on_shelf
from fraudkit.workbook.mock.timer import Timer, clock_text
from fraudkit.workbook.plan.scorecard import average
from fraudkit.workbook.progress import Progress, ProgressFile
from fraudkit.workbook.quiz.memory import memories, remember

Phase = Literal["asking", "review", "scorecard", "over"]
RECENT = 3  # earlier interviews of a round whose content is avoided
GONE = "this interview is over; `fraudkit mock --history` shows those that were held"


@dataclass(frozen=True, slots=True)
class Checked:
    """How a check of an answer went, as far as an interview has to know."""

    exercise: str
    passed: int
    total: int


class Interview:
    """The interview that is running in a home.

    Parameters
    ----------
    file : where it stands; its clock tells the time
    state : as it was read
    watch : seconds of a clock that nobody can set; it keeps time within this process when the other is set back
    """

    def __init__(self, file: ProgressFile, state: State, watch: Callable[[], float] | None = None) -> None:
        self.file = file
        self.state = state
        self.phase_over = False
        self._watch = watch or monotonic
        self._watched = self._watch()

    @classmethod
    def start(
        cls, file: ProgressFile, name: str, *, seed: int | None = None, minutes: int | None = None, about: str = ""
    ) -> Interview:
        """Begin an interview; its time runs from now.

        Parameters
        ----------
        name : of the round
        seed : the same content again; drawn where it is None
        minutes : 5..180, by default what the round has
        about : an exercise, topic, drill or question instead of what is drawn

        Raises
        ------
        InvalidInput
            Another one is running, or there is no such round, length or content.
        """
        found = find_round(name)
        minutes = found.minutes if minutes is None else minutes
        if minutes not in MINUTES:
            raise InvalidInput(f"an interview takes {MINUTES[0]} to {MINUTES[-1]} minutes, not {minutes}")
        seed = int(np.random.default_rng().integers(2**31)) if seed is None else seed
        progress = file.read()
        _demand_none(progress)
        drawn = found.demand(about) if about else found.draw(_wish(file, progress, name, seed, minutes))
        now = file.clock.now_ms()
        stories = on_shelf(file.path.parent / SHELF) if name == "behavioral" else ()
        setup, begun = Setup(drawn, seed, minutes, stories), file.now()
        state = State(f"{name}-{begun}", name, setup, begun, Timer(minutes * 60_000, 0, now))
        with file.change() as progress:
            _demand_none(progress)  # another kernel may have been faster
            keep_unreadable(progress)
            progress.mocks["current"] = state.as_dict()
        return cls(file, state)

    @classmethod
    def resume(cls, file: ProgressFile) -> Interview | None:
        """The interview that stands in the file; None where there is none."""
        state = running(file.read())
        return None if state is None else cls(file, state)

    # -- what there is to see

    @property
    def timer(self) -> Timer:
        """The timer now; it stands still once everything was asked."""
        if self.state.ended:
            return self.state.timer
        watched = int((self._watch() - self._watched) * 1000)
        return self.state.timer.at(self.file.clock.now_ms(), watched)

    @property
    def seconds_left(self) -> float:
        """Until the time is over."""
        return self.timer.left_s

    @property
    def prompt(self) -> Prompt | None:
        """What the interviewer says now; None when only the scorecard is left."""
        return _current(self.state, self.timer.is_over)

    @property
    def revealed(self) -> bool:
        """Whether the answer was given and its points are to be ticked."""
        prompt = self.prompt
        return prompt is not None and self.reply.said

    @property
    def reply(self) -> Reply:
        """What came back so far to what is asked now."""
        prompt = self.prompt
        return self.state.replies.get(prompt.id, Reply()) if prompt else Reply()

    @property
    def phase(self) -> Phase:
        """Asked under time, looked at afterwards, marked, or over."""
        if self.phase_over:
            return "over"
        prompt = self.prompt
        return "scorecard" if prompt is None else "asking" if prompt.timed else "review"

    def suggestions(self) -> list[Suggestion]:
        """The scorecard with the marks that the evidence suggests."""
        return suggestions(self.state)

    # -- what can be done

    def answer(self, text: str, prompt_id: str = "") -> str:
        """Take an answer to what is asked; gives Markdown to be shown before going on, often "".

        A talk with points takes two: the answer, then the numbers of the points that it held.

        Parameters
        ----------
        prompt_id : what the learner saw; refused when something else is asked by now

        Raises
        ------
        InvalidInput
            The text is no answer to this kind of prompt, or nothing is asked. Nothing is recorded then.
        """
        told, card = "", ("", "")

        def given(state: State, prompt: Prompt, reply: Reply, late: bool) -> Reply:
            nonlocal told, card
            answered, told = _taken(prompt, reply, text.strip())
            if answered.grade and not late and prompt.showing is not None:
                card = (prompt.showing.question.id, answered.grade)
            return replace(answered, late=True, done=True) if late else answered

        self._change(prompt_id, given)
        if card[0]:
            remember(self.file, card[0], card[1])  # type: ignore[arg-type]
        return told

    def check(self, checked: Checked) -> bool:
        """Take the verdict on an exercise's answer; gives whether all its cases pass, which ends the prompt.

        Raises
        ------
        InvalidInput
            This exercise is not asked for now.
        """
        passed = checked.total > 0 and checked.passed == checked.total

        def given(state: State, prompt: Prompt, reply: Reply, late: bool) -> Reply:
            if late:
                return replace(reply, late=reply.total == 0, done=True)
            best = max((reply.passed, reply.total), (checked.passed, checked.total))
            return replace(reply, passed=best[0], total=best[1], attempts=reply.attempts + 1, done=passed)

        self._change(checked.exercise, given)
        return passed

    def hint(self) -> str:
        """The next hint, as words with what it costs.

        Raises
        ------
        InvalidInput
            There is none left.
        """
        told = ""

        def given(state: State, prompt: Prompt, reply: Reply, late: bool) -> Reply:
            nonlocal told
            if reply.hints >= len(prompt.hints) or reply.said:
                raise InvalidInput("there is no hint left here" if prompt.hints else "there is no hint here")
            more = replace(reply, hints=reply.hints + 1)
            cost = f"costs a mark of {prompt.cost}" if more.hints_had > reply.hints_had else "you had it already"
            told = f"{prompt.hints[reply.hints]} ({cost})"
            return more

        self._change("", given)
        return told

    def opened(self, exercise_id: str, hint: int | None = None) -> str:
        """Take down that a hint of an exercise was opened in a notebook, or our solution where `hint` is None.

        Counts while the time runs, for an exercise of this round: a hint until its code is done, the solution always.
        Gives a sentence for the learner, "" when it costs nothing.
        """
        with self.file.change() as progress:
            state = self._fresh(progress)
            prompt = _code_of(state, exercise_id)
            if prompt is None or state.ended or state.timer.is_over:
                return ""
            reply = state.replies.get(prompt.id, Reply())
            if hint is not None:
                if reply.done:
                    return ""
                looked = replace(reply, looked=tuple(sorted({*reply.looked, hint})))
                costs = looked.hints_had > reply.hints_had
                told = f"costs a mark of {prompt.cost}" if costs else "costs nothing, for you had this hint already"
            else:
                when = reply.solution or ("after" if reply.done else "before")
                looked = replace(reply, solution=when)
                told = f"the code counts for nothing in {prompt.shows}" if when == "before" else "it is noted"
            self._take(progress, replace(state, replies={**state.replies, prompt.id: looked}))
        return f"A coding interview about this runs: {told}."

    def abandon(self) -> Held:
        """End it without marks; it stays in the history.

        Raises
        ------
        InvalidInput
            It is over already.
        """
        return self._close("abandoned", {})

    def finish(self, marks: Mapping[str, int]) -> Held:
        """Put the scorecard into the history.

        Parameters
        ----------
        marks : for each criterion of the round 1..5

        Raises
        ------
        InvalidInput
            A mark is missing or out of range, something is still asked, or it is over already.
        """
        average(self.state.round.title, marks)
        if self.phase in ("asking", "review"):
            raise InvalidInput("the interview is not at its end; answer what is asked, or abandon it")
        return self._close("", marks)

    def save_time(self) -> None:
        """Write down how much time is spent; a restart after a clock was set back begins from there."""
        with self.file.change() as progress:
            self._take(progress, self._fresh(progress))

    # -- how it is done

    def _change(self, prompt_id: str, given: Callable[[State, Prompt, Reply, bool], Reply]) -> None:
        """Replace the reply to what is asked now, on what stands in the file."""
        with self.file.change() as progress:
            state = self._fresh(progress)
            late = state.timer.is_over and not state.ended
            prompt = _current(state, over=False)
            if late and (prompt is None or prompt_id != prompt.id):  # the learner saw already that the time is over
                state, late = replace(state, ended="time over"), False
                prompt = _current(state, over=True)
            if prompt is None:
                raise InvalidInput("nothing is asked any more; the scorecard is left")
            if prompt_id and prompt_id != prompt.id:
                self.state = state
                raise InvalidInput("this was answered elsewhere, or the time is over; look at what is asked now")
            reply = state.replies.get(prompt.id, Reply())
            late = late and prompt.timed and not reply.said
            replies = {**state.replies, prompt.id: given(state, prompt, reply, late)}
            self._take(progress, replace(state, replies=replies))

    def _fresh(self, progress: Progress) -> State:
        """The interview as it stands in the file, with its timer set to now."""
        state = running(progress)
        if state is None or state.id != self.state.id:
            self.phase_over = True
            raise InvalidInput(GONE)
        if state.ended:
            return state
        # A writer in another process may have seen a later moment; the watch counts from what this one saw last.
        own = self.timer
        timer = state.timer.at(own.seen_ms)
        return replace(state, timer=replace(timer, spent_ms=max(timer.spent_ms, own.spent_ms)))

    def _take(self, progress: Progress, state: State) -> None:
        """Write a state, closed where the time is over or everything was asked."""
        if not state.ended:
            asked = _current(state, over=False)
            if state.timer.is_over:
                state = replace(state, ended="time over")
            elif asked is None or not asked.timed:
                state = replace(state, ended="finished")
        progress.mocks["current"] = state.as_dict()
        self.state, self._watched = state, self._watch()

    def _close(self, how: str, marks: Mapping[str, int]) -> Held:
        with self.file.change() as progress:
            state = self._fresh(progress)
            if not state.ended and not how:
                state = replace(state, ended="time over")
            suggested = {s.criterion: s.mark for s in suggestions(state) if s.mark is not None}
            held = Held(
                state.id,
                state.round_name,
                state.setup.about,
                state.setup.minutes,
                state.started_at,
                self.file.now(),
                how or state.ended,
                round(state.timer.used_s, 1),
                dict(marks),
                suggested,
                evidence(state),
            )
            record.add(progress, held)
        self.phase_over = True
        return held


def _current(state: State, over: bool) -> Prompt | None:
    """The first prompt that is not done. When the time is over, of the timed ones only one whose answer was given."""
    over = over or state.ended == "time over"
    for prompt in state.round.asks(state.setup, state.replies):
        reply = state.replies.get(prompt.id, Reply())
        if not reply.done and (reply.said or not over):
            return prompt
    for prompt in state.round.reviews(state.setup, state.replies):
        if not state.replies.get(prompt.id, Reply()).done:
            return prompt
    return None


def _code_of(state: State, exercise_id: str) -> Prompt | None:
    """The prompt under which this exercise is asked in this interview; None where it is not."""
    asked = state.round.asks(state.setup, state.replies)
    return next((prompt for prompt in asked if prompt.kind == "code" and prompt.exercise == exercise_id), None)


def charge(file: ProgressFile, exercise_id: str, hint: int | None = None) -> str:
    """Tell the interview that runs in this home, if one does, what was opened; gives what `Interview.opened` says."""
    interview = Interview.resume(file)
    try:
        return interview.opened(exercise_id, hint) if interview is not None else ""
    except InvalidInput:  # it ended in another process in between
        return ""


def _taken(prompt: Prompt, reply: Reply, text: str) -> tuple[Reply, str]:
    """A reply with `text` in it, and what is shown for it."""
    if prompt.kind == "topics":
        return replace(reply, points=numbers_of(text, len(prompt.points)), done=True), ""
    if prompt.kind == "level":
        if not (text.isdecimal() and int(text) <= LEVELS):
            raise InvalidInput(f"{text!r}: a step earns 0 to {LEVELS} points")
        return replace(reply, points=(int(text),), done=True), ""
    if prompt.kind == "question" and prompt.showing is not None:
        return replace(reply, text=text, grade=prompt.showing.mark(text).grade, done=True), ""
    if prompt.kind == "code":
        if text.lower() not in ("done", "n", "next"):
            raise InvalidInput(f"{text!r}: check the answer, or go on by next")
        return replace(reply, done=True), ""
    if prompt.kind == "read" or not prompt.points:
        return replace(reply, text=text, said=True, done=True), prompt.model
    if not reply.said:
        return replace(reply, text=text, said=True), prompt.model
    points = numbers_of(text, len(prompt.points))
    grade = prompt.showing.mark(" ".join(map(str, points)) or "none").grade if prompt.showing else ""
    return replace(reply, points=points, grade=grade, done=True), ""


def _demand_none(progress: Progress) -> None:
    state = running(progress)
    if state is not None:
        left = clock_text(state.timer.left_s)
        raise InvalidInput(
            f"a {state.round_name} interview stands open (at the last step {left} were left): go on with it by "
            "fraudkit mock --resume, or end it by fraudkit mock --abandon"
        )


def _wish(file: ProgressFile, progress: Progress, name: str, seed: int, minutes: int) -> Wish:
    """What a draw may depend on."""
    earlier = [held for held in record.history(progress) if held.round == name][-RECENT:]
    recent = tuple(thing for held in reversed(earlier) for thing in held.about)
    known = {}
    if name == "theory":
        now = from_epoch_ms(file.clock.now_ms())
        known = {question_id: memory.recall(now) for question_id, memory in memories(progress).items()}
    return Wish(np.random.default_rng(seed), progress, minutes, recent, known)
