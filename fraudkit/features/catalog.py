"""The 143 features, declared once.

Order, index, documentation table, schema hash and contract tests all derive from FEATURES; nothing
else lists feature names. The catalog says what a feature means, not how it is computed: that is
`fraudkit.features.kernel`.

Conventions
-----------
- Histories are what had *arrived* (`known_at`) before the transaction. Windows are measured on
  `event_time`, open at the old end and closed at the transaction's own: (T - window, T].
- Velocity counts and sums include the transaction itself (`current=True`), so the 21st payment in
  an hour reads 21. What describes a habit (means, shares, deviations) leaves it out.
- `default` is the value where a feature's source is missing: no history, no profile, no device, no
  tile. It is the population's typical value where zero would be a lie.
- `needs` are the columns (of the transactions or users table, or "labels") without which the
  feature says nothing; `user_id`, `event_time` and `amount` are always there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import asdict, dataclass

# Typical purchase of the population, for card holders without a history (US dollars).
POPULATION_AMOUNT_MEAN = 55.0
POPULATION_AMOUNT_STD = 90.0
# Share of fraud towards which thin merchants are drawn, and the weight of that belief in transactions.
POPULATION_FRAUD_RATE = 0.005
# A gap, distance or age that is unknown reads as a month, a typical trip and no age.
HORIZON_DAYS = 30
HORIZON_S = HORIZON_DAYS * 86_400

# Raised when the kernel computes something else under the same declaration.
KERNEL_VERSION = 1

FAMILIES = ("transaction", "user history", "velocity", "location", "device", "external", "merchant risk")


@dataclass(frozen=True, slots=True)
class Feature:
    """One declared feature.

    Attributes
    ----------
    name : entity, measure, window
    family : one of FAMILIES
    entity : whose events are measured: transaction, user, device, ip, merchant, category, country
    window : "10m", "1h", "6h", "24h", "7d", "30d", "1d", "90d" or "" (no window)
    measure : count, sum, mean, share, ratio, distance, flag, code, rate, time, ...
    unit : what one unit of the value is
    default : value where the source is missing
    meaning : one line
    current : whether the transaction itself is counted
    needs : columns without which the feature says nothing
    seed_name : the name used for it in the system's specification, where that differs
    """

    name: str
    family: str
    entity: str
    window: str
    measure: str
    unit: str
    default: float
    meaning: str
    current: bool = False
    needs: tuple[str, ...] = ()
    seed_name: str = ""


_MERCHANT = ("merchant_id",)
_CATEGORY = ("merchant_category",)
_COUNTRY = ("country",)
_PLACE = ("latitude", "longitude")
_HOME_PLACE = ("latitude", "longitude", "home_latitude", "home_longitude")
_ONLINE = ("online_transaction",)
_PRESENT = ("card_present",)
_DEVICE = ("device_id",)
_IP = ("ip_address",)
_ABROAD = ("country", "home_country")
_RISK = ("merchant_id", "labels")
_CATEGORY_RISK = ("merchant_category", "labels")
_COUNTRY_RISK = ("country", "labels")


def _transaction() -> list[Feature]:
    def f(name: str, measure: str, unit: str, default: float, meaning: str, *needs: str, seed: str = "") -> Feature:
        return Feature(name, "transaction", "transaction", "", measure, unit, default, meaning, True, needs, seed)

    return [
        f("amount_usd", "amount", "USD", 0.0, "amount in US dollars", seed="amount"),
        f("amount_log", "amount", "log(1 + USD)", 0.0, "natural logarithm of one plus the amount in US dollars"),
        f("amount_cents", "amount", "share of a unit", 0.0, "part of the billed amount behind the decimal point"),
        f("amount_is_round", "flag", "0 or 1", 0.0, "billed amount is a whole multiple of ten"),
        f("merchant_bucket", "code", "0..255", 0.0, "which merchant it is, hashed into 256 buckets, 0 where missing",
          "merchant_id", seed="merchant_id"),
        f("merchant_category_code", "code", "ISO 18245", 0.0,
          "four-digit category code as a number; other spellings are hashed above 10000",
          "merchant_category", seed="merchant_category"),
        f("currency_code", "code", "position", 0.0, "position of the currency in the country table, 0 unknown",
          "currency", seed="currency"),
        f("country_code", "code", "position", 0.0, "position of the country in the country table, 0 unknown",
          "country"),
        f("card_present", "flag", "0 or 1", 0.0, "the card was read at a terminal", "card_present"),
        f("online_transaction", "flag", "0 or 1", 0.0, "the customer bought online", "online_transaction"),
        f("cross_border", "flag", "0 or 1", 0.0, "country differs from the card holder's home country",
          "country", "home_country"),
        f("high_risk_country", "flag", "0 or 1", 0.0, "country is on the high-risk list of countries.csv", "country"),
        f("currency_is_foreign", "flag", "0 or 1", 0.0, "currency differs from the card holder's home currency",
          "currency", "home_currency"),
        f("hour_of_day", "time", "hour UTC", 0.0, "hour of the event time, 0..23"),
        f("day_of_week", "time", "0 Monday", 0.0, "day of the week of the event time in UTC, 0 Monday .. 6 Sunday"),
        f("local_hour_sin", "time", "-1..1", 0.0, "sine of the hour on the card holder's home clock"),
        f("local_hour_cos", "time", "-1..1", 0.0, "cosine of the hour on the card holder's home clock"),
        f("is_weekend", "flag", "0 or 1", 0.0, "Saturday or Sunday on the home clock"),
        f("is_night", "flag", "0 or 1", 0.0, "between midnight and six on the home clock"),
        f("arrival_delay_hours", "time", "hours", 0.0, "time from the event to the moment the system heard of it",
          "known_at"),
    ]  # fmt: skip


def _user_history() -> list[Feature]:
    def f(
        name: str, window: str, measure: str, unit: str, default: float, meaning: str, *needs: str,
        current: bool = False, seed: str = "",
    ) -> Feature:  # fmt: skip
        return Feature(name, "user history", "user", window, measure, unit, default, meaning, current, needs, seed)

    return [
        f("user_txn_count_30d", "30d", "count", "transactions", 1.0, "transactions in 30 days",
          current=True, seed="total_transactions_30d"),
        f("user_amount_sum_30d", "30d", "sum", "USD", 0.0, "spend in 30 days", current=True, seed="total_spend_30d"),
        f("user_amount_mean_30d", "30d", "mean", "USD", POPULATION_AMOUNT_MEAN, "mean earlier amount in 30 days",
          seed="avg_transaction_amount"),
        f("user_amount_std_30d", "30d", "std", "USD", POPULATION_AMOUNT_STD,
          "sample standard deviation of earlier amounts in 30 days, from two on", seed="std_transaction_amount"),
        f("user_amount_max_30d", "30d", "max", "USD", POPULATION_AMOUNT_MEAN, "largest earlier amount in 30 days"),
        f("amount_deviation", "30d", "deviation", "standard deviations", 0.0,
          "amount less the user's mean over the user's deviation, drawn towards the population while history is thin",
          current=True),
        f("amount_log_deviation", "30d", "deviation", "standard deviations", 0.0,
          "amount_deviation on the logarithm of amounts, which heavy tails distort less", current=True),
        f("amount_to_mean_30d", "30d", "ratio", "times", 1.0, "amount over the user's mean earlier amount"),
        f("amount_to_max_30d", "30d", "ratio", "times", 1.0, "amount over the user's largest earlier amount"),
        f("amount_rank_30d", "30d", "share", "0..1", 0.5, "share of earlier amounts that are smaller"),
        f("user_distinct_merchants_30d", "30d", "distinct", "merchants", 0.0, "different merchants in 30 days",
          *_MERCHANT, current=True, seed="num_unique_merchants_30d"),
        f("user_distinct_categories_30d", "30d", "distinct", "categories", 0.0, "different categories in 30 days",
          *_CATEGORY, current=True),
        f("user_distinct_countries_30d", "30d", "distinct", "countries", 0.0, "different countries in 30 days",
          *_COUNTRY, current=True, seed="num_countries_30d"),
        f("user_online_share_30d", "30d", "share", "0..1", 0.5, "share of earlier transactions made online", *_ONLINE),
        f("user_card_present_share_30d", "30d", "share", "0..1", 0.5, "share of earlier transactions at a terminal",
          *_PRESENT),
        f("user_night_share_30d", "30d", "share", "0..1", 0.0, "share of earlier transactions at night"),
        f("user_cross_border_share_30d", "30d", "share", "0..1", 0.0, "share of earlier transactions abroad", *_ABROAD),
        f("user_mean_gap_hours_30d", "30d", "time", "hours", 24.0 * HORIZON_DAYS,
          "mean time between earlier transactions, from two on"),
        f("user_history_days", "30d", "time", "days", 0.0, "age of the oldest transaction remembered, at most 30"),
        f("same_merchant_count_30d", "30d", "count", "transactions", 0.0, "earlier transactions at this merchant",
          *_MERCHANT),
        f("same_category_count_30d", "30d", "count", "transactions", 0.0, "earlier transactions in this category",
          *_CATEGORY),
        f("amount_to_same_merchant_mean_30d", "30d", "ratio", "times", 1.0,
          "amount over the user's mean earlier amount at this merchant", *_MERCHANT),
        f("amount_to_same_category_mean_30d", "30d", "ratio", "times", 1.0,
          "amount over the user's mean earlier amount in this category", *_CATEGORY),
        f("hour_habit_distance", "30d", "distance", "hours", 6.0,
          "hours on the clock between this transaction and the circular mean of earlier ones, 0..12"),
        f("hour_habit_share_30d", "30d", "share", "0..1", 0.25,
          "share of earlier transactions within two hours of this one's time of day"),
        f("account_age_days", "", "time", "days", 0.0, "days since the account was opened", "account_opened"),
        f("user_is_known", "", "flag", "0 or 1", 0.0, "a profile of the card holder was found", "account_opened"),
    ]  # fmt: skip


def _velocity() -> list[Feature]:
    def f(
        name: str, window: str, measure: str, unit: str, default: float, meaning: str, *needs: str,
        current: bool = True, seed: str = "",
    ) -> Feature:  # fmt: skip
        return Feature(name, "velocity", "user", window, measure, unit, default, meaning, current, needs, seed)

    counts = [
        f(f"user_txn_count_{w}", w, "count", "transactions", 1.0, f"transactions in {w}",
          seed={"1h": "transactions_last_1h", "24h": "transactions_last_24h"}.get(w, ""))
        for w in ("10m", "1h", "6h", "24h", "7d")
    ]  # fmt: skip
    sums = [
        f(f"user_amount_sum_{w}", w, "sum", "USD", 0.0, f"spend in {w}",
          seed={"1h": "amount_last_1h", "24h": "amount_last_24h"}.get(w, ""))
        for w in ("10m", "1h", "6h", "24h", "7d")
    ]  # fmt: skip
    merchants = [
        f(f"user_distinct_merchants_{w}", w, "distinct", "merchants", 0.0, f"different merchants in {w}",
          *_MERCHANT, seed={"1h": "unique_merchants_last_1h"}.get(w, ""))
        for w in ("10m", "1h", "24h", "7d")
    ]  # fmt: skip
    return [
        *counts,
        *sums,
        *merchants,
        f("user_amount_mean_24h", "24h", "mean", "USD", 0.0, "mean amount in 24h"),
        f("user_amount_mean_7d", "7d", "mean", "USD", 0.0, "mean amount in 7d"),
        f("user_amount_max_24h", "24h", "max", "USD", 0.0, "largest amount in 24h"),
        f("user_distinct_categories_24h", "24h", "distinct", "categories", 0.0, "different categories in 24h",
          *_CATEGORY),
        f("user_online_count_1h", "1h", "count", "transactions", 0.0, "online transactions in 1h", *_ONLINE),
        f("user_online_count_24h", "24h", "count", "transactions", 0.0, "online transactions in 24h", *_ONLINE),
        f("user_small_count_1h", "1h", "count", "transactions", 0.0, "transactions below 5 US dollars in 1h"),
        f("user_small_count_24h", "24h", "count", "transactions", 0.0, "transactions below 5 US dollars in 24h"),
        f("same_merchant_count_1h", "1h", "count", "transactions", 0.0, "transactions at this merchant in 1h",
          *_MERCHANT),
        f("same_merchant_count_24h", "24h", "count", "transactions", 0.0, "transactions at this merchant in 24h",
          *_MERCHANT),
        f("same_amount_count_24h", "24h", "count", "transactions", 1.0, "transactions of exactly this amount in 24h"),
        f("seconds_since_last_txn", "30d", "time", "seconds", float(HORIZON_S), "time since the latest transaction",
          current=False),
        f("gap_to_mean_gap_30d", "30d", "ratio", "times", 1.0, "time since the latest transaction over the mean gap",
          current=False),
        f("amount_to_last", "30d", "ratio", "times", 1.0, "amount over the latest amount", current=False),
        f("amount_share_24h", "24h", "share", "0..1", 1.0, "this amount's share of the spend in 24h"),
        f("txn_burst_24h_to_30d", "30d", "ratio", "times", 1.0,
          "transactions in 24h over those of a mean earlier day", current=False),
        f("amount_burst_24h_to_30d", "30d", "ratio", "times", 1.0, "spend in 24h over that of a mean earlier day",
          current=False),
        f("txn_burst_1h_to_24h", "24h", "share", "0..1", 1.0, "share of the transactions in 24h that fell in 1h"),
    ]  # fmt: skip


def _location() -> list[Feature]:
    def f(
        name: str, window: str, measure: str, unit: str, default: float, meaning: str, *needs: str,
        current: bool = False, seed: str = "",
    ) -> Feature:  # fmt: skip
        entity = "user" if window else "transaction"
        return Feature(name, "location", entity, window, measure, unit, default, meaning, current, needs, seed)

    return [
        f("latitude", "", "angle", "degrees", 0.0, "latitude of the transaction", *_PLACE, current=True,
          seed="location_lat"),
        f("longitude", "", "angle", "degrees", 0.0, "longitude of the transaction", *_PLACE, current=True,
          seed="location_lon"),
        f("location_is_missing", "", "flag", "0 or 1", 1.0, "the transaction carries no place", *_PLACE),
        f("distance_from_last_km", "30d", "distance", "km", 0.0,
          "distance from the latest transaction that shows where the customer was (card present or online)", *_PLACE,
          seed="distance_from_last_transaction_km"),
        f("distance_from_last_present_km", "30d", "distance", "km", 0.0,
          "distance from the latest transaction with the card present", *_PLACE, *_PRESENT),
        f("distance_from_home_km", "", "distance", "km", 0.0, "distance from the card holder's home", *_HOME_PLACE),
        f("speed_from_last_kmh", "30d", "speed", "km/h", 0.0,
          "distance from the latest place over the time since, which counts as a minute at least", *_PLACE),
        f("impossible_travel", "30d", "flag", "0 or 1", 0.0,
          "more than 100 km from the latest place where the customer was, at more than 900 km/h", *_PLACE),
        f("new_country", "30d", "flag", "0 or 1", 0.0,
          "neither home nor a country of an earlier transaction; 0 while there is neither profile nor history",
          *_COUNTRY),
        f("country_share_30d", "30d", "share", "0..1", 0.5, "share of earlier transactions in this country", *_COUNTRY),
        f("country_changed", "30d", "flag", "0 or 1", 0.0, "country differs from the latest transaction's", *_COUNTRY),
        f("user_distinct_countries_24h", "24h", "distinct", "countries", 0.0, "different countries in 24h", *_COUNTRY,
          current=True),
        f("user_distinct_countries_7d", "7d", "distinct", "countries", 0.0, "different countries in 7d", *_COUNTRY,
          current=True),
        f("nearest_place_30d_km", "30d", "distance", "km", 0.0, "distance to the nearest earlier transaction", *_PLACE),
        f("near_share_30d", "30d", "share", "0..1", 0.5, "share of earlier transactions within 50 km", *_PLACE),
    ]  # fmt: skip


def _shared(entity: str, column: str, what: str) -> list[Feature]:
    """Counts over one shared device or address: many card holders on it is the sign of a mule ring."""

    def f(name: str, window: str, measure: str, unit: str, default: float, meaning: str, current: bool) -> Feature:
        return Feature(name, "device", entity, window, measure, unit, default, meaning, current, (column,))

    windows = ("1h", "24h", "30d")
    return [
        *(f(f"{entity}_txn_count_{w}", w, "count", "transactions", 0.0, f"transactions on the {what} in {w}", True)
          for w in windows),
        *(f(f"{entity}_distinct_users_{w}", w, "distinct", "users", 0.0, f"different card holders on the {what} in {w}",
            True) for w in windows),
        f(f"{entity}_amount_sum_24h", "24h", "sum", "USD", 0.0, f"spend on the {what} in 24h", True),
        f(f"{entity}_age_hours", "30d", "time", "hours", 0.0, f"time since the {what} was first seen by anyone", False),
    ]  # fmt: skip


def _device() -> list[Feature]:
    def f(
        name: str, window: str, measure: str, unit: str, default: float, meaning: str, *needs: str,
        current: bool = False, seed: str = "",
    ) -> Feature:  # fmt: skip
        entity = "user" if window else "transaction"
        return Feature(name, "device", entity, window, measure, unit, default, meaning, current, needs, seed)

    return [
        f("device_bucket", "", "code", "0..255", 0.0, "which device it is, hashed into 256 buckets, 0 where missing",
          *_DEVICE, seed="device_id"),
        f("device_type", "", "code", "position", 0.0, "unknown 0, mobile 1, desktop 2, tablet 3, terminal 4",
          "device_type"),
        f("device_is_missing", "", "flag", "0 or 1", 1.0, "no device was seen", *_DEVICE),
        f("new_device", "30d", "flag", "0 or 1", 0.0,
          "a device that the user's history does not hold; 0 while there is no history", *_DEVICE),
        f("same_device_count_30d", "30d", "count", "transactions", 0.0, "the user's earlier transactions on the device",
          *_DEVICE),
        f("user_distinct_devices_24h", "24h", "distinct", "devices", 0.0, "devices of the user in 24h", *_DEVICE,
          current=True),
        f("user_distinct_devices_30d", "30d", "distinct", "devices", 0.0, "devices of the user in 30 days", *_DEVICE,
          current=True),
        *_shared("device", "device_id", "device"),
        f("ip_bucket", "", "code", "0..255", 0.0, "which address it is, hashed into 256 buckets, 0 where missing", *_IP,
          seed="ip_address_hash"),
        f("ip_is_missing", "", "flag", "0 or 1", 1.0, "no address was seen", *_IP),
        f("new_ip", "30d", "flag", "0 or 1", 0.0,
          "an address that the user's history does not hold; 0 while there is no history", *_IP),
        f("user_distinct_ips_24h", "24h", "distinct", "addresses", 0.0, "addresses of the user in 24h", *_IP,
          current=True),
        *_shared("ip", "ip_address", "address"),
    ]  # fmt: skip


def _external() -> list[Feature]:
    needs = ("ip_reputation",)
    return [
        Feature("ip_reputation", "external", "ip", "", "score", "0 clean .. 1 bad", 0.1,
                "what the reputation source says of the address", needs=needs, seed_name="ip_reputation_score"),
        Feature("ip_reputation_is_missing", "external", "ip", "", "flag", "0 or 1", 1.0,
                "the source was not asked or did not answer", needs=needs),
    ]  # fmt: skip


def _merchant_risk() -> list[Feature]:
    def f(
        name: str, entity: str, window: str, measure: str, unit: str, default: float, meaning: str,
        needs: tuple[str, ...],
    ) -> Feature:  # fmt: skip
        return Feature(name, "merchant risk", entity, window, measure, unit, default, meaning, False, needs)

    windows = ("1d", "7d", "30d", "90d")
    volume = [
        f(f"merchant_txn_count_{w}", "merchant", w, "count", "transactions", 0.0,
          f"transactions that arrived in the {w} before midnight", _MERCHANT)
        for w in windows
    ]  # fmt: skip
    frauds = [
        f(f"merchant_fraud_count_{w}", "merchant", w, "count", "frauds", 0.0,
          f"frauds whose label arrived in the {w} before midnight", _RISK)
        for w in windows
    ]  # fmt: skip
    rates = [
        f(f"merchant_fraud_rate_{w}", "merchant", w, "rate", "0..1", POPULATION_FRAUD_RATE,
          f"frauds reported over transactions of the merchant in {w}, drawn towards the population", _RISK)
        for w in windows
    ]  # fmt: skip
    return [
        *volume,
        *frauds,
        *rates,
        f("merchant_amount_mean_30d", "merchant", "30d", "mean", "USD", POPULATION_AMOUNT_MEAN,
          "mean amount at the merchant", _MERCHANT),
        f("amount_to_merchant_mean_30d", "merchant", "30d", "ratio", "times", 1.0,
          "amount over the merchant's mean", _MERCHANT),
        f("category_fraud_rate_7d", "category", "7d", "rate", "0..1", POPULATION_FRAUD_RATE,
          "frauds reported over transactions of the category in 7d", _CATEGORY_RISK),
        f("category_fraud_rate_30d", "category", "30d", "rate", "0..1", POPULATION_FRAUD_RATE,
          "frauds reported over transactions of the category in 30d", _CATEGORY_RISK),
        f("amount_to_category_mean_30d", "category", "30d", "ratio", "times", 1.0,
          "amount over the category's mean", _CATEGORY),
        f("country_fraud_rate_7d", "country", "7d", "rate", "0..1", POPULATION_FRAUD_RATE,
          "frauds reported over transactions of the country in 7d", _COUNTRY_RISK),
        f("country_fraud_rate_30d", "country", "30d", "rate", "0..1", POPULATION_FRAUD_RATE,
          "frauds reported over transactions of the country in 30d", _COUNTRY_RISK),
        f("country_txn_share_30d", "country", "30d", "share", "0..1", 0.0,
          "the country's share of all transactions", _COUNTRY),
    ]  # fmt: skip


FEATURES: tuple[Feature, ...] = (
    *_transaction(),
    *_user_history(),
    *_velocity(),
    *_location(),
    *_device(),
    *_external(),
    *_merchant_risk(),
)
FEATURE_NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
INDEX: dict[str, int] = {name: position for position, name in enumerate(FEATURE_NAMES)}
N_FEATURES: int = len(FEATURES)


def schema_hash() -> str:
    """SHA-256 over order, names and declarations: a vector may only meet a model that has the same.

    >>> len(schema_hash())
    64
    """
    declared = json.dumps([KERNEL_VERSION, [asdict(feature) for feature in FEATURES]], sort_keys=True)
    return hashlib.sha256(declared.encode()).hexdigest()


def carried_by(columns: Collection[str]) -> tuple[str, ...]:
    """Names of the features that a table with only these columns can carry, in catalog order.

    Parameters
    ----------
    columns : column names of the transactions and users tables together, and "labels" if there are labels

    >>> "distance_from_home_km" in carried_by({"user_id", "event_time", "amount", "merchant_id"})
    False
    """
    return tuple(feature.name for feature in FEATURES if set(feature.needs) <= set(columns))
