"""Every table and figure of the specification's system design stands in a chapter, beside what was measured here."""

from __future__ import annotations

import html
from dataclasses import dataclass

import nbformat
import pytest

from fraudkit.workbook.walk import NOTEBOOKS


@dataclass(frozen=True)
class Stated:
    """Something the specification states: the chapter that shows it, and what its table has to name."""

    what: str
    chapter: str
    names: tuple[str, ...]


STATED = (
    Stated("data sources", "04_data_and_labels", ("Transaction DB", "User DB", "Historical Fraud", "IP Reputation",
           "10M/day", "50M users", "500K fraud cases")),
    Stated("data storage", "04_data_and_labels", ("5 years", "30 days", "~2KB", "100GB")),
    Stated("feature dictionaries", "05_features", ("amount_deviation", "total_transactions_30d", "num_countries_30d",
           "transactions_last_1h", "unique_merchants_last_1h", "impossible_travel", "ip_reputation_score")),
    Stated("rules and their confidences", "06_rules_and_policy", ("0.99", "0.95", "0.90", "0.85")),
    Stated("model parameters and inference times", "07_models", ("500", "0.05", "0.3", "256, 128, 64")),
    Stated("promotion", "08_training_and_promotion", ("0.01", "90 days")),
    Stated("latency budget", "09_serving", ("20 ms", "30 ms", "50 ms")),
    Stated("metrics", "10_monitoring_and_feedback", ("fraud_predictions_total", "prediction_latency_seconds",
           "fraud_score", "feature_value")),
    Stated("trade-off 1, latency and accuracy", "11_trade_offs", ("5 ms", "200 ms", "30 ms", "0.95", "0.92",
           "Simple rules only", "Complex deep learning")),
    Stated("trade-off 2, batch and real-time features", "11_trade_offs", ("100ms", "5ms", "30ms", "24h")),
    Stated("trade-off 3, model complexity", "11_trade_offs", ("5 min", "2 hours", "12 hours", "14 hours")),
    Stated("trade-off 4, false positives and negatives", "11_trade_offs", ("0.3", "0.5", "0.7", "92", "85", "95",
           "78", "87", "91")),
    Stated("traffic growth", "12_edge_cases_and_scaling", ("Current", "1 Year", "3 Years", "10000", "30000", "100000",
           "specified storage, GB")),
    Stated("key metrics", "13_monitoring_and_maintenance", ("Request rate", "Latency", "Error rate", "Availability",
           "Feature drift", "Manual review queue")),
    Stated("alerts", "13_monitoring_and_maintenance", ("p99 > 100ms", ">20%", "KS test p < 0.01", "Online AUC < 0.85")),
    Stated("continuous improvement", "13_monitoring_and_maintenance", ("Weekly", "Monthly", "Quarterly", "Annually")),
)  # fmt: skip


def outputs(chapter: str) -> list[str]:
    """What each cell of a chapter shows as text, and the Markdown tables of its prose."""
    notebook = nbformat.read(NOTEBOOKS / f"{chapter}.ipynb", as_version=4)
    found = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            found.append(cell.source)
            continue
        texts = [output.get("text", "") for output in cell.outputs]
        texts += [output.get("data", {}).get("text/html", "") for output in cell.outputs]
        found.append(html.unescape("\n".join(texts)))
    return found


@pytest.mark.parametrize("stated", STATED, ids=lambda stated: stated.what)
def test_what_is_specified_stands_beside_what_was_measured(stated: Stated):
    shown = [text for text in outputs(stated.chapter) if "specified" in text.lower()]
    lacking = [[name for name in stated.names if name not in text] for text in shown]
    assert shown, f"{stated.chapter} shows no table with a specified and a measured column"
    assert min(lacking, key=len) == [], f"{stated.chapter}: no one table names all of {stated.names}"
