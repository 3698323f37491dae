"""Union-find over shared identifiers: heads are joined, not accounts, sizes are added once, trees stay flat."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import lists


def by_relabelling(n_accounts, links):
    """The oracle: a label for each account; a link gives all of one label the other; labels are counted."""
    label, answer = np.arange(n_accounts), []
    for one, other in links:
        label[label == label[one]] = label[other]
        answer.append(int(np.bincount(label).max()))
    return answer


def cases(rng: np.random.Generator) -> list[Case]:
    """Groups that meet by their members, repeated links, wrong accounts; then random ones."""
    found = [
        Case("two pairs that meet", (4, [(0, 1), (2, 3), (1, 2)])),
        Case(
            "the same group again",
            (4, [(0, 1), (1, 2), (0, 2), (2, 0)]),
            why="two accounts of the same group are linked: nothing grows",
        ),
        Case("linked with itself", (3, [(1, 1), (0, 2)]), why="an account alone is a group of one"),
        Case(
            "members, not heads, are linked",
            (8, [(0, 1), (0, 2), (3, 4), (3, 5), (2, 5), (6, 1), (7, 4)]),
            why="when two members are linked, all accounts of both groups come together",
        ),
        Case(
            "a small group after a large one",
            (7, [(0, 1), (1, 2), (2, 3), (5, 6), (6, 5)]),
            why="asked is the largest of all groups, not the one that was just linked",
        ),
        Case("no links", (3, [])),
        Case("links as an array", (5, np.array([[4, 0], [0, 3], [1, 2]]))),
        Case("an account that does not exist", (3, [(0, 1), (1, 3)]), raises="ValueError"),
        Case(
            "a negative account",
            (3, [(0, 1), (-1, 2)]),
            raises="ValueError",
            why="Python reads index -1 as the last account; a wrong number must not be taken for another account",
        ),
    ]
    for n, m in ((12, 10), (60, 70), (300, 250)):
        found.append(Case(f"{n} accounts, {m} links", (n, rng.integers(0, n, (m, 2)))))
    return found


def one_by_one(rng: np.random.Generator, n: int) -> Case:
    """Account 0 is linked with every other, one after the other: the worst for careless trees."""
    pairs = np.column_stack([np.zeros(n - 1, dtype=np.int64), np.arange(1, n)])
    return Case(f"{n} accounts around one", (n, pairs))


def smaller_moves(n_accounts, links):
    """Accepted: lists of members; the shorter list moves into the longer."""
    group_of = {account: [account] for account in range(n_accounts)}
    best, sizes = 1, []
    for pair in links:
        first, second = int(pair[0]), int(pair[1])
        if min(first, second) < 0 or max(first, second) >= n_accounts:
            raise ValueError("no such account")
        a, b = group_of[first], group_of[second]
        if a is not b:
            if len(a) > len(b):
                a, b = b, a
            b.extend(a)
            for account in a:
                group_of[account] = b
            best = max(best, len(b))
        sizes.append(best)
    return sizes


def negative_sizes(n_accounts, links):
    """Accepted: one array, negative sizes at the heads, the whole path compressed."""
    up = [-1] * n_accounts

    def root(x):
        path = []
        while up[x] >= 0:
            path.append(x)
            x = up[x]
        for y in path:
            up[y] = x
        return x

    out = []
    for a, b in [(int(a), int(b)) for a, b in links]:
        if a not in range(n_accounts) or b not in range(n_accounts):
            raise ValueError(f"account {a} or {b} is unknown")
        ra, rb = root(a), root(b)
        if ra != rb:
            if up[ra] > up[rb]:
                ra, rb = rb, ra
            up[ra] += up[rb]
            up[rb] = ra
        out.append(max(out[-1] if out else 1, -up[ra]))
    return out


EXERCISE = Exercise(
    id="largest_group",
    title="Accounts with shared identifiers",
    minutes=15,
    difficulty="medium",
    feeds="12",
    week="1-2",
    hints=(
        "Let every account point to another of its group, and all of them in the end to one head.",
        "A link hangs one head under the other. Keep the size at the head, and hang the smaller under the larger.",
        "While walking to a head, let each account point to its parent's parent: the next walk is half as long.",
    ),
    cases=cases,
    expect=by_relabelling,
    agree=exact,
    mutants=(
        Mutant(
            "accounts-hung-not-heads",
            "The linked account itself was hung under the other group's head. It is torn from its own group, whose "
            "other "
            "members stay behind: hang its head.",
            swaps=(("parent[small] = big", "parent[one if small == head(one) else other] = big"),),
        ),
        Mutant(
            "size-added-again",
            "Sizes were added although both accounts already belonged to the same group. Compare the heads first.",
            swaps=(("if small != big:", "if one != other:"),),
        ),
        Mutant(
            "last-group",
            "The size of the group that was just linked is given. Asked is the largest of all.",
            swaps=(("answer.append(largest)", "answer.append(size[head(one)])"),),
        ),
        Mutant(
            "alone-is-nothing",
            "An account alone is a group of one, so the largest group is never below one.",
            swaps=(("largest, answer = 1, []", "largest, answer = 0, []"),),
        ),
        Mutant(
            "joined-counts-one",
            "Each link added one to the group. When two groups meet, all accounts of both are in it.",
            swaps=(("size[big] += size[small]", "size[big] += 1"),),
        ),
        Mutant(
            "accounts-unchecked",
            "A negative account was taken for the last one. Check the numbers before they are used as positions.",
            swaps=(
                ("if not (0 <= one < n_accounts and 0 <= other < n_accounts):", "if max(one, other) >= n_accounts:"),
            ),
        ),
        Mutant(
            "tall-trees",
            "The values are right, but heads are hung without looking at sizes and paths are never shortened: the tree "
            "becomes a chain, and each step walks along it.",
            swaps=(
                ("            parent[account] = parent[parent[account]]\n", ""),
                (
                    "small, big = sorted((head(one), head(other)), key=size.__getitem__)",
                    "small, big = head(one), head(other)",
                ),
            ),
        ),
    ),
    accepted=(smaller_moves, negative_sizes),
    growth=Growth(
        one_by_one, n=800, says="Hang the smaller group under the larger, and shorten the paths that are walked."
    ),
    shrink=lists(1, noun="links"),
)
