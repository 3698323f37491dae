"""Isolation forest with given draws: splits inside each node's own range, unfinished leaves made up for, one scale."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def by_following_each_row(X, rows, draws, limit, X_new):
    """The oracle: builds no tree; for each new row it narrows down the drawn rows that are still with it."""
    X, new = np.asarray(X, dtype=float).tolist(), np.asarray(X_new, dtype=float).tolist()

    def usual(m):
        if m < 2:
            return 0.0
        return float(2 * sum(Fraction(1, i) for i in range(1, m)) - Fraction(2 * (m - 1), m))

    answer = []
    for point in new:
        lengths = []
        for drawn, tree in zip(np.asarray(rows).tolist(), np.asarray(draws).tolist(), strict=True):
            company, node, depth = [X[i] for i in drawn], 0, 0
            while depth < limit and len(company) > 1:
                column = int(tree[node][0] * len(point))
                values = [row[column] for row in company]
                if min(values) == max(values):
                    break
                cut = min(values) + tree[node][1] * (max(values) - min(values))
                side = point[column] < cut
                company = [row for row in company if (row[column] < cut) == side]
                node, depth = 2 * node + (1 if side else 2), depth + 1
            lengths.append(depth + usual(len(company)))
        answer.append(2 ** -(sum(lengths) / len(lengths) / usual(len(rows[0]))))
    return np.array(answer)


def forest(rng: np.random.Generator, n: int, trees: int, size: int, limit: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and draws for so many trees."""
    rows = np.array([rng.choice(n, size, replace=False) for _ in range(trees)])
    return rows, rng.uniform(0.01, 0.99, (trees, 2**limit - 1, 2))


def cases(rng: np.random.Generator) -> list[Case]:
    """One tree by hand, then each point, then random forests."""
    line = np.array([[0.0], [1.0], [2.0], [10.0]])
    halves = np.full((1, 7, 2), 0.5)
    plane = np.array([[0.0, 5.0], [1.0, 5.5], [2.0, 4.0], [3.0, 6.0], [40.0, 5.2], [1.5, 30.0]])
    pick = np.array([[0, 1, 2, 3, 4, 5]])
    found = [
        Case(
            "one tree on a line, as lists", ([[0], [1], [2], [10]], [[0, 1, 2, 3]], [[[0.5, 0.5]] * 3], 2, [[10], [1]])
        ),
        Case(
            "rows that are not alone at the limit",
            (line, np.array([[0, 1, 2, 3]]), halves[:, :1], 1, line),
            why="a leaf that still holds m rows would have gone on: the usual length c(m) is added to its depth",
        ),
        Case("deep enough for everybody", (line, np.array([[0, 1, 2, 3]]), halves, 3, line)),
        Case(
            "two columns",
            (
                plane,
                pick,
                np.array([[[0.1, 0.6], [0.9, 0.7], [0.6, 0.2], [0.2, 0.5], [0.7, 0.4], [0.3, 0.3], [0.8, 0.8]]]),
                3,
                plane,
            ),
            why="the first draw chooses the column, the second the place between least and greatest value in this node",
        ),
        Case(
            "outside the drawn rows",
            (
                plane,
                pick,
                np.array([[[0.1, 0.6], [0.9, 0.7], [0.6, 0.2]]]),
                2,
                np.array([[-500.0, 5.0], [900.0, 900.0]]),
            ),
            why="a new row only goes left or right; it moves no range",
        ),
        Case(
            "a column that is constant in the node",
            (
                np.array([[1.0, 0.0], [1.0, 2.0], [1.0, 3.0], [5.0, 4.0]]),
                np.array([[0, 1, 2, 3]]),
                np.array([[[0.2, 0.5], [0.3, 0.5], [0.4, 0.5]]]),
                2,
                np.array([[1.0, 2.0], [5.0, 4.0]]),
            ),
            why="nothing can be cut where all values are equal: the node is a leaf, although rows are left in it",
        ),
        Case("equal rows", (np.ones((4, 2)), np.array([[0, 1, 2]]), halves[:, :3], 2, np.ones((1, 2)))),
        Case(
            "exactly at a cut",
            (
                line,
                np.array([[0, 1, 2, 3]]),
                np.array([[[0.1, 0.2], [0.1, 0.5], [0.1, 0.5]]]),
                2,
                np.array([[2.0], [1.99]]),
            ),
            why="a value below the cut goes left, one that equals it right",
        ),
        Case(
            "two trees",
            (plane, np.array([[0, 1, 2, 4], [5, 3, 2, 0]]), rng.uniform(0.1, 0.9, (2, 3, 2)), 2, plane),
            why="the lengths are averaged over the trees before the power is taken",
        ),
        Case("samples of one row", (line, np.array([[0]]), halves[:, :1], 1, line), raises="ValueError"),
        Case("too few draws", (line, np.array([[0, 1, 2, 3]]), halves[:, :1], 2, line), raises="ValueError"),
    ]
    for n, d, trees, size, limit in ((20, 2, 3, 8, 3), (40, 3, 6, 16, 4)):
        X = rng.normal(size=(n, d))
        X[0] += 6.0
        rows, draws = forest(rng, n, trees, size, limit)
        found.append(
            Case(
                f"{trees} trees of {size} rows",
                (X, rows, draws, limit, np.concatenate([X[:6], rng.normal(size=(4, d)) * 3])),
            )
        )
    return found


def trees_as_tables(X, rows, draws, limit, X_new):
    """Accepted: each tree is built level by level into arrays first, and all new rows walk it together."""
    X, new, rows = np.array(X, dtype=float), np.array(X_new, dtype=float), np.array(rows)
    draws = np.array(draws, dtype=float)
    trees, size = rows.shape
    if size < 2 or draws.shape[1] < 2**limit - 1:
        raise ValueError("size or draws")
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, size + 1))])
    m = np.arange(2, size + 1)
    usual = np.concatenate([[0.0, 0.0], 2 * harmonic[m - 1] - 2 * (m - 1) / m])
    total = np.zeros(len(new))
    for t in range(trees):
        column, cut, held = {}, {}, {0: X[rows[t]]}
        for node in range(2**limit - 1):
            inside = held.get(node)
            if inside is None or len(inside) < 2:
                continue
            j = int(draws[t, node, 0] * X.shape[1])
            low, high = inside[:, j].min(), inside[:, j].max()
            if low < high:
                column[node], cut[node] = j, low + draws[t, node, 1] * (high - low)
                goes_left = inside[:, j] < cut[node]
                held[2 * node + 1], held[2 * node + 2] = inside[goes_left], inside[~goes_left]
        for i, point in enumerate(new):
            node = depth = 0
            while node in cut:
                node = 2 * node + (1 if point[column[node]] < cut[node] else 2)
                depth += 1
            total[i] += depth + usual[len(held[node])]
    return np.exp2(-total / trees / usual[size])


def split_by_recursion(X, rows, draws, limit, X_new):
    """Accepted: drawn rows and new rows go down together, as index lists; lengths are added in the leaves."""
    X, new = np.asarray(X, float), np.asarray(X_new, float)
    size = len(rows[0])
    if size < 2:
        raise ValueError("a tree needs two rows")
    if any(len(tree) + 1 < 2**limit for tree in draws):
        raise ValueError("not enough draws for this depth")

    def usual(count):
        return 2 * sum(1 / i for i in range(1, count)) - 2 * (count - 1) / count if count > 1 else 0.0

    lengths = [0.0] * len(new)
    for drawn, tree in zip(rows, draws, strict=True):
        todo = [(0, 0, list(drawn), list(range(len(new))))]
        while todo:
            node, depth, inside, asked = todo.pop()
            if depth < limit and len(inside) > 1:
                where, place = tree[node]
                j = int(where * X.shape[1])
                low, high = min(X[i, j] for i in inside), max(X[i, j] for i in inside)
                if high > low:
                    at = low + place * (high - low)
                    todo.append(
                        (
                            2 * node + 1,
                            depth + 1,
                            [i for i in inside if X[i, j] < at],
                            [i for i in asked if new[i, j] < at],
                        )
                    )
                    todo.append(
                        (
                            2 * node + 2,
                            depth + 1,
                            [i for i in inside if X[i, j] >= at],
                            [i for i in asked if new[i, j] >= at],
                        )
                    )
                    continue
            for i in asked:
                lengths[i] += depth + usual(len(inside))
    return [0.5 ** (length / len(rows) / usual(size)) for length in lengths]


EXERCISE = Exercise(
    id="isolation_scores",
    title="Isolation forest from given draws",
    minutes=35,
    difficulty="hard",
    feeds="12",
    week="3-4",
    hints=(
        "Who is cut off after few random cuts? Let the drawn rows and the new rows go down a tree together, and note the depth of the leaf.",
        "A recursion over (node, depth, drawn rows here, new rows here): leaf when the limit is reached, one row is left, or the column is constant here.",
        "Leaf: depth + c(rows left). Otherwise cut = low + u·(high − low) with low and high of the drawn rows in this node; children 2i + 1 and 2i + 2.",
        "Score: 2 to the power of −(mean length / c(size)), with c(m) = 2·(1 + 1/2 + … + 1/(m − 1)) − 2(m − 1)/m.",
    ),
    cases=cases,
    expect=by_following_each_row,
    agree=close(1e-7, 1e-10),
    mutants=(
        Mutant(
            "leaf-counted-as-finished",
            "The depth of the leaf alone was taken. Where several rows are left, c(rows left) stands for the cuts that were not made.",
            swaps=(("lengths[asked] += depth + usual_length(len(inside))", "lengths[asked] += depth"),),
        ),
        Mutant(
            "range-of-all-rows",
            "The cut was placed in the range of the whole sample. In a node only its own rows count, or many cuts part nothing.",
            swaps=(
                (
                    "low, high = X[inside, column].min(), X[inside, column].max()",
                    "low, high = X[:, column].min(), X[:, column].max()",
                ),
            ),
        ),
        Mutant(
            "depth-from-one",
            "The root has depth 0: the length is the number of cuts that were made, not of nodes.",
            swaps=(
                ("        down(0, 0, ", "        down(0, 1, "),
                ("if depth < limit and", "if depth < limit + 1 and"),
            ),
        ),
        Mutant(
            "mean-of-the-scores",
            "A score was computed for each tree and averaged. The lengths are averaged, and the power is taken once.",
            swaps=(
                ("    return 2 ** -(lengths / len(rows) / usual_length(size))", "    return scores / len(rows)"),
                ("        down(0, 0, ", "        before = lengths.copy()\n        down(0, 0, "),
                (
                    "np.arange(len(X_new)))\n",
                    "np.arange(len(X_new)))\n        scores = scores + 2 ** -((lengths - before) / usual_length(size))\n",
                ),
                ("    lengths = np.zeros(len(X_new))\n", "    lengths, scores = np.zeros(len(X_new)), 0.0\n"),
            ),
        ),
        Mutant(
            "normalised-by-all-rows",
            "The usual length is that of a tree on the drawn rows, not on the whole table.",
            swaps=(("/ usual_length(size))", "/ usual_length(len(X)))"),),
        ),
        Mutant(
            "normalised-by-the-limit",
            "The mean length was divided by the depth limit. The scale is c(size), the usual length of an unsuccessful search.",
            swaps=(("/ usual_length(size))", "/ limit)"),),
        ),
        Mutant(
            "logarithm-for-harmonic",
            "c(m) was taken with ln(m − 1) for the harmonic number. For small m that is far off; here the sum itself is asked for.",
            swaps=(("2 * (1 / np.arange(1, m)).sum()", "2 * np.log(m - 1)"),),
        ),
        Mutant(
            "equal-goes-left",
            "A value that equals the cut goes right.",
            swaps=(("X_new[asked, column] < cut", "X_new[asked, column] <= cut"),),
        ),
        Mutant(
            "small-is-anomalous",
            "One minus the score was returned: rows that are cut off early have the larger score.",
            swaps=(
                (
                    "return 2 ** -(lengths / len(rows) / usual_length(size))",
                    "return 1 - 2 ** -(lengths / len(rows) / usual_length(size))",
                ),
            ),
        ),
    ),
    accepted=(trees_as_tables, split_by_recursion),
)
