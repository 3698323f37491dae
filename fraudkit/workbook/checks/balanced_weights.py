"""Balanced class weights: inverse to the counts, summing to n, for labels of any kind."""

from __future__ import annotations

from collections import Counter

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant
from fraudkit.workbook.shrink import lists


def by_sklearn(y):
    """The oracle: scikit-learn's own balanced sample weights."""
    from sklearn.utils.class_weight import compute_sample_weight

    return compute_sample_weight("balanced", np.asarray(y))


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first, then random ones."""
    found = [
        Case("one fraud in four", ([0, 0, 0, 1],), why="the rare class gets the large weight"),
        Case("already balanced", ([1, 0, 1, 0],), why="where the classes are even, every weight is 1"),
        Case("three classes", (np.array([2, 0, 2, 2, 1, 2]),), why="K is 3 here: each class weighs 2 of 6"),
        Case("text labels", (["genuine", "fraud", "genuine", "genuine", "disputed"],)),
        Case("labels 7 and -1", (np.array([7, -1, -1, -1, -1]),), why="labels are names, not positions"),
        Case("booleans", (np.array([True, False, False]),)),
        Case("one class", ([0, 0, 0],), raises="ValueError", why="one class cannot be balanced against another"),
        Case("no rows", ([],), raises="ValueError"),
    ]
    for n, share in ((30, 0.2), (300, 0.02)):
        y = (rng.random(n) < share).astype(int)
        y[:2] = 0, 1
        found.append(Case(f"{n} payments", (y,)))
    found.append(Case("60 payments of four campaigns", (np.append(rng.integers(0, 4, 56), [0, 1, 2, 3]),)))
    return found


def counted(y):
    """Accepted: a Counter and a list."""
    labels = np.asarray(y).tolist()
    counts = Counter(labels)
    if len(counts) <= 1:
        raise ValueError("one class or none")
    each = len(labels) / len(counts)
    return [each / counts[label] for label in labels]


def class_by_class(y):
    """Accepted: fills in the rows of one class after the other."""
    y = np.array(y)
    weights = np.zeros(y.shape[0])
    names = set(y.tolist())
    if len(names) < 2:
        raise ValueError(f"classes: {names}")
    for name in names:
        members = y == name
        weights[members] = 1 / members.mean() / len(names)
    return weights


EXERCISE = Exercise(
    id="balanced_weights",
    title="Class weights that balance",
    minutes=8,
    difficulty="easy",
    feeds="07",
    week="7-8",
    hints=(
        "If every class is to weigh the same in all, what must one row of a class with n_c rows weigh?",
        "`np.unique` can return the classes, how often each occurs, and for each row the place of its class.",
    ),
    cases=cases,
    expect=by_sklearn,
    agree=close(),
    mutants=(
        Mutant(
            "frequent-weighs-more",
            "The weights grow with the count, so the frequent class rules still more. They are inverse to it.",
            swaps=(("len(y) / (len(classes) * counts)", "len(classes) * counts / len(y)"),),
        ),
        Mutant(
            "classes-not-divided",
            "The number of classes is missing: the weights sum to K·n, and the loss and its gradient grow K-fold.",
            swaps=(("(len(classes) * counts)", "counts"),),
        ),
        Mutant(
            "two-classes-assumed",
            "K was taken to be 2. It is the number of classes that occur.",
            swaps=(("len(y) / (len(classes) * counts)", "len(y) / (2 * counts)"),),
        ),
        Mutant(
            "majority-weighs-one",
            "The largest class was given weight 1. The ratio is right, but the weights no longer sum to n.",
            swaps=(("len(y) / (len(classes) * counts)", "counts.max() / counts"),),
        ),
        Mutant(
            "one-a-class",
            "One weight a class was returned. The loss needs one a row.",
            swaps=(("return weight[position]", "return weight"),),
        ),
        Mutant(
            "labels-as-positions",
            "The labels were used as positions in the list of weights. Labels may be text, negative or have gaps.",
            swaps=(("return weight[position]", "return weight[y.astype(int)]"),),
        ),
        Mutant(
            "one-class-taken",
            "One class alone was given weights of 1. That hides a training set without frauds; raise ValueError.",
            swaps=(("if len(classes) < 2:", "if False:"),),
        ),
    ),
    accepted=(counted, class_by_class),
    shrink=lists(0, noun="labels"),
)
