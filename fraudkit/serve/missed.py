"""Payments that the feature store has missed while it was away, given to it before it is asked about the same parties.

Their second decisions append them too, some hundred milliseconds after the store is back. A payment that
comes sooner would be decided on a history without them, and say nothing of it: a burst on a stolen card would
look short. Appending again is harmless, as the store knows what it has.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Collection, Sequence

from fraudkit.core.transaction import Transaction
from fraudkit.features.histories import USER, history_keys
from fraudkit.features.records import USER_EVENTS

KEPT = 10_000  # payments, about a kilobyte each; the oldest beyond it wait for their second decision
AT_ONCE = 32  # given with one batch, so that the batch stays inside its time


class Missed:
    """Of one service; the scoring thread and the one of second decisions use it."""

    def __init__(self, kept: int = KEPT) -> None:
        self._most = kept
        self._kept: OrderedDict[str, Transaction] = OrderedDict()
        self._by_key: defaultdict[str, dict[str, Transaction]] = defaultdict(dict)
        self._lock = threading.Lock()

    def add(self, transactions: Sequence[Transaction]) -> None:
        """Remember transactions in order of arrival; of a card holder no more than a history holds."""
        with self._lock:
            for transaction in transactions:
                if transaction.transaction_id in self._kept:
                    continue
                self._kept[transaction.transaction_id] = transaction
                for key in history_keys(transaction):
                    own = self._by_key[key]
                    own[transaction.transaction_id] = transaction
                    if len(own) > USER_EVENTS and key == USER.key(transaction.user_id):
                        self._forget(next(iter(own)))
                    elif len(own) > USER_EVENTS:  # a busy address: more would not be given at once anyway
                        del own[next(iter(own))]
            while len(self._kept) > self._most:
                self._forget(next(iter(self._kept)))

    def before(self, transactions: Sequence[Transaction]) -> list[Transaction]:
        """What shares a history with any of the transactions: the latest, in order of time, none of themselves."""
        if not self._kept:
            return []
        with self._lock:
            found: dict[str, Transaction] = {}
            for key in {key for transaction in transactions for key in history_keys(transaction)}:
                found |= self._by_key.get(key, {})
        for transaction in transactions:
            found.pop(transaction.transaction_id, None)
        return sorted(found.values(), key=lambda transaction: transaction.known_at_ms)[-AT_ONCE:]

    def caught_up(self, transactions: Collection[Transaction]) -> None:
        """Forget transactions that the store has now."""
        if not self._kept:
            return
        with self._lock:
            for transaction in transactions:
                if transaction.transaction_id in self._kept:
                    self._forget(transaction.transaction_id)

    def _forget(self, transaction_id: str) -> None:
        for key in history_keys(self._kept.pop(transaction_id)):
            self._by_key[key].pop(transaction_id, None)
            if not self._by_key[key]:
                del self._by_key[key]
