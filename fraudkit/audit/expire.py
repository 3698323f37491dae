"""What may go: decisions from the database, and days from the archive, and what holds each of them back.

A decision may go where it is old enough, archived, and in every secondary store. Of each day a sample stays until its
labels have matured: the retraining trigger and the monitor judge the model by what is in the database, and what
they judge must not be chosen by its outcome. So a payment's id alone says whether it is in the sample, and a payment on
which there is feedback is no more likely to be. The archive keeps all of it for `fraudkit log estimate` and retraining.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

from fraudkit.audit.archive import Archive
from fraudkit.core.clock import DAY_S, from_epoch_ms
from fraudkit.core.console import ProgressCallback
from fraudkit.core.errors import InvalidInput
from fraudkit.core.label import MATURITY_DAYS
from fraudkit.serve.decisions.progress import Progress
from fraudkit.serve.decisions.reader import Reader
from fraudkit.serve.decisions.removal import Removal

SAMPLE = 5_000  # decisions of a day
LABELLED_DAYS = MATURITY_DAYS + 30  # matured for a month: long enough to be judged by, and estimated from
READ_AT_ONCE = 1_000
EVERYWHERE = 1 << 192  # beyond every position
NOT_ARCHIVED, NOT_MIRRORED, SAMPLED = "not in the archive", "not in every secondary store", "in the sample for labels"


@dataclass(frozen=True, slots=True)
class Safe:
    """Positions of the database's reader up to which decisions are in the archive, and in every secondary store."""

    archived: int
    mirrored: int


@dataclass(slots=True)
class Found:
    """Decisions that are old enough: how many, how many of them may go, and what holds the others back."""

    old: int = 0
    free: int = 0
    held: Counter[str] = field(default_factory=Counter)


def check_days(days: int, accepted_days: int | None) -> None:
    """Refuse to remove a decision on a payment that the service would still take.

    Raises
    ------
    InvalidInput
        Sent again, such a payment would be decided anew.
    """
    remedy = f"set FRAUDKIT_ACCEPTED_DAYS, for the service as well, to fewer than {days} days, or keep them for longer"
    if accepted_days is None:
        raise InvalidInput(
            f"decisions cannot be removed after {days} days while the service takes payments of any day since 1990: "
            f"one that is sent again would be decided anew; {remedy}"
        )
    if days <= accepted_days:
        raise InvalidInput(
            f"decisions cannot be removed after {days} days while the service takes payments of the last "
            f"{accepted_days}: one that is sent again would be decided anew; {remedy}"
        )


def day_before(now_ms: int, days: int) -> str:
    """The day (YYYY-MM-DD, UTC) that began `days` whole days before today: it and later ones stay."""
    return f"{from_epoch_ms(now_ms) - timedelta(days=days):%Y-%m-%d}"


def archived_position(archive: Archive, reader: Reader, progress: Progress) -> int:
    """Position of the reader up to which every decision was published and is in the archive; 0 where nothing says so.

    Events have the order of the reader, so the decision of the last event before any gap tells. What was published
    without being noted is published again, and must be there for it.
    """
    event = archive.last_whole()
    return 0 if event is None else min(reader.position_of(event), progress.read().cursor)


class Expiry:
    """Goes through the decisions of one database that were made before a day.

    Parameters
    ----------
    before : YYYY-MM-DD, UTC; decisions of that day and later ones stay
    sampled_from : of the days from this one on, a sample stays
    """

    def __init__(self, reader: Reader, removal: Removal, safe: Safe, before: str, sampled_from: str) -> None:
        self._reader = reader
        self._removal = removal
        self._safe = safe
        self._before_ms = _midnight_ms(before)
        self._sampled_ms = _midnight_ms(sampled_from)
        self._of_day: Counter[int] = Counter()

    def look(self, progress: ProgressCallback) -> Found:
        """Count what is there."""
        self._of_day = Counter(decided_at_ms // (DAY_S * 1000) for _, _, decided_at_ms in self._old())
        found = Found(self._of_day.total())
        seen = 0
        for batch in self._batches(READ_AT_ONCE):
            # Some may have come since they were counted.
            progress(min(1.0, seen / max(found.old, 1)), f"{seen:,} decisions")
            seen += len(batch)
            free = []
            for position, name, decided_at_ms in batch:
                if position > self._safe.archived:
                    found.held[NOT_ARCHIVED] += 1
                elif position > self._safe.mirrored:
                    found.held[NOT_MIRRORED] += 1
                elif self._is_sampled(name, decided_at_ms):
                    found.held[SAMPLED] += 1
                else:
                    free.append(name)
            held = self._removal.held(free)
            found.held.update(held.values())
            found.free += len(free) - len(held)
        return found

    def remove(self, found: Found, progress: ProgressCallback, rest: Callable[[float], None] = time.sleep) -> int:
        """Remove what `found` of look() says may go; how many there were.

        Raises
        ------
        StoreUnavailable
            The database does not answer; what was removed is removed.
        """
        removed, pace = 0, self._removal.pace
        for batch in self._batches(pace.rows):
            names = [
                name
                for position, name, decided_at_ms in batch
                if position <= min(self._safe.archived, self._safe.mirrored)
                and not self._is_sampled(name, decided_at_ms)
            ]
            if names:
                started_s = time.perf_counter()
                removed += self._removal.remove(names)
                rest((time.perf_counter() - started_s) * pace.rest)
            progress(min(1.0, removed / max(found.free, 1)), f"{removed:,} decisions")
        return removed

    def _is_sampled(self, name: str, decided_at_ms: int) -> bool:
        if decided_at_ms < self._sampled_ms:
            return False
        place = int.from_bytes(blake2b(name.encode(), digest_size=8).digest()) / 2**64
        return place * self._of_day[decided_at_ms // (DAY_S * 1000)] < SAMPLE

    def _batches(self, size: int) -> Iterator[list[tuple[int, str, int]]]:
        """The old decisions in order, in groups of at most `size`.

        Positions follow time but for what came from a journal, which is at most as late as a pod was without its
        database: behind so many decisions that none is old, one that is waits for the next time.
        """
        position = 0
        while batch := self._reader.numbered_after(position, READ_AT_ONCE):
            position = batch[-1][0]
            old = [row for row in batch if row[2] < self._before_ms]
            if not old:
                return
            for start in range(0, len(old), size):
                yield old[start : start + size]

    def _old(self) -> Iterator[tuple[int, str, int]]:
        for batch in self._batches(READ_AT_ONCE):
            yield from batch


def _midnight_ms(day: str) -> int:
    return round(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000)
