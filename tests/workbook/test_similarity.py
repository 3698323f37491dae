"""Structure that survives disguise, and honest answers that stay apart."""

import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fraudkit.workbook.exercise import exercise
from fraudkit.workbook.grade.fingerprint import fingerprints
from fraudkit.workbook.grade.marks import Pair
from fraudkit.workbook.grade.similarity import known_prints, similar_pairs, write_pairs
from fraudkit.workbook.notebooks import ordered_ids, reference_source
from fraudkit.workbook.source import slice_source

ORIGINAL = """
import numpy as np

def both_present(labels):
    return labels.any() and not labels.all()

def roc_auc(y_true, y_score):
    y_true = np.asarray(y_true, dtype=bool)
    y_score = np.asarray(y_score, dtype=float)
    order = np.argsort(y_score, kind="mergesort")
    sorted_scores = y_score[order]
    labels = y_true[order]
    n = len(labels)
    if not both_present(labels):
        raise ValueError("both classes needed")
    wins = 0.0
    negatives_below = 0
    i = 0
    while i < n:
        j = i
        while j < n and sorted_scores[j] == sorted_scores[i]:
            j += 1
        pos = labels[i:j].sum()
        neg = (j - i) - pos
        wins += pos * (negatives_below + 0.5 * neg)
        negatives_below += neg
        i = j
    return float(wins / (y_true.sum() * (n - y_true.sum())))
"""
DISGUISED = '''
import numpy as numeric

# my own solution, written on Sunday evening

def roc_auc(y_true, y_score):
    """Computes the area under the curve."""
    scores: list = numeric.asarray(y_score, dtype=float)
    truth = numeric.asarray(y_true, dtype=bool)
    # sort first
    idx = scores.argsort(kind="mergesort")
    t = truth[idx]
    s = scores[idx]
    total = len(t)
    if not check_classes(t):
        raise ValueError(f"need two classes, got {total}")
    start = 0
    lower = 0
    won = 0.0
    while start < total:
        end = start
        while end < total and s[start] == s[end]:
            end = end + 1
        fraud = numeric.sum(t[start:end])
        genuine = (end - start) - fraud
        won = won + (0.5 * genuine + lower) * fraud
        lower = lower + genuine
        start = end
    answer = won / ((total - truth.sum()) * truth.sum())
    return float(answer)

def check_classes(values):
    # there must be two
    return values.any() and not values.all()
'''
RANKS_BY_LOOP = """
import numpy as np
def roc_auc(y_true, y_score):
    y = np.array(y_true).astype(bool)
    s = np.array(y_score, dtype=float)
    P = y.sum()
    N = len(y) - P
    if P == 0 or N == 0:
        raise ValueError
    idx = s.argsort()
    s, y = s[idx], y[idx]
    ranks = np.empty(len(s))
    i = 0
    while i < len(s):
        j = i
        while j + 1 < len(s) and s[j + 1] == s[i]:
            j += 1
        ranks[i:j+1] = (i + j) / 2 + 1
        i = j + 1
    return float((ranks[y].sum() - P * (P + 1) / 2) / (P * N))
"""
# Two learners who both found the way of the reference, each on their own.
RANKS_BY_HELPER = """
import numpy as np
def average_ranks(x):
    values, inverse, counts = np.unique(x, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    starts = ends - counts + 1
    return ((starts + ends) / 2)[inverse]
def roc_auc(y_true, y_score):
    y = np.asarray(y_true) == 1
    n1 = int(y.sum())
    n0 = len(y) - n1
    if n1 == 0 or n0 == 0:
        raise ValueError("need both classes")
    r = average_ranks(np.asarray(y_score, float))
    u = r[y].sum() - n1 * (n1 + 1) / 2
    return float(u / (n1 * n0))
"""
RANKS_INLINE = """
import numpy as np
def roc_auc(y_true, y_score):
    y_true = np.asarray(y_true, dtype=bool)
    y_score = np.asarray(y_score, dtype=float)
    n_pos = y_true.sum()
    n_neg = len(y_true) - n_pos
    if n_pos == 0 or n_neg == 0:
        raise ValueError("Both classes must be present")
    _, inv, cnt = np.unique(y_score, return_inverse=True, return_counts=True)
    cum = np.cumsum(cnt)
    avg = cum - (cnt - 1) / 2
    rank_sum = avg[inv][y_true].sum()
    return float((rank_sum - n_pos * (n_pos + 1) / 2) / (n_pos * n_neg))
"""
HONEST = {"loop": RANKS_BY_LOOP, "helper": RANKS_BY_HELPER, "inline": RANKS_INLINE}


def prints_of(answers: dict[str, str]) -> dict[str, tuple[int, ...]]:
    return {learner: fingerprints(source) for learner, source in answers.items()}


def pairs_of(answers: dict[str, str], least: float = 0.0) -> dict[tuple[str, str], Pair]:
    pairs = similar_pairs("roc_auc", prints_of(answers), known_prints("roc_auc"), least)
    return {(pair.first, pair.second): pair for pair in pairs}


def test_a_disguised_copy_is_the_only_suspicious_pair_of_its_class():
    pairs = pairs_of(HONEST | {"author": ORIGINAL, "copier": DISGUISED})
    assert [names for names, pair in pairs.items() if pair.suspicious] == [("author", "copier")]
    honest = max(pair.score for names, pair in pairs.items() if names != ("author", "copier"))
    assert pairs["author", "copier"].score > 0.7 > 0.3 > honest


def accepted_answers(exercise_id: str) -> dict[str, str]:
    """Right answers of one exercise, written independently: the reference and the accepted ones."""
    task = exercise(exercise_id)
    answers = {"reference": reference_source(exercise_id, task.name)}
    for answer in task.accepted:
        text = Path(inspect.getsourcefile(answer) or "").read_text(encoding="utf-8")
        answers[answer.__name__] = slice_source([text], answer.__name__)
    return answers


@pytest.mark.parametrize("exercise_id", ordered_ids())
def test_independent_right_answers_are_not_suspicious(exercise_id: str):
    """Even when nothing is known to be common: no reference, a class of three."""
    pairs = similar_pairs(exercise_id, prints_of(accepted_answers(exercise_id)))
    assert [pair for pair in pairs if pair.suspicious] == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("def f(a, b):\n    return a + b", "def g(x, y):\n    # sum\n    return y + x"),
        ("def f(a):\n    return a > 1", "def f(a):\n    return 1 < a"),
        ("def f(a):\n    a += 2\n    return a", "def f(a):\n    a = a + 2\n    return a"),
        (
            "import numpy as np\ndef f(a):\n    return np.sort(a)",
            "import numpy as xx\ndef f(a):\n    return xx.sort(a)",
        ),
        ("import numpy as np\ndef f(a):\n    return np.sum(a, axis=0)", "def f(a):\n    return a.sum(axis=0)"),
        (
            "def f(a):\n    b = len(a)\n    c = sum(a)\n    return c / b",
            "def f(z):\n    s = sum(z)\n    n = len(z)\n    return s / n",
        ),
        (
            "def f(a: int) -> int:\n    b: int = a * 3\n    return b",
            "def f(a):\n    'text'\n    b = a * 7\n    return b",
        ),
        (
            "def h(x):\n    return x * x\ndef f(a):\n    return h(a)",
            "def f(a):\n    return q(a)\ndef q(r):\n    return r * r",
        ),
        ("def f(a):\n    raise ValueError('one')", "def f(a):\n    raise ValueError(f'two {a}')"),
    ],
)
def test_a_disguise_changes_nothing(one: str, other: str):
    assert fingerprints(one) == fingerprints(other) != ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("def f(a, b):\n    return a - b * b / a", "def f(a, b):\n    return a + b * b / a"),
        ("def f(a):\n    return a.sum(axis=0) / 2", "def f(a):\n    return a.mean(axis=0) / 2"),
        (
            "def f(a):\n    for x in a:\n        a = x * a\n    return a",
            "def f(a):\n    while a:\n        a = a * a\n    return a",
        ),
    ],
)
def test_other_operations_are_told_apart(one: str, other: str):
    assert fingerprints(one) != fingerprints(other)


def test_what_the_whole_class_wrote_is_no_evidence():
    copied = {f"learner{n}": ORIGINAL for n in range(2)}
    taught = {f"learner{n}": ORIGINAL for n in range(60)}
    few, many = pairs_of(copied), pairs_of(taught)
    assert few["learner0", "learner1"].evidence > 4 * many["learner0", "learner1"].evidence


def test_a_copy_of_the_solution_accuses_nobody():
    reference = reference_source("roc_auc", "roc_auc")
    pairs = pairs_of({"one": reference, "two": reference})
    assert pairs["one", "two"].score == 1.0 and not pairs["one", "two"].suspicious


def test_sources_that_cannot_be_parsed_have_no_fingerprints():
    assert fingerprints("def f(:") == ()
    assert fingerprints("x = " + "(" * 5_000 + ")" * 5_000) == ()
    assert similar_pairs("roc_auc", {"one": (), "two": ()}) == []


def test_a_long_sum_is_not_sorted_again_at_every_level():
    assert fingerprints("def f(a):\n    return " + " + ".join(f"a[{n}]" for n in range(80)))


def test_fingerprints_do_not_depend_on_the_process():
    source = "def f(a, b):\n    return a + b"
    command = f"from fraudkit.workbook.grade.fingerprint import fingerprints; print(fingerprints({source!r}))"
    environment = os.environ | {"PYTHONHASHSEED": "5"}
    printed = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, env=environment, check=True
    )
    assert printed.stdout.strip() == str(fingerprints(source))


def test_the_list_of_pairs_is_a_table(tmp_path: Path):
    write_pairs([Pair("roc_auc", "=evil()", "b", 0.91, 30.5, True)], tmp_path / "similarity.csv")
    lines = (tmp_path / "similarity.csv").read_text(encoding="utf-8-sig").splitlines()
    assert lines[1] == "roc_auc,'=evil(),b,0.91,30.5,yes"
