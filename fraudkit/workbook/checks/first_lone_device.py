"""The first device that occurs once: count first, then look; a missing device is none."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import lists


def by_scanning(devices):
    """The oracle: scan the whole list for each position."""
    alone = [i for i, device in enumerate(devices) if device is not None and devices.count(device) == 1]
    return alone[0] if alone else -1


def _drawn(rng: np.random.Generator, n: int, pool: int) -> list[str | None]:
    devices: list[str | None] = [f"dev-{number}" for number in rng.integers(0, pool, n)]
    for position in rng.choice(n, n // 10, replace=False):
        devices[position] = None
    return devices


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first, then drawn ones with few and with many devices."""
    found = [
        Case("one lone device behind a shared one", (["a", "b", "a", "c"],)),
        Case("a single payment", (["a"],)),
        Case("no payments", ([],)),
        Case(
            "the only None",
            ([None, "a", "b", "b"],),
            why="a missing device is not a device, even where it is missing only once",
        ),
        Case("devices all shared", (["a", "b", "b", "a"],), why="nobody is alone: -1, and nothing else"),
        Case(
            "the second use comes late",
            (["a", "b", "c", "b", "c", "a", "d"],),
            why="that a device has not been seen yet does not make it lone: its second use may still come",
        ),
        Case("used three times", (["a", "a", "a", "b"],), why="three uses are not one, though three is odd"),
        Case("several lone devices", (["z", "z", "y", "x", "w"],), why="the first in the order of the payments"),
    ]
    for n, pool in ((60, 25), (90, 60), (200, 90)):
        found.append(Case(f"{n} payments", (_drawn(rng, n, pool),)))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """Every device twice: the whole list has to be looked at."""
    order = rng.permutation(np.repeat(np.arange(n // 2), 2))
    return Case(f"{n} payments", ([f"dev-{number}" for number in order],))


def candidates_in_order(devices):
    """Accepted: one pass that keeps the devices seen once so far in an ordered map."""
    once, more = {}, {None}
    for i, device in enumerate(devices):
        if device in more:
            continue
        if device in once:
            del once[device]
            more.add(device)
        else:
            once[device] = i
    return next(iter(once.values()), -1)


def neighbours_when_sorted(devices):
    """Accepted: positions sorted by device; a lone one differs from both neighbours."""
    order = sorted((device, i) for i, device in enumerate(devices) if device is not None)
    best = len(devices)
    for place, (name, i) in enumerate(order):
        before = place and order[place - 1][0] == name
        after = place + 1 < len(order) and order[place + 1][0] == name
        if not before and not after:
            best = min(best, i)
    return best if best < len(devices) else -1


EXERCISE = Exercise(
    id="first_lone_device",
    title="First device seen once",
    minutes=8,
    difficulty="easy",
    feeds="05",
    week="1-2",
    hints=(
        "When do you know that a device is alone: while you pass it, or only at the end?",
        "Two passes: the first remembers how often each device occurs, the second looks for the first with one.",
        "A dictionary from device to count does it, `collections.Counter` builds one. Leave None out at the end.",
    ),
    cases=cases,
    expect=by_scanning,
    agree=exact,
    mutants=(
        Mutant(
            "missing-is-a-device",
            "None was taken for a device. It says that no device was seen, so it is never the answer.",
            swaps=(("device is not None and counts", "counts"),),
        ),
        Mutant(
            "not-seen-before",
            "You return the first device that was not seen before. Its second use may still come: count the whole list "
            "first.",
            swaps=(("counts[device] == 1", "device not in devices[:position]"),),
        ),
        Mutant(
            "neighbours-only",
            "Each device was compared with its neighbours only; the same device may occur anywhere in the list.",
            swaps=(
                (
                    "counts[device] == 1",
                    "device not in devices[max(position - 1, 0) : position] + devices[position + 1 : position + 2]",
                ),
            ),
        ),
        Mutant(
            "the-last-one",
            "You return the last lone device. The question asks for the first payment.",
            swaps=(("enumerate(devices)", "reversed(list(enumerate(devices)))"),),
        ),
        Mutant(
            "the-device-itself",
            "You return the device; the question asks for its position.",
            swaps=(("return position", "return device"),),
        ),
        Mutant(
            "odd-counts",
            "A device was taken out when it came again and put back at the third time. "
            "Three uses are not one: remember that it was seen before.",
            swaps=(("counts[device] == 1", "counts[device] % 2 == 1"),),
        ),
    ),
    accepted=(candidates_in_order, neighbours_when_sorted),
    growth=Growth(
        large,
        n=4_000,
        limit=10.0,
        says="The list is scanned again for every payment. Count all devices once, in a map.",
    ),
    shrink=lists(0, noun="payments"),
)
