"""A transformer by scikit-learn's rules: learns in fit only, checks what it is given, and can be cloned."""

from __future__ import annotations

import math

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant, Step


def by_hand(low=0.01, high=0.99, steps=()):
    """The oracle: quantiles interpolated between sorted values, and min and max of Python."""
    params, learnt, answers = {"low": low, "high": high}, [], []
    for step in steps:
        if step.method in ("fit", "fit_transform"):
            columns = list(zip(*np.asarray(step.args[0]).tolist(), strict=True))
            learnt = [[_quantile(column, params[name]) for name in ("low", "high")] for column in columns]
        if step.method == "set_params":
            params |= step.args[0] if step.args else {}
        if step.method == "get_params":
            answers.append(dict(params))
        elif step.method == "bounds":
            answers.append((np.array([pair[0] for pair in learnt]), np.array([pair[1] for pair in learnt])))
        elif step.method in ("transform", "fit_transform"):
            rows = np.asarray(step.args[0]).tolist()
            held = [[min(max(v, a), b) for v, (a, b) in zip(row, learnt, strict=True)] for row in rows]
            answers.append(np.array(held, dtype=float))
        else:
            answers.append(None)
    return answers


def _quantile(values, q):
    ordered = sorted(float(value) for value in values)
    place = q * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first, then random ones."""
    X = [[1], [2], [3], [4], [100]]
    half = {"low": 0.25, "high": 0.75}
    nan, inf = math.nan, math.inf
    found = [
        Case(
            "five amounts",
            kwargs=half,
            steps=(Step("fit", (X,)), Step("bounds"), Step("transform", ([[0], [3], [50]],))),
        ),
        Case(
            "one new row",
            kwargs=half,
            steps=(Step("fit", (X,)), Step("transform", ([[50.0]],))),
            why="the bounds are those of the training rows; a row's own quantiles are the row itself",
        ),
        Case(
            "two columns of different size",
            kwargs=half,
            steps=(
                Step("fit", ([[1, 1000], [2, 3000], [3, 2000]],)),
                Step("bounds"),
                Step("transform", ([[9, 9], [0, 9000]],)),
            ),
            why="each column has bounds of its own",
        ),
        Case(
            "fitted again",
            kwargs=half,
            steps=(Step("fit", (X,)), Step("fit", ([[10, 1], [20, 2]],)), Step("bounds")),
            why="a second fit forgets the first, even its number of columns",
        ),
        Case("the defaults", steps=(Step("get_params"), Step("fit_transform", (np.array([[1.0], [2.0], [90.0]]),)))),
        Case(
            "parameters as given",
            args=(0, 1),
            steps=(Step("get_params"), Step("fit", (X,)), Step("transform", ([[-5], [200]],))),
        ),
        Case(
            "built with parameters that do not fit",
            kwargs={"low": 0.9, "high": 0.1},
            steps=(Step("get_params"),),
            why="the constructor only stores: clone and grid search rely on it; fit checks",
        ),
        Case("low above high", kwargs={"low": 0.9, "high": 0.1}, steps=(Step("fit", (X,)),), raises="ValueError"),
        Case("a quantile of 1.5", kwargs={"high": 1.5}, steps=(Step("fit", (X,)),), raises="ValueError"),
        Case(
            "transform before fit",
            steps=(Step("transform", (X,)),),
            raises="NotFittedError",
            why="nothing has been learnt",
        ),
        Case("bounds before fit", steps=(Step("bounds"),), raises="NotFittedError"),
        Case("a column too many", steps=(Step("fit", (X,)), Step("transform", ([[1, 2]],))), raises="ValueError"),
        Case(
            "one column where two were learnt",
            steps=(Step("fit", ([[1, 2], [3, 4]],)), Step("transform", ([[1.0]],))),
            raises="ValueError",
            why="broadcasting would make two columns of one without a word",
        ),
        Case("NaN in fit", steps=(Step("fit", ([[1.0], [nan]],)),), raises="ValueError"),
        Case(
            "infinity in transform",
            steps=(Step("fit", (X,)), Step("transform", ([[inf]],))),
            raises="ValueError",
            why="clipping would hide it",
        ),
        Case("one dimension", steps=(Step("fit", ([1.0, 2.0, 3.0],)),), raises="ValueError"),
    ]
    for n, d in ((12, 2), (60, 4)):
        train, new = np.round(rng.normal(0, 10, (n, d)), 2), np.round(rng.normal(0, 30, (8, d)), 2)
        steps = (Step("fit", (train,)), Step("bounds"), Step("transform", (new,)))
        found.append(Case(f"{n} rows, {d} columns", kwargs={"low": 0.05, "high": 0.9}, steps=steps))
    return found


class WithoutBases:
    """Accepted: scikit-learn's rules kept by hand."""

    def __init__(self, low=0.01, high=0.99):
        """Two quantiles."""
        self.low, self.high = low, high

    def get_params(self, deep=True):
        """As the base class gives them."""
        return {"high": self.high, "low": self.low}

    def set_params(self, **params):
        """Set some of them."""
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def _checked(self, X):
        table = np.array(X, dtype=float)
        if table.ndim != 2:
            raise ValueError(f"X has {table.ndim} dimensions")
        if not np.isfinite(table).all():
            raise ValueError("X holds NaN or infinity")
        return table

    def fit(self, X, y=None):
        """Learn each column's bounds."""
        if self.low < 0 or self.high > 1 or self.low >= self.high:
            raise ValueError("bad quantiles")
        table = self._checked(X)
        self.n_features_in_ = table.shape[1]
        self.lower_ = np.percentile(table, 100 * self.low, axis=0)
        self.upper_ = np.percentile(table, 100 * self.high, axis=0)
        return self

    def bounds(self):
        """What was learnt."""
        if not hasattr(self, "lower_"):
            from sklearn.exceptions import NotFittedError

            raise NotFittedError("call fit first")
        return self.lower_, self.upper_

    def transform(self, X):
        """Held between the bounds."""
        lower, upper = self.bounds()
        table = self._checked(X)
        if table.shape[1] != self.n_features_in_:
            raise ValueError(f"{table.shape[1]} columns, {self.n_features_in_} were learnt")
        return np.minimum(np.maximum(table, lower), upper)

    def fit_transform(self, X, y=None):
        """One after the other."""
        return self.fit(X, y).transform(X)


class SortedColumns:
    """Accepted: no NumPy quantiles: sorted columns and interpolation."""

    def __init__(self, low=0.01, high=0.99):
        """Parameters as they come."""
        self.low = low
        self.high = high

    def get_params(self, deep=True):
        """Parameters by name."""
        return dict(zip(("low", "high"), (self.low, self.high), strict=True))

    def fit(self, X, y=None):
        """Sort, then interpolate at the two places."""
        rows = self._rows(X)
        ordered = np.sort(rows, axis=0)
        if not (self.low >= 0 and self.low < self.high and self.high <= 1):
            raise ValueError((self.low, self.high))
        at = np.linspace(0, 1, len(ordered))
        found = [np.interp([self.low, self.high], at, column) for column in ordered.T]
        self.lower_, self.upper_ = np.array(found).T
        return self

    def _rows(self, X):
        from sklearn.utils import check_array

        return check_array(X, dtype="float64")

    def bounds(self):
        """The bounds of the columns."""
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self, "lower_")
        return [self.lower_, self.upper_]

    def transform(self, X):
        """A copy in which what is outside is brought to the bound."""
        lower, upper = self.bounds()
        rows = self._rows(X)
        if rows.shape[1] != len(lower):
            raise ValueError("another number of columns")
        rows = np.where(rows < lower, lower, rows)
        return np.where(rows > upper, upper, rows)

    def fit_transform(self, X, y=None):
        """Fit, then transform the same rows."""
        self.fit(X)
        return self.transform(X)

    def __sklearn_tags__(self):
        """For scikit-learn's checks of what is fitted."""
        from sklearn.utils import Tags, TargetTags

        return Tags(estimator_type=None, target_tags=TargetTags(required=False))


EXERCISE = Exercise(
    id="quantile_clipper",
    title="A transformer for scikit-learn",
    minutes=20,
    difficulty="medium",
    feeds="07",
    week="9-10",
    hints=(
        "Three moments: built, fitted, used. What may be known at each of them, and where can a mistake be told earliest?",
        "`sklearn.utils.validation` has `validate_data` and `check_is_fitted`. What does `reset=False` mean for `transform`?",
        "Quantiles along axis 0 in `fit`, kept with a trailing underscore; `np.clip` with them in `transform`.",
    ),
    cases=cases,
    expect=by_hand,
    agree=close(),
    mutants=(
        Mutant(
            "learns-in-transform",
            "The bounds were taken from the rows to be transformed. A single payment is then never clipped, and a test set leaks.",
            swaps=(
                (
                    "return np.clip(X, self.lower_, self.upper_)",
                    "return np.clip(X, *np.quantile(X, [self.low, self.high], axis=0))",
                ),
            ),
        ),
        Mutant(
            "one-bound-for-all",
            "One pair of bounds was learnt over all columns. Amounts and counts have nothing in common; go along axis 0.",
            swaps=(
                (
                    "np.quantile(X, [self.low, self.high], axis=0)",
                    "np.quantile(X, [self.low, self.high])[:, None] * np.ones(X.shape[1])",
                ),
            ),
        ),
        Mutant(
            "constructor-checks",
            "The parameters were checked when built. `set_params` and `clone` come by the constructor or after it; check in fit.",
            swaps=(
                (
                    "        self.low = low\n",
                    "        if not 0 <= low < high <= 1:\n            raise ValueError('0 <= low < high <= 1 is needed')\n        self.low = low\n",
                ),
            ),
        ),
        Mutant(
            "parameters-not-checked",
            "Quantiles in the wrong order were taken without a word.",
            swaps=(("if not 0 <= self.low < self.high <= 1:", "if not (0 <= self.low <= 1 and 0 <= self.high <= 1):"),),
        ),
        Mutant(
            "columns-not-remembered",
            "Another number of columns was taken as if fitted anew; broadcasting may even make it fit. Use reset=False.",
            swaps=((", reset=False", ""),),
        ),
        Mutant(
            "infinity-clipped",
            "Infinity was clipped to the bound, which hides a broken feature. Let the validation refuse it.",
            swaps=(("dtype=float, reset=False", "dtype=float, reset=False, ensure_all_finite=False"),),
        ),
        Mutant(
            "not-fitted-not-told",
            "Before fit it fails by some missing attribute. `check_is_fitted` raises NotFittedError, which others can catch.",
            swaps=(
                ("        check_is_fitted(self)\n        X =", "        X ="),
                ("        check_is_fitted(self)\n        return self.lower_", "        return self.lower_"),
                ("return np.clip(X, self.lower_, self.upper_)", "return np.clip(X, *self.bounds())"),
            ),
        ),
        Mutant(
            "second-fit-averaged",
            "A second fit was mixed with the first. Fit always starts from nothing.",
            swaps=(
                (
                    "        return self\n",
                    "        seen = self.__dict__.setdefault('first_', (self.lower_, self.upper_))\n"
                    "        self.lower_, self.upper_ = seen\n        return self\n",
                ),
            ),
        ),
        Mutant(
            "lower-bound-only",
            "Only one side was clipped.",
            swaps=(("np.clip(X, self.lower_, self.upper_)", "np.maximum(X, self.lower_)"),),
        ),
    ),
    accepted=(WithoutBases, SortedColumns),
    preload=("numpy", "sklearn.base", "sklearn.utils.validation", "sklearn.exceptions"),
    function="QuantileClipper",
)
