"""The archive of decision events: Parquet, a folder a day of decision.

A file is named after the positions it holds and appears in one step. The same events again give the
same file, so writing twice changes nothing; what two consumers wrote both is read once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from itertools import groupby
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from fraudkit.core.clock import from_epoch_ms
from fraudkit.core.decision_event import DecisionEvent
from fraudkit.core.errors import CorruptArtefact
from fraudkit.core.files import replace_file

_TYPES = {"int": pa.int64(), "str": pa.string(), "bytes": pa.binary(), "float | None": pa.float64()}
SCHEMA = pa.schema([(field.name, _TYPES[str(field.type)]) for field in fields(DecisionEvent)])


class Archive:
    """The archive in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, events: Sequence[DecisionEvent]) -> None:
        """Keep events, on the disk when it returns."""
        ordered = sorted(events, key=lambda event: event.position)
        for day, group in groupby(ordered, key=day_of):
            rows = list(group)
            folder = self.folder / f"day={day}"
            folder.mkdir(parents=True, exist_ok=True)
            columns = {name: [getattr(event, name) for event in rows] for name in SCHEMA.names}
            sink = pa.BufferOutputStream()
            pq.write_table(pa.table(columns, SCHEMA), sink, compression="zstd")
            name = f"events-{rows[0].position:012d}-{rows[-1].position:012d}-{len(rows)}.parquet"
            replace_file(folder / name, bytes(sink.getvalue()))

    def events(self) -> Iterator[DecisionEvent]:
        """All events in order, each position once.

        Raises
        ------
        CorruptArtefact
            A file cannot be read, or two files hold different events for one position.
        """
        seen: dict[int, DecisionEvent] = {}
        for path in sorted(self.folder.glob("day=*/events-*.parquet")):
            for event in _read(path):
                if seen.setdefault(event.position, event) != event:
                    raise CorruptArtefact(
                        f"{path} holds another event at position {event.position} than an earlier file"
                    )
        for position in sorted(seen):
            yield seen[position]


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
