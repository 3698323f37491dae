"""Fills a feature store that came back without its content, from the secondary store and the decisions.

Histories, profiles and reputations are copied a page at a time; decisions made since the copy began are
appended; the tiles come last, and with them every service takes the store for filled. Until then services
answer from the secondary store. Of a cluster, the slots that lost their content are filled, and their marks
come last (fraudkit.features.marks); the others go on serving. Of several followers on one store, one fills it.
It runs in the follower's process, so that no payment waits for it, and knows nothing of why the store is empty.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Collection, Iterator

from fraudkit.core.transaction import Transaction
from fraudkit.features.histories import TILES_KEY, history_keys
from fraudkit.features.marks import BEGUN, SLOTS, WHOLE, slot_of
from fraudkit.features.online import OnlineFeatures
from fraudkit.features.secondary import SecondaryStore, Table, Values
from fraudkit.features.store import HistoryStore
from fraudkit.serve.decisions.reader import Reader
from fraudkit.serve.rescore import transaction_of

LOOK_S = 1.0  # between two looks whether the store is empty
PAGE = 500  # keys
DECISIONS_AT_ONCE = 128
TURN_S = 30  # after which another may take over from one that died
STRIDE = 64  # a look reads the mark of every 64th slot, the next look the marks beside; a node holds thousands


class Refill:
    """Looks after one store.

    Parameters
    ----------
    decisions, table : what it is filled from
    connect : opens the store for filling; raises StoreUnavailable
    position : up to where the table has every decision
    """

    def __init__(
        self, decisions: Reader, table: Table, connect: Callable[[], HistoryStore], position: Callable[[], int]
    ) -> None:
        self._decisions = decisions
        self._table = table
        self._connect = connect
        self._position = position
        self._owner = f"{socket.gethostname()}:{os.getpid()}"
        self._store: HistoryStore | None = None
        self._work: Iterator[int] | None = None
        self._next_look_s = 0.0
        self._looks = 0

    def step(self) -> int:
        """Look, or fill a little more; how many keys and decisions were gone through.

        Raises
        ------
        StoreUnavailable
            A store or the database is away; filling begins anew.
        """
        if self._work is None:
            if time.monotonic() < self._next_look_s:
                return 0
            self._next_look_s = time.monotonic() + LOOK_S
        self._store = store = self._store or self._connect()
        try:
            if self._work is None:
                slots = self._empty(store)
                if not slots or not SecondaryStore(self._table).filled() or not store.turn(self._owner, TURN_S):
                    return 0
                self._work = self._fill(store, slots)
            done = next(self._work, 0)
        except BaseException:
            self._work = None
            raise
        if not done:
            self._work = None
        return done

    def _empty(self, store: HistoryStore) -> Collection[int]:
        """The slots without their content, of a single server all or none.

        A store with tiles and no mark at all was filled by a version that knew none: it gets them here, as it
        stands. Whoever looks meanwhile finds some of them, and does not get a turn to fill the rest.
        """
        if not store.filled():
            return range(SLOTS)
        self._looks += 1
        if set(store.marks(range(self._looks % STRIDE, SLOTS, STRIDE)).values()) <= {WHOLE}:
            return ()
        marks = store.marks(range(SLOTS))
        if len(marks) == SLOTS and set(marks.values()) == {None}:
            if store.turn(self._owner, TURN_S):
                store.mark_filled()
            return ()
        return frozenset(slot for slot, mark in marks.items() if mark != WHOLE)

    def _fill(self, store: HistoryStore, slots: Collection[int]) -> Iterator[int]:
        """Fill slots of the store; a number after each part of the work."""
        since = self._position()
        store.mark(slots, BEGUN)
        tiles: Values = {}
        for page in self._table.pages(PAGE):
            part = {key: value for key, value in page.items() if slot_of(key) in slots}
            tiles |= {key: part.pop(key) for key in [TILES_KEY] if key in part}
            store.take_over(part)
            yield self._done(store, len(page))
        features = OnlineFeatures(store)
        while found := self._decisions.transactions_after(since, DECISIONS_AT_ONCE):
            decided = [transaction_of(json) for _, json in found]
            features.vectors([transaction for transaction in decided if _touches(transaction, slots)])
            since = found[-1][0]
            yield self._done(store, len(found))
            if len(found) < DECISIONS_AT_ONCE:  # what is decided from now on, the service decides again itself
                break
        store.mark(slots, WHOLE, over=True)  # a slot that was lost once more has no mark to write over
        store.take_over(tiles)

    def _done(self, store: HistoryStore, n: int) -> int:
        """The number, after the turn was made to last longer."""
        store.turn(self._owner, TURN_S)
        return n


def _touches(transaction: Transaction, slots: Collection[int]) -> bool:
    """Whether any history that a transaction joins lies in the slots."""
    return any(slot_of(key) in slots for key in history_keys(transaction))
