"""Sparkov simulated transactions (`fraudTrain.csv`, `fraudTest.csv`): card holders and shops in the United States.

Carries: transaction, user, merchant, time, amount in US dollars, category, the merchant's place, label;
the card holder's home, gender and age band for the fairness audit. Cannot carry: device and address.
`cc_num` looks like a card number, so the user id is an unkeyed hash of it: good for simulated
numbers only, since a real number could be found from its hash by trying all of them. `unix_time` is
shifted by seven years against `trans_date_trans_time`; the latter is used.
"""

from __future__ import annotations

from hashlib import blake2b

import pandas as pd

from fraudkit.lake.adapters.adapted import AdaptedTable, Draft, as_label, finish, users_of
from fraudkit.lake.adapters.reading import require
from fraudkit.lake.adapters.times import iso

NAME = "sparkov"
COLUMNS = (
    "trans_date_trans_time", "cc_num", "merchant", "category", "amt", "gender", "lat", "long", "dob",
    "trans_num", "merch_lat", "merch_long", "is_fraud",
)  # fmt: skip
HEADER = frozenset(COLUMNS)
LABEL_DELAY_DAYS = 30

# Sparkov's categories by the merchant category code (ISO 18245) that fits best.
CATEGORY_CODES = {
    "entertainment": "7929",
    "food_dining": "5812",
    "gas_transport": "5541",
    "grocery_net": "5499",
    "grocery_pos": "5411",
    "health_fitness": "7997",
    "home": "5200",
    "kids_pets": "5641",
    "misc_net": "5964",
    "misc_pos": "5999",
    "personal_care": "7298",
    "shopping_net": "5311",
    "shopping_pos": "5310",
    "travel": "4722",
}
AGE_BOUNDS = [0, 25, 35, 50, 65, 200]
AGE_BANDS = ["18-24", "25-34", "35-49", "50-64", "65+"]


def adapt(table: pd.DataFrame) -> AdaptedTable:
    """Bring a published table to the core schema."""
    require(table, COLUMNS, "a Sparkov table")
    online = table["category"].astype("string").str.endswith("_net")
    users = user_ids(table["cc_num"])
    event_time = iso(table["trans_date_trans_time"])
    return finish(
        Draft(
            columns={
                "transaction_id": table["trans_num"],
                "user_id": users,
                "event_time": event_time,
                "amount": table["amt"],
                "currency": pd.Series("USD", index=table.index),
                "merchant_id": table["merchant"],
                "merchant_category": table["category"].map(CATEGORY_CODES).fillna("0000"),
                "country": pd.Series("US", index=table.index),
                "latitude": table["merch_lat"],
                "longitude": table["merch_long"],
                "card_present": ~online,
                "online_transaction": online,
            },
            is_fraud=as_label(table["is_fraud"], "is_fraud"),
            label_delay_days=LABEL_DELAY_DAYS,
            users=_users(table, users, event_time),
            notes=(
                "card numbers were replaced by a hash of each",
                f"labels are assumed {LABEL_DELAY_DAYS} days late; categories ending in _net are read as online",
            ),
        )
    )


def user_ids(cc_num: pd.Series) -> pd.Series:
    """A stable id for each card number, the same in both files."""
    text = cc_num.astype("string")
    ids = {
        number: "card-" + blake2b(str(number).encode(), digest_size=8).hexdigest() for number in text.dropna().unique()
    }
    return text.map(ids).astype("string")


def _users(table: pd.DataFrame, user_id: pd.Series, event_time: pd.Series) -> pd.DataFrame:
    same = {"home_country": "US", "home_currency": "USD"}
    age = (event_time - iso(table["dob"])).dt.days / 365.25
    return users_of(
        user_id,
        **{name: pd.Series(value, index=table.index) for name, value in same.items()},
        home_latitude=pd.to_numeric(table["lat"], errors="coerce"),
        home_longitude=pd.to_numeric(table["long"], errors="coerce"),
        gender=table["gender"].astype("string"),
        age_band=pd.cut(age, AGE_BOUNDS, labels=AGE_BANDS, right=False),
    )
