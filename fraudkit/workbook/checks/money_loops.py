"""Strongly connected accounts: groups in a row are not one group, chains are long, one search is enough."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import lists

LONG_CIRCLE = [(account, (account + 1) % 1_100) for account in range(1_100)]


def by_reach(transfers):
    """The oracle: a table of who reaches whom, closed over every account between (Warshall), as bits."""
    names = sorted({account for pair in transfers for account in pair})
    at = {account: i for i, account in enumerate(names)}
    reach = np.eye(len(names), dtype=bool)
    for payer, payee in transfers:
        reach[at[payer], at[payee]] = True
    packed = np.packbits(reach, axis=1)
    for k in range(len(names)):
        packed[packed[:, k // 8] & (128 >> k % 8) != 0] |= packed[k]
    reach = np.unpackbits(packed, axis=1, count=len(names)).astype(bool)
    groups = {tuple(names[i] for i in np.flatnonzero(row)) for row in np.unique(reach & reach.T, axis=0)}
    return sorted(list(group) for group in groups if len(group) > 1)


def cases(rng: np.random.Generator) -> list[Case]:
    """Groups in a row, diamonds, a figure of eight, long chains; then random ones."""
    found = [
        Case("one circle", ([(1, 2), (2, 3), (3, 1)],)),
        Case(
            "two circles in a row",
            ([(4, 3), (3, 4), (4, 1), (1, 2), (2, 1)],),
            why="money gets from the first circle to the second, but never back: two groups",
        ),
        Case("a diamond", ([(1, 2), (1, 3), (2, 4), (3, 4)],), why="ways that meet again do not lead back"),
        Case(
            "two circles that share an account",
            ([(1, 2), (2, 3), (3, 1), (3, 4), (4, 5), (5, 3)],),
            why="over account 3 everybody reaches everybody: one group",
        ),
        Case("a circle within a circle", ([(1, 2), (2, 3), (3, 4), (4, 1), (3, 2)],)),
        Case("an account that pays itself", ([(1, 1), (1, 2)],), why="groups have two accounts or more"),
        Case("one single transfer", ([(1, 2)],)),
        Case("no transfers", ([],)),
        Case(
            "a group that is fed and feeds",
            ([(9, 5), (5, 6), (6, 5), (6, 1), (9, 1), (8, 6)],),
            why="accounts that only pay in, or are only paid, do not belong to it",
        ),
        Case(
            "three groups told backwards",
            ([(10, 11), (11, 10), (20, 21), (21, 20), (30, 31), (31, 30), (20, 11), (30, 21), (30, 10)],),
            why="where the search starts must not matter",
        ),
    ]
    long_row = [(i, i + 1) for i in range(250)]
    found.append(Case("a circle at the end of a long chain", ([*long_row, (250, 240)],)))
    for size, extra in ((12, 4), (30, 8), (60, 12), (60, 25)):
        ends = rng.integers(0, size, (size + extra, 2)).tolist()
        found.append(Case(f"{size} accounts, {size + extra} transfers", ([tuple(pair) for pair in ends],)))
    found.append(Case("a circle of 1,100 accounts", (LONG_CIRCLE,), why="recursion is too deep here"))
    return found


def row_of_pairs(rng: np.random.Generator, n: int) -> Case:
    """Pairs that pay each other, each also paying the next pair."""
    pairs = [(2 * i, 2 * i + 1) for i in range(n // 2)]
    return Case(f"{n} accounts", ([*pairs, *((b, a) for a, b in pairs), *((b, b + 1) for _, b in pairs[:-1])],))


def lowest_open(transfers):
    """Accepted: Tarjan's algorithm, one search with a stack of iterators."""
    graph = {}
    for payer, payee in transfers:
        graph.setdefault(payer, []).append(payee)
        graph.setdefault(payee, [])
    index, low, waiting, closed, result = {}, {}, [], set(), []
    for root in graph:
        frames = [] if root in index else [(root, iter(graph[root]))]
        if frames:
            index[root] = low[root] = len(index)
            waiting.append(root)
        while frames:
            node, rest = frames[-1]
            child = next((c for c in rest if c not in closed), None)
            if child is None:
                frames.pop()
                if frames:
                    parent = frames[-1][0]
                    low[parent] = min(low[parent], low[node])
                if low[node] == index[node]:
                    component = []
                    while not component or component[-1] != node:
                        component.append(waiting.pop())
                    closed.update(component)
                    result += [sorted(component)] * (len(component) > 1)
            elif child in index:
                low[node] = min(low[node], index[child])
            else:
                index[child] = low[child] = len(index)
                waiting.append(child)
                frames.append((child, iter(graph[child])))
    result.sort()
    return result


def merged_paths(transfers):
    """Accepted: Gabow's way: a path whose accounts are merged when a transfer leads back into it."""
    onwards = {}
    for a, b in set(transfers):
        onwards.setdefault(a, set()).add(b)
    place, done, answer = {}, set(), []
    for root in list(onwards):
        if root in place:
            continue
        trail, bounds, calls = [], [], [(root, None)]
        while calls:
            account, targets = calls.pop()
            if targets is None:
                place[account] = len(trail)
                trail.append(account)
                bounds.append(place[account])
                targets = list(onwards.get(account, ()))
            while targets:
                target = targets.pop()
                if target not in place:
                    calls.append((account, targets))
                    calls.append((target, None))
                    break
                if target not in done:
                    while bounds[-1] > place[target]:
                        bounds.pop()
            else:
                if bounds[-1] == place[account]:
                    bounds.pop()
                    members = trail[place[account] :]
                    del trail[place[account] :]
                    done.update(members)
                    if len(members) >= 2:
                        answer.append(sorted(members))
    return sorted(answer)


EXERCISE = Exercise(
    id="money_loops",
    title="All groups in which money goes round",
    minutes=35,
    difficulty="hard",
    feeds="05",
    week="1-2",
    hints=(
        "Draw each group as one node. Can there still be a circle among the groups? What does that say about the "
        "last of them?",
        "Search depth first and write accounts down when the search leaves them, not when it enters them.",
        "Take the accounts in the opposite order, and from each search backwards along the transfers among those "
        "that have no "
        "group yet.",
    ),
    cases=cases,
    expect=by_reach,
    agree=exact,
    mutants=(
        Mutant(
            "no-direction",
            "Accounts were joined whenever any transfer connects them. Money must be able to come back as well.",
            swaps=(("todo += payers[account]", "todo += payers[account] + payees[account]"),),
        ),
        Mutant(
            "not-turned-round",
            "The second search went along the transfers again. From the account that was left last this reaches "
            "other groups; "
            "backwards it reaches its own only.",
            swaps=(("todo += payers[account]", "todo += payees[account]"),),
        ),
        Mutant(
            "wrong-end-first",
            "The second pass began with the account that was left first. Begin with the one that was left last: no "
            "other "
            "group pays into its group.",
            swaps=(("in reversed(finished):", "in finished:"),),
        ),
        Mutant(
            "entering-order",
            "Accounts were written down when the search entered them. Only the order of leaving says that everything "
            "they lead "
            "to is done.",
            swaps=(
                (
                    "            if leaving:\n                finished.append(account)\n            elif",
                    "            if leaving:\n                pass\n            elif",
                ),
                (
                    "                entered.add(account)\n",
                    "                entered.add(account)\n                finished.append(account)\n",
                ),
                ("in reversed(finished):", "in finished:"),
            ),
        ),
        Mutant(
            "alone-is-a-group",
            "Accounts that belong to nobody were given as groups of one.",
            swaps=(("if len(group) > 1:", "if group:"),),
        ),
        Mutant(
            "groups-not-sorted",
            "The groups are right, but not in order of their first accounts.",
            swaps=(("return sorted(groups)", "return groups"),),
        ),
        Mutant(
            "one-start",
            "The search began at one account and saw what that one leads to. Begin at every account.",
            swaps=(("in list(payees):", "in list(payees)[:1]:"),),
        ),
        Mutant(
            "search-from-each",
            "The groups are right, but every account that has a group is searched for in a list. Use a set.",
            swaps=(
                ("groups, assigned = [], set()", "groups, assigned = [], []"),
                ("assigned.add(account)", "assigned.append(account)"),
            ),
        ),
    ),
    accepted=(lowest_open, merged_paths),
    growth=Growth(
        row_of_pairs,
        n=1_000,
        limit=10.0,
        says="One or two searches over the whole graph are enough; do not search from every account.",
    ),
    shrink=lists(0, noun="transfers"),
)
