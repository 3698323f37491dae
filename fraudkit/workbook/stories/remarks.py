"""What plain checks can say about a story: parts, length, who acted, numbers, the lesson.

They read words, not sense: a remark says what is missing on the page, and that nothing is remarked does not make a
story good. Telling it to somebody does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from fraudkit.workbook.stories.story import PARTS, Story

# Two minutes at the pace of somebody who speaks clearly.
SHORTEST, LONGEST = 200, 340
LEAST_PART = 12  # words
SHARE_OF_ACTION = 0.35
_NUMBER = re.compile(r"\d|\b(half|twice|third|quarter|hundred|thousand|million)\b", re.IGNORECASE)
_I = re.compile(r"\b(I|my|me|myself)\b")
_WE = re.compile(r"\b(we|our|us|ourselves|the team)\b", re.IGNORECASE)
_LESSON = re.compile(
    r"\b(learn\w*|lesson\w*|now I|since then|today I|next time|would have|differently|never again|from then on)\b",
    re.IGNORECASE,
)
_VAGUE = re.compile(
    r"\b(significant\w*|a lot|hugely?|various|very successful|state of the art|leverag\w+|synerg\w+|impactful)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to mend; `needed` where the story is not complete without it."""

    part: str
    says: str
    needed: bool = True


def remarks(story: Story) -> list[Remark]:
    """What is missing or out of proportion, in the order in which one reads the story."""
    return [*_on_parts(story), *_on_length(story), *_on_who(story), *_on_outcome(story), *_on_words(story)]


def is_complete(story: Story) -> bool:
    """Whether nothing that a story needs is missing."""
    return not any(remark.needed for remark in remarks(story))


def _on_parts(story: Story) -> Iterable[Remark]:
    for part in PARTS:
        count = len(story.parts[part].split())
        if count < LEAST_PART:
            yield Remark(part, f"{part} has {count} words; a listener needs at least {LEAST_PART}")


def _on_length(story: Story) -> Iterable[Remark]:
    if story.words and not SHORTEST <= story.words <= LONGEST:
        way = "longer" if story.words < SHORTEST else "shorter"
        yield Remark("all", f"{story.words} words; two minutes are {SHORTEST} to {LONGEST}: make it {way}")
    action = len(story.parts["Action"].split())
    if story.words and action < SHARE_OF_ACTION * story.words:
        yield Remark(
            "Action",
            f"what you did is {action / story.words:.0%} of the story; it should be {SHARE_OF_ACTION:.0%} or more",
        )


def _on_who(story: Story) -> Iterable[Remark]:
    action = story.parts["Action"]
    own, shared = len(_I.findall(action)), len(_WE.findall(action))
    if action and own == 0:
        yield Remark("Action", "there is no 'I' in it: say what you decided and did")
    elif shared > own:
        yield Remark("Action", f"'we' {shared} times and 'I' {own}: which part was yours?", needed=False)


def _on_outcome(story: Story) -> Iterable[Remark]:
    result, reflection = story.parts["Result"], story.parts["Reflection"]
    if result and not _NUMBER.search(result):
        yield Remark("Result", "there is no number in it: how much, how many, how long, compared with what?")
    if story.kind == "failure" and reflection and not _LESSON.search(reflection):
        yield Remark("Reflection", "a failure needs its lesson: what do you do differently since?")
    if not story.answers and not story.principles:
        yield Remark("all", "it answers no question and shows no principle yet: fill in Answers or Principles")


def _on_words(story: Story) -> Iterable[Remark]:
    for part in PARTS:
        if found := sorted({word.lower() for word in _VAGUE.findall(story.parts[part])}):
            yield Remark(part, f"say what {', '.join(repr(word) for word in found)} stands for", needed=False)
