"""What was understood of a table: the first thing that a run shows, and all that `--dry-run` does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table as Grid

from fraudkit.benchmark.features import FeaturePlan, runnable_rules
from fraudkit.benchmark.table import Table


def describe(table: Table, plan: FeaturePlan, label_delay_days: int) -> dict[str, Any]:
    """Rows, card holders, span, fraud by month, what was set aside, and features by fate. JSON values only."""
    time = table.transactions["known_at"]
    month = table.second.astype("datetime64[s]").astype("datetime64[M]").astype("datetime64[s]")
    by_month = pd.DataFrame({"month": month, "fraud": table.is_fraud}).groupby("month")["fraud"].agg(["size", "sum"])
    can, cannot = runnable_rules(plan, table)
    return {
        "rows": len(table.is_fraud),
        "frauds": int(table.is_fraud.sum()),
        "set_aside": table.set_aside,
        "notes": [*table.notes, *_late_labels(table, label_delay_days)],
        "users": _distinct(table, "user_id", table.user),
        "merchants": _distinct(table, "merchant_id", table.merchant),
        "first": time.iloc[0].isoformat(),
        "last": time.iloc[-1].isoformat(),
        "amount_median": float(pd.Series(table.amount).median()),
        "months": [
            {"month": name.strftime("%Y-%m"), "rows": int(size), "frauds": int(frauds)}
            for name, size, frauds in by_month.itertuples()
        ],
        "features": {
            "catalog": list(plan.catalog),
            "delayed": list(plan.delayed),
            "extra": list(plan.extra),
            "dropped": [{"feature": name, "reason": reason} for name, reason in plan.dropped],
        },
        "rules": {"can_fire": can, "cannot_fire": cannot},
    }


def _distinct(table: Table, column: str, codes: np.ndarray) -> int | None:
    """How many there are; None where the source does not say."""
    return int(codes.max()) + 1 if column in table.carries else None


def _late_labels(table: Table, label_delay_days: int) -> list[str]:
    """A sentence where frauds were told later than the protocol takes them to be."""
    lag = table.fraud_lag_days
    if lag is None or not (lag > label_delay_days).any():
        return []
    return [
        f"{(lag > label_delay_days).sum()} of {len(lag)} frauds were told later than label_delay_days = "
        f"{label_delay_days}, when all are taken to be known (median {np.median(lag):.1f} days): "
        "the figures flatter; raise it"
    ]


def show(data: dict[str, Any], console: Console) -> None:
    """Print `describe`'s answer for a reader."""
    rate = data["frauds"] / data["rows"]
    users, merchants = ("unnamed" if data[name] is None else f"{data[name]:,}" for name in ("users", "merchants"))
    console.print(
        f"[bold]{data['rows']:,}[/bold] transactions of {users} card holders at {merchants} "
        f"merchants, {data['first'][:10]} to {data['last'][:10]} (UTC), median amount {data['amount_median']:,.2f}; "
        f"[bold]{data['frauds']:,}[/bold] frauds ({rate:.2%})"
    )
    for note in data["notes"]:
        console.print(f"note: {note}", markup=False)
    months = Grid(title="by month", title_justify="left")
    for name in ("month", "transactions", "frauds", "fraud rate"):
        months.add_column(name, justify="left" if name == "month" else "right")
    for item in data["months"]:
        share = item["frauds"] / item["rows"]
        months.add_row(item["month"], f"{item['rows']:,}", f"{item['frauds']:,}", f"{share:.2%}")
    console.print(months)
    features = data["features"]
    console.print(
        f"features kept: {len(features['catalog'])} of the catalog, {len(features['delayed'])} label-delayed, "
        f"{len(features['extra'])} extra columns; dropped: {len(features['dropped'])}"
    )
    reasons: dict[str, list[str]] = {}
    for item in features["dropped"]:
        reasons.setdefault(item["reason"], []).append(item["feature"])
    for reason, names in sorted(reasons.items(), key=lambda pair: -len(pair[1])):
        shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
        console.print(f"  {reason}: {shown}", markup=False)
    rules = data["rules"]
    console.print(f"rules that can fire: {len(rules['can_fire'])}, that cannot: {len(rules['cannot_fire'])}")
