"""The latest replies in memory: what a retry is answered from while the database is away."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence

from fraudkit.serve.decisions import Record

KEPT = 20_000  # replies, about a kilobyte each


class RecentReplies:
    """Payload digest and reply of the latest decisions by transaction_id; used by the scoring thread alone."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._replies: OrderedDict[str, tuple[bytes, bytes]] = OrderedDict()

    def add(self, records: Iterable[Record]) -> None:
        """Remember records; the oldest are forgotten."""
        for record in records:
            # A copy: what orjson hands out keeps four kilobytes for however short a reply.
            self._replies[record.transaction_id] = (record.payload_digest, bytes(memoryview(record.reply)))
        while len(self._replies) > self._kept:
            self._replies.popitem(last=False)

    def known(self, transaction_ids: Sequence[str]) -> dict[str, tuple[bytes, bytes]]:
        """Those of the transactions that are remembered."""
        return {name: self._replies[name] for name in transaction_ids if name in self._replies}
