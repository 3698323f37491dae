"""ULB credit-card fraud (`creditcard.csv`): two days of European card transactions, September 2013.

Carries: time, amount, label; V1..V28 (principal components of undisclosed columns) as `extra`.
Cannot carry: user, merchant, place, device; every one is a placeholder. `Time` counts seconds from the
first transaction, whose date is not published: 2013-09-01 is assumed. The amounts' currency is not
published either; they are read as US dollars. Whole rows repeat in the file, and since there are no
ids, they stay: each row is its own transaction.
"""

from __future__ import annotations

import pandas as pd

from fraudkit.lake.adapters.adapted import AdaptedTable, Draft, as_label, finish
from fraudkit.lake.adapters.reading import require
from fraudkit.lake.adapters.times import seconds_since

NAME = "ulb"
COMPONENTS = tuple(f"V{number}" for number in range(1, 29))
HEADER = frozenset({"Time", "Amount", "Class", *COMPONENTS})
ORIGIN = pd.Timestamp("2013-09-01", tz="UTC")
LABEL_DELAY_DAYS = 7


def adapt(table: pd.DataFrame) -> AdaptedTable:
    """Bring the published table to the core schema."""
    require(table, ["Time", "Amount", "Class", *COMPONENTS], "a ULB table")
    return finish(
        Draft(
            columns={"event_time": seconds_since(table["Time"], ORIGIN), "amount": table["Amount"]},
            is_fraud=as_label(table["Class"], "Class"),
            label_delay_days=LABEL_DELAY_DAYS,
            extra=table[list(COMPONENTS)].astype("float64"),
            notes=(
                "ULB has no user, merchant, place or device: features of these cannot be built; V1..V28 are kept aside",
                f"times are counted from an assumed {ORIGIN:%Y-%m-%d}; labels are assumed {LABEL_DELAY_DAYS} days late",
            ),
        )
    )
