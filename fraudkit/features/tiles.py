"""Daily tiles: what was known of each merchant, category and country at a midnight (UTC).

A tile taken at day D counts transactions that had arrived before D's midnight and frauds whose label
had, over the 1, 7, 30 and 90 days before it. Both are counted by day of arrival, in integers
(cents, not dollars), so that a tile is the same whatever is added after it. The same `at` feeds the
offline join and the nightly publishing to the store.

Knows nothing of users, and nothing of a label before it arrived.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from fraudkit.core.label import SOURCE_PRECEDENCE
from fraudkit.features.records import TILE

DAY_S = 86_400
WINDOW_DAYS = (1, 7, 30, 90)
_DAY_BITS = np.uint64(16)


@dataclass(frozen=True, slots=True)
class FraudNews:
    """Arrivals of verdicts: `row` of the transaction, `day` of arrival, `change` +1 fraud, -1 reversed."""

    row: np.ndarray  # int64 (k,)
    day: np.ndarray  # int64 (k,)
    change: np.ndarray  # int64 (k,)


def fraud_news(labels: pd.DataFrame | None, transaction_ids: pd.Series, known_at: np.ndarray) -> FraudNews:
    """When each transaction's verdict turned to fraud, or back.

    The verdict follows `fraudkit.core.label.labels_as_of`: the most authoritative source wins, within it
    the latest word. Labels of transactions that are not in the table are left out.

    Parameters
    ----------
    labels : LABEL_COLUMNS, any order, or None
    transaction_ids : (n,)
    known_at : seconds since 1970 at which each transaction arrived, (n,)
    """
    nothing = np.zeros(0, dtype=np.int64)
    if labels is None or labels.empty:
        return FraudNews(nothing, nothing, nothing)
    row = _rows_of(labels["transaction_id"], transaction_ids)
    rank = labels["source"].astype("category").cat
    ranks = np.array([SOURCE_PRECEDENCE.get(str(source), 0) for source in rank.categories] or [0])
    rank_of = ranks[rank.codes.to_numpy()]
    moment = labels["known_at"].astype("datetime64[ms, UTC]").astype("int64").to_numpy()
    order = np.lexsort((moment, row))
    order = order[row[order] >= 0]
    if not len(order):
        return FraudNews(nothing, nothing, nothing)
    row, rank_of, moment = row[order], rank_of[order], moment[order]
    verdict = labels["is_fraud"].to_numpy(dtype=bool)[order]
    # A label takes effect when no more authoritative one of the same transaction came before it.
    height = row * 8 + rank_of
    effective = height >= np.maximum.accumulate(height)
    row, moment, verdict = row[effective], moment[effective], verdict[effective].astype(np.int64)
    first = np.concatenate([[True], row[1:] != row[:-1]])
    change = verdict - np.where(first, 0, np.concatenate([[0], verdict[:-1]]))
    turned = change != 0
    arrived = np.maximum(moment // 1000, known_at[row].astype(np.int64))
    return FraudNews(row[turned], arrived[turned] // DAY_S, change[turned])


def _rows_of(wanted: pd.Series, ids: pd.Series) -> np.ndarray:
    """Row of each wanted id, int64, -1 where there is none."""
    values = pa.array(wanted.astype("string"), type=pa.large_string(), from_pandas=True)
    among = pa.array(ids.astype("string"), type=pa.large_string(), from_pandas=True)
    return pc.fill_null(pc.index_in(values, value_set=among), -1).to_numpy(zero_copy_only=False).astype(np.int64)


def _keys(entity: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Entity and day as one sortable number, uint64."""
    return (entity.astype(np.uint64) << _DAY_BITS) | day.astype(np.uint64)


@dataclass(frozen=True, slots=True)
class _Running:
    """Running totals over sorted distinct keys."""

    keys: np.ndarray  # uint64 (k,)
    position: np.ndarray  # int64 (n,), where each row's key stands among `keys`
    totals: tuple[np.ndarray, ...]  # int64 (k + 1,) a weight: total before each key, and of all


def _running(keys: np.ndarray, *weights: np.ndarray) -> _Running:
    """Sort `keys` (n,) and add up each integer weight (n,) along them."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    is_first = np.concatenate([[True], ordered[1:] != ordered[:-1]]) if len(ordered) else np.zeros(0, dtype=bool)
    starts = np.flatnonzero(is_first)
    position = np.empty(len(keys), dtype=np.int64)
    position[order] = np.cumsum(is_first) - 1
    totals = []
    for weight in weights:
        sums = np.add.reduceat(weight[order], starts) if len(starts) else weight[:0]
        totals.append(np.concatenate([[0], np.cumsum(sums)]).astype(np.int64))
    return _Running(ordered[starts], position, tuple(totals))


class TileCounter:
    """Tiles of one kind of entity, from running totals over (entity, day of arrival).

    Parameters
    ----------
    entity : uint32 (n,), 0 for missing
    day, cents : int64 (n,), day of arrival and amount of each transaction
    news : arrivals of fraud verdicts of these transactions
    """

    def __init__(self, entity: np.ndarray, day: np.ndarray, cents: np.ndarray, news: FraudNews) -> None:
        ones = np.ones(len(entity), dtype=np.int64)
        self._own = _running(_keys(entity, day), ones, cents)
        self._frauds = _running(_keys(entity[news.row], news.day), news.change)

    def of_rows(self) -> tuple[np.ndarray, np.ndarray]:
        """Tiles of the transactions themselves, each at the midnight before it arrived.

        Returns
        -------
        TILE records (k,) and, for each transaction, which of them is its own, int64 (n,). Transactions of
        one entity on one day share a tile, and tiles asked for in the order of the keys are found quickly.
        """
        keys = self._own.keys
        entity = (keys >> _DAY_BITS).astype(np.uint32)
        day = (keys & np.uint64(0xFFFF)).astype(np.int64)
        return self.at(entity, day), self._own.position

    def at(self, entity: np.ndarray, day: np.ndarray) -> np.ndarray:
        """TILE records (n,) of each entity at the midnight that begins each day."""
        out = np.zeros(len(entity), dtype=TILE)
        out["day"] = day
        count, cents = self._own.totals
        (fraud,) = self._frauds.totals
        end = np.searchsorted(self._own.keys, _keys(entity, day))
        fraud_end = np.searchsorted(self._frauds.keys, _keys(entity, day))
        for position, length in enumerate(WINDOW_DAYS):
            begin_key = _keys(entity, np.maximum(day - length, 0))
            begin = np.searchsorted(self._own.keys, begin_key)
            fraud_begin = np.searchsorted(self._frauds.keys, begin_key)
            out["count"][:, position] = count[end] - count[begin]
            out["fraud"][:, position] = fraud[fraud_end] - fraud[fraud_begin]
            if length == 30:
                out["cents_30d"] = cents[end] - cents[begin]
        return out


class DailyTiles:
    """Tiles of merchants, categories, countries and of the whole population.

    Parameters
    ----------
    records : TRANSACTION records (n,), any order
    news : arrivals of fraud verdicts, `row` pointing into `records`
    """

    FIELDS = ("merchant", "category", "country")

    def __init__(self, records: np.ndarray, news: FraudNews) -> None:
        day = records["known_at"].astype(np.int64) // DAY_S
        cents = np.rint(records["amount_usd"].astype(np.float64) * 100).astype(np.int64)
        self._counters = {
            field: TileCounter(records[field].astype(np.uint32), day, cents, news) for field in self.FIELDS
        }
        everyone = np.zeros(len(records), dtype=np.uint32)
        self._population = TileCounter(everyone, day, cents, news)

    def of(self, field: str, entity: np.ndarray, day: int) -> np.ndarray:
        """TILE records (k,) of entities of one kind (merchant, category, country) at the midnight of `day`."""
        return self._counters[field].at(entity.astype(np.uint32), np.full(len(entity), day, dtype=np.int64))

    def population(self, day: int) -> np.ndarray:
        """The one TILE record, shape (1,), of all transactions at the midnight of `day`."""
        return self._population.at(np.zeros(1, dtype=np.uint32), np.array([day], dtype=np.int64))

    def of_records(self, records: np.ndarray) -> np.ndarray:
        """TILE records (n, 4) of any TRANSACTION records (n,), as of the day each arrived; order as in `joined`."""
        day = records["known_at"].astype(np.int64) // DAY_S
        kinds = [self._counters[field].at(records[field].astype(np.uint32), day) for field in self.FIELDS]
        return np.stack([*kinds, self._population.at(np.zeros(len(records), dtype=np.uint32), day)], axis=1)

    def joined(self, pool: Executor) -> Callable[[slice], np.ndarray]:
        """The join of the records with their tiles, as a function of a part of the rows.

        Parameters
        ----------
        pool : runs the work of the four kinds of tile side by side

        Returns
        -------
        part -> TILE records (rows in part, 4): merchant, category, country, population, as of the day each
        record arrived
        """
        counters = (*self._counters.values(), self._population)
        found = list(pool.map(TileCounter.of_rows, counters))

        def join(part: slice) -> np.ndarray:
            out = np.empty((len(found[0][1][part]), len(found)), dtype=TILE)
            words = out.view(np.int32).reshape(len(out), len(found), -1)  # plain rows copy faster than records
            for kind, (tiles, position) in enumerate(found):
                words[:, kind] = tiles.view(np.int32).reshape(len(tiles), -1)[position[part]]
            return out

        return join
