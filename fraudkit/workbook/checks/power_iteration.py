"""Power iteration: eigenvalues of either sign, a residual to stop on, an end where there is no convergence."""

from __future__ import annotations

from typing import Any

import numpy as np

from fraudkit.workbook.agree import difference
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def dense_solver(A, start, tol=1e-10, max_iter=10_000):
    """The oracle: LAPACK's full decomposition, by `numpy.linalg.eigh`."""
    values, vectors = np.linalg.eigh(np.asarray(A, dtype=float))
    place = np.abs(values).argmax()
    return values[place], vectors[:, place]


def agree(got: Any, expected: Any, case: Case) -> str:
    """The same eigenvalue, and the same line."""
    if not isinstance(got, tuple | list) or len(got) != 2:
        return "the answer should be a tuple of two: the eigenvalue and the vector"
    if reason := difference(got[0], expected[0], 1e-7, 1e-9):
        return f"eigenvalue: {reason}"
    right = np.asarray(expected[1])
    vector = np.asarray(got[1], dtype=float)
    if vector.shape != right.shape:
        return f"the vector has shape {vector.shape}, expected {right.shape}"
    if not np.isclose(np.linalg.norm(vector), 1.0, atol=1e-7):
        return f"the vector has length {np.linalg.norm(vector):.6g}, expected 1"
    turned = vector if vector @ right > 0 else -vector
    return f"vector, up to its sign: {reason}" if (reason := difference(turned, right, 1e-6, 1e-6)) else ""


def _symmetric(rng: np.random.Generator, values: list[float]) -> np.ndarray:
    turn = np.linalg.qr(rng.normal(size=(len(values), len(values))))[0]
    made = turn @ np.diag(values) @ turn.T
    return (made + made.T) / 2


def cases(rng: np.random.Generator) -> list[Case]:
    """By hand, negative and large eigenvalues, no convergence, then matrices of known spectrum."""
    found = [
        Case("two by two", ([[2, 1], [1, 2]], [1.0, 0.0])),
        Case(
            "a negative eigenvalue",
            ([[-5, 0], [0, 1]], [1.0, 1.0]),
            why="the length of Av is 5, the eigenvalue -5; and v turns round in each iteration",
        ),
        Case("already an eigenvector", (np.diag([3.0, 1.0]), [2.0, 0.0]), why="the vector returned has length 1"),
        Case(
            "a large matrix by value",
            (np.array([[3e200, 1e200], [1e200, 2e200]]) / 1e60, [1.0, 1.0]),
            why="without normalising, the numbers overflow after two products",
        ),
        Case(
            "a slow one",
            (np.diag([1.0, 0.98, 0.5]), [1.0, 1.0, 1.0]),
            why="the error shrinks by 0.98 an iteration: go on until the residual is small",
        ),
        Case("one by one", (np.array([[4]]), [3.0])),
        Case(
            "equal size, opposite sign",
            (np.array([[0.0, 1.0], [1.0, 0.0]]), [1.0, 0.5], 1e-10, 200),
            raises="RuntimeError",
            why="there is no eigenvalue of largest size, and the vectors alternate for ever",
        ),
        Case("too few iterations", (np.diag([1.0, 0.98]), [1.0, 1.0], 1e-10, 20), raises="RuntimeError"),
        Case("not square", (np.ones((2, 3)), [1.0, 1.0, 1.0]), raises="ValueError"),
        Case("a start of zeros", (np.eye(2), [0.0, 0.0]), raises="ValueError"),
    ]
    for spectrum in ([7.0, -5.0, 3.0, 1.0, 0.0], [-9.0, 7.0, 6.0, 2.0, 1.0, 0.5]):
        size = len(spectrum)
        found.append(
            Case(f"size {size}, leading eigenvalue {spectrum[0]:g}", (_symmetric(rng, spectrum), rng.normal(size=size)))
        )
    return found


def quotient_of_two_products(A, start, tol=1e-10, max_iter=10_000):
    """Accepted: works on the image only, scaled by its largest entry until the end."""
    A = np.array(A, dtype=np.float64)
    v = np.array(start, dtype=np.float64)
    if A.shape != (A.shape[0],) * 2:
        raise ValueError("A is not square")
    if np.abs(v).max() == 0:
        raise ValueError("the start is the zero vector")
    steps = 0
    while steps < max_iter:
        steps += 1
        v = v / np.abs(v).max()
        w = A.dot(v)
        quotient = v.dot(w) / v.dot(v)
        left_over = w - quotient * v
        if left_over.dot(left_over) ** 0.5 <= tol * abs(quotient) * v.dot(v) ** 0.5:
            return quotient, v / v.dot(v) ** 0.5
        v = w
    raise RuntimeError("not converged")


def squared_matrix(A, start, tol=1e-10, max_iter=10_000):
    """Accepted: the matrix is squared again and again, which takes 2^j steps at once."""
    A = np.asarray(A, dtype=float)
    start = np.asarray(start, dtype=float)
    if A.ndim != 2 or len(set(A.shape)) > 1 or np.all(start == 0):
        raise ValueError("A or start cannot be used")
    power, done = A / np.abs(A).max(), 0
    v = start / np.sqrt((start**2).sum())
    while True:
        value = float(v @ A @ v)
        if np.sqrt(((A @ v - value * v) ** 2).sum()) <= tol * abs(value):
            return value, v
        if done >= max_iter:
            raise RuntimeError(f"{done} products were not enough")
        moved = power @ start
        v = moved / np.sqrt((moved**2).sum())
        done = 2 * done + 1
        power = power @ power
        power = power / np.abs(power).max()


EXERCISE = Exercise(
    id="power_iteration",
    title="Power iteration",
    minutes=20,
    difficulty="medium",
    feeds="12",
    week="1-2",
    hints=(
        "Write the start as a sum of eigenvectors. What does one multiplication by A do to each part?",
        "Normalise after each product, so that nothing overflows; the Rayleigh quotient v'Av keeps the sign.",
        "How far is Av from λv? That length decides whether to stop. The change of v does not.",
    ),
    cases=cases,
    expect=dense_solver,
    agree=agree,
    mutants=(
        Mutant(
            "length-for-eigenvalue",
            "The length of Av was taken for the eigenvalue, which loses its sign. Use v'Av.",
            swaps=(("value = vector @ image", "value = np.linalg.norm(image)"),),
        ),
        Mutant(
            "stops-on-change",
            "The loop waits for v to stand still. With a negative eigenvalue v turns round each time: test Av - λv.",
            swaps=(
                ("        if np.linalg.norm(image - value * vector) <= tol * abs(value):\n", "        if settled:\n"),
                (
                    "        vector = image / np.linalg.norm(image)\n",
                    "        before, vector = vector, image / np.linalg.norm(image)\n"
                    "        settled = np.linalg.norm(vector - before) <= tol\n",
                ),
                ("    for _ in range(max_iter):\n", "    settled = False\n    for _ in range(max_iter):\n"),
            ),
        ),
        Mutant(
            "not-normalised",
            "The vector was not normalised in the loop: it grows until it overflows, and v'Av is no quotient any more.",
            swaps=(("vector = image / np.linalg.norm(image)", "vector = image"),),
        ),
        Mutant(
            "no-convergence-returned",
            "After max_iter iterations the last vector was returned as if it had converged. Raise RuntimeError.",
            swaps=(
                (
                    'raise RuntimeError(f"no convergence in {max_iter} iterations; are two eigenvalues of equal size?")',
                    "return float(value), vector",
                ),
            ),
        ),
        Mutant(
            "few-iterations",
            "The loop gives up after a hundred iterations, whatever max_iter says.",
            swaps=(("range(max_iter)", "range(min(max_iter, 100))"),),
        ),
        Mutant(
            "zero-start-taken",
            "A start of zeros was taken: it stays zero, and its direction is NaN. Raise ValueError.",
            swaps=((" or not vector.any()", ""),),
        ),
        Mutant(
            "loose-stop",
            "The loop stops while the residual is still large: the eigenvalue looks right long before the vector is.",
            swaps=(("<= tol * abs(value)", "<= 1e5 * tol * abs(value)"),),
        ),
    ),
    accepted=(quotient_of_two_products, squared_matrix),
)
