"""The archive of decision events: Parquet, a folder a day of decision.

A file is named after the positions it holds and appears in one step. The same events again give the
same file, so writing twice changes nothing; what two consumers wrote both is read once. Reading holds the files
whose positions lie around the present one, however large the archive is. Where the oldest days were removed, a small
file says up to which position, and with which hash the chain goes on.
"""

from __future__ import annotations

import heapq
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from itertools import groupby
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from fraudkit.core.clock import from_epoch_ms
from fraudkit.core.decision_event import GENESIS, DecisionEvent, broken_links
from fraudkit.core.errors import CorruptArtefact
from fraudkit.core.files import locked, replace_file

FOLDER = "decision_log"  # below FRAUDKIT_HOME, as `fraudkit log consume` fills it
ANCHOR_FILE, LOCK_FILE = "removed.json", ".removing"  # in the archive's folder
_TYPES = {"int": pa.int64(), "str": pa.string(), "bytes": pa.binary(), "float | None": pa.float64()}
SCHEMA = pa.schema([(field.name, _TYPES[str(field.type)]) for field in fields(DecisionEvent)])
_NAME = re.compile(r"events-(\d+)-(\d+)-(\d+)\.parquet")


@dataclass(frozen=True, slots=True)
class EventFile:
    """A file of events, by its name: the first and the last position in it, and how many rows it has."""

    path: Path
    first: int
    last: int
    rows: int

    @classmethod
    def of(cls, path: Path) -> EventFile:
        """The file at a path.

        Raises
        ------
        CorruptArtefact
            It has another name than the archive gives.
        """
        found = _NAME.fullmatch(path.name)
        if found is None:
            raise CorruptArtefact(f"{path} is not named events-FIRST-LAST-ROWS.parquet; give it its old name back")
        return cls(path, *map(int, found.groups()))

    @property
    def day(self) -> str:
        """The day, in UTC, that its decisions were made on."""
        return self.path.parent.name.removeprefix("day=")

    def events(self) -> list[DecisionEvent]:
        """What it holds, in order.

        Raises
        ------
        CorruptArtefact
            It cannot be read, or holds other positions than its name says.
        """
        events = sorted(_read(self.path), key=lambda event: event.position)
        positions = (events[0].position, events[-1].position, len(events)) if events else (0, 0, 0)
        if not events or positions != (self.first, self.last, self.rows):
            raise CorruptArtefact(
                f"{self.path} holds {positions[2]} events from {positions[0]} to {positions[1]}, which is not what its "
                "name says; restore it"
            )
        return events


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where the archive begins: the last position that was removed, and its event's hash."""

    position: int
    chain: str


class Archive:
    """The archive in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, events: Sequence[DecisionEvent]) -> None:
        """Keep events, on the disk when it returns."""
        ordered = sorted(set(events), key=lambda event: event.position)  # some may have come twice
        for day, group in groupby(ordered, key=day_of):
            rows = list(group)
            folder = self.folder / f"day={day}"
            folder.mkdir(parents=True, exist_ok=True)
            columns = {name: [getattr(event, name) for event in rows] for name in SCHEMA.names}
            sink = pa.BufferOutputStream()
            pq.write_table(pa.table(columns, SCHEMA), sink, compression="zstd")
            name = f"events-{rows[0].position:012d}-{rows[-1].position:012d}-{len(rows)}.parquet"
            replace_file(folder / name, bytes(sink.getvalue()))

    def files(self) -> list[EventFile]:
        """Its files, by day and then by position.

        Raises
        ------
        CorruptArtefact
            One has another name than the archive gives.
        """
        return [EventFile.of(path) for path in sorted(self.folder.glob("day=*/events-*.parquet"))]

    def events(self) -> Iterator[DecisionEvent]:
        """All events behind the anchor in order, each position once; a file is opened when its turn comes.

        Raises
        ------
        CorruptArtefact
            A file cannot be read, or two files hold different events for one position.
        """
        removed = self.anchor().position
        before: DecisionEvent | None = None
        for event, path in _merged([file for file in self.files() if file.last > removed]):
            if event.position <= removed:
                continue
            if before is None or event.position != before.position:
                yield event
            elif event != before:
                raise CorruptArtefact(f"{path} holds another event at position {event.position} than an earlier file")
            before = event

    def anchor(self) -> Anchor:
        """Where it begins; position 0 where nothing was removed.

        Raises
        ------
        CorruptArtefact
            The file that says so cannot be read.
        """
        path = self.folder / ANCHOR_FILE
        try:
            content = json.loads(path.read_bytes())
            return Anchor(int(content["position"]), str(content["chain"]))
        except FileNotFoundError:
            return Anchor(0, GENESIS)
        except (ValueError, KeyError, TypeError) as error:
            raise CorruptArtefact(f"{path} cannot be read ({error}); restore it") from error

    def last_whole(self) -> DecisionEvent | None:
        """The event up to which no position is missing; None where the first one is.

        Raises
        ------
        CorruptArtefact
            A file that has to be read for it cannot be.
        """
        files = sorted(self.files(), key=lambda file: file.first)
        whole = _whole_until(self.anchor().position, files)
        for file in files:
            if file.first <= whole <= file.last:
                for event in file.events():
                    if event.position == whole:
                        return event
        return None

    def remove_days(self, before: str, dry_run: bool = False) -> list[EventFile]:
        """Remove the files of the days before one (YYYY-MM-DD), oldest positions first; which ones they were.

        What was decided on those days but has a later position than an event that stays remains with it: what is kept
        is one chain. A `dry_run` removes nothing.

        Raises
        ------
        CorruptArtefact
            The chain of what would go is broken: it is evidence, and stays. Or a file cannot be read.
        """
        if not self.folder.is_dir():
            return []
        with locked(self.folder / LOCK_FILE):
            anchor, files = self.anchor(), self.files()
            last = _last_to_go(anchor.position, files, before)
            going = [file for file in files if file.last <= last]
            if last > anchor.position:
                anchor = self._next_anchor(anchor, last, going)
            if not dry_run and going:
                # Whatever stops this now: what lies before the anchor is not read any more, and goes the next time.
                replace_file(self.folder / ANCHOR_FILE, json.dumps(asdict(anchor)).encode())
                for file in going:
                    file.path.unlink()
                    with suppress(OSError):  # others are in it
                        file.path.parent.rmdir()
        return going

    def _next_anchor(self, anchor: Anchor, last: int, going: Sequence[EventFile]) -> Anchor:
        """Follow the chain through what goes."""
        chain = anchor.chain
        for event in self.events():
            if event.position > last:
                break
            if broken_links([event], chain):
                raise CorruptArtefact(
                    f"the chain is broken at position {event.position}, in the days that would be removed "
                    f"({going[0].day} and later); run `fraudkit replay` and restore what was changed"
                )
            chain = event.chain
        return Anchor(last, chain)


def _whole_until(start: int, files: Sequence[EventFile]) -> int:
    """The last position behind `start` up to which none is missing; `files` by first position."""
    whole = start
    waiting: list[int] = []  # positions of files with gaps
    for file in files:
        if file.first > whole + 1:
            break
        if file.last <= whole:
            continue
        if file.rows == file.last - file.first + 1:
            whole = file.last
        else:
            for event in file.events():
                heapq.heappush(waiting, event.position)
        while waiting and waiting[0] <= whole + 1:
            whole = max(whole, heapq.heappop(waiting))
    return whole


def _last_to_go(start: int, files: Sequence[EventFile], before: str) -> int:
    """The last position such that it and all before it are there and lie in files of days before one."""
    ordered = sorted(files, key=lambda file: file.first)
    last = _whole_until(start, ordered)
    for file in reversed(ordered):
        if file.day >= before or file.last > last >= file.first:
            last = min(last, file.first - 1)
    return max(last, start)


def _merged(files: Sequence[EventFile]) -> Iterator[tuple[DecisionEvent, Path]]:
    """The events of all files by position, those of one position in the order of `files`, and where each lies."""
    unopened = sorted(range(len(files)), key=lambda number: files[number].first, reverse=True)
    heads: list[tuple[int, int, DecisionEvent, Iterator[DecisionEvent]]] = []  # no two have the first two numbers alike
    while unopened or heads:
        while unopened and (not heads or files[unopened[-1]].first <= heads[0][0]):
            number = unopened.pop()
            rest = iter(files[number].events())
            event = next(rest)
            heapq.heappush(heads, (event.position, number, event, rest))
        _, number, event, rest = heads[0]
        yield event, files[number].path
        following = next(rest, None)
        if following is None:
            heapq.heappop(heads)
        else:
            heapq.heapreplace(heads, (following.position, number, following, rest))


def day_of(event: DecisionEvent) -> str:
    """The day, in UTC, that an event's decision was made on."""
    return f"{from_epoch_ms(event.decided_at_ms):%Y-%m-%d}"


def _read(path: Path) -> list[DecisionEvent]:
    try:
        table = pq.read_table(path, schema=SCHEMA, partitioning=None)
    except (pa.ArrowException, OSError) as error:
        raise CorruptArtefact(f"{path} cannot be read as decision events ({error}); restore it") from error
    columns = [table.column(name).to_pylist() for name in SCHEMA.names]
    return [DecisionEvent(*row) for row in zip(*columns, strict=True)]
