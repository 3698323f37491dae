"""A circle of transfers by depth-first search: diamonds are none, self-payments count for nothing, chains are long."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import Any

import numpy as np

from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import lists


def by_sorter(transfers):
    """The oracle: the standard library's topological sorter, which names a circle where there is no order."""
    payers: dict[Any, set[Any]] = {}
    for payer, payee in transfers:
        payers.setdefault(payee, set()).update({payer} - {payee})
    try:
        TopologicalSorter(payers).prepare()
    except CycleError as error:
        return error.args[1][:-1]
    return []


def agree(got: Any, expected: Any, case: Case) -> str:
    """Any circle is right where there is one."""
    if not isinstance(got, list | tuple):
        return f"the answer should be a list of accounts, it is a {type(got).__name__}"
    if not expected:
        return "there is no circle here, the answer should be []" if len(got) else ""
    if not len(got):
        return "there is a circle here, the answer is empty"
    paid = {(payer, payee) for payer, payee in case.args[0]}
    if len(set(got)) < len(got):
        return "an account stands twice in the circle"
    if len(got) < 2:
        return "a circle has at least two accounts"
    for payer, payee in zip(got, [*got[1:], got[0]], strict=True):
        if (payer, payee) not in paid:
            return f"{payer!r} is followed by {payee!r}, but never paid that account"
    return ""


def cases(rng: np.random.Generator) -> list[Case]:
    """Diamonds and tails, a long chain with and without its end; then random ones."""
    found = [
        Case("a circle of three", ([("a", "b"), ("b", "c"), ("c", "a")],)),
        Case(
            "two ways to the same account",
            ([("a", "b"), ("b", "d"), ("a", "c"), ("c", "d")],),
            why="money that meets again has not gone round: nothing leads from d back to a",
        ),
        Case("two accounts that pay each other", ([(0, 1), (1, 0)],)),
        Case(
            "an account that pays itself",
            ([("a", "a"), ("a", "b"), ("b", "b")],),
            why="a transfer to oneself is no circle",
        ),
        Case(
            "a way into the circle",
            ([("v", "a"), ("a", "b"), ("b", "c"), ("c", "d"), ("d", "b")],),
            why="v and a lead into the circle and are not of it",
        ),
        Case(
            "the circle cannot be reached from the first account",
            ([("a", "b"), ("x", "y"), ("y", "z"), ("z", "x")],),
            why="a search from one account sees only what that account leads to",
        ),
        Case("one single transfer", ([("a", "b")],), why="money has a direction: b has received and has not paid back"),
        Case("no transfers", ([],)),
        Case("paid again and again", ([("a", "b")] * 3 + [("b", "c")] * 2,)),
    ]
    chain = [(account, account + 1) for account in range(3_000)]
    found.append(
        Case("a chain of 3,000 transfers", (chain,), why="recursion is too deep here: keep a stack of your own")
    )
    found.append(Case("a circle of 3,001 accounts", ([*chain, (3_000, 0)],)))
    for size, back in ((14, 0), (40, 0), (40, 1)):
        ends = np.sort(rng.integers(0, size, (size + size // 4, 2)), axis=1)
        rename = rng.permutation(size)
        transfers = [(int(rename[a]), int(rename[b])) for a, b in ends[rng.permutation(len(ends))]]
        if back:
            payer, payee = next((a, b) for a, b in transfers if a != b)
            transfers.append((payee, payer))
        found.append(Case(f"{len(transfers)} random transfers, {back} back", (transfers,)))
    return found


def backwards_chain(rng: np.random.Generator, n: int) -> Case:
    """A chain whose transfers come last one first, so that every account is a start with a longer way than before."""
    return Case(f"a chain of {n}", ([(account, account + 1) for account in range(n, 0, -1)],))


def leaves_removed(transfers):
    """Accepted: accounts that nobody pays are removed one by one; in what is left, go back from payee to payer."""
    paid_by, waiting, payees = {}, {}, {}
    for payer, payee in {pair for pair in transfers if pair[0] != pair[1]}:
        paid_by.setdefault(payee, []).append(payer)
        payees.setdefault(payer, []).append(payee)
        waiting[payee] = waiting.get(payee, 0) + 1
        waiting.setdefault(payer, 0)
    free = [account for account, count in waiting.items() if count == 0]
    removed = set(free)
    while free:
        for payee in payees.get(free.pop(), []):
            waiting[payee] -= 1
            if waiting[payee] == 0:
                removed.add(payee)
                free.append(payee)
    rest = [account for account in waiting if account not in removed]
    if not rest:
        return []
    trail, account = {}, rest[0]
    while account not in trail:
        trail[account] = len(trail)
        account = next(payer for payer in paid_by[account] if payer not in removed)
    return [visited for visited, at in trail.items() if at >= trail[account]][::-1]


def coloured(transfers):
    """Accepted: white, grey and black accounts; on the stack twice, to enter and to leave; parents lead back."""
    graph = {}
    for a, b in transfers:
        graph.setdefault(a, set())
        graph.setdefault(b, set())
        if a != b:
            graph[a].add(b)
    colour, parent = dict.fromkeys(graph, "white"), {}
    for root in graph:
        stack = [(root, False)]
        while stack:
            node, leaving = stack.pop()
            if leaving:
                colour[node] = "black"
                continue
            if colour[node] != "white":
                continue
            colour[node] = "grey"
            stack.append((node, True))
            for target in graph[node]:
                if colour[target] == "grey":
                    ring = [node]
                    while ring[-1] != target:
                        ring.append(parent[ring[-1]])
                    return list(reversed(ring))
                if colour[target] == "white":
                    parent[target] = node
                    stack.append((target, False))
    return []


EXERCISE = Exercise(
    id="transfer_circle",
    title="Money that comes back",
    minutes=20,
    difficulty="medium",
    feeds="05",
    week="1-2",
    hints=(
        "Walk along the transfers, depth first. An account has three states: not seen, on the path now, finished.",
        "Only an account on the present path closes a circle. One that is finished was read completely and leads "
        "nowhere new.",
        "Replace recursion by a list of iterators, one for each account on the path; "
        "a dictionary of places in the path gives the circle as a slice.",
    ),
    cases=cases,
    expect=by_sorter,
    agree=agree,
    mutants=(
        Mutant(
            "seen-is-enough",
            "Every account seen before was taken for the end of a circle. Two ways can meet in one account without "
            "going "
            "round; only an account on the present path closes a circle.",
            swaps=(
                ("if account in place:", "if account in place or account in finished:"),
                ("path[place[account] :]", "path[place.get(account, 0) :]"),
            ),
        ),
        Mutant(
            "no-direction",
            "The transfers were read in both directions. Then every single one is a circle of two; money has a "
            "direction.",
            swaps=(
                (
                    "            payees[payer].append(payee)",
                    "            payees[payer].append(payee)\n            payees[payee].append(payer)",
                ),
            ),
        ),
        Mutant(
            "self-counts",
            "A transfer to oneself was taken for a circle. The question excludes it.",
            swaps=(("if payer != payee:", "if True:"),),
        ),
        Mutant(
            "first-start-only",
            "The search began at one account only and saw what that one leads to. Begin at every account that is not "
            "finished.",
            swaps=(("in list(payees):", "in list(payees)[:1]:"),),
        ),
        Mutant(
            "tail-included",
            "The whole path was returned, with the accounts that lead into the circle. The circle begins at the "
            "account "
            "that is met again.",
            swaps=(("return path[place[account] :]", "return path"),),
        ),
        Mutant(
            "circle-not-closed",
            "The first account stands at the end again. A circle names each account once.",
            swaps=(("return path[place[account] :]", "return [*path[place[account] :], account]"),),
        ),
        Mutant(
            "never-finished",
            "The values are right, but accounts that lead nowhere are walked through again from every start. Mark "
            "them.",
            swaps=(("finished.add(path[-1])", "pass"),),
        ),
    ),
    accepted=(leaves_removed, coloured),
    growth=Growth(backwards_chain, n=800, says="Remember the accounts that are finished, and never enter them again."),
    shrink=lists(0, noun="transfers"),
)
