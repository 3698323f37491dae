"""Pairs of the algorithm problems on arrays, hash maps, lists, sorting, windows, intervals, heaps and caches."""

from __future__ import annotations

import contextlib
import functools
import heapq
import itertools
import re
from bisect import bisect_left, bisect_right
from collections import Counter, deque
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import scipy.ndimage
import scipy.optimize
from scipy.spatial import KDTree

from benchmarks.exercise_pairs.pair import Calls, Rng, pair


@pair("pandas duplicated", 20_000, note="the lone device stands at the end")
def first_lone_device(ours: Any, rng: Rng, n: int) -> Calls:
    devices = [*np.repeat(np.arange(n // 2), 2).tolist(), n]
    return lambda: ours(devices), lambda: int(np.flatnonzero(~pd.Series(devices).duplicated(keep=False))[0])


@pair("pandas groupby.diff", 20_000, note="a stream: one dictionary, event by event")
def repeated_events(ours: Any, rng: Rng, n: int) -> Calls:
    times, names = np.cumsum(rng.integers(0, 3, n)), rng.integers(0, n // 10, n)
    lists = times.tolist(), names.tolist()
    return lambda: ours(*lists, 5), lambda: (pd.Series(times).groupby(names).diff() <= 5).to_numpy()


@pair("numpy.add.reduceat", 5_000, note="NumPy adds every range anew")
def range_totals(ours: Any, rng: Rng, n: int) -> Calls:
    amounts = rng.integers(0, 1000, n)
    ends = np.sort(np.array([rng.choice(n, 2, replace=False) for _ in range(n)]), axis=1)
    return lambda: ours(amounts, ends[:, 0], ends[:, 1]), lambda: np.add.reduceat(amounts, ends.ravel())[::2]


@pair("bisect", 5_000, note="the search is written out: that is the exercise")
def payments_in_time(ours: Any, rng: Rng, n: int) -> Calls:
    times = np.sort(rng.integers(0, 10 * n, n)).tolist()
    starts = rng.integers(0, 10 * n, n).tolist()
    ends = [start + 50 for start in starts]

    def theirs() -> list[tuple[int, int]]:
        found = ((bisect_left(times, a), bisect_right(times, b) - 1) for a, b in zip(starts, ends, strict=True))
        return [(first, last) if first <= last else (-1, -1) for first, last in found]

    return lambda: ours(times, starts, ends), theirs


@pair("sorted with a key", 20_000)
def verifications_last(ours: Any, rng: Rng, n: int) -> Calls:
    amounts = rng.integers(0, 4, n).tolist()
    return lambda: ours(amounts), lambda: sorted(range(n), key=lambda row: amounts[row] == 0)


@pair("collections.Counter.most_common", 20_000, note="ours in constant memory")
def majority_merchant(ours: Any, rng: Rng, n: int) -> Calls:
    merchants = np.where(rng.random(n) < 0.6, 3, rng.integers(0, 1000, n)).tolist()
    return lambda: ours(merchants), lambda: Counter(merchants).most_common(1)[0][0]


@pair("scipy.ndimage.label and find_objects", 20_000)
def decline_runs(ours: Any, rng: Rng, n: int) -> Calls:
    declined = rng.random(n) < 0.4
    flags = declined.tolist()

    def theirs() -> list[tuple[int, int]]:
        runs = ((span.start, span.stop - span.start) for (span,) in _runs(declined))
        return [run for run in runs if run[1] >= 2]

    return lambda: ours(flags), theirs


def _runs(mask: np.ndarray) -> list[tuple[slice, ...]]:
    """The unbroken stretches of a mask."""
    return scipy.ndimage.find_objects(scipy.ndimage.label(mask)[0])


@pair("numpy.setdiff1d and intersect1d", 20_000)
def card_list_changes(ours: Any, rng: Rng, n: int) -> Calls:
    old, new = ([f"card {i}" for i in rng.integers(0, n, n)] for _ in range(2))
    return lambda: ours(old, new), lambda: [np.setdiff1d(new, old), np.setdiff1d(old, new), np.intersect1d(old, new)]


@pair("pandas str.findall and groupby", 5_000)
def same_merchants(ours: Any, rng: Rng, n: int) -> Calls:
    words = np.array(["Corner", "cafe", "FUEL", "24", "north", "market", "shop"])
    names = [" ".join(rng.permutation(words)[:4]) for _ in range(n)]

    def theirs() -> list[list[int]]:
        keys = pd.Series(names).str.lower().str.findall("[a-z0-9]+").map(lambda found: " ".join(sorted(found)))
        groups = keys.groupby(keys, sort=False).indices.values()
        return sorted(group.tolist() for group in groups if len(group) > 1)

    return lambda: sorted(ours(names)), theirs


@pair("pandas merge_asof, direction nearest", 20_000, note="two pointers in Python, as asked")
def nearest_login(ours: Any, rng: Rng, n: int) -> Calls:
    logins = np.unique(rng.integers(0, 10 * n, n)) * 4
    payments = np.sort(rng.integers(0, 40 * n, n)) * 2 + 1  # never halfway between two logins
    lists = payments.tolist(), logins.tolist()

    def theirs() -> np.ndarray:
        table = pd.DataFrame({"time": logins, "position": np.arange(len(logins))})
        joined = pd.merge_asof(pd.DataFrame({"time": payments}), table, on="time", direction="nearest")
        return joined["position"].to_numpy()

    return lambda: ours(*lists), theirs


@pair("sorted", 5_000, note="written out: that is the exercise")
def quick_sort(ours: Any, rng: Rng, n: int) -> Calls:
    amounts = rng.integers(0, n, n).tolist()
    return lambda: ours(amounts)[0], lambda: sorted(amounts)


@pair("numpy.argsort, stable", 5_000, note="written out: that is the exercise")
def merge_sort(ours: Any, rng: Rng, n: int) -> Calls:
    times = rng.integers(0, n, n)
    given = times.tolist()
    return lambda: ours(given)[0], lambda: np.argsort(times, kind="stable")


@pair("heapq", 5_000, note="written out: that is the exercise")
def heap_sort(ours: Any, rng: Rng, n: int) -> Calls:
    scores = rng.random(n).tolist()

    def theirs() -> list[float]:
        heap = list(scores)
        heapq.heapify(heap)
        return [heapq.heappop(heap) for _ in range(n)]

    return lambda: ours(scores)[1], theirs


def events(rng: Rng, n: int) -> list[tuple[int, int]]:
    """Sorted events: a time and a number that may come again in another stream."""
    return sorted({(moment, moment % 7) for moment in rng.integers(0, 4 * n, n).tolist()})


@pair("heapq.merge and dict.fromkeys", 20_000)
def merge_streams(ours: Any, rng: Rng, n: int) -> Calls:
    first, second = events(rng, n), events(rng, n)
    return (
        lambda: ours(first, second),
        lambda: list(dict.fromkeys(heapq.merge(first, second, key=lambda event: event[0]))),
    )


@pair("heapq.merge and itertools.groupby", 5_000)
def merge_partitions(ours: Any, rng: Rng, n: int) -> Calls:
    partitions = [events(rng, n // 8) for _ in range(8)]
    return lambda: ours(partitions), lambda: [event for event, _ in itertools.groupby(heapq.merge(*partitions))]


@pair("collections.deque(maxlen)", 20_000, note="written out: that is the exercise")
def ring_buffer(ours: Any, rng: Rng, n: int) -> Calls:
    amounts = rng.integers(0, 1000, n).tolist()

    def mine() -> list[int]:
        buffer = ours(100)
        for amount in amounts:
            buffer.add(amount)
        return buffer.latest(100)

    def theirs() -> list[int]:
        buffer: deque[int] = deque(maxlen=100)
        for amount in amounts:
            buffer.append(amount)
        return list(buffer)[::-1]

    return mine, theirs


@pair("collections.deque", 1_000, note="linked by hand: that is the exercise")
def review_list(ours: Any, rng: Rng, n: int) -> Calls:
    cases, doing = rng.integers(0, n // 4, n).tolist(), rng.integers(0, 40, n).tolist()

    def mine() -> list[int]:
        waiting = ours()
        for case, what in zip(cases, doing, strict=True):
            if what == 0:
                waiting.reverse()
            elif what % 3 == 0:
                waiting.remove(case)
            else:
                (waiting.add_first if what % 3 == 1 else waiting.add_last)(case)
        return waiting.cases()

    def theirs() -> list[int]:
        waiting: deque[int] = deque()
        for case, what in zip(cases, doing, strict=True):
            if what == 0:
                waiting.reverse()
            elif what % 3 == 0:
                with contextlib.suppress(ValueError):
                    waiting.remove(case)
            else:
                (waiting.appendleft if what % 3 == 1 else waiting.append)(case)
        return list(waiting)

    return mine, theirs


@pair("duckdb count(distinct) over a range", 2_000)
def most_merchants(ours: Any, rng: Rng, n: int) -> Calls:
    times, merchants = np.cumsum(rng.integers(0, 5, n)), rng.integers(0, 60, n)
    table = pd.DataFrame({"time": times, "merchant": merchants})
    query = """
        select count(distinct merchant) over (order by time range between 59 preceding and current row) as many, time
        from given order by many desc, time limit 1
    """

    def theirs() -> tuple[int, ...]:
        with duckdb.connect(config={"threads": 1}) as connection:
            connection.register("given", table)
            return connection.execute(query).fetchall()[0]

    return lambda: ours(times, merchants, 60), theirs


@pair("scipy.ndimage.label of a mask of seconds", 5_000)
def merge_outages(ours: Any, rng: Rng, n: int) -> Calls:
    start = rng.integers(0, 20 * n, n)
    end = start + rng.integers(1, 30, n)

    def theirs() -> list[tuple[int, int]]:
        steps = np.bincount(start, minlength=20 * n + 60) - np.bincount(end, minlength=20 * n + 60)
        return [(span.start, span.stop) for (span,) in _runs(np.cumsum(steps) > 0)]

    return lambda: ours(start, end), theirs


@pair("pandas groupby and cumsum", 20_000)
def most_under_review(ours: Any, rng: Rng, n: int) -> Calls:
    opened = rng.integers(0, 2 * n, n)
    closed = opened + rng.integers(1, 100, n)

    def theirs() -> tuple[int, int]:
        steps = pd.Series(np.repeat([1, -1], n), index=np.concatenate([opened, closed]))
        running = steps.groupby(level=0).sum().cumsum()
        return running.max(), running.idxmax()

    return lambda: ours(opened, closed), theirs


@pair("scipy.optimize.milp", 60, note="how many shifts; a greedy choice against a general solver")
def fewest_shifts(ours: Any, rng: Rng, n: int) -> Calls:
    begin = np.append(rng.integers(0, 5 * n, n), np.arange(0, 5 * n, 30))
    end = begin + np.append(rng.integers(20, 60, n), np.full(len(begin) - n, 30))
    minutes = np.arange(0, 5 * n)
    there = ((begin <= minutes[:, None]) & (minutes[:, None] < end)).astype(float)
    lists = begin.tolist(), end.tolist()

    def theirs() -> int:
        count = len(begin)
        limits = scipy.optimize.LinearConstraint(there, lb=1)
        found = scipy.optimize.milp(
            np.ones(count), constraints=limits, integrality=np.ones(count), bounds=scipy.optimize.Bounds(0, 1)
        )
        return round(found.fun)

    return lambda: len(ours(*lists, 0, 5 * n)), theirs


@pair("scipy.optimize.linprog", 72, small=48, note="a binary search against a general solver")
def smallest_capacity(ours: Any, rng: Rng, n: int) -> Calls:
    arrivals, patience = rng.poisson(30, n), 2
    arrivals[n // 2 : n // 2 + 3] = 100
    hours = n + patience
    came = np.cumsum(np.append(arrivals, np.zeros(patience)))
    done = np.tri(hours)

    def theirs() -> int:
        # Unknown: what is handled in each hour, and the capacity.
        rows = [
            np.column_stack([done, np.zeros(hours)]),  # not before it came
            np.column_stack([-done[patience:], np.zeros(n)]),  # not later than the patience allows
            np.column_stack([np.eye(hours), -np.ones(hours)]),  # not more than the capacity
        ]
        limits = np.concatenate([came, -came[:n], np.zeros(hours)])
        found = scipy.optimize.linprog(np.r_[np.zeros(hours), 1.0], np.vstack(rows), limits)
        return int(np.ceil(found.fun - 1e-7))

    return lambda: ours(arrivals, patience), theirs


@pair("scipy.spatial.KDTree.count_neighbors", 5_000)
def close_pairs(ours: Any, rng: Rng, n: int) -> Calls:
    times, amounts = rng.integers(0, 20 * n, n), rng.integers(0, 10_000, n)

    def theirs() -> int:
        points = KDTree(np.column_stack([times * 100.0, amounts * 300.0]))
        return (points.count_neighbors(points, 300 * 100, p=np.inf) - n) // 2

    return lambda: ours(times, amounts, 300, 100), theirs


@pair("scipy.optimize.linear_sum_assignment", 300, note="a heap against a general solver")
def least_regret(ours: Any, rng: Rng, n: int) -> Calls:
    deadline, loss = rng.integers(1, n // 2, n), rng.integers(1, 1000, n)

    def theirs() -> int:
        worth = np.where(np.arange(n // 2) < deadline[:, None], loss[:, None], 0)
        return worth[scipy.optimize.linear_sum_assignment(worth, maximize=True)].sum()

    return lambda: ours(deadline, loss), theirs


@pair("re, all prefixes in one pattern", 2_000, small=100, note="re tries one prefix after the other")
def merchant_names(ours: Any, rng: Rng, n: int) -> Calls:
    letters = np.array(list("abcd"))
    words = ["".join(rng.choice(letters, int(size))) for size in rng.integers(2, 7, n)]
    known = {word: place for place, word in enumerate(words[: n // 4])}
    lines, trie = [word + " 0042" for word in words], ours()
    for word, place in known.items():
        trie.add(word, place)
    pattern = re.compile("|".join(sorted(known, key=len, reverse=True)))

    def theirs() -> list[int | None]:
        return [known[found[0]] if found else None for found in map(pattern.match, lines)]

    return lambda: [trie.find(line) for line in lines], theirs


@pair("functools.lru_cache", 20_000, note="hits; the cache of functools is compiled and knows no age")
def feature_cache(ours: Any, rng: Rng, n: int) -> Calls:
    keys = rng.zipf(1.5, n).tolist()

    def mine() -> int:
        cache, hits = ours(10, 10.0), 0
        for key in keys:
            if cache.get(key, 0.0) is None:
                cache.put(key, key, 0.0)
            else:
                hits += 1
        return hits

    def theirs() -> int:
        @functools.lru_cache(maxsize=10)
        def value(key: int) -> int:
            return key

        for key in keys:
            value(key)
        return value.cache_info().hits

    return mine, theirs


@pair("pandas expanding().median()", 20_000, note="ours a number at a time")
def running_median(ours: Any, rng: Rng, n: int) -> Calls:
    amounts = rng.lognormal(3, 1, n)
    stream = amounts.tolist()

    def mine() -> list[float]:
        median, found = ours(), []
        for amount in stream:
            median.update(amount)
            found.append(median.median())
        return found

    return mine, lambda: pd.Series(amounts).expanding().median().to_numpy()


@pair("sorted with a key", 20_000, note="ours an event at a time, all released at the end")
def event_sorter(ours: Any, rng: Rng, n: int) -> Calls:
    times = rng.permutation(n).tolist()

    def mine() -> list[int]:
        sorter = ours(2 * n)
        for name, moment in enumerate(times):
            sorter.push(moment, name)
        return sorter.flush()

    return mine, lambda: sorted(range(n), key=times.__getitem__)


@pair("pandas groupby.max and nlargest", 20_000, note="a stream: ours a payment at a time")
def top_cards(ours: Any, rng: Rng, n: int) -> Calls:
    cards, scores = rng.integers(0, n // 10, n), rng.random(n)
    payments = list(zip(cards.tolist(), scores.tolist(), strict=True))

    def mine() -> list[tuple[int, float]]:
        best = ours(20)
        for card, score in payments:
            best.update(card, score)
        return best.top()

    return mine, lambda: list(pd.Series(scores).groupby(cards).max().nlargest(20).items())
