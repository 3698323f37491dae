"""A topological order with ties by name: repeated needs, circles, unknown steps, no search through what waits."""

from __future__ import annotations

import heapq
from bisect import insort
from graphlib import CycleError, TopologicalSorter

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import lists


def by_looking_again(needs):
    """The oracle: again and again the first name, of those not done, whose needs are all done."""
    order: list[str] = []
    while len(order) < len(needs):
        order.append(next(step for step in sorted(needs) if step not in order and set(needs[step]) <= set(order)))
    return order


def cases(rng: np.random.Generator) -> list[Case]:
    """Ties, repeated needs, circles; then random pipelines."""
    found = [
        Case("a chain", ({"c": ["b"], "b": ["a"], "a": []},)),
        Case(
            "a step that becomes ready late and is first by name",
            ({"m": [], "z": [], "a": ["m"]},),
            why="a is ready once m is done, and its name comes before z, which has waited longer",
        ),
        Case(
            "first by name, not level by level",
            ({"b": [], "c": ["b"], "d": ["c"], "e": [], "f": ["e"]},),
            why="the smallest name of all that is ready is next, however deep it lies in the pipeline",
        ),
        Case(
            "a need listed twice",
            ({"a": ["b", "b"], "b": []},),
            why="a waits for one step; counted twice and done once, it would wait for ever",
        ),
        Case("nothing is needed", ({"q": [], "p": [], "r": []},)),
        Case("no steps", ({},)),
        Case("a circle", ({"a": [], "b": ["c"], "c": ["b"]},), raises="ValueError", why="b and c wait for each other"),
        Case("a step that needs itself", ({"a": ["a"], "b": []},), raises="ValueError"),
        Case(
            "a need that is no step",
            ({"a": ["typo"], "b": []},),
            raises="ValueError",
            why="a misspelt need would never be computed; the step must not run without it",
        ),
    ]
    chain: dict[str, list[str]] = {f"s{i:04d}": [f"s{i + 1:04d}"] for i in range(1_200)}
    found.append(Case("a circle of 1,201 steps", ({**chain, "s1200": ["s0000"]},), raises="ValueError"))
    for size in (12, 40):
        names = [f"step{i:02d}" for i in rng.permutation(size)]
        needs = {
            name: [names[j] for j in rng.integers(0, at, rng.integers(0, 3))] if at else []
            for at, name in enumerate(names)
        }
        found.append(Case(f"{size} steps", ({name: needs[name] for name in rng.permutation(names).tolist()},)))
    return found


def wide(rng: np.random.Generator, n: int) -> Case:
    """Half of the steps are ready at once, each of the others waits for one of them."""
    half = n // 2
    names = [f"s{i:06d}" for i in rng.permutation(n)]
    return Case(f"{n} steps", ({name: [names[at - half]] if at >= half else [] for at, name in enumerate(names)},))


def with_sorter(needs):
    """Accepted: the library's sorter says what is ready, a sorted list says what is next."""
    if any(other not in needs for before in needs.values() for other in before):
        raise ValueError("unknown step")
    sorter = TopologicalSorter(needs)
    try:
        sorter.prepare()
    except CycleError as error:
        raise ValueError(f"circle {error.args[1]}") from error
    line, done = [], []
    for step in sorter.get_ready():
        insort(line, step)
    while line:
        done.append(line.pop(0))
        sorter.done(done[-1])
        for step in sorter.get_ready():
            insort(line, step)
    return done


def sets_emptied(needs):
    """Accepted: each step keeps the set of what it still waits for."""
    waits = {name: {*listed} for name, listed in needs.items()}
    followers = {name: [] for name in needs}
    for name in waits:
        for needed in waits[name]:
            try:
                followers[needed].append(name)
            except KeyError:
                raise ValueError(f"no step {needed}") from None
    heap = sorted(name for name in waits if not waits[name])
    out = []
    while heap:
        out += [heapq.heappop(heap)]
        for name in followers[out[-1]]:
            waits[name].discard(out[-1])
            if not waits[name]:
                heapq.heappush(heap, name)
    if any(waits.values()):
        raise ValueError("circle")
    return out


EXERCISE = Exercise(
    id="step_order",
    title="The order of the steps",
    minutes=15,
    difficulty="medium",
    feeds="08",
    week="1-2",
    hints=(
        "Count for each step how many of its needs are not done. Which steps can be next? What changes when one is "
        "done?",
        "Keep an index of who waits for a step. What is ready lies in a heap, so that the first name comes out.",
        "Steps in a circle never become ready: the order comes out shorter than the number of steps.",
    ),
    cases=cases,
    expect=by_looking_again,
    agree=exact,
    mutants=(
        Mutant(
            "first-come",
            "Steps went in the order in which they became ready. Asked is the first by name among all that are ready.",
            swaps=(("heapq.heappop(ready)", "ready.pop(0)"), ("heapq.heappush(ready, other)", "ready.append(other)")),
        ),
        Mutant(
            "sorted-at-first-only",
            "The ready steps were sorted once, and those that became ready later were put in front. Keep them in a "
            "heap.",
            swaps=(
                ("heapq.heappop(ready)", "ready.pop(0)"),
                ("heapq.heappush(ready, other)", "ready.insert(0, other)"),
            ),
        ),
        Mutant(
            "repeated-needs",
            "A need that is listed twice was counted twice, but is done once; the step waits for ever.",
            swaps=(("len(set(before))", "len(before)"),),
        ),
        Mutant(
            "circle-cut-off",
            "Steps that wait for each other were left out without a word. The pipeline would run without them: raise "
            "ValueError.",
            swaps=(("if len(order) < len(needs):", "if False:"),),
        ),
        Mutant(
            "unknown-ignored",
            "A need that is no step was ignored. It is a misspelling; the step would run without its input: raise "
            "ValueError.",
            swaps=(
                ("missing[step] = len(set(before))", "missing[step] = len(set(before) & set(needs))"),
                (
                    '                raise ValueError(f"step {step!r} needs {other!r}, which is no step")',
                    "                continue",
                ),
            ),
        ),
        Mutant(
            "dependants-first",
            "The order is reversed: a step came before what it needs.",
            swaps=(("    return order", "    return order[::-1]"),),
        ),
        Mutant(
            "smallest-searched",
            "The order is right, but the first name was searched for among all that is ready, at every step. A heap "
            "finds it "
            "in a logarithm.",
            swaps=(
                ("step = heapq.heappop(ready)", "step = min(ready)\n        ready.remove(step)"),
                ("heapq.heappush(ready, other)", "ready.append(other)"),
            ),
        ),
    ),
    accepted=(with_sorter, sets_emptied),
    growth=Growth(wide, n=1_500, says="Keep what is ready in a heap instead of searching or sorting it at every step."),
    shrink=lists(0, noun="steps"),
)
