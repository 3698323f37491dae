"""Dijkstra's algorithm on products: not the fewest links, not the strongest next one; both directions."""

from __future__ import annotations

import heapq
import math
from itertools import pairwise
from typing import Any

import numpy as np

from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import lists

RTOL = 1e-9  # products of some thousand factors in another order differ by less


def by_rounds(links, start, goal):
    """The oracle: all links are tried in rounds until no account's strength rises (Bellman and Ford)."""
    best, before = {start: 1.0}, {}
    risen = True
    while risen:
        risen = False
        for a, b, strength in [*links, *((b, a, s) for a, b, s in links)]:
            if best.get(a, 0.0) * strength > best.get(b, 0.0) * (1 + 1e-12):
                best[b], before[b], risen = best[a] * strength, a, True
    if goal not in best:
        return 0.0, []
    chain = [goal]
    while chain[0] != start:
        chain.insert(0, before[chain[0]])
    return best[goal], chain


def agree(got: Any, expected: Any, case: Case) -> str:
    """The greatest strength, and any chain that has it."""
    if not isinstance(got, tuple | list) or len(got) != 2 or not isinstance(got[1], tuple | list):
        return "the answer should be a tuple of two: the strength and the list of accounts"
    links, start, goal = case.args
    strength, chain = got
    if not math.isclose(float(strength), expected[0], rel_tol=RTOL):
        return f"the strength is {float(strength):.6g}, {expected[0]:.6g} is possible"
    if not expected[1] or not chain:
        return "" if len(chain) == len(expected[1]) else "the chain is empty only where no chain leads to the goal"
    if chain[0] != start or chain[-1] != goal:
        return f"the chain leads from {chain[0]!r} to {chain[-1]!r}, asked was from {start!r} to {goal!r}"
    if len(set(chain)) < len(chain):
        return "an account stands twice in the chain"
    surest: dict[tuple[Any, Any], float] = {}
    for a, b, s in links:
        surest[a, b] = surest[b, a] = max(s, surest.get((a, b), 0.0))
    product = math.prod(surest.get(pair, 0.0) for pair in pairwise(chain))
    if not math.isclose(product, expected[0], rel_tol=RTOL):
        return f"the strength is right, but the links of this chain make {product:.6g}"
    return ""


def cases(rng: np.random.Generator) -> list[Case]:
    """Long against short, strong first step, parallel links, directions, no chain; then random ones."""
    found = [
        Case("one link", ([("a", "b", 0.5)], "a", "b")),
        Case(
            "three sure links or one weak",
            ([("a", "d", 0.4), ("a", "b", 0.9), ("b", "c", 0.9), ("c", "d", 0.9)], "a", "d"),
            why="three links of 0.9 make 0.729: more links, and still surer than one of 0.4",
        ),
        Case(
            "a strong first step leads to a weak end",
            ([(1, 2, 0.99), (2, 4, 0.1), (1, 3, 0.6), (3, 4, 0.8)], 1, 4),
            why="the strongest next link is not part of the strongest chain",
        ),
        Case(
            "met early by a weak way",
            ([(1, 2, 0.3), (1, 3, 0.8), (3, 2, 0.8), (2, 4, 0.9)], 1, 4),
            why="account 2 is met first by a weak link; a surer way to it comes later and counts",
        ),
        Case(
            "two ways of two links",
            ([("a", "x", 0.3), ("a", "y", 0.9), ("x", "t", 0.8), ("y", "t", 0.8), ("t", "z", 0.5)], "a", "z"),
            why="of two ways with as many links the one that was told first need not be the surer",
        ),
        Case(
            "a strong last link",
            ([("a", "b", 0.6), ("a", "c", 0.5), ("b", "z", 0.55), ("c", "z", 0.95)], "a", "z"),
            why="b is surer than c, and still the chain over c is worth more in the end",
        ),
        Case(
            "links told from the other end",
            ([("b", "a", 0.5), ("c", "b", 0.5)], "a", "c"),
            why="a link holds in both directions",
        ),
        Case(
            "two links between the same accounts",
            ([("a", "b", 0.9), ("a", "b", 0.2), ("b", "c", 0.5), ("c", "b", 0.7)], "a", "c"),
            why="of several links the surest counts, not the last one told",
        ),
        Case(
            "the product, not the sum",
            ([(0, 1, 0.5), (1, 2, 0.5), (2, 9, 0.5), (0, 9, 0.3)], 0, 9),
            why="three links of a half make an eighth; each further link makes a chain weaker",
        ),
        Case(
            "the product, not the weakest link",
            ([(0, 1, 0.7), (1, 2, 0.7), (2, 3, 0.7), (3, 9, 0.7), (0, 9, 0.6)], 0, 9),
            why="four doubts of 0.7 are worse than one of 0.6",
        ),
        Case("no chain", ([("a", "b", 0.5), ("c", "d", 0.5)], "a", "d")),
        Case("from an account to itself", ([("a", "b", 1.0)], "a", "a"), why="nothing has to be believed: strength 1"),
        Case("a strength of nought", ([("a", "b", 0.0)], "a", "b"), raises="ValueError"),
        Case("a strength above one", ([("a", "b", 0.5), ("b", "c", 1.5)], "a", "b"), raises="ValueError"),
    ]
    chain = [(i + 1, i, 0.95) for i in range(400)]
    found.append(Case("a chain of 400 links", (chain, 0, 400)))
    for size in (10, 40):
        ends = rng.integers(0, size, (3 * size, 2))
        strength = np.round(rng.uniform(0.05, 0.99, 3 * size), 3)
        links = [(int(a), int(b), float(s)) for (a, b), s in zip(ends, strength, strict=True)]
        a, b = (int(v) for v in rng.choice(size, 2, replace=False))
        found.append(Case(f"{size} accounts, {3 * size} links", (links, a, b)))
    return found


def star(rng: np.random.Generator, n: int) -> Case:
    """Everything hangs on the start; the goal hangs on the weakest."""
    strength = np.sort(rng.uniform(0.2, 0.9, n))[::-1].tolist()
    links = [(0, i + 1, s) for i, s in enumerate(strength)]
    return Case(f"{n} links", ([*links, (n, n + 1, 0.5)], 0, n + 1))


def shortest_by_logs(links, start, goal):
    """Accepted: lengths are minus logarithms; the way is carried along in the heap."""
    if any(s <= 0 or s > 1 for _, _, s in links):
        raise ValueError("strength")
    graph = {}
    for a, b, s in links:
        length = -math.log(s)
        graph.setdefault(a, []).append((length, b))
        graph.setdefault(b, []).append((length, a))
    ticket, done = 0, set()
    heap: list = [(0.0, 0, start, None)]
    while heap:
        length, _, node, way = heapq.heappop(heap)
        if node in done:
            continue
        done.add(node)
        way = (node, way)
        if node == goal:
            found = []
            while way:
                found.append(way[0])
                way = way[1]
            found.reverse()
            return math.exp(-length), found
        for step, target in graph.get(node, []):
            if target not in done:
                ticket += 1
                heapq.heappush(heap, (length + step, ticket, target, way))
    return 0.0, []


def settled_from_the_goal(links, start, goal):
    """Accepted: from the goal backwards, surest link of each pair only, each account's next one on the way."""
    surest = {}
    for link in links:
        if not (link[2] > 0 and link[2] <= 1):
            raise ValueError(f"{link}")
        pair = frozenset(link[:2])
        surest[pair] = max(link[2], surest.get(pair, 0))
    neighbours = {start: {}, goal: {}}
    for pair, s in surest.items():
        if len(pair) == 2:
            a, b = pair
            neighbours.setdefault(a, {})[b] = s
            neighbours.setdefault(b, {})[a] = s
    final, queue = {}, [(-1.0, goal, goal)]
    while queue and start not in final:
        minus, account, onwards = heapq.heappop(queue)
        if account not in final:
            final[account] = (-minus, onwards)
            for other in neighbours[account].keys() - final.keys():
                heapq.heappush(queue, (minus * neighbours[account][other], other, account))
    if start not in final:
        return (0.0, [])
    accounts = [start]
    while accounts[-1] != goal:
        accounts += [final[accounts[-1]][1]]
    return (final[start][0], accounts)


EXERCISE = Exercise(
    id="strongest_chain",
    title="The strongest chain of evidence",
    minutes=25,
    difficulty="medium",
    feeds="06",
    week="1-2",
    hints=(
        "A chain never gets surer by going on. Which shortest-way algorithm needs just that property?",
        "Take the surest account that is not settled from a heap, multiply along its links, and write down where a "
        "better "
        "product came from.",
        "heapq gives the smallest: push negative products. Skip entries of accounts that are settled already.",
    ),
    cases=cases,
    expect=by_rounds,
    agree=agree,
    mutants=(
        Mutant(
            "fewest-links",
            "The chain with the fewest links was found. Several sure links can be worth more than one doubtful one.",
            swaps=(
                ("heap = [(-1.0, start)]", "heap = deque([(-1.0, start)])"),
                ("heapq.heappop(heap)", "heap.popleft()"),
                ("heapq.heappush(heap, (-product, other))", "heap.append((-product, other))"),
                ("if product > best.get(other, 0.0):", "if other not in best:"),
            ),
        ),
        Mutant(
            "first-way-kept",
            "An account was settled when it was met for the first time. A surer way to it can come until it is taken "
            "out "
            "of the heap.",
            swaps=(("if product > best.get(other, 0.0):", "if other not in best:"),),
        ),
        Mutant(
            "strongest-next-link",
            "The heap was ordered by the last link instead of the whole chain; what lies before it was forgotten.",
            swaps=(
                ("product = -negative * strength", "product = best[account] * strength"),
                ("heapq.heappush(heap, (-product, other))", "heapq.heappush(heap, (-strength, other))"),
            ),
        ),
        Mutant(
            "one-direction",
            "Links were followed only from the first account to the second. They hold in both directions.",
            swaps=(("        near[other].append((one, strength))\n", ""),),
        ),
        Mutant(
            "weakest-link",
            "A chain was taken to be as strong as its weakest link. Doubts add up: the strengths are multiplied.",
            swaps=(("-negative * strength", "min(-negative, strength)"),),
        ),
        Mutant(
            "last-told-counts",
            "Of two links between the same accounts the last one told was kept. The surest counts.",
            swaps=(
                ("near = defaultdict(list)", "near = defaultdict(dict)"),
                ("near[one].append((other, strength))", "near[one][other] = strength"),
                ("near[other].append((one, strength))", "near[other][one] = strength"),
                ("in near[account]:", "in near[account].items():"),
            ),
        ),
        Mutant(
            "strength-unchecked",
            "A strength above one or of nought was taken. With factors above one, going on could make a chain surer, "
            "and the "
            "algorithm is wrong: raise ValueError.",
            swaps=(("if not 0 < strength <= 1:", "if False:"),),
        ),
        Mutant(
            "strongest-searched",
            "The answer is right, but the surest account was searched for among all that wait, at every step. Use a "
            "heap.",
            swaps=(
                (
                    "negative, account = heapq.heappop(heap)",
                    "negative, account = min(heap)\n        heap.remove((negative, account))",
                ),
                ("heapq.heappush(heap, (-product, other))", "heap.append((-product, other))"),
            ),
        ),
    ),
    accepted=(shortest_by_logs, settled_from_the_goal),
    growth=Growth(star, n=1_000, says="Take the surest account from a heap, and do not search for it."),
    shrink=lists(0, noun="links"),
)
