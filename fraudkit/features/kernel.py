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
from typing import Any

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

# Every divisor below is a constant or kept from zero, so Python's check for zero before each division is left out.
_compiled = nb.njit(cache=True, nogil=True, error_model="numpy")

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


# Working memory of one thread, so that no row allocates. The visible events are taken apart into columns
# once: the loops of each family then run over plain arrays, in order of arrival. One record rather than
# many arrays, because a helper that is not inlined then takes one pointer instead of a hundred words.
SCRATCH = np.dtype([
    ("amounts", "<f8", (USER_EVENTS,)),  # US dollars
    ("logs", "<f8", (USER_EVENTS,)),  # log(1 + amount)
    ("ages", "<i4", (USER_EVENTS,)),  # seconds
    ("merchants", "<u4", (USER_EVENTS,)),
    ("devices", "<u4", (USER_EVENTS,)),
    ("ips", "<u4", (USER_EVENTS,)),
    ("categories", "<u4", (USER_EVENTS,)),
    ("countries", "<u4", (USER_EVENTS,)),
    ("norths", "<i4", (USER_EVENTS,)),  # latitude; NO_PLACE also where the place is not the customer's
    ("easts", "<i4", (USER_EVENTS,)),  # longitude
    ("values", "<u4", (USER_EVENTS,)),  # users of a device's or an address's events
    ("slots", "<u4", (SLOTS,)),  # open-addressing set of values, 0 free
    ("numbers", "<i4", (SLOTS,)),  # where the value of each slot stands in `youngest`
    ("used", "<i4", (USER_EVENTS,)),  # occupied slots
    ("youngest", "<i4", (USER_EVENTS,)),  # smallest age of each value in the set
    ("flags", "u1", (USER_EVENTS,)),
])  # fmt: skip


@_compiled
def log_amounts(events: np.ndarray) -> np.ndarray:
    """log(1 + amount) of USER_EVENT records: float64 (m,)."""
    out = np.empty(len(events), np.float64)
    for k in range(len(events)):
        out[k] = math.log1p(np.float64(events[k].amount_usd))
    return out


@_compiled
def _take_apart(cur: Record, history: np.ndarray, logs: np.ndarray, lo: int, hi: int, s: Record) -> tuple[int, int]:
    """Write the visible events of history[lo:hi] into columns.

    Returns how many there are, and the first that is younger than a week: the windows start there.
    """
    now = np.int64(cur.event_time)
    horizon = max(now, np.int64(cur.known_at)) - HORIZON_S
    n, first = 0, -1
    for position in range(lo, hi):
        event = history[position]
        moment = np.int64(event.event_time)
        if not horizon < moment <= now:
            continue
        if first < 0 and now - moment < WEEK:
            first = n
        flags = event.flags
        s.ages[n] = now - moment
        s.amounts[n] = event.amount_usd
        s.logs[n] = logs[position]
        s.merchants[n] = event.merchant
        s.devices[n] = event.device
        s.ips[n] = event.ip
        s.categories[n] = event.category
        s.countries[n] = event.country
        s.norths[n] = event.latitude if flags != 0 else NO_PLACE
        s.easts[n] = event.longitude
        s.flags[n] = flags
        n += 1
    return n, (first if first >= 0 else n)


@_compiled
def _distinct(own: int, values: np.ndarray, n: int, s: Record) -> tuple[int, int, int, int, int]:
    """Count different non-zero values among `own` (age 0) and values[:n], within 10m, 1h, 24h, 7d, 30d."""
    n_used = 0
    for k in range(n):
        value = values[k]
        if value == own or value == 0:
            continue
        slot = (np.int64(value) * 2_654_435_761 >> 24) & (SLOTS - 1)
        while s.slots[slot] != value and s.slots[slot] != 0:
            slot = (slot + 1) & (SLOTS - 1)
        if s.slots[slot] == 0:
            s.slots[slot] = value
            s.numbers[slot] = n_used
            s.used[n_used] = slot
            s.youngest[n_used] = s.ages[k]
            n_used += 1
        else:
            number = s.numbers[slot]
            s.youngest[number] = min(s.youngest[number], s.ages[k])
    first = 1 if own != 0 else 0
    in_10m, in_1h, in_24h, in_7d = first, first, first, first
    for k in range(n_used):
        s.slots[s.used[k]] = 0
    for k in range(n_used):
        age = s.youngest[k]
        in_7d += age < WEEK
        in_24h += age < DAY
        in_1h += age < HOUR
        in_10m += age < 10 * MINUTE
    return in_10m, in_1h, in_24h, in_7d, first + n_used


@_compiled
def _ratio(value: float, base: float) -> float:
    """value / base, 1 where the base is less than a cent."""
    return value / base if base >= 0.01 else 1.0


@_compiled
def _bucket(value: Any) -> Any:
    return 1 + value % 255 if value != 0 else 0


@_compiled
def _home_shift(profile: Record) -> Any:
    """Seconds from UTC to the home clock."""
    if profile.known == 0 or profile.latitude == NO_PLACE:
        return 0
    return HOUR * np.int64(math.floor(profile.longitude / 1500.0 + 0.5))


@_compiled
def _haversine_km(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Great-circle distance; arguments in 0.01 degree."""
    a = math.radians(latitude / 100.0)
    b = math.radians(other_latitude / 100.0)
    half_north = math.sin((b - a) / 2)
    half_east = math.sin(math.radians((other_longitude - longitude) / 100.0) / 2)
    square = half_north * half_north + math.cos(a) * math.cos(b) * half_east * half_east
    return 2 * EARTH_KM * math.asin(math.sqrt(min(1.0, square)))


@_compiled
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


@_compiled
def _amount_habit(v: Record, cur: Record, n: int, s: Record) -> None:
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
        earlier = s.amounts[k]
        total += earlier
        largest = max(largest, earlier)
        smaller += earlier < amount
        log_total += s.logs[k]
    mean, log_mean = total / n, log_total / n
    square, log_square = 0.0, 0.0
    for k in range(n):
        square += (s.amounts[k] - mean) ** 2
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


@_compiled
def _habit(v: Record, cur: Record, profile: Record, n: int, s: Record) -> None:
    """Shares and counts over the remembered history."""
    if n == 0:
        return
    amount = np.float64(cur.amount_usd)
    merchant, category, home = cur.merchant, cur.category, profile.country
    online, present, abroad = 0, 0, 0
    for k in range(n):
        online += (s.flags[k] & ONLINE) != 0
        present += (s.flags[k] & CARD_PRESENT) != 0
        abroad += s.countries[k] != 0 and s.countries[k] != home
    here, here_sum, kind, kind_sum = 0, 0.0, 0, 0.0
    for k in range(n):
        if merchant != 0 and s.merchants[k] == merchant:
            here += 1
            here_sum += s.amounts[k]
        if category != 0 and s.categories[k] == category:
            kind += 1
            kind_sum += s.amounts[k]
    v.user_online_share_30d = online / n
    v.user_card_present_share_30d = present / n
    v.user_cross_border_share_30d = abroad / n if home != 0 else 0.0
    v.same_merchant_count_30d = here
    v.same_category_count_30d = kind
    if here > 0:
        v.amount_to_same_merchant_mean_30d = _ratio(amount, here_sum / here)
    if kind > 0:
        v.amount_to_same_category_mean_30d = _ratio(amount, kind_sum / kind)


@_compiled
def _clock_habit(v: Record, cur: Record, n: int, shift: int, s: Record) -> None:
    """Time of day against the user's earlier times of day."""
    if n == 0:
        return
    seconds = (np.int64(cur.event_time) + shift) % DAY
    east, north, close, night = 0.0, 0.0, 0, 0
    for k in range(n):
        # Ages stay below 31 days, so the sum is positive and the remainder needs no correction of sign.
        other = np.int64(np.uint32(seconds + 31 * DAY - s.ages[k]) % np.uint32(DAY))
        east += _SIN[other // 900]
        north += _COS[other // 900]
        apart = abs(other - seconds)
        close += min(apart, DAY - apart) <= 2 * HOUR
        night += other < 6 * HOUR
    habit = (math.atan2(east, north) * 12 / math.pi) % 24
    apart_hours = abs(habit - seconds / HOUR)
    v.hour_habit_distance = min(apart_hours, 24 - apart_hours)
    v.hour_habit_share_30d = close / n
    v.user_night_share_30d = night / n


@_compiled
def _velocity(v: Record, cur: Record, first: int, n: int, s: Record) -> None:
    """Counts and sums of the windows up to seven days, the transaction included."""
    amount = np.float64(cur.amount_usd)
    merchant = cur.merchant
    is_online, is_small = (cur.flags & ONLINE) != 0, amount < SMALL_USD
    c7, c24, c6, c1, c10 = 1, 1, 1, 1, 1
    s7, s24, s6, s1, s10 = amount, amount, amount, amount, amount
    largest, same_amount = amount, 1
    online_24, online_1, small_24, small_1 = int(is_online), int(is_online), int(is_small), int(is_small)
    here_24, here_1 = int(merchant != 0), int(merchant != 0)
    for k in range(first, n):
        age = s.ages[k]
        if age >= WEEK:
            continue
        earlier = s.amounts[k]
        c7 += 1
        s7 += earlier
        if age >= DAY:
            continue
        online, small = (s.flags[k] & ONLINE) != 0, earlier < SMALL_USD
        here = merchant != 0 and s.merchants[k] == merchant
        c24 += 1
        s24 += earlier
        largest = max(largest, earlier)
        same_amount += earlier == amount
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


@_compiled
def _pace(v: Record, cur: Record, n: int, s: Record) -> None:
    """Gaps between transactions, and today against the usual day."""
    if n == 0:
        return
    latest, oldest = 0, 0
    for k in range(n):
        if s.ages[k] <= s.ages[latest]:
            latest = k
        if s.ages[k] > s.ages[oldest]:
            oldest = k
    gap, span = np.int64(s.ages[latest]), np.int64(s.ages[oldest])
    days = max(span / DAY, 1.0)
    v.seconds_since_last_txn = gap
    v.user_history_days = span / DAY
    v.amount_to_last = _ratio(np.float64(cur.amount_usd), s.amounts[latest])
    v.txn_burst_24h_to_30d = v.user_txn_count_24h / (n / days)
    v.amount_burst_24h_to_30d = _ratio(v.user_amount_sum_24h, n * np.float64(v.user_amount_mean_30d) / days)
    if n >= 2:
        mean_gap = (span - gap) / (n - 1)
        v.user_mean_gap_hours_30d = mean_gap / HOUR
        v.gap_to_mean_gap_30d = gap / max(mean_gap, 1.0 * MINUTE)


@_compiled
def _variety(v: Record, cur: Record, n: int, s: Record) -> None:
    """Different merchants, categories, countries, devices and addresses of the user."""
    in_10m, in_1h, in_24h, in_7d, in_30d = _distinct(cur.merchant, s.merchants, n, s)
    v.user_distinct_merchants_10m, v.user_distinct_merchants_1h = in_10m, in_1h
    v.user_distinct_merchants_24h, v.user_distinct_merchants_7d = in_24h, in_7d
    v.user_distinct_merchants_30d = in_30d
    _, _, in_24h, _, in_30d = _distinct(cur.category, s.categories, n, s)
    v.user_distinct_categories_24h, v.user_distinct_categories_30d = in_24h, in_30d
    _, _, in_24h, in_7d, in_30d = _distinct(cur.country, s.countries, n, s)
    v.user_distinct_countries_24h, v.user_distinct_countries_7d = in_24h, in_7d
    v.user_distinct_countries_30d = in_30d
    _, _, in_24h, _, in_30d = _distinct(cur.device, s.devices, n, s)
    v.user_distinct_devices_24h, v.user_distinct_devices_30d = in_24h, in_30d
    _, _, in_24h, _, _ = _distinct(cur.ip, s.ips, n, s)
    v.user_distinct_ips_24h = in_24h


@_compiled
def _country(v: Record, cur: Record, profile: Record, n: int, s: Record) -> None:
    if n == 0 or cur.country == 0:
        v.new_country = cur.country != 0 and profile.country != 0 and cur.country != profile.country
        return
    own, same, latest = cur.country, 0, -1
    for k in range(n):
        country = s.countries[k]
        same += country == own
        if country != 0 and (latest < 0 or s.ages[k] <= s.ages[latest]):
            latest = k
    v.country_share_30d = same / n
    v.new_country = same == 0 and own != profile.country
    v.country_changed = latest >= 0 and s.countries[latest] != own


@_compiled
def _place(v: Record, cur: Record, profile: Record, n: int, s: Record) -> None:
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
        if s.norths[k] == NO_PLACE:
            continue
        # Flat-earth distance is enough to tell near from far, and ten times cheaper.
        rise = np.float64(s.norths[k] - north)
        run = np.float64(abs(s.easts[k] - east))
        run = min(run, 36_000 - run) * narrowing
        square = rise * rise + run * run
        seen += 1
        nearest = min(nearest, square)
        near += square < (100 * NEAR_KM / DEGREE_KM) ** 2
        if latest < 0 or s.ages[k] <= s.ages[latest]:
            latest = k
        if s.flags[k] & CARD_PRESENT and (latest_present < 0 or s.ages[k] <= s.ages[latest_present]):
            latest_present = k
    if seen == 0:
        return
    v.nearest_place_30d_km = math.sqrt(nearest) / 100 * DEGREE_KM
    v.near_share_30d = near / seen
    distance = _haversine_km(north, east, s.norths[latest], s.easts[latest])
    speed = distance * HOUR / max(s.ages[latest], MINUTE)
    v.distance_from_last_km = distance
    v.speed_from_last_kmh = speed
    v.impossible_travel = distance > TRAVEL_KM and speed > TRAVEL_KMH
    if latest_present >= 0:
        present = latest_present
        if present != latest:
            distance = _haversine_km(north, east, s.norths[present], s.easts[present])
        v.distance_from_last_present_km = distance


@_compiled
def _gear(v: Record, cur: Record, n: int, s: Record) -> None:
    """The user's own use of device and address."""
    v.device_bucket, v.ip_bucket = _bucket(cur.device), _bucket(cur.ip)
    v.device_type = cur.device_type
    v.device_is_missing, v.ip_is_missing = cur.device == 0, cur.ip == 0
    device, ip = cur.device, cur.ip
    same_device, same_ip = 0, 0
    for k in range(n):
        same_device += device != 0 and s.devices[k] == device
        same_ip += ip != 0 and s.ips[k] == ip
    v.same_device_count_30d = same_device
    v.new_device = cur.device != 0 and n > 0 and same_device == 0
    v.new_ip = cur.ip != 0 and n > 0 and same_ip == 0
    if cur.ip_reputation >= 0:
        v.ip_reputation = cur.ip_reputation
        v.ip_reputation_is_missing = 0


@_compiled
def _shared(cur: Record, history: np.ndarray, lo: int, hi: int, s: Record) -> tuple[Any, ...]:
    """Of a device or address: counts in 1h, 24h, 30d; different users in them; spend in 24h; age in hours."""
    now = np.int64(cur.event_time)
    horizon = max(now, np.int64(cur.known_at)) - HORIZON_S
    count_1h, count_24h, spend, oldest, n = 1, 1, np.float64(cur.amount_usd), np.int64(0), 0
    for position in range(lo, hi):
        event = history[position]
        age = now - np.int64(event.event_time)
        if age < 0 or age >= now - horizon:
            continue
        s.values[n], s.ages[n] = event.user, age
        n += 1
        oldest = max(oldest, age)
        if age < DAY:
            count_24h += 1
            spend += event.amount_usd
            count_1h += age < HOUR
    _, users_1h, users_24h, _, users_30d = _distinct(cur.user, s.values, n, s)
    return count_1h, count_24h, n + 1, users_1h, users_24h, users_30d, spend, oldest / HOUR


@_compiled
def _device(v: Record, cur: Record, history: np.ndarray, lo: int, hi: int, s: Record) -> None:
    if cur.device == 0:
        return
    count_1h, count_24h, count_30d, users_1h, users_24h, users_30d, spend, age = _shared(cur, history, lo, hi, s)
    v.device_txn_count_1h, v.device_txn_count_24h, v.device_txn_count_30d = count_1h, count_24h, count_30d
    v.device_distinct_users_1h, v.device_distinct_users_24h = users_1h, users_24h
    v.device_distinct_users_30d = users_30d
    v.device_amount_sum_24h, v.device_age_hours = spend, age


@_compiled
def _ip(v: Record, cur: Record, history: np.ndarray, lo: int, hi: int, s: Record) -> None:
    if cur.ip == 0:
        return
    count_1h, count_24h, count_30d, users_1h, users_24h, users_30d, spend, age = _shared(cur, history, lo, hi, s)
    v.ip_txn_count_1h, v.ip_txn_count_24h, v.ip_txn_count_30d = count_1h, count_24h, count_30d
    v.ip_distinct_users_1h, v.ip_distinct_users_24h, v.ip_distinct_users_30d = users_1h, users_24h, users_30d
    v.ip_amount_sum_24h, v.ip_age_hours = spend, age


@_compiled
def _rate(tile: Record, window: int, population_rate: float) -> float:
    """Reported frauds over transactions in a window (0 1d, 1 7d, 2 30d, 3 90d)."""
    frauds = max(tile.fraud[window], 0) + RATE_BELIEF * population_rate
    return min(frauds / (tile.count[window] + RATE_BELIEF), 1.0)


@_compiled
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
    logs: np.ndarray | None = None,
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
    logs : `log_amounts(users)`, if the caller has them already: every event is read by many transactions
    """
    known_logs = log_amounts(users) if logs is None else logs
    _vectors(
        current, profiles, users, known_logs, user_spans, devices, device_spans, ips, ip_spans, tiles, out
    )  # fmt: skip


@_compiled
def _vectors(
    current: np.ndarray,
    profiles: np.ndarray,
    users: np.ndarray,
    logs: np.ndarray,
    user_spans: np.ndarray,
    devices: np.ndarray,
    device_spans: np.ndarray,
    ips: np.ndarray,
    ip_spans: np.ndarray,
    tiles: np.ndarray,
    out: np.ndarray,
) -> None:
    s = np.zeros(1, SCRATCH)[0]
    for row in range(len(current)):
        out[row] = _DEFAULT[0]
        v, cur, profile = out[row], current[row], profiles[row]
        shift = _home_shift(profile)
        _transaction(v, cur, profile, shift)
        n, first = _take_apart(cur, users, logs, user_spans[row, 0], user_spans[row, 1], s)
        _amount_habit(v, cur, n, s)
        _habit(v, cur, profile, n, s)
        _clock_habit(v, cur, n, shift, s)
        _velocity(v, cur, first, n, s)
        _pace(v, cur, n, s)
        _variety(v, cur, n, s)
        _country(v, cur, profile, n, s)
        _place(v, cur, profile, n, s)
        _gear(v, cur, n, s)
        _device(v, cur, devices, device_spans[row, 0], device_spans[row, 1], s)
        _ip(v, cur, ips, ip_spans[row, 0], ip_spans[row, 1], s)
        _risk(v, cur, tiles[row, 0], tiles[row, 1], tiles[row, 2], tiles[row, 3])


def empty_vectors(n: int) -> np.ndarray:
    """Room for n vectors, float32 (n, 143), not filled."""
    return np.empty((n, len(FEATURE_NAMES)), dtype=np.float32)


def as_records(X: np.ndarray) -> np.ndarray:
    """A contiguous float32 (n, 143) seen as VECTOR records (n,), sharing memory."""
    return X.view(VECTOR)[:, 0]
