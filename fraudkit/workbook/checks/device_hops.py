"""Breadth-first search over cards and devices: terminals join nobody, a crowded device is opened once."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import lists


def by_matrix(payments, start):
    """The oracle: a 0/1 matrix of cards and devices; what its product reaches in each further step is one hop more."""
    cards = list(dict.fromkeys(card for card, _ in payments))
    devices = list(dict.fromkeys(device for _, device in payments if device is not None))
    used = np.zeros((len(cards), len(devices) + 1), dtype=np.int64)
    for card, device in payments:
        if device is not None:
            used[cards.index(card), devices.index(device)] = 1
    reached = np.array([card == start for card in cards])
    hops = np.where(reached, 0, -1)
    while True:
        reached = used @ (reached @ used) > 0
        new = reached & (hops < 0)
        if not new.any():
            return {card: int(far) for card, far in zip(cards, hops, strict=True) if far >= 0}
        hops[new] = hops.max() + 1


def cases(rng: np.random.Generator) -> list[Case]:
    """A chain, terminals, equal names, two ways; then random crowds."""
    found = [
        Case("three cards in a row", ([("a", "p"), ("b", "p"), ("b", "q"), ("c", "q")], "a")),
        Case(
            "payments at terminals",
            ([("a", None), ("b", None), ("b", "q"), ("a", "p"), ("c", "p")], "a"),
            why="None says that no device is known; two unknown devices are not the same device",
        ),
        Case("a card that paid at terminals only", ([("a", None), ("b", "p")], "a")),
        Case(
            "cards and devices of equal names",
            ([(1, 2), (2, 3), (3, 3), (4, 2)], 1),
            why="card 2 and device 2 are different things: cards 2 and 3 share a device, but not with card 1",
        ),
        Case(
            "a short way and a long one",
            ([("a", 1), ("b", 1), ("b", 2), ("c", 2), ("c", 3), ("d", 3), ("d", 4), ("a", 4), ("d", 5), ("e", 5)], "a"),
            why="card d is met at the end of a chain, and shares a device with the start: it is one hop away",
        ),
        Case("the start in the middle", ([(10, "x"), (20, "x"), (20, "y"), (30, "y"), (40, "z")], 20)),
        Case("a start that never paid", ([("a", "p")], "b"), raises="ValueError"),
        Case("no payments at all", ([], "a"), raises="ValueError"),
    ]
    chain = [(card, device) for device in range(300) for card in (device, device + 1)]
    shuffled = [chain[i] for i in rng.permutation(len(chain))]
    found.append(
        Case(
            "a chain of 300 cards, shuffled",
            (shuffled, 0),
            why="the order of the payments says nothing about who is near",
        )
    )
    for size in (30, 120):
        pairs = zip(rng.integers(0, size // 3, size).tolist(), rng.integers(0, size // 2, size).tolist(), strict=True)
        payments = [(card, None if device < size // 12 else device) for card, device in pairs]
        found.append(Case(f"{size} random payments", (payments, payments[0][0])))
    return found


def crowd(rng: np.random.Generator, n: int) -> Case:
    """Everybody paid from the same device."""
    return Case(f"{n} cards on one device", ([(int(card), "library") for card in rng.permutation(n)], 0))


def ring_by_ring(payments, start):
    """Accepted: sets of cards and devices, a whole ring at a time."""
    by_card, by_device = {}, {}
    for card, device in payments:
        by_card.setdefault(card, set())
        if device is not None:
            by_card[card].add(device)
            by_device.setdefault(device, set()).add(card)
    if start not in by_card:
        raise ValueError("unknown card")
    distance, ring, old_devices = {}, {start}, set()
    step = 0
    while ring:
        distance.update(dict.fromkeys(ring, step))
        fresh = set().union(*(by_card[card] for card in ring)) - old_devices
        old_devices |= fresh
        ring = set().union(*(by_device[device] for device in fresh)) - distance.keys()
        step += 1
    return distance


def halved_steps(payments, start):
    """Accepted: one graph of tagged nodes, a list that grows while it is read, and half of every distance."""
    edges = {}
    for card, device in payments:
        here, there = edges.setdefault((0, card), []), (1, device)
        if device is not None:
            here.append(there)
            edges.setdefault(there, []).append((0, card))
    if (0, start) not in edges:
        raise ValueError(start)
    order, far = [(0, start)], {(0, start): 0}
    for node in order:
        for near in edges[node]:
            if near not in far:
                far[near] = far[node] + 1
                order.append(near)
    return {name: steps // 2 for (kind, name), steps in far.items() if kind == 0}


EXERCISE = Exercise(
    id="device_hops",
    title="Cards linked by devices",
    minutes=15,
    difficulty="medium",
    feeds="05",
    week="1-2",
    hints=(
        "Which search meets every node first by a shortest way? Depth first does not.",
        "Keep two indexes, devices of a card and cards of a device, instead of edges between cards. "
        "Mark a card when it enters the queue, and open every device once.",
    ),
    cases=cases,
    expect=by_matrix,
    agree=exact,
    mutants=(
        Mutant(
            "depth-first",
            "The newest card was taken from the queue first. That is depth first: it finds every card, but by any way, "
            "not by a shortest one. Take the oldest.",
            swaps=(("queue.popleft()", "queue.pop()"),),
        ),
        Mutant(
            "none-is-a-device",
            "Payments without a device were joined with each other, so all cards at terminals became neighbours. "
            "Leave None out.",
            swaps=(("[] if device is None else [device]", "[device]"),),
        ),
        Mutant(
            "devices-counted-as-hops",
            "The step to a device and the step from it were both counted. A shared device is one hop.",
            swaps=(("hops[card] + 1", "hops[card] + 2"),),
        ),
        Mutant(
            "names-mixed",
            "Cards and devices share one record of what was seen, so a card can hide a device of the same name. "
            "Keep them apart.",
            swaps=(("if device in seen:", "if device in seen or device in hops:"),),
        ),
        Mutant(
            "unreachable-kept",
            "Cards that cannot be reached are in the answer. Leave them out: they have no distance.",
            swaps=(("    return hops", "    return {**dict.fromkeys(devices_of, -1), **hops}"),),
        ),
        Mutant(
            "start-unchecked",
            "A start that made no payment was answered. It is a mistake in the question asked: raise ValueError.",
            swaps=(("if start not in devices_of:", "if False:"),),
        ),
        Mutant(
            "device-opened-again",
            "The values are right, but every card of a device reads all cards of it again: a thousand cards on one "
            "device make a million steps.",
            swaps=(("seen.add(device)", "pass"),),
        ),
    ),
    accepted=(ring_by_ring, halved_steps),
    growth=Growth(crowd, n=1_000, says="Open every device once: mark it when its cards are read."),
    shrink=lists(0, noun="payments"),
)
