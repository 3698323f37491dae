"""A minimum cut: not the links at the ends, not the cheapest of each path, decisions are taken back."""

from __future__ import annotations

from typing import Any

import numpy as np

from fraudkit.workbook.exercise import Case, Exercise, Mutant
from fraudkit.workbook.shrink import lists


def by_sides(links, sources, sinks):
    """The oracle: in every part that hangs together, every way to put the accounts on two sides."""
    blocked: list[int] = []
    for part in _parts(links):
        between = sorted({a for i in part for a in links[i][:2]} - set(sources) - set(sinks))
        sides = np.arange(2 ** len(between))[:, None] >> np.arange(len(between)) & 1 == 1
        column = {account: sides[:, k] for k, account in enumerate(between)}
        column |= dict.fromkeys(sources, np.ones(len(sides), dtype=bool)) | dict.fromkeys(
            sinks, np.zeros(len(sides), dtype=bool)
        )
        crosses = np.array([column[links[i][0]] & ~column[links[i][1]] for i in part])
        best = int((np.array([links[i][2] for i in part]) @ crosses).argmin())
        blocked += [i for i, crossing in zip(part, crosses[:, best], strict=True) if crossing]
    return sorted(blocked)


def _parts(links: list[tuple[int, int, int]]) -> list[list[int]]:
    """Positions of the links, by parts that have no account in common."""
    parts: list[tuple[set[int], list[int]]] = []
    for i, (payer, payee, _) in enumerate(links):
        touched = [part for part in parts if part[0] & {payer, payee}]
        parts = [part for part in parts if part not in touched]
        parts.append(
            (
                {payer, payee}.union(*(part[0] for part in touched)),
                sorted([i, *(j for part in touched for j in part[1])]),
            )
        )
    return [part for _, part in parts]


def agree(got: Any, expected: Any, case: Case) -> str:
    """Any choice that parts the sources from the sinks at the same cost."""
    links, sources, sinks = case.args
    try:
        blocked = [int(i) for i in got]
        whole = all(i == mine for i, mine in zip(blocked, got, strict=True))
    except (TypeError, ValueError):
        return "the answer should be a list of positions"
    if not whole or any(not 0 <= i < len(links) for i in blocked):
        return f"positions are whole numbers from 0 to {len(links) - 1}"
    if blocked != sorted(set(blocked)):
        return "each position stands once, in rising order"
    reached = set(sources)
    while more := {b for i, (a, b, _) in enumerate(links) if i not in set(blocked) and a in reached} - reached:
        reached |= more
    if through := reached & set(sinks):
        return f"money still gets to account {min(through)}"
    cost, possible = (sum(links[i][2] for i in chosen) for chosen in (blocked, expected))
    return "" if cost == possible else f"this costs {cost}, {possible} is possible"


def _network(rng: np.random.Generator, between: int, n_links: int, first: int = 0) -> tuple[list, list, list]:
    """Random links over two sources, some accounts between, two sinks; none straight from source to sink."""
    links = []
    while len(links) < n_links:
        a, b = int(rng.integers(0, between + 2)), int(rng.integers(2, between + 4))
        if a != b and not (a < 2 and b >= between + 2):
            links.append((first + a, first + b, int(rng.integers(1, 10))))
    return links, [first, first + 1], [first + between + 2, first + between + 3]


def cases(rng: np.random.Generator) -> list[Case]:
    """Where greedy ways fail, parallel and free links, wrong input; then random networks."""
    found = [
        Case("one chain", ([(1, 2, 5), (2, 3, 2), (3, 4, 7)], [1], [4])),
        Case(
            "two cheap ones further on",
            ([(1, 2, 9), (1, 3, 9), (1, 4, 9), (2, 5, 9), (3, 5, 9), (4, 5, 9), (5, 6, 3), (5, 7, 4)], [1], [6, 7]),
            why="neither the links of the source nor, always, those of the sinks are the cheapest to block",
        ),
        Case(
            "the narrow place at the source",
            ([(1, 2, 3), (2, 3, 4), (2, 4, 4), (3, 5, 9), (4, 5, 9)], [1], [5]),
        ),
        Case(
            "the cheapest link of each path",
            ([(1, 2, 2), (1, 3, 2), (1, 4, 2), (2, 5, 3), (3, 5, 3), (4, 5, 3), (5, 6, 5)], [1], [6]),
            why="three links of 2 are the cheapest of their paths; the one link of 5 that all share costs less",
        ),
        Case(
            "a decision to be taken back",
            (
                [(0, 1, 2), (0, 2, 2), (1, 4, 2), (1, 5, 2), (2, 3, 2), (3, 4, 2), (4, 9, 2), (5, 6, 2), (6, 9, 2)],
                [0],
                [9],
            ),
            why="the shortest way is not part of every best flow; later ways must be able to take it back",
        ),
        Case(
            "several links between the same accounts",
            ([(1, 2, 2), (1, 2, 3), (2, 3, 4), (1, 2, 1)], [1], [3]),
            why="all links between two accounts have to be blocked, and their costs add up",
        ),
        Case("links against the direction", ([(2, 1, 1), (2, 3, 1), (1, 3, 4), (3, 2, 1)], [1], [3])),
        Case(
            "a dear way back",
            ([(1, 2, 5), (2, 3, 3), (3, 2, 100), (3, 4, 9)], [1], [4]),
            why="no stolen money comes from 3 to 2; the link back needs no blocking when 2 to 3 is blocked",
        ),
        Case("a link that costs nothing", ([(1, 2, 0), (2, 3, 5)], [1], [3])),
        Case("no chain at all", ([(1, 2, 5), (3, 4, 5)], [1], [4])),
        Case("no sources", ([(1, 2, 5)], [], [2])),
        Case("no links", ([], [1], [2])),
        Case(
            "full, but not in the cut",
            ([(1, 2, 4), (2, 3, 4), (3, 4, 4)], [1], [4]),
            why="all three links are full at the greatest flow; blocking one of them is enough",
        ),
        Case(
            "few dear or many cheap",
            ([(1, 2, 9), (2, 4, 2), (2, 5, 2), (2, 6, 2), (4, 3, 9), (5, 3, 9), (6, 3, 9)], [1], [3]),
        ),
        Case("a source that is a sink", ([(1, 2, 5)], [1], [2, 1]), raises="ValueError"),
        Case("a negative cost", ([(1, 2, -1)], [1], [2]), raises="ValueError"),
    ]
    for between, n_links in ((4, 14), (6, 20), (8, 26), (8, 30)):
        found.append(Case(f"{n_links} links", _network(rng, between, n_links)))
    rings = [_network(rng, 7, 20, first=100 * ring) for ring in range(5)]
    together = tuple([thing for ring in rings for thing in ring[k]] for k in range(3))
    found.append(Case("five rings", together, why="a hundred links: all choices cannot be tried"))
    return found


def matrix_flow(links, sources, sinks):
    """Accepted: a matrix with an added source and sink, depth first with a least width that is halved."""
    if set(sources) & set(sinks) or any(link[2] < 0 for link in links):
        raise ValueError("input")
    names = {a: k + 2 for k, a in enumerate({*sources, *sinks, *(a for link in links for a in link[:2])})}
    plenty = 1 + sum(link[2] for link in links)
    capacity = np.zeros((len(names) + 2, len(names) + 2), dtype=np.int64)
    for a, b, cost in links:
        capacity[names[a], names[b]] += cost
    capacity[0, [names[a] for a in sources]] = plenty
    capacity[[names[a] for a in sinks], 1] = plenty

    def reach(width):
        came, stack = {0: 0}, [0]
        while stack and 1 not in came:
            node = stack.pop()
            for target in np.flatnonzero(capacity[node] >= width).tolist():
                if target not in came:
                    came[target] = node
                    stack.append(target)
        return came

    width = 1 << int(plenty).bit_length()
    while width:
        came = reach(width)
        if 1 not in came:
            width //= 2
            continue
        way = [1]
        while way[-1]:
            way.append(came[way[-1]])
        ends, starts = way[:-1], way[1:]
        amount = capacity[starts, ends].min()
        capacity[starts, ends] -= amount
        capacity[ends, starts] += amount
    side = reach(1)
    return [k for k, (a, b, _) in enumerate(links) if names[a] in side and names[b] not in side]


def by_levels(links, sources, sinks):
    """Accepted: Dinic's algorithm: levels by breadth first, then as much as fits through links that go one level up."""
    if not set(sources).isdisjoint(sinks):
        raise ValueError("an account is source and sink")
    head, left, out = [], [], {}
    for a, b, cost in links:
        if cost < 0:
            raise ValueError(cost)
        for tail, tip, space in ((a, b, cost), (b, a, 0)):
            out.setdefault(tail, []).append(len(head))
            head.append(tip)
            left.append(space)
    goals = set(sinks)

    def levels():
        level, line = dict.fromkeys(sources, 0), list(sources)
        for node in line:
            for edge in out.get(node, []):
                if left[edge] and head[edge] not in level:
                    level[head[edge]] = level[node] + 1
                    line.append(head[edge])
        return level

    def push(node, amount, level):
        if node in goals:
            return amount
        sent = 0
        for edge in out.get(node, []):
            if sent < amount and left[edge] and level[head[edge]] == level[node] + 1:
                through = push(head[edge], min(amount - sent, left[edge]), level)
                left[edge] -= through
                left[edge ^ 1] += through
                sent += through
        return sent

    level = levels()
    while goals & level.keys():
        for source in set(sources):
            push(source, sum(left) + 1, level)
        level = levels()
    return [k for k, link in enumerate(links) if link[0] in level and link[1] not in level]


EXERCISE = Exercise(
    id="cheapest_block",
    title="Cutting off the mules",
    minutes=45,
    difficulty="hard",
    feeds="12",
    week="1-2",
    hints=(
        "How much could flow from the sources to the sinks, if each link let through as much as its blocking costs?",
        "Search for a path with room on each link, fill it, and note how much can be taken back along each of its "
        "links. Repeat.",
        "When no path is left: which accounts can still be reached? Block the links that lead out of this set.",
    ),
    cases=cases,
    expect=by_sides,
    agree=agree,
    mutants=(
        Mutant(
            "at-the-sources",
            "All links that leave a source were blocked. Further on it may be cheaper.",
            swaps=(("if payer in before and payee not in before]", "if payer in sources]"),),
        ),
        Mutant(
            "at-the-sinks",
            "All links into a sink were blocked. Nearer to the sources it may be cheaper.",
            swaps=(("if payer in before and payee not in before]", "if payee in sinks]"),),
        ),
        Mutant(
            "nothing-taken-back",
            "The flow cannot be taken back, so an unlucky first path stays. Note for each link how much can be sent "
            "back.",
            swaps=(("            room[payee][payer] += flow\n", ""),),
        ),
        Mutant(
            "all-full-links",
            "Every link that is full was blocked. Only those that lead out of what can still be reached have to be.",
            swaps=(("if payer in before and payee not in before]", "if room[payer][payee] == 0]"),),
        ),
        Mutant(
            "cheapest-of-each-path",
            "The cheapest link of one path after the other was blocked. A dearer link that many paths share can cost "
            "less in all.",
            swaps=(
                (
                    "        flow = min(room[payer][payee] for payer, payee in path)\n"
                    "        for payer, payee in path:\n"
                    "            room[payer][payee] -= flow\n            room[payee][payer] += flow\n",
                    "        payer, payee = min(path, key=lambda step: room[step[0]][step[1]])\n"
                    "        room[payer][payee] = 0\n",
                ),
                ("if payer in before and payee not in before]", "if room[payer][payee] == 0]"),
            ),
        ),
        Mutant(
            "fewest-links",
            "The smallest number of links was blocked. Asked is the least cost.",
            swaps=(("room[payer][payee] += cost", "room[payer][payee] += 1"),),
        ),
        Mutant(
            "last-link-only",
            "Of several links between the same accounts only the last one's cost was counted. Their costs add up.",
            swaps=(("room[payer][payee] += cost", "room[payer][payee] = cost"),),
        ),
        Mutant(
            "no-direction",
            "Money was thought to go in both directions. It goes from payer to payee.",
            swaps=(("room[payee][payer] += 0", "room[payee][payer] += cost"),),
        ),
        Mutant(
            "input-unchecked",
            "A source that is also a sink cannot be cut off from itself. Raise ValueError.",
            swaps=(("if sources & sinks or any(cost < 0 for _, _, cost in links):", "if False:"),),
        ),
    ),
    accepted=(matrix_flow, by_levels),
    shrink=lists(0, noun="links"),
)
