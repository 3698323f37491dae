"""The one feature function: histories and a transaction in, 143 numbers out.

Offline replay, the service and any batch job call `vectors`; there is no second implementation that
could drift from it. It is pure: no clock, no store, no state between rows.

Semantics
---------
- The history handed in is what had arrived before the transaction, in order of arrival. Of it an
  event counts when its event time is not after the transaction's, and less than 30 days before the
  moment of arrival. The second bound is the store's time to live, enforced again here, so that a blob
  that outlived it changes nothing.
- A window w covers (T - w, T] in event time, T being the transaction's event time. Events of the
  same second that arrived earlier are inside.
- Histories are bounded: with the transaction itself 64 events of a user, 16 of a device, 32 of an address.
  Counts saturate there.
- The home clock is UTC shifted by the home's longitude in whole hours; UTC without a profile.
- A place counts as the customer's when the card was present or the purchase online. A subscription's
  place is the merchant's own and says nothing.
- Merchant, category and country counts come from tiles taken at the midnight (UTC) before arrival:
  transactions that had arrived by then and frauds by the day their *label* arrived. Counting frauds by
  arrival makes the newest word usable on its first morning, whether labels take a week or four months.
  Over a short window numerator and denominator are different transactions, which is unbiased while a
  merchant's volume is steady; the rate is drawn towards the population's and cut at 1.
- Nothing is NaN: what is missing takes the catalog's default, with a flag where that matters.

Records are those of `fraudkit.features.records`. Every helper writes one family into `v`, a row seen
as a record with one float32 field a feature.

All of it stands in one file because compiled code is cached by the time stamp of its own file: helpers
elsewhere could change under a cached caller. After changing a constant that is imported here, touch
this file.
"""

# Counters start as Python integers and take NumPy's; to the compiler both are machine integers.
# mypy: disable-error-code="assignment,operator"

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numba as nb
import numpy as np

from fraudkit.features.catalog import (
    FEATURE_NAMES,
    FEATURES,
    HORIZON_S,
    POPULATION_AMOUNT_MEAN,
    POPULATION_AMOUNT_STD,
)
from fraudkit.features.records import CARD_PRESENT, NO_PLACE, ONLINE, USER_EVENTS

Record = Any  # one structured record, as numba sees it

VECTOR = np.dtype([(name, "<f4") for name in FEATURE_NAMES])
_DEFAULT = np.array([feature.default for feature in FEATURES], dtype=np.float32).view(VECTOR)

MINUTE, HOUR, DAY = 60, 3_600, 86_400
WEEK = 7 * DAY
SMALL_USD = 5.0
NEAR_KM = 50.0
TRAVEL_KM, TRAVEL_KMH = 100.0, 900.0
DEGREE_KM = 111.195
EARTH_KM = 6_371.0
# Weight, in transactions, of the belief that a user's amounts vary as much as their mean.
SPREAD_BELIEF = 3.0
LOG_MEAN, LOG_STD = math.log1p(30.0), 1.1  # of the population's log(1 + amount)
# Weight, in transactions, of the population's fraud rate against a merchant's own.
RATE_BELIEF = 20.0
SLOTS = 256  # of the set that counts distinct values; four times the longest history

_QUARTERS = (np.arange(96) + 0.5) * (2 * np.pi / 96)
_SIN, _COS = np.sin(_QUARTERS), np.cos(_QUARTERS)


class Scratch(NamedTuple):
    """Working memory of one thread, so that no row allocates."""

    picked: np.ndarray  # int64 (USER_EVENTS,), positions of the visible events
    ages: np.ndarray  # int64 (USER_EVENTS,), their age in seconds
    values: np.ndarray  # uint32 (USER_EVENTS,), one field of them
    keys: np.ndarray  # uint32 (SLOTS,), open-addressing set, 0 free
    youngest: np.ndarray  # int64 (SLOTS,), smallest age of each key
    used: np.ndarray  # int64 (USER_EVENTS,), occupied slots
    logs: np.ndarray  # float64 (USER_EVENTS,), log(1 + amount) of the visible events


@nb.njit(cache=True, nogil=True)
def _scratch() -> Scratch:
    return Scratch(
        np.empty(USER_EVENTS, np.int64),
        np.empty(USER_EVENTS, np.int64),
        np.empty(USER_EVENTS, np.uint32),
        np.zeros(SLOTS, np.uint32),
        np.empty(SLOTS, np.int64),
        np.empty(USER_EVENTS, np.int64),
        np.empty(USER_EVENTS, np.float64),
    )


@nb.njit(cache=True, nogil=True)
def _pick(now: int, known_at: int, history: np.ndarray, lo: int, hi: int, s: Scratch) -> int:
    """Note position and age of the visible events of history[lo:hi]; return how many."""
    horizon = max(now, known_at) - HORIZON_S
    n = 0
    for position in range(lo, hi):
        moment = np.int64(history[position].event_time)
        if horizon < moment <= now:
            s.picked[n] = position
            s.ages[n] = now - moment
            n += 1
    return n


@nb.njit(cache=True, nogil=True)
def _distinct(own: int, n: int, s: Scratch) -> tuple[int, int, int, int, int]:
    """Count different non-zero values among `own` (age 0) and s.values[:n], within 10m, 1h, 24h, 7d, 30d."""
    n_used = 0
    for k in range(n):
        value = s.values[k]
        if value == own or value == 0:
            continue
        slot = (np.int64(value) * 2_654_435_761 >> 24) & (SLOTS - 1)
        while s.keys[slot] != value:
            if s.keys[slot] == 0:
                s.keys[slot] = value
                s.youngest[slot] = HORIZON_S
                s.used[n_used] = slot
                n_used += 1
            else:
                slot = (slot + 1) & (SLOTS - 1)
        s.youngest[slot] = min(s.youngest[slot], s.ages[k])
    first = 1 if own != 0 else 0
    in_10m, in_1h, in_24h, in_7d = first, first, first, first
    for k in range(n_used):
        slot = s.used[k]
        age = s.youngest[slot]
        s.keys[slot] = 0
        in_7d += age < WEEK
        in_24h += age < DAY
        in_1h += age < HOUR
        in_10m += age < 10 * MINUTE
    return in_10m, in_1h, in_24h, in_7d, first + n_used


@nb.njit(cache=True, nogil=True)
def _ratio(value: float, base: float) -> float:
    """value / base, 1 where the base is less than a cent."""
    return value / base if base >= 0.01 else 1.0


@nb.njit(cache=True, nogil=True)
def _bucket(value: Any) -> Any:
    return 1 + value % 255 if value != 0 else 0


@nb.njit(cache=True, nogil=True)
def _home_shift(profile: Record) -> Any:
    """Seconds from UTC to the home clock."""
    if profile.known == 0 or profile.latitude == NO_PLACE:
        return 0
    return HOUR * np.int64(math.floor(profile.longitude / 1500.0 + 0.5))


@nb.njit(cache=True, nogil=True)
def _haversine_km(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Great-circle distance; arguments in 0.01 degree."""
    a = math.radians(latitude / 100.0)
    b = math.radians(other_latitude / 100.0)
    half_north = math.sin((b - a) / 2)
    half_east = math.sin(math.radians((other_longitude - longitude) / 100.0) / 2)
    square = half_north * half_north + math.cos(a) * math.cos(b) * half_east * half_east
    return 2 * EARTH_KM * math.asin(math.sqrt(min(1.0, square)))


@nb.njit(cache=True, nogil=True)
def _transaction(v: Record, cur: Record, profile: Record, shift: int) -> None:
    now = np.int64(cur.event_time)
    local = now + shift
    angle = 2 * math.pi * (local % DAY) / DAY
    weekday = (local // DAY + 3) % 7  # 1970-01-01 was a Thursday
    v.amount_usd = cur.amount_usd
    v.amount_log = math.log1p(cur.amount_usd)
    v.amount_cents = cur.amount - math.floor(cur.amount)
    v.amount_is_round = cur.amount > 0 and cur.amount % 10 == 0
    v.merchant_bucket = _bucket(cur.merchant)
    v.merchant_category_code = cur.category
    v.currency_code = cur.currency
    v.country_code = cur.country
    v.card_present = (cur.flags & CARD_PRESENT) != 0
    v.online_transaction = (cur.flags & ONLINE) != 0
    v.cross_border = profile.country != 0 and cur.country != 0 and cur.country != profile.country
    v.high_risk_country = cur.high_risk
    v.currency_is_foreign = profile.currency != 0 and cur.currency != 0 and cur.currency != profile.currency
    v.hour_of_day = (now % DAY) // HOUR
    v.day_of_week = (now // DAY + 3) % 7
    v.local_hour_sin = math.sin(angle)
    v.local_hour_cos = math.cos(angle)
    v.is_weekend = weekday >= 5
    v.is_night = local % DAY < 6 * HOUR
    v.arrival_delay_hours = max(np.int64(cur.known_at) - now, 0) / HOUR
    v.user_is_known = profile.known
    if profile.opened > 0:
        v.account_age_days = max(now - np.int64(profile.opened), 0) / DAY


@nb.njit(cache=True, nogil=True)
def _amount_habit(v: Record, cur: Record, history: np.ndarray, n: int, s: Scratch) -> None:
    """Amount against the user's earlier amounts."""
    amount = np.float64(cur.amount_usd)
    log_amount = math.log1p(amount)
    if n == 0:
        v.user_amount_sum_30d = amount
        v.amount_deviation = (amount - POPULATION_AMOUNT_MEAN) / POPULATION_AMOUNT_STD
        v.amount_log_deviation = (log_amount - LOG_MEAN) / LOG_STD
        return
    total, largest, smaller, log_total = 0.0, 0.0, 0, 0.0
    for k in range(n):
        earlier = np.float64(history[s.picked[k]].amount_usd)
        total += earlier
        largest = max(largest, earlier)
        smaller += earlier < amount
        s.logs[k] = math.log1p(earlier)
        log_total += s.logs[k]
    mean, log_mean = total / n, log_total / n
    square, log_square = 0.0, 0.0
    for k in range(n):
        earlier = np.float64(history[s.picked[k]].amount_usd)
        square += (earlier - mean) ** 2
        log_square += (s.logs[k] - log_mean) ** 2
    v.user_txn_count_30d = n + 1
    v.user_amount_sum_30d = total + amount
    v.user_amount_mean_30d = mean
    v.user_amount_max_30d = largest
    if n >= 2:
        v.user_amount_std_30d = math.sqrt(square / (n - 1))
    weight = n - 1 + SPREAD_BELIEF
    spread = math.sqrt((square + SPREAD_BELIEF * mean * mean) / weight)
    v.amount_deviation = (amount - mean) / max(spread, 1.0)
    v.amount_log_deviation = (log_amount - log_mean) / math.sqrt((log_square + SPREAD_BELIEF) / weight)
    v.amount_to_mean_30d = _ratio(amount, mean)
    v.amount_to_max_30d = _ratio(amount, largest)
    v.amount_rank_30d = smaller / n


@nb.njit(cache=True, nogil=True)
def _habit(v: Record, cur: Record, profile: Record, history: np.ndarray, n: int, shift: int, s: Scratch) -> None:
    """Shares and counts over the remembered history."""
    if n == 0:
        return
    amount = np.float64(cur.amount_usd)
    online, present, night, abroad = 0, 0, 0, 0
    here, here_sum, kind, kind_sum = 0, 0.0, 0, 0.0
    for k in range(n):
        event = history[s.picked[k]]
        online += (event.flags & ONLINE) != 0
        present += (event.flags & CARD_PRESENT) != 0
        night += (np.int64(event.event_time) + shift) % DAY < 6 * HOUR
        abroad += profile.country != 0 and event.country != 0 and event.country != profile.country
        if cur.merchant != 0 and event.merchant == cur.merchant:
            here += 1
            here_sum += event.amount_usd
        if cur.category != 0 and event.category == cur.category:
            kind += 1
            kind_sum += event.amount_usd
    v.user_online_share_30d = online / n
    v.user_card_present_share_30d = present / n
    v.user_night_share_30d = night / n
    v.user_cross_border_share_30d = abroad / n
    v.same_merchant_count_30d = here
    v.same_category_count_30d = kind
    if here > 0:
        v.amount_to_same_merchant_mean_30d = _ratio(amount, here_sum / here)
    if kind > 0:
        v.amount_to_same_category_mean_30d = _ratio(amount, kind_sum / kind)


@nb.njit(cache=True, nogil=True)
def _clock_habit(v: Record, cur: Record, history: np.ndarray, n: int, shift: int, s: Scratch) -> None:
    """Time of day against the user's earlier times of day."""
    if n == 0:
        return
    seconds = (np.int64(cur.event_time) + shift) % DAY
    east, north, close = 0.0, 0.0, 0
    for k in range(n):
        other = (np.int64(history[s.picked[k]].event_time) + shift) % DAY
        east += _SIN[other // 900]
        north += _COS[other // 900]
        apart = abs(other - seconds)
        close += min(apart, DAY - apart) <= 2 * HOUR
    habit = (math.atan2(east, north) * 12 / math.pi) % 24
    apart_hours = abs(habit - seconds / HOUR)
    v.hour_habit_distance = min(apart_hours, 24 - apart_hours)
    v.hour_habit_share_30d = close / n


@nb.njit(cache=True, nogil=True)
def _velocity(v: Record, cur: Record, history: np.ndarray, n: int, s: Scratch) -> None:
    """Counts and sums of the windows up to seven days, the transaction included."""
    amount = np.float64(cur.amount_usd)
    is_online, is_small = (cur.flags & ONLINE) != 0, amount < SMALL_USD
    c7, c24, c6, c1, c10 = 1, 1, 1, 1, 1
    s7, s24, s6, s1, s10 = amount, amount, amount, amount, amount
    largest, same_amount = amount, 1
    online_24, online_1, small_24, small_1 = int(is_online), int(is_online), int(is_small), int(is_small)
    here_24, here_1 = int(cur.merchant != 0), int(cur.merchant != 0)
    for k in range(n):
        age = s.ages[k]
        if age >= WEEK:
            continue
        event = history[s.picked[k]]
        earlier = np.float64(event.amount_usd)
        c7 += 1
        s7 += earlier
        if age >= DAY:
            continue
        online, small = (event.flags & ONLINE) != 0, earlier < SMALL_USD
        here = cur.merchant != 0 and event.merchant == cur.merchant
        c24 += 1
        s24 += earlier
        largest = max(largest, earlier)
        same_amount += event.amount_usd == cur.amount_usd
        online_24 += online
        small_24 += small
        here_24 += here
        if age >= 6 * HOUR:
            continue
        c6 += 1
        s6 += earlier
        if age >= HOUR:
            continue
        c1 += 1
        s1 += earlier
        online_1 += online
        small_1 += small
        here_1 += here
        if age < 10 * MINUTE:
            c10 += 1
            s10 += earlier
    v.user_txn_count_10m, v.user_amount_sum_10m = c10, s10
    v.user_txn_count_1h, v.user_amount_sum_1h = c1, s1
    v.user_txn_count_6h, v.user_amount_sum_6h = c6, s6
    v.user_txn_count_24h, v.user_amount_sum_24h = c24, s24
    v.user_txn_count_7d, v.user_amount_sum_7d = c7, s7
    v.user_amount_mean_24h = s24 / c24
    v.user_amount_mean_7d = s7 / c7
    v.user_amount_max_24h = largest
    v.user_online_count_1h, v.user_online_count_24h = online_1, online_24
    v.user_small_count_1h, v.user_small_count_24h = small_1, small_24
    v.same_merchant_count_1h, v.same_merchant_count_24h = here_1, here_24
    v.same_amount_count_24h = same_amount
    v.amount_share_24h = _ratio(amount, s24)
    v.txn_burst_1h_to_24h = c1 / c24


@nb.njit(cache=True, nogil=True)
def _pace(v: Record, cur: Record, history: np.ndarray, n: int, s: Scratch) -> None:
    """Gaps between transactions, and today against the usual day."""
    if n == 0:
        return
    latest, oldest = 0, 0
    for k in range(n):
        if s.ages[k] <= s.ages[latest]:
            latest = k
        if s.ages[k] > s.ages[oldest]:
            oldest = k
    gap, span = s.ages[latest], s.ages[oldest]
    days = max(span / DAY, 1.0)
    v.seconds_since_last_txn = gap
    v.user_history_days = span / DAY
    v.amount_to_last = _ratio(np.float64(cur.amount_usd), np.float64(history[s.picked[latest]].amount_usd))
    v.txn_burst_24h_to_30d = v.user_txn_count_24h / (n / days)
    v.amount_burst_24h_to_30d = _ratio(v.user_amount_sum_24h, n * np.float64(v.user_amount_mean_30d) / days)
    if n >= 2:
        mean_gap = (span - gap) / (n - 1)
        v.user_mean_gap_hours_30d = mean_gap / HOUR
        v.gap_to_mean_gap_30d = gap / max(mean_gap, 1.0 * MINUTE)


@nb.njit(cache=True, nogil=True)
def _variety(v: Record, cur: Record, history: np.ndarray, n: int, s: Scratch) -> None:
    """Different merchants, categories, countries, devices and addresses of the user."""
    for k in range(n):
        s.values[k] = history[s.picked[k]].merchant
    in_10m, in_1h, in_24h, in_7d, in_30d = _distinct(cur.merchant, n, s)
    v.user_distinct_merchants_10m, v.user_distinct_merchants_1h = in_10m, in_1h
    v.user_distinct_merchants_24h, v.user_distinct_merchants_7d = in_24h, in_7d
    v.user_distinct_merchants_30d = in_30d
    for k in range(n):
        s.values[k] = history[s.picked[k]].category
    _, _, in_24h, _, in_30d = _distinct(cur.category, n, s)
    v.user_distinct_categories_24h, v.user_distinct_categories_30d = in_24h, in_30d
    for k in range(n):
        s.values[k] = history[s.picked[k]].country
    _, _, in_24h, in_7d, in_30d = _distinct(cur.country, n, s)
    v.user_distinct_countries_24h, v.user_distinct_countries_7d = in_24h, in_7d
    v.user_distinct_countries_30d = in_30d
    for k in range(n):
        s.values[k] = history[s.picked[k]].device
    _, _, in_24h, _, in_30d = _distinct(cur.device, n, s)
    v.user_distinct_devices_24h, v.user_distinct_devices_30d = in_24h, in_30d
    for k in range(n):
        s.values[k] = history[s.picked[k]].ip
    _, _, in_24h, _, _ = _distinct(cur.ip, n, s)
    v.user_distinct_ips_24h = in_24h


@nb.njit(cache=True, nogil=True)
def _country(v: Record, cur: Record, profile: Record, history: np.ndarray, n: int, s: Scratch) -> None:
    if n == 0 or cur.country == 0:
        v.new_country = cur.country != 0 and profile.country != 0 and cur.country != profile.country
        return
    same, latest = 0, -1
    for k in range(n):
        country = history[s.picked[k]].country
        same += country == cur.country
        if country != 0 and (latest < 0 or s.ages[k] <= s.ages[latest]):
            latest = k
    v.country_share_30d = same / n
    v.new_country = same == 0 and cur.country != profile.country
    v.country_changed = latest >= 0 and history[s.picked[latest]].country != cur.country


@nb.njit(cache=True, nogil=True)
def _place(v: Record, cur: Record, profile: Record, history: np.ndarray, n: int, s: Scratch) -> None:
    if cur.latitude == NO_PLACE:
        return
    v.location_is_missing = 0
    v.latitude, v.longitude = cur.exact_latitude, cur.exact_longitude
    if cur.flags == 0:
        return
    north, east = np.int64(cur.latitude), np.int64(cur.longitude)
    if profile.known != 0 and profile.latitude != NO_PLACE:
        v.distance_from_home_km = _haversine_km(north, east, profile.latitude, profile.longitude)
    narrowing = math.cos(math.radians(north / 100.0))
    seen, near, nearest = 0, 0, math.inf
    latest, latest_present = -1, -1
    for k in range(n):
        event = history[s.picked[k]]
        if event.latitude == NO_PLACE or event.flags == 0:
            continue
        # Flat-earth distance is enough to tell near from far, and ten times cheaper.
        rise = np.float64(event.latitude - north)
        run = np.float64(abs(event.longitude - east))
        run = min(run, 36_000 - run) * narrowing
        square = rise * rise + run * run
        seen += 1
        nearest = min(nearest, square)
        near += square < (100 * NEAR_KM / DEGREE_KM) ** 2
        if latest < 0 or s.ages[k] <= s.ages[latest]:
            latest = k
        if event.flags & CARD_PRESENT and (latest_present < 0 or s.ages[k] <= s.ages[latest_present]):
            latest_present = k
    if seen == 0:
        return
    v.nearest_place_30d_km = math.sqrt(nearest) / 100 * DEGREE_KM
    v.near_share_30d = near / seen
    event = history[s.picked[latest]]
    distance = _haversine_km(north, east, event.latitude, event.longitude)
    speed = distance * HOUR / max(s.ages[latest], MINUTE)
    v.distance_from_last_km = distance
    v.speed_from_last_kmh = speed
    v.impossible_travel = distance > TRAVEL_KM and speed > TRAVEL_KMH
    if latest_present >= 0:
        event = history[s.picked[latest_present]]
        v.distance_from_last_present_km = _haversine_km(north, east, event.latitude, event.longitude)


@nb.njit(cache=True, nogil=True)
def _gear(v: Record, cur: Record, history: np.ndarray, n: int, s: Scratch) -> None:
    """The user's own use of device and address."""
    v.device_bucket, v.ip_bucket = _bucket(cur.device), _bucket(cur.ip)
    v.device_type = cur.device_type
    v.device_is_missing, v.ip_is_missing = cur.device == 0, cur.ip == 0
    same_device, same_ip = 0, 0
    for k in range(n):
        event = history[s.picked[k]]
        same_device += cur.device != 0 and event.device == cur.device
        same_ip += cur.ip != 0 and event.ip == cur.ip
    v.same_device_count_30d = same_device
    v.new_device = cur.device != 0 and n > 0 and same_device == 0
    v.new_ip = cur.ip != 0 and n > 0 and same_ip == 0
    if cur.ip_reputation >= 0:
        v.ip_reputation = cur.ip_reputation
        v.ip_reputation_is_missing = 0


@nb.njit(cache=True, nogil=True)
def _shared(cur: Record, history: np.ndarray, lo: int, hi: int, s: Scratch) -> tuple[Any, ...]:
    """Of a device or address: counts in 1h, 24h, 30d; different users in them; spend in 24h; age in hours."""
    now = np.int64(cur.event_time)
    n = _pick(now, np.int64(cur.known_at), history, lo, hi, s)
    count_1h, count_24h, spend, oldest = 1, 1, np.float64(cur.amount_usd), np.int64(0)
    for k in range(n):
        event = history[s.picked[k]]
        s.values[k] = event.user
        oldest = max(oldest, s.ages[k])
        if s.ages[k] < DAY:
            count_24h += 1
            spend += event.amount_usd
            count_1h += s.ages[k] < HOUR
    _, users_1h, users_24h, _, users_30d = _distinct(cur.user, n, s)
    return count_1h, count_24h, n + 1, users_1h, users_24h, users_30d, spend, oldest / HOUR


@nb.njit(cache=True, nogil=True)
def _device(v: Record, cur: Record, history: np.ndarray, lo: int, hi: int, s: Scratch) -> None:
    if cur.device == 0:
        return
    count_1h, count_24h, count_30d, users_1h, users_24h, users_30d, spend, age = _shared(cur, history, lo, hi, s)
    v.device_txn_count_1h, v.device_txn_count_24h, v.device_txn_count_30d = count_1h, count_24h, count_30d
    v.device_distinct_users_1h, v.device_distinct_users_24h = users_1h, users_24h
    v.device_distinct_users_30d = users_30d
    v.device_amount_sum_24h, v.device_age_hours = spend, age


@nb.njit(cache=True, nogil=True)
def _ip(v: Record, cur: Record, history: np.ndarray, lo: int, hi: int, s: Scratch) -> None:
    if cur.ip == 0:
        return
    count_1h, count_24h, count_30d, users_1h, users_24h, users_30d, spend, age = _shared(cur, history, lo, hi, s)
    v.ip_txn_count_1h, v.ip_txn_count_24h, v.ip_txn_count_30d = count_1h, count_24h, count_30d
    v.ip_distinct_users_1h, v.ip_distinct_users_24h, v.ip_distinct_users_30d = users_1h, users_24h, users_30d
    v.ip_amount_sum_24h, v.ip_age_hours = spend, age


@nb.njit(cache=True, nogil=True)
def _rate(tile: Record, window: int, population_rate: float) -> float:
    """Reported frauds over transactions in a window (0 1d, 1 7d, 2 30d, 3 90d)."""
    frauds = max(tile.fraud[window], 0) + RATE_BELIEF * population_rate
    return min(frauds / (tile.count[window] + RATE_BELIEF), 1.0)


@nb.njit(cache=True, nogil=True)
def _risk(v: Record, cur: Record, merchant: Record, category: Record, country: Record, population: Record) -> None:
    if population.count[3] == 0:
        return
    base = max(population.fraud[3], 0) / population.count[3]
    amount = np.float64(cur.amount_usd)
    if cur.merchant != 0:
        v.merchant_txn_count_1d, v.merchant_txn_count_7d = merchant.count[0], merchant.count[1]
        v.merchant_txn_count_30d, v.merchant_txn_count_90d = merchant.count[2], merchant.count[3]
        v.merchant_fraud_count_1d, v.merchant_fraud_count_7d = max(merchant.fraud[0], 0), max(merchant.fraud[1], 0)
        v.merchant_fraud_count_30d, v.merchant_fraud_count_90d = max(merchant.fraud[2], 0), max(merchant.fraud[3], 0)
        v.merchant_fraud_rate_1d, v.merchant_fraud_rate_7d = _rate(merchant, 0, base), _rate(merchant, 1, base)
        v.merchant_fraud_rate_30d, v.merchant_fraud_rate_90d = _rate(merchant, 2, base), _rate(merchant, 3, base)
        if merchant.count[2] > 0:
            v.merchant_amount_mean_30d = merchant.cents_30d / 100 / merchant.count[2]
            v.amount_to_merchant_mean_30d = _ratio(amount, merchant.cents_30d / 100 / merchant.count[2])
    if cur.category != 0:
        v.category_fraud_rate_7d, v.category_fraud_rate_30d = _rate(category, 1, base), _rate(category, 2, base)
        if category.count[2] > 0:
            v.amount_to_category_mean_30d = _ratio(amount, category.cents_30d / 100 / category.count[2])
    if cur.country != 0:
        v.country_fraud_rate_7d, v.country_fraud_rate_30d = _rate(country, 1, base), _rate(country, 2, base)
        v.country_txn_share_30d = country.count[2] / max(population.count[2], 1)


@nb.njit(cache=True, nogil=True)
def vectors(
    current: np.ndarray,
    profiles: np.ndarray,
    users: np.ndarray,
    user_spans: np.ndarray,
    devices: np.ndarray,
    device_spans: np.ndarray,
    ips: np.ndarray,
    ip_spans: np.ndarray,
    tiles: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write the features of every transaction into `out`.

    Parameters
    ----------
    current : TRANSACTION records (n,)
    profiles : PROFILE records (n,), all zero where the user is unknown
    users : USER_EVENT records (m,), histories one after the other, each in order of arrival
    user_spans : int64 (n, 2), the part [start, end) of `users` that had arrived before each transaction
    devices, device_spans, ips, ip_spans : the same with SHARED_EVENT records
    tiles : TILE records (n, 4): merchant, category, country, population
    out : VECTOR records (n,); whatever they hold is overwritten
    """
    s = _scratch()
    for row in range(len(current)):
        out[row] = _DEFAULT[0]
        v, cur, profile = out[row], current[row], profiles[row]
        shift = _home_shift(profile)
        _transaction(v, cur, profile, shift)
        n = _pick(np.int64(cur.event_time), np.int64(cur.known_at), users, user_spans[row, 0], user_spans[row, 1], s)
        _amount_habit(v, cur, users, n, s)
        _habit(v, cur, profile, users, n, shift, s)
        _clock_habit(v, cur, users, n, shift, s)
        _velocity(v, cur, users, n, s)
        _pace(v, cur, users, n, s)
        _variety(v, cur, users, n, s)
        _country(v, cur, profile, users, n, s)
        _place(v, cur, profile, users, n, s)
        _gear(v, cur, users, n, s)
        _device(v, cur, devices, device_spans[row, 0], device_spans[row, 1], s)
        _ip(v, cur, ips, ip_spans[row, 0], ip_spans[row, 1], s)
        _risk(v, cur, tiles[row, 0], tiles[row, 1], tiles[row, 2], tiles[row, 3])


def empty_vectors(n: int) -> np.ndarray:
    """Room for n vectors, float32 (n, 143), not filled."""
    return np.empty((n, len(FEATURE_NAMES)), dtype=np.float32)


def as_records(X: np.ndarray) -> np.ndarray:
    """A contiguous float32 (n, 143) seen as VECTOR records (n,), sharing memory."""
    return X.view(VECTOR)[:, 0]
