"""Population stability index: edges from the reference, a floor for empty bins, outsiders in the outer bins."""

from __future__ import annotations

import math

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def counted_bins(reference, current, bins=10, floor=1e-4):
    """The oracle: every value put into its bin by comparison, the sum by its definition."""
    r, c = [float(x) for x in reference], [float(x) for x in current]
    ordered = sorted(r)
    edges = []
    for i in range(1, bins):
        place = (len(r) - 1) * i / bins
        low = math.floor(place)
        high = min(low + 1, len(r) - 1)
        edges.append(ordered[low] + (ordered[high] - ordered[low]) * (place - low))
    total = 0.0
    for k in range(bins):
        low, high = ([-math.inf, *edges])[k], ([*edges, math.inf])[k]
        share_r = max(sum(low < x <= high for x in r) / len(r), floor)
        share_c = max(sum(low < x <= high for x in c) / len(c), floor)
        total += (share_c - share_r) * math.log(share_c / share_r)
    return total


def cases(rng: np.random.Generator) -> list[Case]:
    """Bins that can be counted by hand, empty ones, outsiders, then random samples."""
    eight = np.arange(1, 9)
    found = [
        Case("four bins, shifted up", (eight, np.array([5, 6, 7, 8, 9, 9, 9, 9])), {"bins": 4}),
        Case("nothing moved", (eight, eight[::-1].copy()), {"bins": 4}, why="equal shares: the index is 0"),
        Case(
            "two bins, one empty",
            ([1, 2, 3, 4], [3, 4, 4, 4]),
            {"bins": 2},
            why="an empty bin counts with the floor; without it the logarithm is infinite",
        ),
        Case(
            "values beyond the reference on both sides",
            (eight, [-50, -40, 2, 4, 6, 8, 70, 80]),
            {"bins": 4},
            why="the first and the last bin are open: a value that was never seen before still counts",
        ),
        Case(
            "values on the edges",
            ([0.0, 1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 1.0, 2.0]),
            {"bins": 4},
            why="a value equal to an edge belongs to the bin below it",
        ),
        Case(
            "samples of different size",
            (np.arange(20.0), np.array([1.5, 3.5, 18.5])),
            {"bins": 5},
            why="shares are compared, not counts",
        ),
        Case("a larger floor", (eight, [8, 8, 8]), {"bins": 4, "floor": 0.05}),
        Case("float32 and the default bins", (np.float32(np.arange(30) / 8), np.float32(np.arange(30) / 9))),
        Case("skewed reference", (np.arange(40) ** 2, np.arange(40) ** 2 + 60), {"bins": 5}, why="bins are quantiles"),
        Case("an empty sample", ([], [1.0]), raises="ValueError"),
        Case("an infinite value", ([1.0, 2.0, 3.0], [1.0, np.inf]), raises="ValueError"),
        Case("one bin", (eight, eight), {"bins": 1}, raises="ValueError"),
    ]
    found.append(Case("scores", (rng.beta(1, 8, 203), rng.beta(1.3, 8, 151))))
    found.append(Case("amounts, seven bins", (rng.lognormal(3, 1, 157), rng.lognormal(3.2, 1.1, 91)), {"bins": 7}))
    return found


def open_histogram(reference, current, bins=10, floor=1e-4):
    """Accepted: negated values, so that the histogram's half-open bins close on the right side."""
    r, c = np.array(reference, dtype=float), np.array(current, dtype=float)
    if bins < 2 or r.size == 0 or c.size == 0 or not np.isfinite(r.sum() + c.sum()):
        raise ValueError("finite samples and two bins or more")
    inner = np.quantile(r, np.linspace(0, 1, bins + 1)[1:-1])
    edges = np.concatenate([[-np.inf], -inner[::-1], [np.inf]])
    shares = [np.histogram(-sample, edges)[0] / sample.size for sample in (r, c)]
    p, q = (np.where(share < floor, floor, share) for share in shares)
    return (q * np.log(q / p)).sum() + (p * np.log(p / q)).sum()


def shares_from_the_distribution(reference, current, bins=10, floor=1e-4):
    """Accepted: shares as differences of the distribution function at the edges."""
    if bins < 2:
        raise ValueError(f"bins={bins}")
    samples = [np.sort(np.asarray(s, dtype=float)) for s in (reference, current)]
    for sample in samples:
        if not len(sample) or not np.isfinite(sample).all():
            raise ValueError("a sample is empty or not finite")
    edges = [np.quantile(samples[0], i / bins) for i in range(1, bins)]
    shares = []
    for sample in samples:
        up_to = [np.count_nonzero(sample <= edge) / len(sample) for edge in edges]
        shares.append([max(high - low, floor) for low, high in zip([0.0, *up_to], [*up_to, 1.0], strict=True)])
    return sum((c - r) * (math.log(c) - math.log(r)) for r, c in zip(*shares, strict=True))


EXERCISE = Exercise(
    id="psi",
    title="Population stability index",
    minutes=20,
    difficulty="easy",
    feeds="13",
    week="7-8",
    hints=(
        "Bins are made once, from the reference, so that each holds about the same share of it. Then count both samples in "
        "the same bins.",
        "The inner edges cut the line into `bins` pieces, open at both ends; a binary search gives each value its piece.",
        "Raise both shares to the floor, then add (c - r)·ln(c/r).",
    ),
    cases=cases,
    expect=counted_bins,
    agree=close(rtol=1e-6, atol=1e-9),
    mutants=(
        Mutant(
            "no-floor",
            "An empty bin gave an infinite index or NaN. Raise both shares to the floor before the logarithm.",
            swaps=(
                (
                    "expected, actual = np.maximum(expected, floor), np.maximum(actual, floor)",
                    "np.seterr(all='ignore')",
                ),
            ),
        ),
        Mutant(
            "edges-from-current",
            "The bins were made from the current sample. It then fills them evenly by construction, which hides the shift; "
            "take the edges from the reference.",
            swaps=(("edges = np.quantile(r,", "edges = np.quantile(c,"),),
        ),
        Mutant(
            "equal-width",
            "The bins have equal width. With skewed amounts nearly everything is then in one bin; take quantiles.",
            swaps=(
                (
                    "np.quantile(r, np.arange(1, bins) / bins)",
                    "r.min() + (r.max() - r.min()) * np.arange(1, bins) / bins",
                ),
            ),
        ),
        Mutant(
            "outsiders-dropped",
            "Values outside the reference's range were dropped. They are the strongest sign of drift: the outer bins are open.",
            swaps=(
                (
                    'actual = np.bincount(np.searchsorted(edges, c, side="left"), minlength=bins) / len(c)',
                    "inside = c[(c >= r.min()) & (c <= r.max())]\n"
                    "    actual = np.bincount(np.searchsorted(edges, inside, side='left'), minlength=bins) / len(c)",
                ),
            ),
        ),
        Mutant(
            "log10",
            "The logarithm is natural; to base 10 the index is smaller by a factor of 2.3, and the usual limits do not apply.",
            swaps=(("np.log(actual / expected)", "np.log10(actual / expected)"),),
        ),
        Mutant(
            "one-direction",
            "This is the relative entropy of one histogram against the other. The index weighs the logarithm by the "
            "difference of the shares.",
            swaps=(("(actual - expected) * np.log", "actual * np.log"),),
        ),
        Mutant(
            "edges-belong-above",
            "A value equal to an edge went to the bin above. A bin holds edge < x ≤ next edge.",
            swaps=(
                ('np.searchsorted(edges, r, side="left")', "np.searchsorted(edges, r, side='right')"),
                ('np.searchsorted(edges, c, side="left")', "np.searchsorted(edges, c, side='right')"),
            ),
        ),
        Mutant(
            "floor-added",
            "The floor was added to every share. It only takes the place of smaller ones.",
            swaps=(("np.maximum(expected, floor), np.maximum(actual, floor)", "expected + floor, actual + floor"),),
        ),
        Mutant(
            "counts-for-shares",
            "The current counts were divided by the reference's size. Samples of different size need shares of their own.",
            swaps=(("minlength=bins) / len(c)", "minlength=bins) / len(r)"),),
        ),
        Mutant(
            "default-bins-only",
            "The argument bins was not used. Nothing but its default gives ten.",
            swaps=(
                (
                    "edges = np.quantile(r, np.arange(1, bins) / bins)",
                    "given, bins = bins, 10\n    edges = np.quantile(r, np.arange(1, bins) / bins)",
                ),
            ),
        ),
    ),
    accepted=(open_histogram, shares_from_the_distribution),
    plug="drift",
)
