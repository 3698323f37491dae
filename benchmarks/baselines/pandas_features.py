"""The features the usual way: a loop over customers, devices and addresses with a rolling window each.

Pairs such as a customer at a merchant go through `groupby().rolling()`; `rolling().apply()` stands in
where pandas has no word.

It knows one time only. What arrived late, the bounds of the online history and its age limit cannot be
said with a rolling window, so the comparison is made on a table whose events arrive as they happen
(`on_time`). What it computes is `features(...)`'s columns, under the catalog's names; the rest of the
143 needs the history row by row (nearest earlier place, hours of habit) and is left out here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from fraudkit.core.label import SOURCE_PRECEDENCE
from fraudkit.core.money import countries, currencies
from fraudkit.features.catalog import FEATURES

DEFAULT = {feature.name: feature.default for feature in FEATURES}
WINDOWS = {"10m": "10min", "1h": "1h", "6h": "6h", "24h": "24h", "7d": "7D", "30d": "30D"}
TILE_WINDOWS = {"1d": "1D", "7d": "7D", "30d": "30D", "90d": "90D"}
BELIEF = 20.0  # transactions that the population's fraud rate weighs against a merchant's own
Progress = Callable[[float, str], None]
Columns = dict[str, pd.Series]


def on_time(transactions: pd.DataFrame) -> pd.DataFrame:
    """The same transactions, each known in the second in which it happened, sorted by it."""
    table = transactions.copy()
    table["event_time"] = table["event_time"].dt.floor("s")
    table["known_at"] = table["event_time"]
    return table.sort_values(["known_at", "transaction_id"], ignore_index=True)


def features(
    transactions: pd.DataFrame, users: pd.DataFrame, labels: pd.DataFrame, progress: Progress | None = None
) -> pd.DataFrame:
    """Features of a table made by `on_time`, one row a transaction, in its order."""
    steps: tuple[tuple[str, Callable[[pd.DataFrame, Columns], None]], ...] = (
        ("columns of the transaction", plain_columns),
        ("velocity and history", user_windows),
        ("ratios to the history", user_ratios),
        ("different merchants, places, devices", user_variety),
        ("repeated merchants, amounts, devices", user_repeats),
        ("devices", lambda table, out: shared_windows(table, out, "device", "device_id")),
        ("addresses", lambda table, out: shared_windows(table, out, "ip", "ip_address")),
        ("merchant risk", lambda table, out: merchant_risk(table, out, labels)),
    )
    table = prepared(transactions, users)
    out: Columns = {}
    for number, (text, step) in enumerate(steps):
        if progress is not None:
            progress(number / len(steps), text)
        step(table, out)
    return pd.DataFrame(out, index=table.index)


def prepared(transactions: pd.DataFrame, users: pd.DataFrame) -> pd.DataFrame:
    """The table with dollars, home, flags, and codes for what is counted."""
    home = users.set_index("user_id")[["home_country", "home_currency", "home_longitude"]]
    table = transactions.join(home, on=transactions["user_id"].astype("string"))
    rate = table["currency"].map(currencies()).astype("float64")
    table["usd"] = (table["amount"] * rate).astype("float32").astype("float64")
    table["usd_squared"] = table["usd"] ** 2
    local = table["event_time"] + pd.to_timedelta(np.floor(table["home_longitude"] / 15 + 0.5), unit="h")
    table["night"] = (local.dt.hour < 6).astype("float64")
    table["weekend"] = (local.dt.day_of_week >= 5).astype("float64")
    table["abroad"] = (table["country"].astype("string") != table["home_country"].astype("string")).astype("float64")
    table["online"] = table["online_transaction"].astype("float64")
    table["present"] = table["card_present"].astype("float64")
    table["small"] = (table["usd"] < 5).astype("float64")
    table["second"] = (table["event_time"] - pd.Timestamp(0, tz="UTC")).dt.total_seconds()
    for name in ("merchant_id", "merchant_category", "country", "device_id", "ip_address", "user_id"):
        codes = pd.factorize(table[name])[0].astype("float64")
        table[f"{name}_code"] = np.where(codes < 0, np.nan, codes)
    return table


def rolled(table: pd.DataFrame, keys: list[str], column: str, window: str, how: str, **extra: str) -> pd.Series:
    """One rolling aggregate of `column` within each group, in the order of `table`.

    Customers, devices and addresses are looped over; pairs of a customer and something else, of which
    there are far more, go through one grouped rolling.
    """
    wanted = table[list(dict.fromkeys([*keys, "event_time", column]))]
    groups = wanted.groupby(keys if len(keys) > 1 else keys[0], observed=True, sort=False)
    if len(keys) == 1:
        entities = (group.rolling(window, on="event_time", **extra)[column] for _, group in groups)
        return pd.concat([aggregated(windows, how) for windows in entities]).reindex(table.index)
    rows = np.concatenate(list(groups.indices.values()))  # a grouped rolling result comes group by group
    result = aggregated(groups.rolling(window, on="event_time", **extra)[column], how)
    return pd.Series(result.to_numpy(), index=table.index[rows]).reindex(table.index)


def aggregated(windows: Any, how: str) -> pd.Series:
    """The aggregate of each window: a name that pandas knows, "rank" or "distinct"."""
    if how == "distinct":
        return windows.apply(count_distinct, raw=True)
    if how == "rank":
        return windows.rank(method="min")
    return getattr(windows, how)()


def count_distinct(codes: np.ndarray) -> int:
    """Different codes of one window; NaN is missing."""
    return len(np.unique(codes[~np.isnan(codes)]))


def over(value: pd.Series, base: pd.Series, default: float = 1.0) -> pd.Series:
    """value / base, `default` where the base is below a cent or missing."""
    return (value / base).where(base >= 0.01, default)


def plain_columns(table: pd.DataFrame, out: Columns) -> None:
    """What the transaction and its card holder say by themselves."""
    positions = {code: country.index for code, country in countries().items()}
    risky = [code for code, country in countries().items() if country.high_risk]
    out["amount_usd"] = table["usd"]
    out["amount_log"] = np.log1p(table["usd"])
    out["amount_cents"] = table["amount"] % 1
    out["amount_is_round"] = table["amount"] % 10 == 0
    out["country_code"] = table["country"].map(positions).astype("float64")
    out["card_present"] = table["present"]
    out["online_transaction"] = table["online"]
    out["cross_border"] = table["abroad"]
    out["high_risk_country"] = table["country"].isin(risky)
    out["currency_is_foreign"] = table["currency"].astype("string") != table["home_currency"].astype("string")
    out["hour_of_day"] = table["event_time"].dt.hour
    out["day_of_week"] = table["event_time"].dt.day_of_week
    out["is_night"] = table["night"]
    out["is_weekend"] = table["weekend"]
    out["device_is_missing"] = table["device_id"].isna()
    out["ip_is_missing"] = table["ip_address"].isna()


def user_windows(table: pd.DataFrame, out: Columns) -> None:
    """Counts, sums, means and extremes of the card holder's windows."""
    user = ["user_id"]
    for name, window in WINDOWS.items():
        out[f"user_txn_count_{name}"] = rolled(table, user, "usd", window, "count")
        out[f"user_amount_sum_{name}"] = rolled(table, user, "usd", window, "sum")
    out["user_amount_mean_24h"] = rolled(table, user, "usd", "24h", "mean")
    out["user_amount_mean_7d"] = rolled(table, user, "usd", "7D", "mean")
    out["user_amount_max_24h"] = rolled(table, user, "usd", "24h", "max")
    for name in ("1h", "24h"):
        out[f"user_online_count_{name}"] = rolled(table, user, "online", name, "sum")
        out[f"user_small_count_{name}"] = rolled(table, user, "small", name, "sum")
    earlier = out["user_txn_count_30d"] - 1
    some = earlier > 0
    mean = (out["user_amount_sum_30d"] - table["usd"]) / earlier
    squares = rolled(table, user, "usd_squared", "30D", "sum") - table["usd_squared"]
    variance = (squares - earlier * mean**2).clip(lower=0) / (earlier - 1)
    out["user_amount_mean_30d"] = mean.where(some, DEFAULT["user_amount_mean_30d"])
    out["user_amount_std_30d"] = np.sqrt(variance).where(earlier > 1, DEFAULT["user_amount_std_30d"])
    largest = rolled(table, user, "usd", "30D", "max", closed="left")
    out["user_amount_max_30d"] = largest.where(some, DEFAULT["user_amount_max_30d"])
    rank = rolled(table, user, "usd", "30D", "rank")
    out["amount_rank_30d"] = ((rank - 1) / earlier).where(some, DEFAULT["amount_rank_30d"])
    for name, column in (
        ("online", "online"),
        ("card_present", "present"),
        ("night", "night"),
        ("cross_border", "abroad"),
    ):
        share = (rolled(table, user, column, "30D", "sum") - table[column]) / earlier
        out[f"user_{name}_share_30d"] = share.where(some, DEFAULT[f"user_{name}_share_30d"])


def user_ratios(table: pd.DataFrame, out: Columns) -> None:
    """This transaction against the history, and the pace of the history."""
    earlier = out["user_txn_count_30d"] - 1
    some = earlier > 0
    out["amount_to_mean_30d"] = over(table["usd"], out["user_amount_mean_30d"]).where(some, 1.0)
    out["amount_to_max_30d"] = over(table["usd"], out["user_amount_max_30d"]).where(some, 1.0)
    out["amount_share_24h"] = over(table["usd"], out["user_amount_sum_24h"])
    out["txn_burst_1h_to_24h"] = out["user_txn_count_1h"] / out["user_txn_count_24h"]
    by_user = table.groupby("user_id", observed=True, sort=False)
    gap = by_user["second"].diff()
    span = table["second"] - rolled(table, ["user_id"], "second", "30D", "min")
    days = (span / 86_400).clip(lower=1)
    out["user_history_days"] = span / 86_400
    out["seconds_since_last_txn"] = gap.where(some, DEFAULT["seconds_since_last_txn"])
    out["amount_to_last"] = over(table["usd"], by_user["usd"].shift()).where(some, 1.0)
    out["txn_burst_24h_to_30d"] = (out["user_txn_count_24h"] / (earlier / days)).where(some, 1.0)
    usual_spend = earlier * out["user_amount_mean_30d"] / days
    out["amount_burst_24h_to_30d"] = over(out["user_amount_sum_24h"], usual_spend).where(some, 1.0)
    mean_gap = (span - gap) / (earlier - 1)
    out["user_mean_gap_hours_30d"] = (mean_gap / 3600).where(earlier > 1, DEFAULT["user_mean_gap_hours_30d"])
    out["gap_to_mean_gap_30d"] = (gap / mean_gap.clip(lower=60)).where(earlier > 1, 1.0)
    country = by_user["country_code"].shift()
    out["country_changed"] = some & (country != table["country_code"])


def user_variety(table: pd.DataFrame, out: Columns) -> None:
    """Different merchants, categories, countries, devices and addresses of the card holder."""
    wanted = {
        "merchants": ("merchant_id", ("10m", "1h", "24h", "7d", "30d")),
        "categories": ("merchant_category", ("24h", "30d")),
        "countries": ("country", ("24h", "7d", "30d")),
        "devices": ("device_id", ("24h", "30d")),
        "ips": ("ip_address", ("24h",)),
    }
    for what, (column, names) in wanted.items():
        for name in names:
            count = rolled(table, ["user_id"], f"{column}_code", WINDOWS[name], "distinct")
            out[f"user_distinct_{what}_{name}"] = count.fillna(0)


def user_repeats(table: pd.DataFrame, out: Columns) -> None:
    """Earlier transactions of the card holder at this merchant, of this category, amount, country, device, address."""
    earlier = out["user_txn_count_30d"] - 1

    def repeats(column: str, name: str, how: str = "count") -> pd.Series:
        seen = table[table[column].notna()]
        measured = "usd" if how == "sum" else "second"
        return rolled(seen, ["user_id", column], measured, WINDOWS[name], how).reindex(table.index)

    for name in ("1h", "24h"):
        out[f"same_merchant_count_{name}"] = repeats("merchant_id", name)
    out["same_amount_count_24h"] = repeats("usd", "24h")
    for what, column in (("merchant", "merchant_id"), ("category", "merchant_category")):
        count = repeats(column, "30d") - 1
        mean = (repeats(column, "30d", "sum") - table["usd"]) / count
        out[f"same_{what}_count_30d"] = count
        out[f"amount_to_same_{what}_mean_30d"] = over(table["usd"], mean).where(count > 0, 1.0)
    here = repeats("country", "30d") - 1
    out["country_share_30d"] = (here / earlier).where(earlier > 0, DEFAULT["country_share_30d"])
    out["new_country"] = (here == 0) & (table["abroad"] == 1)
    on_device = repeats("device_id", "30d") - 1
    out["same_device_count_30d"] = on_device.fillna(0)
    out["new_device"] = (earlier > 0) & (on_device == 0)
    out["new_ip"] = (earlier > 0) & (repeats("ip_address", "30d") == 1)


def shared_windows(table: pd.DataFrame, out: Columns, name: str, column: str) -> None:
    """Windows of a device or address that several card holders may share."""
    seen = table[table[column].notna()]
    parts = {}
    for window in ("1h", "24h", "30d"):
        parts[f"{name}_txn_count_{window}"] = rolled(seen, [column], "usd", WINDOWS[window], "count")
        parts[f"{name}_distinct_users_{window}"] = rolled(seen, [column], "user_id_code", WINDOWS[window], "distinct")
    parts[f"{name}_amount_sum_24h"] = rolled(seen, [column], "usd", "24h", "sum")
    parts[f"{name}_age_hours"] = (seen["second"] - rolled(seen, [column], "second", "30D", "min")) / 3600
    for feature, values in parts.items():
        out[feature] = values.reindex(table.index).fillna(0)


def merchant_risk(table: pd.DataFrame, out: Columns, labels: pd.DataFrame) -> None:
    """Volume, frauds by the arrival of their label, and rates as of the midnight before the transaction."""
    rows = table.assign(day=table["known_at"].dt.floor("D"), everyone=0, cents=np.rint(table["usd"] * 100))
    news = fraud_news(rows, labels)
    population = daily_tiles(rows, news, "everyone")
    base = (population["fraud_90d"].clip(lower=0) / population["count_90d"]).fillna(0)
    known = population["count_90d"] > 0

    def rate(tiles: pd.DataFrame, name: str) -> pd.Series:
        frauds = tiles[f"fraud_{name}"].clip(lower=0) + BELIEF * base
        return (frauds / (tiles[f"count_{name}"] + BELIEF)).clip(upper=1)

    parts: dict[str, pd.Series] = {}
    merchant = daily_tiles(rows, news, "merchant_id")
    for name in TILE_WINDOWS:
        parts[f"merchant_txn_count_{name}"] = merchant[f"count_{name}"]
        parts[f"merchant_fraud_count_{name}"] = merchant[f"fraud_{name}"].clip(lower=0)
        parts[f"merchant_fraud_rate_{name}"] = rate(merchant, name)
    mean = merchant["cents_30d"] / 100 / merchant["count_30d"]
    parts["merchant_amount_mean_30d"] = mean.fillna(DEFAULT["merchant_amount_mean_30d"])
    parts["amount_to_merchant_mean_30d"] = over(table["usd"], mean)
    for what, column in (("category", "merchant_category"), ("country", "country")):
        tiles = daily_tiles(rows, news, column)
        for name in ("7d", "30d"):
            parts[f"{what}_fraud_rate_{name}"] = rate(tiles, name)
        if what == "category":
            parts["amount_to_category_mean_30d"] = over(table["usd"], tiles["cents_30d"] / 100 / tiles["count_30d"])
        else:
            parts["country_txn_share_30d"] = tiles["count_30d"] / population["count_30d"].clip(lower=1)
    for feature, values in parts.items():
        out[feature] = values.where(known, DEFAULT[feature])


def daily_tiles(rows: pd.DataFrame, news: pd.DataFrame, key: str) -> pd.DataFrame:
    """Counts, frauds and cents of `key` in the days before each row's day, indexed as `rows`."""
    volume = rows.groupby([key, "day"], observed=True).agg(count=("usd", "size"), cents=("cents", "sum"))
    frauds = news.groupby([key, "day"], observed=True)["fraud"].sum()
    daily = volume.join(frauds, how="outer").fillna(0).reset_index().sort_values([key, "day"], ignore_index=True)
    groups = daily.groupby(key, observed=True, sort=False)
    order = np.concatenate(list(groups.indices.values()))
    tiles = daily.loc[order, [key, "day"]].reset_index(drop=True)
    for name, window in TILE_WINDOWS.items():
        sums = groups.rolling(window, on="day", closed="left")[["count", "fraud", "cents"]].sum()
        for column in ("count", "fraud", "cents"):
            tiles[f"{column}_{name}"] = sums[column].fillna(0).to_numpy()
    return rows[[key, "day"]].merge(tiles, on=[key, "day"], how="left").set_axis(rows.index)


def fraud_news(rows: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """Changes of each transaction's verdict, on the day its label arrived: `fraud` +1, or -1 where reversed."""
    told = labels[["transaction_id", "known_at", "source", "is_fraud"]].rename(columns={"known_at": "told_at"})
    columns = ["transaction_id", "known_at", "merchant_id", "merchant_category", "country", "everyone"]
    told = told.merge(rows[columns], on="transaction_id").sort_values(["transaction_id", "told_at"], kind="stable")
    told["rank"] = told["source"].astype("string").map(SOURCE_PRECEDENCE).astype("int64")
    told = told[told["rank"] >= told.groupby("transaction_id")["rank"].cummax()]
    verdict = told["is_fraud"].astype("int64")
    told["fraud"] = verdict - verdict.groupby(told["transaction_id"]).shift().fillna(0)
    told["day"] = told[["told_at", "known_at"]].max(axis=1).dt.floor("D")
    return told[told["fraud"] != 0]
