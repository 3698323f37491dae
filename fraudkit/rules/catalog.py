"""The rules in force.

The first four are the specification's, in its order, with its reasons and confidences; each declines
by itself. The others are patterns that issuers watch; they only raise the rules-only score. The
confidence of a pattern is the share of its hits that turned out to be fraud in the training period of
the reference world, rounded to two digits (`fraudkit rules report --world reference --start 2025-01-31
--end 2025-05-01`). Rules do not know what a model knows,
and none of them sees a fraud that looks like the card holder.
"""

from __future__ import annotations

from fraudkit.rules.condition import AllOf, AnyOf, Compare, Condition
from fraudkit.rules.rule import Rule, RuleSet


def _flag(feature: str) -> Compare:
    return Compare(feature, "==", 1)


def _pattern(rule_id: str, reason: str, confidence: float, *conditions: Condition) -> Rule:
    condition = conditions[0] if len(conditions) == 1 else AllOf(conditions)
    return Rule(rule_id, 1, reason, confidence, False, condition)


SPECIFIED = (
    Rule("impossible_travel", 1, "Impossible travel detected", 0.99, True, _flag("impossible_travel")),
    Rule("amount_anomaly", 1, "Amount anomaly", 0.95, True, Compare("amount_deviation", ">", 10)),
    Rule("excessive_velocity", 1, "Excessive velocity", 0.90, True, Compare("user_txn_count_1h", ">", 20)),
    Rule("high_risk_pattern", 1, "High-risk pattern", 0.85, True,
         AllOf((_flag("high_risk_country"), _flag("new_device")))),
)  # fmt: skip

PATTERNS = (
    # Stolen numbers are tried with small amounts before they are used or sold.
    _pattern("card_testing", "Several small payments within an hour", 0.38,
             Compare("user_small_count_1h", ">=", 3), Compare("user_distinct_merchants_1h", ">=", 2)),
    _pattern("spend_after_testing", "High amount on the day of several small payments", 0.05,
             Compare("user_small_count_24h", ">=", 3), Compare("amount_to_mean_30d", ">", 3)),
    # A couple shares a device; three card holders hardly ever do.
    _pattern("shared_device", "Another card holder on the same device", 0.11,
             Compare("device_distinct_users_30d", ">=", 2)),
    _pattern("crowded_device", "Three or more card holders on one device", 0.80,
             Compare("device_distinct_users_30d", ">=", 3)),
    # Offices and mobile networks share an address too, so this says little.
    _pattern("crowded_address", "Many card holders on one address", 0.01,
             Compare("ip_distinct_users_24h", ">=", 6)),
    _pattern("bad_address_new_device", "Address of bad reputation with a new device", 0.15,
             Compare("ip_reputation", ">", 0.6), AnyOf((_flag("new_device"), _flag("device_is_missing")))),
    _pattern("bad_address", "Address of bad reputation", 0.05, Compare("ip_reputation", ">", 0.6)),
    _pattern("doubtful_address", "Address of doubtful reputation", 0.03, Compare("ip_reputation", ">", 0.3)),
    _pattern("takeover", "New device and new address with a high amount", 0.29,
             _flag("new_device"), _flag("new_ip"), Compare("amount_to_mean_30d", ">", 3)),
    _pattern("new_device_and_address", "New device and new address", 0.10, _flag("new_device"), _flag("new_ip")),
    _pattern("new_device", "Device the card holder was not seen on", 0.06, _flag("new_device")),
    # Known to nobody two days ago, while the card holder is known for longer.
    _pattern("young_device", "Online from a device first seen in the last two days", 0.09,
             _flag("online_transaction"), Compare("device_age_hours", "<", 48), Compare("user_history_days", ">", 7)),
    _pattern("new_country_high_amount", "First payment in a country, high for the card holder", 0.14,
             _flag("new_country"), Compare("amount_to_mean_30d", ">", 2)),
    _pattern("night_new_category", "High amount at night in a category that is new", 0.13,
             _flag("is_night"), Compare("same_category_count_30d", "==", 0), Compare("amount_to_mean_30d", ">", 2),
             Compare("user_history_days", ">", 7)),
    _pattern("night", "Payment at night", 0.04, _flag("is_night")),
    _pattern("odd_hour", "Far from the card holder's usual hour", 0.03, Compare("hour_habit_distance", ">", 7)),
    _pattern("first_day_high_amount", "High amount on the account's first day", 0.02,
             _flag("user_is_known"), Compare("account_age_days", "<", 1), Compare("amount_usd", ">", 300)),
    # Five times the population's rate, on reports that are weeks old: the breach was earlier.
    _pattern("risky_merchant", "Merchant with a raised rate of reported fraud", 0.03,
             AnyOf((Compare("merchant_fraud_rate_30d", ">", 0.025), Compare("merchant_fraud_rate_90d", ">", 0.025)))),
    _pattern("new_shop_online", "Online at a merchant that is new to the card holder", 0.03,
             _flag("online_transaction"), Compare("same_merchant_count_30d", "==", 0)),
    _pattern("foreign_online", "Online abroad in a foreign currency", 0.08,
             _flag("online_transaction"), _flag("cross_border"), _flag("currency_is_foreign")),
    _pattern("far_from_home", "More than 100 km from home", 0.04, Compare("distance_from_home_km", ">", 100)),
    _pattern("far_at_terminal", "Terminal far from home and from every recent place", 0.10,
             _flag("card_present"), Compare("nearest_place_30d_km", ">", 100),
             Compare("distance_from_home_km", ">", 100)),
    _pattern("rapid_spend", "Several times the usual daily spend within a day, over many payments", 0.03,
             Compare("amount_burst_24h_to_30d", ">", 8), Compare("user_txn_count_24h", ">=", 4)),
    _pattern("spend_burst", "Several times the usual daily spend within a day", 0.03,
             Compare("amount_burst_24h_to_30d", ">", 5)),
    _pattern("high_amount", "High amount for the card holder", 0.04,
             AnyOf((Compare("amount_log_deviation", ">", 2), Compare("amount_to_max_30d", ">", 1.5)))),
    _pattern("double_amount", "Twice the card holder's usual amount", 0.03, Compare("amount_to_mean_30d", ">", 2)),
)  # fmt: skip

RULES = RuleSet(SPECIFIED + PATTERNS)
