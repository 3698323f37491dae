"""The figures of one model on one fold's test rows, and their mean and spread over folds."""

from __future__ import annotations

import numpy as np

from fraudkit.benchmark.protocol import Fold
from fraudkit.benchmark.table import Table
from fraudkit.evaluate.metrics import (
    average_precision_score,
    card_precision_at_k_score,
    decision_cost,
    precision_at_k_score,
    roc_auc_score,
)
from fraudkit.rules.cost_policy import Costs

PRECISION_AT = 1000


def measure(table: Table, fold: Fold, y_score: np.ndarray, card_budget: int) -> dict[str, float]:
    """Metrics of the fold's test rows.

    Parameters
    ----------
    y_score : (len(fold.test),)
    card_budget : cards investigated a day; as many transactions a day are declined for `cost`

    Returns
    -------
    roc_auc, average_precision, card_precision (mean over days), precision_at_k (k is 1000 or all rows),
    cost and cost_without (declining nothing), in the unit of the amounts
    """
    y_true, amount = table.is_fraud[fold.test], table.amount[fold.test]
    day = table.day[fold.test]
    budget = min(card_budget * len(np.unique(day)), len(y_true))
    declined = np.zeros(len(y_true), dtype=bool)
    declined[np.argsort(-y_score, kind="stable")[:budget]] = True
    costs = Costs(false_negative=None)
    return {
        "roc_auc": roc_auc_score(y_true, y_score),
        "average_precision": average_precision_score(y_true, y_score),
        "card_precision": card_precision_at_k_score(y_true, y_score, table.user[fold.test], day, card_budget),
        "precision_at_k": precision_at_k_score(y_true, y_score, min(PRECISION_AT, len(y_true))),
        "cost": decision_cost(y_true, declined, amount, costs),
        "cost_without": decision_cost(y_true, np.zeros_like(declined), amount, costs),
    }


def summarise(of_folds: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Mean and standard deviation (over folds, divided by their number) of each metric."""
    return {
        name: {
            "mean": float(np.mean([figures[name] for figures in of_folds])),
            "std": float(np.std([figures[name] for figures in of_folds])),
        }
        for name in of_folds[0]
    }
