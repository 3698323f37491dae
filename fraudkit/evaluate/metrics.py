"""Metrics of a fraud score, in NumPy. `_score`: higher is better; `_loss` and `_cost`: lower.

They measure what the labels say. Labels that have not arrived count as they are handed in, so hand
in matured ones (fraudkit.evaluate.splits).
"""

from __future__ import annotations

import numpy as np

from fraudkit.core.errors import InvalidInput
from fraudkit.evaluate.curves import alert_counts, check_scores, precision_recall_curve, reliability_bins, roc_curve
from fraudkit.rules.cost_policy import Costs

LOG_FLOOR = 1e-15  # a probability of exactly 0 or 1 would make one wrong row infinitely bad


def roc_auc_score(y_true: np.ndarray, y_score: np.ndarray) -> float:
    """Chance that a fraud scores above a legitimate row; a tie counts half. 0..1, 0.5 is guessing.

    Parameters
    ----------
    y_true : 0/1 or bool of shape (n,)
    y_score : float of shape (n,)

    Raises
    ------
    InvalidInput
        One class only, shapes differ, or a score is not finite.

    Examples
    --------
    >>> roc_auc_score(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]))
    0.75
    """
    false_positive_rate, recall, _ = roc_curve(y_true, y_score)
    return float(np.trapezoid(recall, false_positive_rate))


def average_precision_score(y_true: np.ndarray, y_score: np.ndarray) -> float:
    """Precision averaged over the steps of recall. 0..1; guessing gives the share of fraud.

    Parameters, Raises : as `roc_auc_score`

    Examples
    --------
    >>> average_precision_score(np.array([0, 1, 1]), np.array([0.1, 0.4, 0.8]))
    1.0
    """
    precision, recall, _ = precision_recall_curve(y_true, y_score)
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def precision_at_k_score(y_true: np.ndarray, y_score: np.ndarray, k: int) -> float:
    """Share of fraud among the k highest scores, 0..1.

    Where rows tie for the last places, they fill them in proportion: the mean over all orders of
    the tied rows, so that the order of rows cannot matter.

    Raises
    ------
    InvalidInput
        k is not in 1..n, or as `roc_auc_score` (one class is allowed).

    Examples
    --------
    >>> precision_at_k_score(np.array([1, 0, 1, 0]), np.array([0.9, 0.5, 0.5, 0.1]), k=2)
    0.75
    """
    counts = alert_counts(y_true, y_score, both_classes=False)
    alerts = counts.true_positives + counts.false_positives
    if not 1 <= k <= alerts[-1]:
        raise InvalidInput(f"k={k} is not between 1 and the {alerts[-1]} rows")
    # Between two thresholds the count of frauds grows in proportion to the tied rows taken.
    return float(np.interp(k, np.append(0, alerts), np.append(0, counts.true_positives)) / k)


def card_precision_by_day(
    y_true: np.ndarray, y_score: np.ndarray, user_id: np.ndarray, day: np.ndarray, k: int = 100
) -> np.ndarray:
    """Share of compromised cards among the k cards investigated each day.

    A card's score on a day is its highest, its label whether any of its transactions that day is
    fraud. A compromised card that was found is blocked: it leaves the later days. Cards of equal
    score are taken by rising user_id. A day with fewer than k cards is still divided by k, as the
    analysts' places were there.

    Parameters
    ----------
    y_true, y_score : shape (n,)
    user_id : shape (n,), any sortable values
    day : shape (n,), any sortable values, one a calendar day
    k : cards investigated a day

    Returns
    -------
    float64 of shape (n_days,), by rising day, each in 0..1

    Raises
    ------
    InvalidInput
        Shapes differ, k is below 1, or as `roc_auc_score` (one class is allowed).
    """
    fraud, scores = check_scores(y_true, y_score, both_classes=False)
    if np.shape(user_id) != fraud.shape or np.shape(day) != fraud.shape or k < 1:
        raise InvalidInput(
            f"user_id {np.shape(user_id)}, day {np.shape(day)} must be {fraud.shape} and k={k} at least 1"
        )
    users, user = np.unique(user_id, return_inverse=True)
    days, date = np.unique(day, return_inverse=True)
    cell, row_cell = np.unique(date.astype(np.int64) * len(users) + user, return_inverse=True)
    best = np.full(len(cell), -np.inf)
    np.maximum.at(best, row_cell, scores)
    hit = np.bincount(row_cell, fraud, len(cell)) > 0
    cell_day, cell_user = np.divmod(cell, len(users))
    starts = np.searchsorted(cell_day, np.arange(len(days) + 1))
    blocked = np.zeros(len(users), dtype=bool)
    out = np.zeros(len(days))
    for d in range(len(days)):
        here = np.arange(starts[d], starts[d + 1])
        here = here[~blocked[cell_user[here]]]
        # Cells stand by rising user, and a stable sort keeps that order among equal scores.
        top = here[np.argsort(-best[here], kind="stable")[:k]]
        found = top[hit[top]]
        blocked[cell_user[found]] = True
        out[d] = len(found) / k
    return out


def card_precision_at_k_score(
    y_true: np.ndarray, y_score: np.ndarray, user_id: np.ndarray, day: np.ndarray, k: int = 100
) -> float:
    """Mean over days of `card_precision_by_day`, 0..1. Parameters and Raises as there.

    Examples
    --------
    >>> card_precision_at_k_score(
    ...     np.array([1, 0, 1]), np.array([0.9, 0.2, 0.8]), np.array(["a", "b", "b"]), np.array([0, 0, 1]), k=1
    ... )
    1.0
    """
    return float(card_precision_by_day(y_true, y_score, user_id, day, k).mean())


def recall_at_fpr_score(y_true: np.ndarray, y_score: np.ndarray, below: float = 0.02) -> float:
    """Largest recall at a threshold whose false-positive rate is below `below`; 0 where only silence is.

    Raises
    ------
    InvalidInput
        `below` is not in (0, 1], or as `roc_auc_score`.

    Examples
    --------
    >>> recall_at_fpr_score(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]), below=0.5)
    0.5
    """
    if not 0.0 < below <= 1.0:
        raise InvalidInput(f"below={below} is not a false-positive rate; give more than 0 and at most 1")
    false_positive_rate, recall, _ = roc_curve(y_true, y_score)
    return float(recall[false_positive_rate < below].max())


def brier_loss(y_true: np.ndarray, y_prob: np.ndarray) -> float:
    """Mean squared difference of probability (n,) and label (n,), 0..1. One class is allowed.

    >>> brier_loss(np.array([0, 1]), np.array([0.0, 0.5]))
    0.125
    """
    fraud, prob = check_scores(y_true, y_prob, both_classes=False)
    _check_probability(prob)
    return float(np.mean((prob - fraud) ** 2))


def log_loss(y_true: np.ndarray, y_prob: np.ndarray) -> float:
    """Mean negative log-likelihood in nats, 0 or more; probabilities are held LOG_FLOOR from 0 and 1.

    >>> round(log_loss(np.array([0, 1]), np.array([0.5, 0.5])), 4)
    0.6931
    """
    fraud, prob = check_scores(y_true, y_prob, both_classes=False)
    _check_probability(prob)
    chance = np.where(fraud, prob, 1.0 - prob)
    return float(-np.mean(np.log(np.clip(chance, LOG_FLOOR, 1.0))))


def expected_calibration_loss(y_true: np.ndarray, y_prob: np.ndarray, n_bins: int = 10) -> float:
    """Mean distance of predicted and observed share of fraud over bins of equal count, 0..1.

    >>> expected_calibration_loss(np.array([0, 1]), np.array([0.5, 0.5]))
    0.0
    """
    bins = reliability_bins(y_true, y_prob, n_bins)
    return float(np.average(np.abs(bins.predicted - bins.observed), weights=bins.count))


def false_positive_rate(y_true: np.ndarray, flagged: np.ndarray) -> float:
    """Share of legitimate rows that are flagged, 0..1.

    >>> false_positive_rate(np.array([0, 0, 1]), np.array([True, False, True]))
    0.5
    """
    fraud, _ = check_scores(y_true, flagged, both_classes=False)
    if fraud.all():
        raise InvalidInput("there is no legitimate row, so no false-positive rate; take a longer period")
    return float(np.mean(np.asarray(flagged, dtype=bool)[~fraud]))


def loss_prevented_score(y_true: np.ndarray, flagged: np.ndarray, amount: np.ndarray) -> float:
    """Share of the fraudulent amount that is flagged, 0..1.

    >>> loss_prevented_score(np.array([1, 1, 0]), np.array([True, False, True]), np.array([30.0, 10.0, 5.0]))
    0.75
    """
    fraud, usd = check_scores(y_true, amount, both_classes=False)
    total = float(usd[fraud].sum())
    if usd.min() < 0.0 or total == 0.0:
        raise InvalidInput(
            "there is no fraudulent amount, or an amount is negative; hand in US dollars of matured rows"
        )
    return float(usd[fraud & np.asarray(flagged, dtype=bool)].sum() / total)


def decision_cost(
    y_true: np.ndarray, declined: np.ndarray, amount: np.ndarray, costs: Costs, reviewed: np.ndarray | None = None
) -> float:
    """What decisions cost in US dollars, summed over rows.

    Parameters
    ----------
    y_true, declined, reviewed : 0/1 or bool of shape (n,); a declined row is not reviewed
    amount : US dollars, shape (n,)
    costs : what outcomes cost; `false_negative=None` counts the true amount

    Examples
    --------
    >>> decision_cost(np.array([1, 0, 1]), np.array([0, 1, 1]), np.array([80.0, 20.0, 30.0]), Costs())
    152.0
    """
    fraud, usd = check_scores(y_true, amount, both_classes=False)
    stopped = np.asarray(declined, dtype=bool)
    seen = np.zeros_like(stopped) if reviewed is None else np.asarray(reviewed, dtype=bool) & ~stopped
    missed = costs.loss(usd) * np.where(seen, 1.0 - costs.review_catch, 1.0)
    return float(
        missed[fraud & ~stopped].sum() + costs.false_positive * (stopped & ~fraud).sum() + costs.review * seen.sum()
    )


def _check_probability(prob: np.ndarray) -> None:
    if prob.min() < 0.0 or prob.max() > 1.0:
        raise InvalidInput(f"probabilities lie in {prob.min()}..{prob.max()}; calibrate the score to 0..1 first")
