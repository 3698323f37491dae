"""The k best of a stream in which a card comes again: a small heap, lazy deletion, and ties with a rule."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import Any

import numpy as np

from fraudkit.workbook.agree import brief
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant, Step
from fraudkit.workbook.shrink import calls


def all_cards_kept(k, steps=()):
    """The oracle: every card with its highest score, sorted anew for each answer."""
    seen: list[tuple[int, float]] = []
    answers: list[Any] = []
    for step in steps:
        if step.method == "update":
            seen.append(step.args)
            answers.append(None)
            continue
        cards = sorted({card for card, _ in seen})
        highest = [(card, max(score for name, score in seen if name == card)) for card in cards]
        answers.append(sorted(highest, key=lambda pair: pair[1], reverse=True)[:k])
    return answers


def agree(got: Any, expected: Any, case: Case) -> str:
    """The same cards and scores in the same order; what `update` returns does not matter."""
    if not isinstance(got, list | tuple) or len(got) != len(expected):
        return f"the answer is {brief(got)}"
    for place, (step, mine, right) in enumerate(zip(case.steps, got, expected, strict=True)):
        if step.method == "update":
            continue
        if not isinstance(mine, list | tuple | np.ndarray):
            return f"call {place + 1}, top(), returned {brief(mine)}, expected a list of pairs"
        try:
            pairs = [(int(card), float(score)) for card, score in mine]
        except (TypeError, ValueError):
            return f"call {place + 1}, top(), returned {brief(mine)}, expected pairs of a card and a score"
        if pairs != right:
            return f"call {place + 1}, top(), returned {brief(pairs)}, expected {brief(right)}"
    return ""


def _updates(*scored: tuple[int, float]) -> tuple[Step, ...]:
    """All scores, then the list."""
    return (*(Step("update", pair) for pair in scored), Step("top"))


def _random_steps(rng: np.random.Generator, size: int, cards: int, levels: int) -> tuple[Step, ...]:
    """Scores on a few levels, so that ties are common, and the list now and then."""
    steps = []
    for number in range(size):
        steps.append(Step("update", (int(rng.integers(1, cards + 1)), int(rng.integers(1, levels + 1)) / levels)))
        if number % 10 == 9:
            steps.append(Step("top"))
    return (*steps, Step("top"))


def cases(rng: np.random.Generator) -> list[Case]:
    """Cards that come again, ties, cards that drop out and return, then random days."""
    found = [
        Case("five payments", (2,), steps=_updates((11, 0.4), (12, 0.9), (13, 0.6), (11, 0.7), (12, 0.1))),
        Case("no payment", (3,), steps=(Step("top"),)),
        Case("fewer cards than places", (5,), steps=_updates((4, 0.2), (3, 0.8))),
        Case(
            "a card that comes again",
            (3,),
            steps=_updates((1, 0.5), (1, 0.6), (1, 0.7), (2, 0.1), (3, 0.2)),
            why="a card has one place, however many payments it made",
        ),
        Case(
            "a lower score afterwards",
            (2,),
            steps=_updates((1, 0.9), (2, 0.5), (1, 0.1), (3, 0.4)),
            why="a card's score is its highest, not its latest",
        ),
        Case(
            "many small scores",
            (1,),
            steps=_updates((1, 0.3), (1, 0.3), (1, 0.3), (2, 0.8)),
            why="scores are not added up",
        ),
        Case(
            "dropped and back again",
            (2,),
            steps=(*_updates((1, 0.3), (2, 0.5), (3, 0.6)), *_updates((1, 0.7)), *_updates((2, 0.65))),
            why="a card that dropped out may come back with a higher score",
        ),
        Case(
            "the worst becomes the best",
            (2,),
            steps=_updates((1, 0.3), (2, 0.5), (1, 0.9), (3, 0.6)),
            why="a score that a higher one has replaced must not push its card out",
        ),
        Case(
            "equal scores",
            (3,),
            steps=_updates((9, 0.5), (4, 0.5), (7, 0.5)),
            why="of equal scores the smaller card number comes first",
        ),
        Case(
            "equal scores for the last place",
            (2,),
            steps=(*_updates((8, 0.9), (5, 0.5), (6, 0.5)), *_updates((3, 0.5))),
            why="for the last place too: the card with the smaller number keeps or takes it",
        ),
        Case("scores below zero", (2,), steps=_updates((1, -3.0), (2, -1.5), (3, -2.0), (1, -1.0))),
        Case("one place", (1,), steps=_updates((1, 0.2), (2, 0.1), (3, 0.4), (4, 0.3))),
        Case("no place", (0,), steps=(Step("top"),), raises="ValueError"),
    ]
    for size, cards, k, levels in ((40, 8, 3, 12), (100, 25, 5, 60), (100, 12, 6, 8)):
        found.append(
            Case(f"{size} payments of {cards} cards, k={k}", (k,), steps=_random_steps(rng, size, cards, levels))
        )
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """2n rising scores of n cards and n / 2 places, to see how time grows."""
    scores = np.sort(rng.random(2 * n)).tolist()
    cards = rng.integers(0, n, 2 * n).tolist()
    return Case(f"{n} cards", (n // 2,), steps=(*map(Step, ["update"] * 2 * n, zip(cards, scores, strict=True)),))


class InOrder:
    """Accepted: the best k in a sorted list with binary insertion and removal."""

    def __init__(self, k):
        if k <= 0:
            raise ValueError("no place")
        self.places = k
        self.line: list = []
        self.scores: dict = {}

    def update(self, card, score):
        """A payment of card was given score."""
        known = self.scores.get(card)
        if known is not None:
            if known >= score:
                return
            self.line.pop(bisect_left(self.line, (-known, card)))
        insort(self.line, (-score, card))
        self.scores[card] = score
        if len(self.line) > self.places:
            _, gone = self.line.pop()
            del self.scores[gone]

    def top(self):
        """The best cards with their scores, the highest first."""
        return [(card, -negated) for negated, card in self.line]


class InBatches:
    """Accepted: highest scores in a dictionary, cut back to the best k whenever it has grown to twice as many."""

    def __init__(self, k):
        if not k >= 1:
            raise ValueError(k)
        self.k, self.high = k, {}

    def _cut(self):
        ranked = sorted((-score, card) for card, score in self.high.items())
        self.high = {card: -negated for negated, card in ranked[: self.k]}

    def update(self, card, score):
        """A payment of card was given score."""
        self.high[card] = max(score, self.high.get(card, score))
        if len(self.high) >= 2 * self.k + 1:
            self._cut()

    def top(self):
        """The best cards with their scores, the highest first."""
        self._cut()
        return [list(pair) for pair in self.high.items()]


EXERCISE = Exercise(
    id="top_cards",
    function="TopCards",
    title="The k cards to look at",
    minutes=25,
    difficulty="medium",
    feeds="10",
    week="1-2",
    hints=(
        "Which of the k best is the one that a newcomer has to beat? A heap should have that one on top.",
        "Can a card that dropped out get back with a score that you have seen already? What follows for what you keep?",
        "When a card inside gets a higher score, leave its old entry in the heap, keep the true score in a dictionary, and "
        "throw stale entries away when they come to the top.",
    ),
    cases=cases,
    expect=all_cards_kept,
    agree=agree,
    mutants=(
        Mutant(
            "latest-score",
            "A lower score replaced a higher one. A card's score is its highest.",
            swaps=(("if score <= self._best.get(card, -math.inf):", "if score == self._best.get(card, -math.inf):"),),
        ),
        Mutant(
            "scores-added-up",
            "The scores of a card were added up. Many small payments are not one suspicious one: take the highest.",
            swaps=(
                (
                    "if score <= self._best.get(card, -math.inf):\n            return",
                    "score = score + self._best.get(card, 0.0)",
                ),
            ),
        ),
        Mutant(
            "best-pushed-out",
            "The best card was pushed out. To keep the largest, the heap needs the smallest on top.",
            swaps=(
                ("heapq.heappush(self._heap, (score, -card))", "heapq.heappush(self._heap, (-score, -card))"),
                (
                    "worst, minus_card = heapq.heappop(self._heap)",
                    "worst, minus_card = heapq.heappop(self._heap)\n            worst = -worst",
                ),
                ("[(high, -name) for", "[(-high, -name) for"),
            ),
        ),
        Mutant(
            "stale-entry-pushes-out",
            "An old, lower score of a card pushed it out although it had a higher one by then. Compare what comes to the top "
            "with the true score.",
            swaps=(
                (
                    "if self._best.get(-minus_card) == worst:\n                del self._best[-minus_card]",
                    "self._best.pop(-minus_card, None)",
                ),
            ),
        ),
        Mutant(
            "higher-score-ignored",
            "A card that was inside kept its first score. A higher one replaces it.",
            swaps=(("if score <= self._best.get(card, -math.inf):", "if card in self._best:"),),
        ),
        Mutant(
            "larger-number-keeps-the-place",
            "Where two cards with equal scores compete for the last place, the larger number kept it.",
            swaps=(
                ("heapq.heappush(self._heap, (score, -card))", "heapq.heappush(self._heap, (score, card))"),
                (
                    "worst, minus_card = heapq.heappop(self._heap)",
                    "worst, minus_card = heapq.heappop(self._heap)\n            minus_card = -minus_card",
                ),
                ("[(high, -name) for", "[(high, name) for"),
            ),
        ),
        Mutant(
            "first-come-keeps-the-place",
            "Where two cards with equal scores compete for the last place, the earlier one kept it. The smaller number does.",
            swaps=(
                (
                    "self._best[card] = score\n",
                    "if card not in self._best and len(self._best) == self._k and score <= min(self._best.values()):\n"
                    "            return\n        self._best[card] = score\n",
                ),
            ),
        ),
        Mutant(
            "list-ordered-by-arrival",
            "Cards with equal scores were listed by arrival. The smaller number comes first.",
            swaps=(("key=lambda pair: (-pair[1], pair[0])", "key=lambda pair: -pair[1]"),),
        ),
        Mutant(
            "dropped-for-good",
            "A card that dropped out was refused when it came with a higher score.",
            swaps=(
                (
                    "if self._best.get(-minus_card) == worst:\n                del self._best[-minus_card]",
                    "if self._best.get(-minus_card) == worst:\n                del self._best[-minus_card]\n"
                    '                self._out = getattr(self, "_out", set()) | {-minus_card}',
                ),
                (
                    "if score <= self._best.get(card, -math.inf):",
                    'if card in getattr(self, "_out", ()) or score <= self._best.get(card, -math.inf):',
                ),
            ),
        ),
        Mutant(
            "lowest-first",
            "The list began with the lowest score. The highest comes first.",
            swaps=(("key=lambda pair: (-pair[1], pair[0])", "key=lambda pair: (pair[1], pair[0])"),),
        ),
    ),
    accepted=(InOrder, InBatches),
    growth=Growth(
        case=large,
        n=1000,
        says="With each payment the cards are searched for the worst, or sorted. Keep them in a heap with the worst on top.",
    ),
    shrink=calls(),
)
