"""Edit distance with swaps of neighbours: empty names, a swap costs one, swapped letters are not touched again."""

from __future__ import annotations

from collections import deque
from functools import cache

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Mutant
from fraudkit.workbook.shrink import lists

LETTERS = "aabbc e"


def by_endings(one, other):
    """The oracle: the definition itself, from the ends of the names backwards, remembering what was answered."""

    @cache
    def between(i: int, j: int) -> int:
        if i == len(one) or j == len(other):
            return len(one) - i + len(other) - j
        ways = [1 + between(i + 1, j), 1 + between(i, j + 1), between(i + 1, j + 1) + (one[i] != other[j])]
        if one[i : i + 2] == other[j : j + 2][::-1] and len(one[i : i + 2]) == 2:
            ways.append(1 + between(i + 2, j + 2))
        return min(ways)

    return between(0, 0)


def _misspelt(name: str, slips: int, rng: np.random.Generator) -> str:
    letters = list(name)
    for kind in rng.integers(0, 4, slips):
        at = int(rng.integers(0, len(letters) - 1))
        if kind == 0:
            letters.insert(at, str(rng.choice(list(LETTERS))))
        elif kind == 1:
            del letters[at]
        elif kind == 2:
            letters[at] = str(rng.choice(list(LETTERS)))
        else:
            letters[at], letters[at + 1] = letters[at + 1], letters[at]
    return "".join(letters)


def cases(rng: np.random.Generator) -> list[Case]:
    """One slip of each kind, empty names, swaps with more; then misspelt names."""
    found = [
        Case("a letter replaced", ("cafe", "case")),
        Case(
            "a letter left out at the front",
            ("kiosk", "iosk"),
            why="all letters move up by one; it is one slip, not five",
        ),
        Case(
            "a letter inserted and one left out",
            ("abcdef", "bcdefg"),
            why="the names agree when one is moved by a letter",
        ),
        Case("two neighbours swapped", ("shop", "shpo"), why="a swap of neighbours is one slip"),
        Case(
            "swapped letters are not touched again", ("ca", "abc"), why="three slips: the swapped pair may not be split"
        ),
        Case("two swaps", ("abcd", "badc")),
        Case("the same name", ("bakery", "bakery")),
        Case("an empty name", ("", "abc")),
        Case("two empty names", ("", "")),
        Case("from the longer to the empty", ("abcd", "")),
        Case(
            "a name within another", ("cafe", "the old cafe inn"), why="what stands before and after it counts as well"
        ),
        Case("capitals and spaces count", ("Corner Cafe", "cornercafe")),
        Case("first and last letter equal", ("aXYZa", "aa")),
        Case("letters apart are not neighbours", ("abc", "cba"), why="only letters beside each other can be swapped"),
    ]
    for length, slips in ((9, 2), (24, 6), (60, 12)):
        name = "".join(rng.choice(list(LETTERS), length))
        found.append(Case(f"{length} letters, up to {slips} slips", (name, _misspelt(name, slips, rng))))
    found.append(Case("two unrelated names", tuple("".join(rng.choice(list(LETTERS), 30)) for _ in range(2))))
    return found


def whole_table(one, other):
    """Accepted: the whole table as an array."""
    rows, columns = len(one) + 1, len(other) + 1
    table = np.zeros((rows, columns), dtype=int)
    table[:, 0] = np.arange(rows)
    table[0] = np.arange(columns)
    for j in range(1, columns):
        for i in range(1, rows):
            best = table[i - 1, j - 1] if one[i - 1] == other[j - 1] else table[i - 1, j - 1] + 1
            for up, left in ((1, 0), (0, 1)):
                best = min(best, table[i - up, j - left] + 1)
            if min(i, j) >= 2 and one[i - 2 : i] == other[j - 1] + other[j - 2]:
                best = min(best, table[i - 2, j - 2] + 1)
            table[i, j] = best
    return int(table[rows - 1, columns - 1])


def search_in_grid(one, other):
    """Accepted: a shortest way from corner to corner; steps that cost nothing go to the front of the queue."""
    goal = (len(one), len(other))
    queue, done = deque([(0, 0, 0)]), set()
    while queue:
        slips, i, j = queue.popleft()
        if (i, j) == goal:
            return slips
        if (i, j) in done:
            continue
        done.add((i, j))
        if i < goal[0] and j < goal[1]:
            if one[i] == other[j]:
                queue.appendleft((slips, i + 1, j + 1))
            else:
                queue.append((slips + 1, i + 1, j + 1))
            if i + 1 < goal[0] and j + 1 < goal[1] and (one[i], one[i + 1]) == (other[j + 1], other[j]):
                queue.append((slips + 1, i + 2, j + 2))
        if i < goal[0]:
            queue.append((slips + 1, i + 1, j))
        if j < goal[1]:
            queue.append((slips + 1, i, j + 1))


EXERCISE = Exercise(
    id="name_distance",
    title="How far two merchant names are apart",
    minutes=20,
    difficulty="medium",
    feeds="04",
    week="1-2",
    hints=(
        "Compare beginnings: how far are the first i letters of one name from the first j letters of the other?",
        "The last step of a best way is one of four. To which smaller pair of beginnings does each of them lead?",
        "Against the empty name it takes as many slips as there are letters: that fills the first row and the first "
        "column.",
    ),
    cases=cases,
    expect=by_endings,
    agree=exact,
    mutants=(
        Mutant(
            "swap-costs-two",
            "Swapped neighbours were counted as two slips. A swap is one.",
            swaps=(("two_back[j - 2] + 1", "two_back[j - 2] + 2"),),
        ),
        Mutant(
            "swap-for-nothing",
            "A swap was counted as nothing. It is one slip.",
            swaps=(("two_back[j - 2] + 1", "two_back[j - 2]"),),
        ),
        Mutant(
            "replaced-costs-two",
            "A replaced letter was counted as two slips, one left out and one inserted. It is one.",
            swaps=(("(letter != target)", "2 * (letter != target)"),),
        ),
        Mutant(
            "position-by-position",
            "The names were compared position by position. A letter inserted at the front then makes all positions "
            "differ.",
            swaps=(
                (
                    "min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != target))",
                    "above[j - 1] + (letter != target) if i != len(one) and j != len(other) else "
                    "min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != target))",
                ),
            ),
        ),
        Mutant(
            "begins-anywhere",
            "The first row is nought: the beginning of the other name is left out for nothing. That looks for one "
            "name within "
            "the other.",
            swaps=(("list(range(len(other) + 1))", "[0] * (len(other) + 1)"),),
        ),
        Mutant(
            "nothing-inserted",
            "Letters were left out and replaced, but never inserted. A missing letter is a slip as well.",
            swaps=(("above[j] + 1, row[j - 1] + 1, above", "above[j] + 1, above"),),
        ),
        Mutant(
            "swap-half-checked",
            "A swap needs both letters to match crosswise; only one was compared.",
            swaps=((" and one[i - 2] == target:", ":"),),
        ),
    ),
    accepted=(whole_table, search_in_grid),
    shrink=lists(0, 1, noun="letters"),
)
