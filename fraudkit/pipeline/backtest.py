"""How production did on the payments whose labels have just matured.

Yesterday's decisions cannot be judged yet; what matured yesterday can. One day holds few frauds, so the figures of the
month that ends with it stand beside it. Payments that the model was trained on are left out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from fraudkit.evaluate.bootstrap import Interval
from fraudkit.models.bundle import Bundle
from fraudkit.monitor.performance import OnlinePerformance, online_performance
from fraudkit.pipeline.examples import Examples
from fraudkit.pipeline.training import fitting_production, registry
from fraudkit.registry.registry import Version
from fraudkit.rules.catalog import RULES
from fraudkit.rules.policy import DEFAULT_POLICY


def backtest(examples: Examples, end: pd.Timestamp, rng: np.random.Generator) -> dict[str, Any] | None:
    """Score settled payments with the production model.

    Parameters
    ----------
    examples : that became known before `end`, about a month of them
    end : the midnight after the day that matured last

    Returns
    -------
    day, version, and figures of "day" and "month" (rows, frauds, flagged, and auc, precision, recall, each with its
    95 % interval or None); None where no production model fits this code's features
    """
    production = fitting_production()
    if production is None:
        return None
    rows = _judged(examples, production)
    day = end - pd.Timedelta(days=1)
    of_day = rows[rows["known_at"] >= day]
    return {
        "day": day.date().isoformat(),
        "version": production.name,
        "day_figures": _figures(online_performance(of_day, end, rng)),
        "month_figures": _figures(online_performance(rows, end, rng)),
    }


def _judged(examples: Examples, production: Version) -> pd.DataFrame:
    """Scores and actions of the payments that the version has not seen."""
    bundle = Bundle.load(registry().path(production.name))
    payments, X, y = examples.payments, examples.X, examples.y
    learned_until = production.training.get("valid_end")
    if learned_until is not None:
        unseen = (payments["known_at"] >= pd.Timestamp(learned_until)).to_numpy(bool)
        payments, X, y = payments[unseen], X[unseen], y[unseen]
    score = bundle.score(np.ascontiguousarray(X)).ensemble if len(X) else np.empty(0)
    decisive = RULES.decisive(RULES.evaluate(np.ascontiguousarray(X))) if len(X) else np.empty(0, dtype=bool)
    flagged = DEFAULT_POLICY.decide_many(score, decisive) != "APPROVE"
    return payments.assign(fraud_score=score, is_fraud=y, flagged=flagged)


def _figures(performance: OnlinePerformance) -> dict[str, Any]:
    return {
        "rows": performance.rows,
        "frauds": performance.frauds,
        "flagged": performance.flagged,
        "auc": _numbers(performance.auc),
        "precision": _numbers(performance.precision),
        "recall": _numbers(performance.recall),
    }


def _numbers(interval: Interval | None) -> list[float] | None:
    """Estimate, low, high."""
    return None if interval is None else [interval.estimate, interval.low, interval.high]
