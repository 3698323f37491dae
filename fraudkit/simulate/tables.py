"""From columns of codes to the tables of fraudkit.core. No Python object is made a row."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from fraudkit.core.label import LABEL_COLUMNS, TRUTH_COLUMNS
from fraudkit.core.transaction import DEVICE_TYPES, MERCHANT_COLUMNS, TRANSACTION_COLUMNS, USER_COLUMNS
from fraudkit.simulate.campaigns.catalog import CAMPAIGN_NAMES
from fraudkit.simulate.categories import CODES
from fraudkit.simulate.labels import SOURCES, LabelRows
from fraudkit.simulate.people import AGE_BANDS, GENDERS, INCOME_BANDS
from fraudkit.simulate.rows import ONLINE_CHANNEL, PRESENT, Rows
from fraudkit.simulate.scene import Scene

TERMINAL = DEVICE_TYPES.index("terminal")


def numbered(prefix: str, numbers: np.ndarray, width: int) -> pa.Array:
    """Identifiers such as t000000017, one for each of `numbers`."""
    digits = pc.utf8_lpad(pc.cast(pa.array(numbers), pa.string()), width=width, padding="0")
    return pc.binary_join_element_wise(prefix, digits, "")


def _strings(values: pa.Array) -> pd.Series:
    return pd.Series(pd.array(values, dtype="string"))


def _categorical(codes: np.ndarray, names: pd.Index) -> pd.Series:
    return pd.Series(pd.Categorical.from_codes(codes, categories=names))


def _moments(scene: Scene, offset_ms: np.ndarray) -> pd.Series:
    start_ms = round(scene.config.start.timestamp() * 1000)
    return pd.Series((offset_ms + start_ms).view("datetime64[ms]")).dt.tz_localize("UTC")


def _index(values: pa.Array) -> pd.Index:
    return pd.Index(_strings(values))


def _table(columns: dict[str, pd.Series | np.ndarray], contract: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame({name: columns[name] for name in contract})


class Names:
    """The identifiers of one world. Device and address numbers are shuffled, so that they tell nothing."""

    def __init__(self, scene: Scene, rng: np.random.Generator) -> None:
        geography = scene.geography
        self.users = _index(numbered("u", np.arange(len(scene.people)), 6))
        self.merchants = _index(numbered("m", np.arange(len(scene.market)), 6))
        self.devices = _index(numbered("d", rng.permutation(scene.gear.devices.count), 7))
        self.addresses = _index(_addresses(rng.choice(2**24, scene.gear.addresses.count, replace=False)))
        self.countries = pd.Index([nation.code for nation in geography.nations], dtype="str")
        currencies = sorted({nation.currency for nation in geography.nations})
        self.currencies = pd.Index(currencies, dtype="str")
        self.currency_of = np.array([currencies.index(nation.currency) for nation in geography.nations])


def _addresses(numbers: np.ndarray) -> pa.Array:
    parts = [pc.cast(pa.array((numbers >> shift) & 255), pa.string()) for shift in (16, 8, 0)]
    return pc.binary_join_element_wise("10", *parts, ".")


def transactions_table(
    scene: Scene, names: Names, rows: Rows, known_ms: np.ndarray, rng: np.random.Generator
) -> pd.DataFrame:
    """TRANSACTION_COLUMNS for `rows`, in their order; transaction_id rises with it."""
    market, nations = scene.market, scene.geography.nations
    seller_country = market.country[rows.merchant]
    rate = np.array([nation.usd_rate for nation in nations])[seller_country]
    present = rows.channel == PRESENT
    kind = np.where(rows.device >= 0, scene.gear.devices.types()[rows.device], np.where(present, TERMINAL, 0))
    reputation = np.where(rows.ip >= 0, scene.gear.addresses.reputations()[rows.ip], np.nan).round(3)
    reputation[rng.random(len(rows)) < scene.config.reputation_missing] = np.nan
    return _table(
        {
            "transaction_id": _strings(numbered("t", np.arange(len(rows)), 9)),
            "user_id": _categorical(rows.user, names.users),
            "event_time": _moments(scene, rows.event_ms),
            "known_at": _moments(scene, known_ms),
            "amount": np.maximum(np.round(rows.amount_usd / rate, 2), 0.01),
            "currency": _categorical(names.currency_of[seller_country], names.currencies),
            "merchant_id": _categorical(rows.merchant, names.merchants),
            "merchant_category": _categorical(market.category[rows.merchant], pd.Index(CODES, dtype="str")),
            "country": _categorical(rows.country, names.countries),
            "latitude": rows.latitude.round(4),
            "longitude": rows.longitude.round(4),
            "card_present": present,
            "online_transaction": rows.channel == ONLINE_CHANNEL,
            "device_id": _categorical(rows.device, names.devices),
            "device_type": _categorical(kind, pd.Index(DEVICE_TYPES, dtype="str")),
            "ip_address": _categorical(rows.ip, names.addresses),
            "ip_reputation": reputation,
        },
        TRANSACTION_COLUMNS,
    )


def truth_table(ids: pd.Series, rows: Rows, was_declined: np.ndarray) -> pd.DataFrame:
    """TRUTH_COLUMNS for `rows`."""
    return _table(
        {
            "transaction_id": ids,
            "is_fraud": rows.campaign > 0,
            "campaign": _categorical(rows.campaign, pd.Index(CAMPAIGN_NAMES, dtype="str")),
            "campaign_id": rows.campaign_id,
            "declined": was_declined,
        },
        TRUTH_COLUMNS,
    )


def labels_table(scene: Scene, ids: pd.Series, event_ms: np.ndarray, labels: LabelRows) -> pd.DataFrame:
    """LABEL_COLUMNS, sorted by arrival."""
    return _table(
        {
            "transaction_id": ids.take(labels.row).reset_index(drop=True),
            "event_time": _moments(scene, event_ms[labels.row]),
            "known_at": _moments(scene, labels.known_ms),
            "source": _categorical(labels.source, pd.Index(SOURCES, dtype="str")),
            "is_fraud": labels.is_fraud,
        },
        LABEL_COLUMNS,
    )


def users_table(scene: Scene, names: Names) -> pd.DataFrame:
    """USER_COLUMNS, one row a card holder."""
    people = scene.people
    country = scene.geography.country[people.city]
    return _table(
        {
            "user_id": pd.Series(names.users),
            "home_country": _categorical(country, names.countries),
            "home_currency": _categorical(names.currency_of[country], names.currencies),
            "home_latitude": people.latitude.round(4),
            "home_longitude": people.longitude.round(4),
            "account_opened": _moments(scene, people.opened_ms),
            "age_band": _categorical(people.age, pd.Index(AGE_BANDS, dtype="str")),
            "gender": _categorical(people.gender, pd.Index(GENDERS, dtype="str")),
            "income_band": _categorical(people.income, pd.Index(INCOME_BANDS, dtype="str")),
        },
        USER_COLUMNS,
    )


def merchants_table(scene: Scene, names: Names) -> pd.DataFrame:
    """MERCHANT_COLUMNS, one row a merchant."""
    market = scene.market
    return _table(
        {
            "merchant_id": pd.Series(names.merchants),
            "merchant_category": _categorical(market.category, pd.Index(CODES, dtype="str")),
            "country": _categorical(market.country, names.countries),
            "latitude": market.latitude.round(4),
            "longitude": market.longitude.round(4),
            "online": market.online,
        },
        MERCHANT_COLUMNS,
    )


def reputation_table(scene: Scene, names: Names) -> pd.DataFrame:
    """The external source: reputation of every address, 0 clean .. 1 bad."""
    return pd.DataFrame(
        {"ip_address": pd.Series(names.addresses), "reputation": scene.gear.addresses.reputations().round(3)}
    )
