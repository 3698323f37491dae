"""What was understood of a table: the first thing that a run shows, and all that `--dry-run` does."""

from __future__ import annotations

from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table as Grid

from fraudkit.benchmark.features import FeaturePlan, runnable_rules
from fraudkit.benchmark.table import Table


def describe(table: Table, plan: FeaturePlan) -> dict[str, Any]:
    """Rows, card holders, span, fraud by month, and features by fate. JSON values only."""
    time = table.transactions["event_time"]
    month = table.second.astype("datetime64[s]").astype("datetime64[M]").astype("datetime64[s]")
    by_month = pd.DataFrame({"month": month, "fraud": table.is_fraud}).groupby("month")["fraud"].agg(["size", "sum"])
    can, cannot = runnable_rules(plan, table)
    return {
        "rows": len(table.is_fraud),
        "frauds": int(table.is_fraud.sum()),
        "users": int(table.user.max()) + 1,
        "merchants": int(table.merchant.max()) + 1,
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


def show(data: dict[str, Any], console: Console) -> None:
    """Print `describe`'s answer for a reader."""
    rate = data["frauds"] / data["rows"]
    console.print(
        f"[bold]{data['rows']:,}[/bold] transactions of {data['users']:,} card holders at {data['merchants']:,} "
        f"merchants, {data['first'][:10]} to {data['last'][:10]} (UTC), median amount {data['amount_median']:,.2f}; "
        f"[bold]{data['frauds']:,}[/bold] frauds ({rate:.2%})"
    )
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
