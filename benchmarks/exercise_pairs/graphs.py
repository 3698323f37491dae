"""Pairs of the problems on graphs, dynamic programming, and the hard ones."""

from __future__ import annotations

import heapq
import itertools
from bisect import bisect_right, insort
from difflib import SequenceMatcher
from graphlib import CycleError, TopologicalSorter
from typing import Any

import numpy as np
import scipy.ndimage
import scipy.optimize
from scipy.cluster.hierarchy import DisjointSet
from scipy.sparse import csgraph, csr_array

from benchmarks.exercise_pairs.pair import Calls, Rng, pair


def joined(ends: np.ndarray, n: int, weights: np.ndarray | None = None) -> csr_array:
    """The graph of links (m, 2) between n nodes; the weights of parallel links add up."""
    values = np.ones(len(ends)) if weights is None else weights
    return csr_array((values, (ends[:, 0], ends[:, 1])), shape=(n, n))


@pair("scipy.sparse.csgraph.dijkstra, unweighted", 5_000)
def device_hops(ours: Any, rng: Rng, n: int) -> Calls:
    cards, devices = rng.integers(0, n // 2, (2, n))
    payments = list(zip(cards.tolist(), devices.tolist(), strict=True))

    def theirs() -> dict[int, int]:
        graph = joined(np.column_stack([cards, devices + n // 2]), n)  # devices are numbered behind the cards
        hops = csgraph.dijkstra(graph, directed=False, unweighted=True, indices=cards[0])[: n // 2]
        reached = np.flatnonzero(np.isfinite(hops))
        return dict(zip(reached.tolist(), (hops[reached] // 2).tolist(), strict=True))

    return lambda: ours(payments, payments[0][0]), theirs


@pair("graphlib.TopologicalSorter, its CycleError", 5_000, note="a graph with one circle")
def transfer_circle(ours: Any, rng: Rng, n: int) -> Calls:
    payees = [int(rng.integers(payer + 1, min(payer + 10, n))) for payer in range(n - 1)]
    transfers = [*enumerate(payees), (n - 1, n // 2)]

    def theirs() -> list[int]:
        sorter: TopologicalSorter[int] = TopologicalSorter()
        for payer, payee in transfers:
            sorter.add(payer, payee)
        try:
            sorter.prepare()
        except CycleError as error:
            return sorted(set(error.args[1]))
        return []

    return lambda: sorted(ours(transfers)), theirs


@pair("scipy DisjointSet", 5_000)
def largest_group(ours: Any, rng: Rng, n: int) -> Calls:
    links = rng.integers(0, n, (n, 2)).tolist()

    def theirs() -> list[int]:
        groups, largest, found = DisjointSet(range(n)), 1, []
        for one, other in links:
            if groups.merge(one, other):
                largest = max(largest, groups.subset_size(one))
            found.append(largest)
        return found

    return lambda: ours(n, links), theirs


@pair("graphlib.TopologicalSorter with a heap", 2_000)
def step_order(ours: Any, rng: Rng, n: int) -> Calls:
    names = [f"step {i:05d}" for i in rng.permutation(n)]
    needs = {name: sorted({names[int(j)] for j in rng.integers(0, i, 3)}) if i else [] for i, name in enumerate(names)}

    def theirs() -> list[str]:
        sorter = TopologicalSorter(needs)
        sorter.prepare()
        heap, order = list(sorter.get_ready()), []
        heapq.heapify(heap)
        while heap:
            order.append(heapq.heappop(heap))
            sorter.done(order[-1])
            for step in sorter.get_ready():
                heapq.heappush(heap, step)
        return order

    return lambda: ours(needs), theirs


@pair("scipy.sparse.csgraph.depth_first_order", 2_000, note="the dictionary is there already; SciPy's graph is built")
def current_card(ours: Any, rng: Rng, n: int) -> Calls:
    cards = rng.permutation(n)
    replaced_by = dict(itertools.pairwise(cards.tolist()))

    def theirs() -> tuple[int, int]:
        ends = np.array(list(replaced_by.items()))
        chain = csgraph.depth_first_order(joined(ends, n), cards[0], return_predecessors=False)
        return chain[-1], len(chain) - 1

    return lambda: ours(replaced_by, int(cards[0])), theirs


@pair(
    "scipy.ndimage.label",
    500,
    small=20,
    note="cell by cell; no island here passes midnight, which a picture would not know",
)
def risk_islands(ours: Any, rng: Rng, n: int) -> Calls:
    frauds = rng.poisson(2, (n, 24))
    frauds[:, 0] = 0

    def theirs() -> list[int]:
        label, _ = scipy.ndimage.label(frauds >= 3)
        return sorted(np.bincount(label.ravel())[1:].tolist(), reverse=True)

    return lambda: ours(frauds, 3), theirs


@pair(
    "scipy.sparse.csgraph.dijkstra", 5_000, note="heap and dictionaries against a compiled one; SciPy adds logarithms"
)
def strongest_chain(ours: Any, rng: Rng, n: int) -> Calls:
    ends = np.unique(np.sort(rng.integers(0, n // 4, (n, 2)), axis=1), axis=0)
    ends = ends[ends[:, 0] < ends[:, 1]]
    strength = rng.uniform(0.3, 0.95, len(ends))
    links = [(a, b, s) for (a, b), s in zip(ends.tolist(), strength.tolist(), strict=True)]
    start, goal = links[0][0], links[-1][0]

    def theirs() -> float:
        graph = joined(ends, n, -np.log(strength))
        return np.exp(-csgraph.dijkstra(graph, directed=False, indices=start)[goal])

    return lambda: ours(links, start, goal)[0], theirs


@pair("difflib.SequenceMatcher.find_longest_match", 300)
def common_run(ours: Any, rng: Rng, n: int) -> Calls:
    left, right = rng.integers(0, 6, (2, n)).tolist()

    def theirs() -> list[int]:
        found = SequenceMatcher(None, left, right, autojunk=False).find_longest_match()
        return left[found.a : found.a + found.size]

    return lambda: ours(left, right), theirs


@pair("scipy.optimize.milp", 60, small=30, note="the loss prevented; a table against a general solver")
def review_plan(ours: Any, rng: Rng, n: int) -> Calls:
    minutes, loss = rng.integers(1, 30, n), rng.integers(1, 500, n)
    budget = 4 * n
    lists = minutes.tolist(), loss.tolist()

    def theirs() -> int:
        limit = scipy.optimize.LinearConstraint(minutes[None].astype(float), ub=budget)
        options = {"mip_rel_gap": 0.0}
        found = scipy.optimize.milp(
            -loss, constraints=limit, integrality=np.ones(n), bounds=scipy.optimize.Bounds(0, 1), options=options
        )
        return round(-found.fun)

    return lambda: sum(lists[1][alert] for alert in ours(*lists, budget)), theirs


@pair("numpy.median of both parts", 1_000, small=100, note="a binary search a span; NumPy takes all the numbers")
def shard_median(ours: Any, rng: Rng, n: int) -> Calls:
    left, right = np.sort(rng.random(20 * n)), np.sort(rng.random(20 * n))
    spans = np.column_stack([np.sort(rng.integers(0, 20 * n, (n, 2)), axis=1) for _ in range(2)])
    spans[:, [1, 3]] += 1
    lists = left.tolist(), right.tolist()
    return (
        lambda: ours(*lists, spans),
        lambda: [np.median(np.concatenate([left[a:b], right[c:d]])) for a, b, c, d in spans.tolist()],
    )


@pair("scipy.sparse.csgraph.connected_components, strong", 5_000)
def money_loops(ours: Any, rng: Rng, n: int) -> Calls:
    ends = rng.integers(0, n, (int(1.2 * n), 2))
    transfers = [(payer, payee) for payer, payee in ends.tolist()]

    def theirs() -> list[list[int]]:
        _, group = csgraph.connected_components(joined(ends, n), connection="strong")
        order = np.argsort(group, kind="stable")
        groups = np.split(order, np.flatnonzero(np.diff(group[order])) + 1)
        return sorted(members.tolist() for members in groups if len(members) > 1)

    return lambda: ours(transfers), theirs


@pair("scipy.sparse.csgraph.maximum_flow", 200, small=60, note="the cost of the cut")
def cheapest_block(ours: Any, rng: Rng, n: int) -> Calls:
    ends = np.unique(rng.integers(0, n // 4, (n, 2)), axis=0)
    ends = ends[ends[:, 0] != ends[:, 1]]
    cost = rng.integers(1, 50, len(ends))
    links = [(a, b, c) for (a, b), c in zip(ends.tolist(), cost.tolist(), strict=True)]
    source, sink = 0, n // 4 - 1

    def theirs() -> int:
        graph = joined(ends, n, cost.astype(np.int32))
        return csgraph.maximum_flow(graph, source, sink).flow_value

    return lambda: sum(links[i][2] for i in ours(links, [source], [sink])), theirs


@pair("bisect.insort", 5_000, note="inserting into a list is n², in compiled moves")
def late_counts(ours: Any, rng: Rng, n: int) -> Calls:
    times = (np.arange(n) * 10 + rng.integers(0, 500, n)).tolist()

    def theirs() -> list[int]:
        inside: list[int] = []
        counts = []
        for moment in times:
            counts.append(bisect_right(inside, moment) - bisect_right(inside, moment - 600))
            insort(inside, moment)
        return counts

    return lambda: ours(times, 600), theirs
