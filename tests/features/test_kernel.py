"""The kernel against a slow second reading of the declarations, in plain Python over a table's rows."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np
import pytest

from fraudkit.core.money import countries, to_usd
from fraudkit.features.catalog import INDEX
from fraudkit.features.offline import replay
from fraudkit.features.online import OnlineFeatures
from fraudkit.features.parity import to_transactions

WINDOWS = {"10m": 600, "1h": 3600, "6h": 21_600, "24h": 86_400, "7d": 604_800, "30d": 2_592_000}


def haversine(a, b):
    (lat1, lon1), (lat2, lon2) = ([math.radians(round(value, 2)) for value in point] for point in (a, b))
    chord = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * 6371 * math.asin(math.sqrt(chord))


def seen(txn):
    return math.isfinite(txn.latitude) and (txn.card_present or txn.online_transaction)


def visible(events, txn, bound):
    """Events that had arrived, bounded as the store bounds them, inside 30 days of arrival."""
    horizon = max(txn.known_at_ms, txn.event_time_ms) // 1000 - WINDOWS["30d"]
    return [e for e in events[1 - bound :] if horizon < e.event_time_ms // 1000 <= txn.event_time_ms // 1000]


def expected(txn, mine, on_device, on_ip, profile):
    now, amount = txn.event_time_ms // 1000, to_usd(txn.amount, txn.currency)
    ages = [now - e.event_time_ms // 1000 for e in mine]
    usd = [to_usd(e.amount, e.currency) for e in mine]
    out = {"amount_usd": amount, "hour_of_day": datetime.fromtimestamp(now, UTC).hour}
    out["day_of_week"] = datetime.fromtimestamp(now, UTC).weekday()
    for name, width in WINDOWS.items():
        inside = [(e, a) for e, a, age in zip(mine, usd, ages, strict=True) if age < width]
        out[f"user_txn_count_{name}"] = len(inside) + 1
        out[f"user_amount_sum_{name}"] = sum(a for _, a in inside) + amount
        out[f"user_distinct_merchants_{name}"] = len({txn.merchant_id, *(e.merchant_id for e, _ in inside)})
        out[f"user_distinct_countries_{name}"] = len({txn.country, *(e.country for e, _ in inside)})
        out[f"user_distinct_categories_{name}"] = len(
            {txn.merchant_category, *(e.merchant_category for e, _ in inside)}
        )
        out[f"user_distinct_devices_{name}"] = len({txn.device_id, *(e.device_id for e, _ in inside)} - {None})
        out[f"user_distinct_ips_{name}"] = len({txn.ip_address, *(e.ip_address for e, _ in inside)} - {None})
        out[f"user_online_count_{name}"] = txn.online_transaction + sum(e.online_transaction for e, _ in inside)
        out[f"user_small_count_{name}"] = (amount < 5) + sum(a < 5 for _, a in inside)
        out[f"same_amount_count_{name}"] = 1 + sum(np.float32(a) == np.float32(amount) for _, a in inside)
        out[f"user_amount_mean_{name}"] = (sum(a for _, a in inside) + amount) / (len(inside) + 1)
        for entity, group, key in (("device", on_device, txn.device_id), ("ip", on_ip, txn.ip_address)):
            near = [e for e in group if now - e.event_time_ms // 1000 < width]
            out[f"{entity}_txn_count_{name}"] = len(near) + 1 if key else 0
            out[f"{entity}_distinct_users_{name}"] = len({txn.user_id, *(e.user_id for e in near)}) if key else 0
            if name == "24h":
                spend = amount + sum(to_usd(e.amount, e.currency) for e in near)
                out[f"{entity}_amount_sum_24h"] = spend if key else 0
    out["user_amount_mean_30d"] = np.mean(usd) if usd else 55.0
    out["user_amount_std_30d"] = np.std(usd, ddof=1) if len(usd) > 1 else 90.0
    out["amount_rank_30d"] = np.mean([a < amount for a in usd]) if usd else 0.5
    out["user_online_share_30d"] = np.mean([e.online_transaction for e in mine]) if mine else 0.5
    out["same_merchant_count_30d"] = sum(e.merchant_id == txn.merchant_id for e in mine)
    out["new_device"] = bool(mine and txn.device_id) and txn.device_id not in {e.device_id for e in mine}
    out["seconds_since_last_txn"] = min(ages, default=WINDOWS["30d"])
    out["user_history_days"] = max(ages, default=0) / 86_400
    out.update(expected_places(txn, mine, ages, profile))
    home = profile.home_country if profile is not None else None
    out["cross_border"] = home is not None and txn.country != home
    known = {e.country for e in mine} | ({home} - {None})
    out["new_country"] = bool(known) and txn.country not in known
    latest = min(zip(ages, range(0, -len(ages), -1), mine, strict=True), key=lambda item: item[:2], default=None)
    out["country_changed"] = latest is not None and latest[2].country != txn.country
    out["high_risk_country"] = countries()[txn.country].high_risk
    return out


def expected_places(txn, mine, ages, profile):
    here, out = (txn.latitude, txn.longitude), dict.fromkeys(("distance_from_last_km", "impossible_travel"), 0.0)
    if not seen(txn):
        return {**out, "distance_from_home_km": 0.0}
    places = [(age, -position, e) for position, (age, e) in enumerate(zip(ages, mine, strict=True)) if seen(e)]
    if places:
        age, _, last = min(places, key=lambda place: place[:2])
        distance = haversine(here, (last.latitude, last.longitude))
        speed = distance / (max(age, 60) / 3600)
        out = {"distance_from_last_km": distance, "impossible_travel": distance > 100 and speed > 900,
               "speed_from_last_kmh": speed}  # fmt: skip
    home = None if profile is None else (profile.home_latitude, profile.home_longitude)
    return {**out, "distance_from_home_km": haversine(here, home) if home else 0.0}


def test_kernel_agrees_with_the_slow_reading(tables):
    x = replay(*tables)
    transactions = to_transactions(tables.transactions)
    profiles = {row.user_id: row for row in tables.users.itertuples()}
    users, devices, ips = {}, {}, {}
    compared = set()
    for row, txn in enumerate(transactions):
        mine = visible(users.get(txn.user_id, []), txn, 64)
        on_device = visible(devices.get(txn.device_id, []), txn, 16)
        on_ip = visible(ips.get(txn.ip_address, []), txn, 32)
        for name, value in expected(txn, mine, on_device, on_ip, profiles.get(txn.user_id)).items():
            if name in INDEX:
                compared.add(name)
                assert x[row, INDEX[name]] == pytest.approx(float(value), rel=2e-5, abs=1e-4), (row, name)
        users.setdefault(txn.user_id, []).append(txn)
        devices.setdefault(txn.device_id, []).append(txn) if txn.device_id else None
        ips.setdefault(txn.ip_address, []).append(txn) if txn.ip_address else None
    assert len(compared) >= 55


def test_neighbours_across_the_date_line_are_near(store, payment):
    online = OnlineFeatures(store)
    online.vectors([payment(1, latitude=-17.0, longitude=179.95)])
    x = online.vectors([payment(2, seconds=600, latitude=-17.0, longitude=-179.95)]).X[0]
    assert x[INDEX["nearest_place_30d_km"]] == pytest.approx(x[INDEX["distance_from_last_km"]], rel=0.01)
    assert 5 < x[INDEX["nearest_place_30d_km"]] < 15 and x[INDEX["near_share_30d"]] == 1
