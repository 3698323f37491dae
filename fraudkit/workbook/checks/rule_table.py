"""A table of rules against a table of payments: six operators, missing values, and no loop over both."""

from __future__ import annotations

import operator as operators

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import first_of, lists, rows


def one_by_one(X, column, operator, threshold):
    """The oracle: one payment and one rule at a time, with the operators of Python."""
    known = {
        ">": operators.gt, ">=": operators.ge, "<": operators.lt,
        "<=": operators.le, "==": operators.eq, "!=": operators.ne,
    }  # fmt: skip
    table = np.asarray(X, dtype=float)
    fired = np.zeros((len(table), len(column)), dtype=bool)
    for i, row in enumerate(table.tolist()):
        for r, (c, name, bound) in enumerate(zip(column, operator, threshold, strict=True)):
            value = row[int(c)]
            fired[i, r] = value == value and known[str(name)](value, float(bound))
    return fired


NAMES = [">", ">=", "<", "<=", "==", "!="]


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first, then random ones with whole numbers, where values meet thresholds."""
    nan = float("nan")
    found = [
        Case("two payments, three rules", ([[900, 1], [50, 7]], [0, 1, 1], [">", ">=", "!="], [500, 7, 1])),
        Case(
            "a value at the threshold",
            (np.array([[5.0]]), [0] * 6, NAMES, [5.0] * 6),
            why="> and < do not hold there, >= and <= do",
        ),
        Case(
            "a missing feature",
            (np.array([[nan], [4.0]]), [0] * 6, NAMES, [4.0] * 6),
            why="NaN satisfies no comparison, not even != or the negation of >=",
        ),
        Case(
            "two rules on one feature, out of order",
            ([[3, 8, 1]], [2, 0, 2], ["<", ">", ">"], [5, 2, 5]),
            why="the answer is in the order of the rules",
        ),
        Case(
            "more rules than features",
            ([[1, 2], [2, 1]], [0, 0, 1, 1, 0], [">", "<", "==", "<=", "=="], [1, 2, 2, 1, 9]),
        ),
        Case("no payments", (np.zeros((0, 2)), [0, 1], [">", "<"], [1.0, 2.0])),
        Case("no rules", (np.ones((2, 2)), [], [], [])),
        Case("an unknown operator", ([[1.0]], [0], ["=>"], [1.0]), raises="ValueError"),
        Case("a column that is not there", ([[1.0, 2.0]], [2], [">"], [1.0]), raises="ValueError"),
        Case(
            "a negative column",
            ([[1.0, 2.0]], [-1], [">"], [1.0]),
            raises="ValueError",
            why="NumPy would take the last column without a word",
        ),
        Case("lengths differ", ([[1.0, 2.0]], [0, 1], [">", "<"], [1.0]), raises="ValueError"),
    ]
    for n, d, rules in ((6, 3, 8), (50, 6, 20)):
        X = rng.integers(0, 6, (n, d)).astype(float)
        X[rng.random((n, d)) < 0.15] = np.nan
        names = [NAMES[i] for i in rng.integers(0, 6, rules)]
        table = (rng.integers(0, d, rules), names, rng.integers(0, 6, rules).astype(float))
        found.append(Case(f"{n} payments, {rules} rules", (X, *table)))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """A case of n payments and n rules."""
    names = [NAMES[i] for i in rng.integers(0, 6, n)]
    return Case(f"{n} payments, {n} rules", (rng.random((n, 4)), rng.integers(0, 4, n), names, rng.random(n)))


def rule_by_rule(X, column, operator, threshold):
    """Accepted: one column of the answer for each rule, NaN told by x == x."""
    table = np.array(X, dtype=float)
    if len({len(column), len(operator), len(threshold)}) > 1:
        raise ValueError("three lists of one length")
    fired = np.empty((table.shape[0], len(column)), dtype=bool)
    for r in range(len(column)):
        if not 0 <= column[r] < table.shape[1]:
            raise ValueError(f"column {column[r]}")
        x, bound = table[:, column[r]], threshold[r]
        match operator[r]:
            case ">":
                fired[:, r] = x > bound
            case ">=":
                fired[:, r] = x >= bound
            case "<":
                fired[:, r] = x < bound
            case "<=":
                fired[:, r] = x <= bound
            case "==":
                fired[:, r] = x == bound
            case "!=":
                fired[:, r] = (x < bound) | (x > bound)
            case other:
                raise ValueError(f"operator {other}")
    return fired


def signs_allowed(X, column, operator, threshold):
    """Accepted: the sign of value minus threshold, and which signs each operator allows."""
    allowed = {">": (0, 0, 1), ">=": (0, 1, 1), "<": (1, 0, 0), "<=": (1, 1, 0), "==": (0, 1, 0), "!=": (1, 0, 1)}
    X = np.asarray(X, dtype=float)
    bad = len(column) != len(operator) or len(column) != len(threshold) or any(o not in allowed for o in operator)
    if bad or any(c not in range(X.shape[1]) for c in column):
        raise ValueError("the table of rules is broken")
    table = np.array([allowed[o] for o in operator], dtype=bool).reshape(-1, 3)
    values = X[:, np.array(column, dtype=int)]
    bounds = np.array(threshold, dtype=float)
    sign = 1 + (values > bounds).astype(int) - (values < bounds)
    return table[np.arange(len(table)), sign] & (values == values)


EXERCISE = Exercise(
    id="rule_table",
    title="A rule table without loops",
    minutes=18,
    difficulty="medium",
    feeds="08",
    week="9-10",
    hints=(
        "How many different operators are there? That is a loop you can afford.",
        "`X[:, column]` has one column for each rule. A row of thresholds beside it compares all payments at once.",
        "For each operator: the rules that use it, their columns, one comparison, and no NaN. Write it into those columns of the answer.",
    ),
    cases=cases,
    expect=one_by_one,
    agree=exact,
    mutants=(
        Mutant(
            "missing-is-different",
            "NaN != 1 is true in floating point, so the rule fires where nothing was seen. Mask missing values.",
            swaps=((" & ~np.isnan(values)", ""),),
        ),
        Mutant(
            "missing-is-zero",
            "Missing values were taken as 0, and rules with < fire on them.",
            swaps=(("X = np.asarray(X, dtype=float)", "X = np.nan_to_num(np.asarray(X, dtype=float))"),),
        ),
        Mutant(
            "negated-comparison",
            "Less-than was written as not greater-or-equal, which is true of NaN.",
            swaps=(
                ('"<": np.less,', '"<": lambda a, b: ~(a >= b),'),
                (" & ~np.isnan(values)", " & ((name == '<') | ~np.isnan(values))"),
            ),
        ),
        Mutant(
            "at-the-threshold",
            "> holds at the threshold here. It does not; that is >=.",
            swaps=(('">": np.greater,', '">": np.greater_equal,'),),
        ),
        Mutant(
            "below-at-the-threshold",
            "< holds at the threshold here. It does not; that is <=.",
            swaps=(('"<": np.less,', '"<": np.less_equal,'),),
        ),
        Mutant(
            "grouped-by-operator",
            "The columns of the answer stand grouped by operator. Rule r belongs into column r.",
            swaps=(("return fired", "return fired[:, np.argsort(operator, kind='stable')]"),),
        ),
        Mutant(
            "sides-swapped",
            "The threshold was compared with the value, so that > means less.",
            swaps=(("compare[name](values, threshold[rules])", "compare[name](threshold[rules], values)"),),
        ),
        Mutant(
            "negative-column-taken",
            "Column -1 was taken as the last one, as NumPy does. Raise ValueError.",
            swaps=(("(column < 0) | (column >= X.shape[1])", "column >= X.shape[1]"),),
        ),
        Mutant(
            "loop-over-both",
            "The answers are right, but Python goes from payment to payment and from rule to rule.",
            swaps=(
                (
                    "        fired[:, rules] = compare[name](values, threshold[rules]) & ~np.isnan(values)\n",
                    "        for i in range(len(X)):\n"
                    "            for k, r in enumerate(np.flatnonzero(rules)):\n"
                    "                fired[i, r] = compare[name](values[i, k], threshold[r]) & ~np.isnan(values[i, k])\n",
                ),
            ),
        ),
    ),
    accepted=(rule_by_rule, signs_allowed),
    growth=Growth(
        large,
        n=32,
        says="Compare whole columns. With n payments and n rules a double loop has n² steps in Python.",
    ),
    shrink=first_of(lists(0, noun="payments"), rows(1, 2, 3, noun="rules")),
)
