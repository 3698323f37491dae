"""Speed between consecutive payments of a card, by the haversine formula, and whether anybody can travel like that."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fraudkit.workbook.agree import brief, difference
from fraudkit.workbook.exercise import Case, Exercise, Mutant

BERLIN, PARIS, TOKYO = (52.52, 13.405), (48.8566, 2.3522), (35.6762, 139.6503)
FIJI, SAMOA = (-17.7, 178.0), (-13.8, -171.8)


def angle_of_vectors(event_time, card, latitude, longitude, max_kmh=900.0, min_km=100.0):
    """The oracle: payments one by one as unit vectors, the angle from cross and dot product."""
    kmh, impossible = np.zeros(len(card)), np.zeros(len(card), dtype=bool)
    last: dict = {}
    for row in sorted(range(len(card)), key=lambda row: (event_time[row], row)):
        north, east = math.radians(latitude[row]), math.radians(longitude[row])
        point = np.array([math.cos(north) * math.cos(east), math.cos(north) * math.sin(east), math.sin(north)])
        if card[row] in last:
            moment, other = last[card[row]]
            km = 6371.0 * math.atan2(float(np.linalg.norm(np.cross(other, point))), float(other @ point))
            seconds = float(event_time[row]) - moment
            kmh[row] = km * 3600 / (seconds if seconds > 60 else 60)
            impossible[row] = km > min_km and kmh[row] > max_kmh
        last[card[row]] = (float(event_time[row]), point)
    return kmh, impossible


def agree(got: Any, expected: Any, case: Case) -> str:
    """Both arrays by themselves: speeds within a millionth, flags exactly."""
    if not isinstance(got, list | tuple | np.ndarray) or len(got) != 2:
        return f"the answer is {brief(got)}, expected the pair (kmh, impossible)"
    return difference(got[0], expected[0], 1e-6, 1e-6, "kmh") or difference(got[1], expected[1], 0, 0, "impossible")


def _case(name: str, rows: list[tuple[Any, Any, tuple[float, float]]], why: str = "", raises: str = "") -> Case:
    """Rows (seconds, card, place) as four columns."""
    times, cards, places = zip(*rows, strict=True)
    where = np.array(places)
    return Case(name, (np.array(times), np.array(cards), where[:, 0], where[:, 1]), why=why, raises=raises)


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first: an honest flight, a jump, the antimeridian, no time between; then random ones."""
    hour = 3600
    lisbon = (38.7223, -9.1393)
    towers = [(half / 2, east) for half in range(-178, 179, 40) for east in (1.0, 40.0)]
    antipodes = [(-north, east - 180.0) for north, east in towers]
    flights = [row for k in range(len(towers)) for row in ((0, k, towers[k]), (90_000, k, antipodes[k]))]
    found = [
        _case("Berlin to Paris in two hours", [(0, 1, BERLIN), (2 * hour, 1, PARIS)]),
        _case(
            "Berlin to Tokyo in an hour",
            [(1000, 1, BERLIN), (1000 + hour, 1, TOKYO)],
            why="degrees have to become radians before sine and cosine; the way is 8,918 km",
        ),
        _case(
            "Fiji to Samoa, across the antimeridian",
            [(0, 5, FIJI), (4 * hour, 5, SAMOA), (8 * hour, 5, FIJI)],
            why="178 east and 171.8 west are ten degrees apart, not 350",
        ),
        _case(
            "two places in the same second",
            [(7200, 1, PARIS), (7200, 1, BERLIN), (7230, 1, PARIS), (7320, 1, lisbon)],
            why="less than a minute counts as a minute: no division by zero, and the jump is still seen",
        ),
        _case(
            "the same place twice",
            [(0, 1, (52.5231, 13.4049)), (0, 1, (52.5231, 13.4049)), (600, 1, (52.5231, 13.4050))],
            why="from a place to itself it is exactly 0 km; acos of a cosine loses the metres, and can be NaN",
        ),
        _case(
            "a short hop at high speed",
            [(0, 1, (52.0, 13.0)), (60, 1, (52.5, 13.0)), (120, 1, (52.5, 14.4))],
            why="two terminals whose clocks differ by a minute are no journey: up to min_km nothing is impossible",
        ),
        _case(
            "two cards in turn",
            [(0, 1, BERLIN), (60, 2, TOKYO), (hour, 1, PARIS), (hour + 60, 2, TOKYO), (2 * hour, 1, BERLIN)],
            why="the payment before is the last one of the same card, not the row above",
        ),
        _case(
            "rows out of order, cards as text",
            [(9 * hour, "b", TOKYO), (hour, "a", PARIS), (0, "b", BERLIN), (0, "a", BERLIN), (2 * hour, "a", lisbon)],
            why="rows may come in any order; the answer is in the order of the rows",
        ),
        _case(
            "to the other side of the world",
            flights,
            why="half the circumference, 20,015 km, is the longest way there is, in whatever direction",
        ),
        Case(
            "limits of one's own, lists",
            (
                [0, hour, 2 * hour, 3 * hour],
                [4, 4, 4, 4],
                [52.0, 52.0, 53.0, 50.0],
                [13.0, 13.6, 13.0, 13.0],
            ),
            {"max_kmh": 100.0, "min_km": 30.0},
        ),
        Case(
            "latitude and longitude mixed up",
            ([0, 60], [1, 1], [35.7, 139.7], [139.7, 35.7]),
            raises="ValueError",
            why="no place has a latitude of 139.7; a number computed from it would look like any other",
        ),
        Case("a place that is missing", ([0, 60], [1, 1], [50.0, np.nan], [8.0, 8.0]), raises="ValueError"),
        Case("a longitude above 180", ([0, 60], [1, 1], [50.0, 50.0], [8.0, 190.0]), raises="ValueError"),
        Case("lengths differ", ([0, 60], [1, 1], [50.0, 50.0, 51.0], [8.0, 8.0, 8.0]), raises="ValueError"),
    ]
    for size, cards in ((40, 6), (200, 25)):
        north = np.degrees(np.arcsin(rng.uniform(-1, 1, size)))
        east = rng.uniform(-180, 180, size)
        times = 1_735_600_000 + rng.integers(0, 200_000, size)
        found.append(Case(f"{size} payments all over the world", (times, rng.integers(0, cards, size), north, east)))
    return found


def one_by_one(event_time, card, latitude, longitude, max_kmh=900.0, min_km=100.0):
    """Accepted: a dictionary of each card's last payment, with the haversine formula from `math`."""
    rows = range(len(card))
    if any(len(column) != len(card) for column in (event_time, latitude, longitude)):
        raise ValueError("the columns differ in length")
    if not all(-90 <= latitude[row] <= 90 and -180 <= longitude[row] <= 180 for row in rows):
        raise ValueError("a place is not on the globe")
    speeds, flags, last = [0.0] * len(card), [False] * len(card), {}
    for row in sorted(rows, key=lambda row: event_time[row]):
        if card[row] in last:
            other = last[card[row]]
            a, b = math.radians(latitude[other]), math.radians(latitude[row])
            half_turn = math.radians(longitude[row] - longitude[other]) / 2
            square = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(half_turn) ** 2
            km = 2 * 6371 * math.atan2(math.sqrt(square), math.sqrt(max(0.0, 1 - square)))
            speeds[row] = km / max(float(event_time[row] - event_time[other]), 60.0) * 3600
            flags[row] = bool(km > min_km and speeds[row] > max_kmh)
        last[card[row]] = row
    return speeds, flags


def chords(event_time, card, latitude, longitude, max_kmh=900.0, min_km=100.0):
    """Accepted: the straight line through the Earth between unit vectors, and from it the arc."""
    moments, cards = np.asarray(event_time, dtype=float), np.asarray(card)
    places = [np.asarray(column, dtype=float) for column in (latitude, longitude)]
    if len({column.shape for column in (moments, cards, *places)}) > 1:
        raise ValueError("the columns differ in length")
    if np.isnan(places).any() or np.abs(places[0]).max() > 90 or np.abs(places[1]).max() > 180:
        raise ValueError("latitude or longitude is out of range")
    north, east = np.deg2rad(places)
    points = np.stack([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)], axis=1)
    kmh, flags = np.zeros(len(cards)), np.zeros(len(cards), dtype=bool)
    for who in np.unique(cards):
        rows = np.flatnonzero(cards == who)
        rows = rows[np.argsort(moments[rows], kind="stable")]
        chord = np.linalg.norm(np.diff(points[rows], axis=0), axis=1)
        km = 2 * 6371.0 * np.arcsin(np.clip(chord / 2, 0.0, 1.0))
        hours = np.clip(np.diff(moments[rows]), 60.0, None) / 3600
        kmh[rows[1:]] = km / hours
        flags[rows[1:]] = np.logical_and(km > min_km, km / hours > max_kmh)
    return kmh, flags


EXERCISE = Exercise(
    id="impossible_travel",
    title="Impossible travel",
    minutes=20,
    difficulty="medium",
    feeds="06",
    week="9-10",
    hints=(
        "Bring the payments of a card next to each other, in order of time, and keep in mind where each came from.",
        "`np.lexsort((event_time, card))` sorts by card and within it by time. A row and the one before it make a "
        "journey when they have the same card.",
        "Haversine, all in radians: h = sin²(Δlat/2) + cos(lat1)·cos(lat2)·sin²(Δlon/2), and the way is "
        "2·R·arcsin(√h).",
    ),
    cases=cases,
    expect=angle_of_vectors,
    agree=agree,
    mutants=(
        Mutant(
            "degrees-as-radians",
            "Sine and cosine were taken of degrees. They want radians.",
            swaps=(("np.radians([latitude, longitude])", "np.asarray([latitude, longitude])"),),
        ),
        Mutant(
            "flat-map",
            "The Earth was taken for a flat map: across the antimeridian a short way becomes the way round the world. "
            "The sine of half the difference closes the circle by itself.",
            swaps=(
                (
                    "h = np.sin(rise / 2) ** 2 + np.cos(lat[a]) * np.cos(lat[b]) * np.sin(turn / 2) ** 2",
                    "h = np.sin(np.minimum(np.hypot(rise, turn * np.cos((lat[a] + lat[b]) / 2)), np.pi) / 2) ** 2",
                ),
            ),
        ),
        Mutant(
            "cosines-of-latitude-missing",
            "A degree of longitude was taken to be as long everywhere as at the equator. Multiply by the cosines of "
            "both latitudes.",
            swaps=(("np.cos(lat[a]) * np.cos(lat[b]) * ", ""),),
        ),
        Mutant(
            "arccos-of-the-cosine",
            "The law of cosines loses short ways to rounding: a terminal is some metres away from itself, or NaN. "
            "Haversine stays exact there.",
            swaps=(
                (
                    "km = 2 * 6371.0 * np.arcsin(np.sqrt(h))",
                    "dot = np.sin(lat[a]) * np.sin(lat[b]) + np.cos(lat[a]) * np.cos(lat[b]) * np.cos(turn)\n"
                    "    km = 6371.0 * np.arccos(np.clip(dot, -1.0, 1.0))",
                ),
            ),
        ),
        Mutant(
            "half-the-way",
            "The arcsine gives half the angle between the two places. The factor of 2 is missing.",
            swaps=(("2 * 6371.0", "6371.0"),),
        ),
        Mutant(
            "any-card-before",
            "The first payment of a card was compared with another card's payment. It has none before it: speed 0.",
            swaps=(("same = card[a] == card[b]", "same = np.ones(len(a), dtype=bool)"),),
        ),
        Mutant(
            "row-above-only",
            "Only neighbouring rows of the stream were compared, so a payment of another card in between hides the "
            "journey. Group by card first.",
            swaps=(("np.lexsort((event_time, card))", 'np.argsort(event_time, kind="stable")'),),
        ),
        Mutant(
            "not-sorted-by-time",
            "The rows of a card were taken as they come. Sort them by time; rows may arrive in any order.",
            swaps=(("np.lexsort((event_time, card))", 'np.argsort(card, kind="stable")'),),
        ),
        Mutant(
            "answers-in-sorted-order",
            "The answers were returned in sorted order. Put them back to the rows that they belong to.",
            swaps=(("return kmh, impossible", "return kmh[order], impossible[order]"),),
        ),
        Mutant(
            "division-by-no-time",
            "The time between two payments may be 0, and the speed then is infinite, or NaN at one place. Less than a "
            "minute counts as a minute.",
            swaps=(("np.maximum(event_time[b] - event_time[a], 60.0)", "(event_time[b] - event_time[a])"),),
        ),
        Mutant(
            "no-time-no-speed",
            "Two payments in the same second were given the speed 0: the most blatant jump goes unseen. Less than a "
            "minute counts as a minute.",
            swaps=(
                (
                    "kmh[b] = km / hours",
                    "kmh[b] = np.where(event_time[b] > event_time[a], km / hours, 0.0)",
                ),
            ),
        ),
        Mutant(
            "short-hops-flagged",
            "Speed alone was judged. Two terminals of one town whose clocks differ by a minute look fast; ask for more "
            "than min_km as well.",
            swaps=(("(km > min_km) & ", ""),),
        ),
        Mutant(
            "places-not-checked",
            "A latitude beyond 90 or a missing place was taken, and a speed came out of it. Raise ValueError.",
            swaps=(
                (
                    "if not (np.abs(latitude) <= 90).all() or not (np.abs(longitude) <= 180).all():",
                    "if False:",
                ),
            ),
        ),
    ),
    accepted=(one_by_one, chords),
    plug="rule",
)
