"""Reasons from contributions: families added up, only what raises the score, shares, ties by order."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from fraudkit.workbook.agree import difference
from fraudkit.workbook.exercise import Case, Exercise, Mutant

FAMILIES = ("velocity", "device", "amount", "place", "history", "merchant")


def in_fractions(contributions, codes, top=3, least=0.1):
    """The oracle: exact fractions, the largest reason taken out again and again."""
    order = sorted(set(codes), key=list(codes).index)
    totals = {
        code: sum(Fraction(float(v)) for v, other in zip(contributions, codes, strict=True) if other == code)
        for code in order
    }
    whole = sum(max(total, Fraction(0)) for total in totals.values())
    found: list[tuple[str, float]] = []
    while order and len(found) < top:
        best = max(order, key=lambda code: (totals[code], -order.index(code)))
        order.remove(best)
        if totals[best] <= 0 or totals[best] < Fraction(float(least)) * whole:
            break
        found.append((best, float(totals[best] / whole)))
    return found


def agree(got: Any, expected: Any, case: Case) -> str:
    """The same codes in the same order, with their shares."""
    if not isinstance(got, list | tuple | np.ndarray):
        return f"the answer is a {type(got).__name__}, expected a list of (code, share)"
    pairs = [list(pair) if isinstance(pair, list | tuple | np.ndarray) else [pair] for pair in got]
    if not all(len(pair) == 2 for pair in pairs):
        return "each entry should be a pair: code and share"
    if [pair[0] for pair in pairs] != [code for code, _ in expected]:
        return f"the codes are {[pair[0] for pair in pairs]}, expected {[code for code, _ in expected]}"
    return difference([pair[1] for pair in pairs], [share for _, share in expected], 1e-8, 1e-10) if expected else ""


def cases(rng: np.random.Generator) -> list[Case]:
    """Families, cancelling, ties, limits, nothing to say, what cannot be, then random rows."""
    found = [
        Case(
            "five features, four reasons",
            ([1.5, -0.5, 0.5, 0.5, -2.0], ["velocity", "velocity", "device", "amount", "history"]),
        ),
        Case(
            "a family that cancels",
            (np.array([3.0, -3.5, 0.75, 0.25]), ["velocity", "velocity", "device", "amount"]),
            why="add up before dropping what is negative: velocity lowers the score",
        ),
        Case(
            "many small ones of a family",
            (np.array([0.5, 0.25, 0.5, 0.25, 1.0]), ["place", "place", "place", "place", "amount"]),
            why="four features of one reason together outweigh a larger single one",
        ),
        Case(
            "what lowers the score is larger",
            (np.array([0.5, -4.0, 0.25, 0.25]), ["device", "history", "amount", "place"]),
            why="it is no reason for a decline, and not part of the whole either",
        ),
        Case(
            "a tie, against the alphabet",
            (np.array([0.5, 1.0, 0.5, 2.0]), ["velocity", "merchant", "amount", "device"]),
            {"top": 4},
            why="on a tie the code that comes first in the list goes first",
        ),
        Case(
            "a share exactly at the limit",
            (np.array([2.0, 1.0, 1.0]), ["device", "amount", "place"]),
            {"least": 0.25},
            why="left out is what lies below it",
        ),
        Case(
            "small reasons",
            (np.array([4.0, 0.25, 0.25, 0.75]), ["device", "amount", "place", "velocity"]),
            why="the shares of the others stay: they are of all that raises the score, not of what is told",
        ),
        Case("one reason at most", (np.array([1.0, 3.0]), ["device", "amount"]), {"top": 1}),
        Case(
            "nothing raises the score",
            (np.array([-1.0, 0.0]), ["device", "amount"]),
            why="0 by 0 is NaN: an empty list",
        ),
        Case("no features", ([], [])),
        Case("lengths differ", ([1.0, 2.0], ["device"]), raises="ValueError"),
        Case("a top of 0", ([1.0], ["device"], 0), raises="ValueError"),
        Case("a contribution that is NaN", ([1.0, float("nan")], ["device", "amount"]), raises="ValueError"),
    ]
    for d in (8, 20):
        codes = [FAMILIES[int(i)] for i in rng.integers(0, len(FAMILIES), d)]
        found.append(Case(f"{d} features", (rng.normal(0.3, 1.0, d), codes), {"top": 4, "least": 0.03}))
    return found


def indicator_matrix(contributions, codes, top=3, least=0.1):
    """Accepted: families as rows of an indicator matrix, order by lexsort."""
    values = np.array(contributions, dtype=np.float64)
    if values.size != len(codes):
        raise ValueError("one code for each")
    if top <= 0 or np.isnan(values).any() or np.isinf(values).any():
        raise ValueError("top or contributions")
    names = sorted(set(codes), key=lambda name: codes.index(name))
    if not names:
        return []
    totals = np.array([[code == name for code in codes] for name in names]).astype(float) @ values
    positive = np.maximum(totals, 0)
    if positive.sum() == 0:
        return []
    share = positive / positive.sum()
    order = np.lexsort((np.arange(len(names)), -share))
    return [(names[i], share[i]) for i in order if share[i] > 0 and share[i] >= least][:top]


def picked_one_by_one(contributions, codes, top=3, least=0.1):
    """Accepted: running sums, then a pick of the largest until enough is told."""
    if top < 1:
        raise ValueError(top)
    sums = {}
    for position in range(max(len(codes), len(contributions))):
        try:
            code, value = codes[position], float(contributions[position])
        except IndexError as error:
            raise ValueError("lengths") from error
        if value - value != 0:
            raise ValueError(value)
        sums[code] = sums.get(code, 0.0) + value
    push = 0.0
    for value in sums.values():
        push += value if value > 0 else 0.0
    told = []
    while sums and len(told) < top:
        code = max(sums, key=sums.get)
        value = sums.pop(code)
        if value <= 0 or value / push < least:
            return told
        told.append([code, value / push])
    return told


EXERCISE = Exercise(
    id="reason_codes",
    title="Reasons from contributions",
    minutes=20,
    difficulty="easy",
    feeds="07",
    week="3-4",
    hints=(
        "Which comes first: dropping what is negative, or adding up the families?",
        "A dictionary keeps the order in which its keys came; `sorted` leaves equals in the order it finds them.",
        "The whole is the sum of the reasons above 0, before `least` and `top` cut anything.",
    ),
    cases=cases,
    expect=in_fractions,
    agree=agree,
    mutants=(
        Mutant(
            "negative-parts-dropped-first",
            "Negative contributions were dropped before the families were added up: a family that cancels seems a "
            "reason.",
            swaps=(("by_code[code] += float(contribution)", "by_code[code] += max(float(contribution), 0.0)"),),
        ),
        Mutant(
            "families-not-added",
            "Of each family only the last feature counted. Add all of them up.",
            swaps=(("by_code[code] += float(contribution)", "by_code[code] = float(contribution)"),),
        ),
        Mutant(
            "largest-feature-of-family",
            "Of each family the largest feature was taken for the whole. Add all of them up.",
            swaps=(
                ("by_code[code] += float(contribution)", "by_code[code] = max(by_code[code], float(contribution))"),
            ),
        ),
        Mutant(
            "by-size",
            "Reasons were ordered by size whatever their sign. What lowers the score is no reason for a decline.",
            swaps=(
                ("by_code.items() if total > 0}", "by_code.items()}"),
                ("total / whole)", "abs(total) / whole)"),
                ("if total / whole >= least", "if abs(total) / whole >= least"),
                ("whole = sum(raising.values())", "whole = sum(map(abs, raising.values())) or 1.0"),
            ),
        ),
        Mutant(
            "share-of-the-net-sum",
            "Shares were taken of the net sum, in which what lowers the score is subtracted: they exceed 1.",
            swaps=(("whole = sum(raising.values())", "whole = abs(sum(by_code.values())) or 1.0"),),
        ),
        Mutant(
            "share-of-what-is-told",
            "Shares were taken of the reasons that are told, so they always add up to 1 however little they explain.",
            swaps=(
                (
                    "return sorted(shares, key=lambda pair: -pair[1])[:top]",
                    "told = sorted(shares, key=lambda pair: -pair[1])[:top]\n"
                    "    return [(code, share / sum(s for _, s in told)) for code, share in told]",
                ),
            ),
        ),
        Mutant(
            "ties-by-alphabet",
            "On a tie the alphabet decided. The question takes the order of the codes.",
            swaps=(("key=lambda pair: -pair[1]", "key=lambda pair: (-pair[1], pair[0])"),),
        ),
        Mutant(
            "limit-left-out",
            "A share that equals the limit was left out. Only what lies below it is.",
            swaps=((">= least", "> least"),),
        ),
        Mutant(
            "smallest-first",
            "The smallest reasons came first.",
            swaps=(("key=lambda pair: -pair[1]", "key=lambda pair: pair[1]"),),
        ),
        Mutant(
            "least-ignored",
            "Small reasons were told as well, whatever `least` says.",
            swaps=((" if total / whole >= least", ""),),
        ),
        Mutant(
            "nan-taken",
            "A contribution that is NaN was taken. The explanation is broken then: raise ValueError.",
            swaps=((" or not np.isfinite(contributions).all()", ""),),
        ),
    ),
    accepted=(indicator_matrix, picked_one_by_one),
)
