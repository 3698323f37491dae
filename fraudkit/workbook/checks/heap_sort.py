"""Heap sort: the heap after the build shows that it was built from the back by sifting down."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import lists


def built_by_subtrees(scores):
    """The oracle: NumPy's sort; the heap by recursion, both subtrees first and then their root, from the question."""
    heap = np.array(scores, dtype=float)

    def build(root):
        children = [child for child in (2 * root + 1, 2 * root + 2) if child < len(heap)]
        for child in children:
            build(child)
        sink(root)

    def sink(root):
        children = [child for child in (2 * root + 1, 2 * root + 2) if child < len(heap)]
        if children:
            best = children[int(np.argmax(heap[children]))]  # the first of equals: the left one
            if heap[best] > heap[root]:
                heap[[root, best]] = heap[[best, root]]
                sink(best)

    if len(heap):
        build(0)
    return heap.tolist(), np.sort(np.array(scores, dtype=float)).tolist()


def cases(rng: np.random.Generator) -> list[Case]:
    """Small trees first: one child, equal children, heaps and their opposite; then drawn scores."""
    found = [
        Case("five scores", ([3, 9, 4, 7, 8],)),
        Case("no scores", ([],)),
        Case("one score", ([0.5],)),
        Case("a parent with a single child", ([1, 2],), why="the last parent may have a left child only"),
        Case("rising", ([1, 2, 3, 4, 5, 6, 7],), why="every element has to sink, the first one to the bottom"),
        Case("a heap already", ([9, 8, 5, 7, 1, 4],), why="nothing has to move"),
        Case("equal children", ([1, 5, 5, 4, 4, 3, 3],), why="where both are equal, the left one moves up"),
        Case("the right child is greater", ([2, 4, 9, 1, 3, 8, 6],), why="swap with the greater child, not the first"),
        Case("sinks two levels", ([1, 9, 8, 7, 6, 5, 4, 3, 2],), why="after a swap go on from where the child was"),
        Case("all equal", ([0.2] * 6,)),
        Case("below zero", ([-3, 2, -7, 0, 5, -1],)),
    ]
    found.append(Case("30 scores with ties", (np.round(rng.random(30), 1).tolist(),)))
    found.append(Case("63 scores", (rng.permutation(63).tolist(),)))
    found.append(Case("100 scores", (np.round(rng.random(100), 3).tolist(),)))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """Scores in random order."""
    return Case(f"{n} scores", (rng.permutation(n).tolist(),))


def with_a_hole(scores):
    """Accepted: the sinking value is held aside and written once, where it stays."""

    def settle(tree, hole, end):
        value = tree[hole]
        while True:
            left, right = 2 * hole + 1, 2 * hole + 2
            if left >= end:
                break
            up = right if right < end and tree[left] < tree[right] else left
            if not tree[up] > value:
                break
            tree[hole] = tree[up]
            hole = up
        tree[hole] = value

    tree = scores[:]
    for node in reversed(range(len(tree) // 2)):
        settle(tree, node, len(tree))
    built, end = tree[:], len(tree)
    while end > 1:
        end -= 1
        top = tree[0]
        tree[0] = tree[end]
        settle(tree, 0, end)
        tree[end] = top
    return built, tree


def recursive_taking_the_top(scores):
    """Accepted: recursion; the greatest is taken off a shrinking list and put in front of the answer."""

    def sink(items, at):
        family = [k for k in (at, 2 * at + 1, 2 * at + 2) if k < len(items)]
        best = max(family, key=lambda k: (items[k], -k))
        if items[best] > items[at]:
            items[at], items[best] = items[best], items[at]
            sink(items, best)

    items = [score for score in scores]  # noqa: C416 - a copy
    for at in range(len(items) - 1, -1, -1):
        sink(items, at)
    heap, ordered = items.copy(), []
    while items:
        final = items.pop()
        if items:
            items[0], final = final, items[0]
            sink(items, 0)
        ordered.append(final)
    return heap, ordered[::-1]


EXERCISE = Exercise(
    id="heap_sort",
    title="Heap sort of scores",
    minutes=18,
    difficulty="easy",
    feeds="07",
    week="1-2",
    hints=(
        "Write one helper that sifts down from a position in the first `size` elements. Build and sort both only call it.",
        "The last position with a child is n // 2 - 1. Build from there to 0, so that below each position is a heap already.",
        "In the sort the heap ends before the elements that were taken out: hand its size to the helper.",
    ),
    cases=cases,
    expect=built_by_subtrees,
    agree=exact,
    mutants=(
        Mutant(
            "built-from-the-front",
            "The build went from position 0 to the back. Below a position there was no heap yet, so greater scores stay "
            "under smaller ones. Begin with the last parent.",
            swaps=(("range(n // 2 - 1, -1, -1)", "range(n // 2)"),),
        ),
        Mutant(
            "last-parent-left-out",
            "The last parent was left out of the build: it stands at n // 2 - 1.",
            swaps=(("range(n // 2 - 1, -1, -1)", "range(n // 2 - 2, -1, -1)"),),
        ),
        Mutant(
            "left-child-only",
            "The left child was taken without a look at the right one. Swap with the greater of the two.",
            swaps=(("if child + 1 < size and values[child + 1] > values[child]:", "if False:"),),
        ),
        Mutant(
            "one-level-only",
            "After a swap the element was left where it is. It may have to sink further: go on from the child's place.",
            swaps=(("            parent = child", "            return"),),
        ),
        Mutant(
            "right-of-equal-children",
            "Where both children are equal, the right one moved up. The question takes the left one.",
            swaps=(("values[child + 1] > values[child]", "values[child + 1] >= values[child]"),),
        ),
        Mutant(
            "falling-order",
            "The greatest score came first. The heap has it in front, the sorted list at the end.",
            swaps=(("return heap, ordered", "return heap, ordered[::-1]"),),
        ),
        Mutant(
            "smallest-in-front",
            "This is a heap with the smallest score in front. No child may be greater than its parent.",
            swaps=(
                ("values[child + 1] > values[child]", "values[child + 1] < values[child]"),
                ("values[child] <= values[parent]", "values[child] >= values[parent]"),
                ("return heap, ordered", "return heap, ordered[::-1]"),
            ),
        ),
        Mutant(
            "inserted-one-by-one",
            "The heap was built by inserting scores one by one and letting them rise. That gives another heap, in "
            "n log n steps; the question sinks from the last parent on, in n.",
            swaps=(
                (
                    "    for parent in range(n // 2 - 1, -1, -1):\n        sift_down(heap, parent, n)",
                    "    for child in range(n):\n"
                    "        while child and heap[child] > heap[(child - 1) // 2]:\n"
                    "            heap[child], heap[(child - 1) // 2] = heap[(child - 1) // 2], heap[child]\n"
                    "            child = (child - 1) // 2",
                ),
            ),
        ),
    ),
    accepted=(with_a_hole, recursive_taking_the_top),
    growth=Growth(large, n=1_500, says="The greatest is searched in the whole list each time. A heap has it in front."),
    shrink=lists(0, noun="scores", numbers=True),
)
