"""What a learner has done, in one JSON file that crashes and several kernels at once leave whole.

Every change reads, changes and replaces the file while holding a lock. Sections that this version
does not know are kept as they are. Knows nothing of what an exercise asks.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from fraudkit.core.clock import Clock, SystemClock, from_epoch_ms
from fraudkit.core.config import settings
from fraudkit.core.console import console
from fraudkit.core.errors import InvalidInput
from fraudkit.core.files import locked, replace_file, sync_folder

FILE_NAME = "progress.json"
VERSION = 1
ROOMS = ("quiz", "mocks", "plan")  # written only once there is something in them

State = Literal["passed", "passed after the solution", "solution seen", "tried", "open"]
STATES: tuple[State, ...] = ("passed", "passed after the solution", "solution seen", "tried", "open")


@dataclass(slots=True)
class Record:
    """What happened with one exercise. Times are UTC in ISO 8601; None means never.

    Attributes
    ----------
    attempts : checks of an answer; a check of the untouched stub is none
    first_tried_at, last_tried_at : of those checks
    passed_at : the first pass; a later failure does not take it back
    hints : how many have been shown
    solution_shown_at : when the solution was first shown
    last_status, last_misconception : of the last attempt; the misconception by the name of its mutant
    kept : what a later version wrote here and this one does not know
    """

    attempts: int = 0
    first_tried_at: str | None = None
    last_tried_at: str | None = None
    passed_at: str | None = None
    hints: int = 0
    solution_shown_at: str | None = None
    last_status: str | None = None
    last_misconception: str | None = None
    kept: dict[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether an answer has passed, with or without our solution."""
        return self.passed_at is not None

    @property
    def solution_first(self) -> bool:
        """Whether our solution was on the screen before any pass."""
        return self.solution_shown_at is not None and (
            self.passed_at is None or self.solution_shown_at <= self.passed_at
        )

    @property
    def state(self) -> State:
        """The exercise in one of five words."""
        if self.passed:
            return "passed after the solution" if self.solution_first else "passed"
        if self.solution_first:
            return "solution seen"
        return "tried" if self.attempts else "open"

    @property
    def last_touched_at(self) -> str:
        """The last time of any of it, "" for an exercise that was never touched."""
        return max(self.last_tried_at or "", self.solution_shown_at or "", self.passed_at or "")


KNOWN = frozenset(entry.name for entry in fields(Record)) - {"kept"}


@dataclass(slots=True)
class Progress:
    """The whole file: exercises by id, checklists, and what else stands in it, untouched.

    A checklist is `{"ticked": {item: time of the tick}}` by its id; other keys in it are kept. What stands in
    `quiz`, `mocks` and `plan` is the business of the modules of these names.
    """

    exercises: dict[str, Record] = field(default_factory=dict)
    checklists: dict[str, Any] = field(default_factory=dict)
    quiz: dict[str, Any] = field(default_factory=dict)
    mocks: dict[str, Any] = field(default_factory=dict)
    plan: dict[str, Any] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)

    def record(self, exercise_id: str) -> Record:
        """The record of an exercise, an empty one that belongs to nobody when there is none."""
        return self.exercises.get(exercise_id) or Record()

    def ticked(self, checklist_id: str) -> frozenset[str]:
        """The ticked items of a checklist; none of what does not have the form above."""
        kept = self.checklists.get(checklist_id)
        ticked = kept.get("ticked") if isinstance(kept, dict) else None
        return frozenset(ticked) if isinstance(ticked, dict) else frozenset()

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as they stand in the file."""
        exercises = {}
        for exercise_id, record in self.exercises.items():
            plain = asdict(record)
            exercises[exercise_id] = plain.pop("kept") | plain
        rooms = {name: room for name in ROOMS if (room := getattr(self, name))}
        return self.kept | rooms | {"version": VERSION, "exercises": exercises, "checklists": self.checklists}


def dumps(progress: Progress) -> bytes:
    """Progress as the file's bytes, the same for the same content."""
    return (json.dumps(progress.as_dict(), indent=1, sort_keys=True) + "\n").encode()


def loads(data: bytes) -> Progress:
    """Progress from a file's bytes.

    Raises
    ------
    ValueError
        These bytes are no progress file.
    InvalidInput
        A later version of fraudkit wrote it.
    """
    try:
        document = json.loads(data)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(document, dict) or not isinstance(document.get("version"), int):
        raise ValueError("no version in it")
    if document["version"] > VERSION:
        raise InvalidInput(
            f"the progress file is of version {document['version']}, this fraudkit knows {VERSION}; update fraudkit"
        )
    rooms = {name: document.get(name, {}) for name in ("exercises", "checklists", *ROOMS)}
    if strange := [name for name, room in rooms.items() if not isinstance(room, dict)]:
        raise ValueError(f"{' and '.join(strange)} should be objects")
    kept = {key: value for key, value in document.items() if key != "version" and key not in rooms}
    exercises = {name: _record(name, values) for name, values in rooms.pop("exercises").items()}
    return Progress(exercises, **rooms, kept=kept)


def _record(name: str, values: Any) -> Record:
    """One exercise's record, its types checked."""
    if not isinstance(values, dict):
        raise ValueError(f"exercise {name} should be an object")
    for key in KNOWN & values.keys():
        value, is_count = values[key], key in ("attempts", "hints")
        right = type(value) is int and value >= 0 if is_count else value is None or isinstance(value, str)
        if not right:
            raise ValueError(f"exercise {name} has {key} = {value!r}")
    known = {key: value for key, value in values.items() if key in KNOWN}
    return Record(**known, kept={key: value for key, value in values.items() if key not in KNOWN})


def _say(sentence: str) -> None:
    console.print(sentence, style="yellow", markup=False)


class ProgressFile:
    """The progress file of a home, for any number of processes.

    Parameters
    ----------
    path : the file; FRAUDKIT_HOME/progress.json by default
    clock : tells the times that are written
    tell : is handed a sentence when a damaged file was moved aside
    """

    def __init__(
        self, path: Path | None = None, clock: Clock | None = None, tell: Callable[[str], None] = _say
    ) -> None:
        self.path = path or settings().home / FILE_NAME
        self.clock = clock or SystemClock()
        self.tell = tell

    def moment(self) -> datetime:
        """The time in UTC."""
        return from_epoch_ms(self.clock.now_ms())

    def now(self) -> str:
        """The time in UTC, ISO 8601 to the millisecond, so that texts sort as times do."""
        return self.moment().isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def read(self) -> Progress:
        """What stands in the file; nothing done where there is none."""
        try:
            return loads(self.path.read_bytes())
        except FileNotFoundError:
            return Progress()
        except ValueError:
            with self._locked():
                return self._read_or_move_aside()

    @contextmanager
    def change(self) -> Iterator[Progress]:
        """Hand out the progress to be changed in place, then write it; nothing is written when the block raises."""
        with self._locked():
            progress = self._read_or_move_aside()
            before = dumps(progress)
            yield progress
            after = dumps(progress)
            if after != before or not self.path.exists():
                self._write(after)

    def attempt(self, exercise_id: str, status: str, misconception: str = "") -> Record:
        """Record a checked answer; `status` is the verdict's. Gives the record as it now stands."""
        with self.change() as progress:
            record = progress.exercises.setdefault(exercise_id, Record())
            now = self.now()
            record.attempts += 1
            record.first_tried_at = record.first_tried_at or now
            record.last_tried_at = now
            record.last_status, record.last_misconception = status, misconception or None
            if status == "pass":
                record.passed_at = record.passed_at or now
        return record

    def hint(self, exercise_id: str, count: int, number: int | None = None) -> int:
        """Record one hint more, of `count`, or the one of this number; gives its number, from 1.

        The last one may be had again.
        """
        with self.change() as progress:
            record = progress.exercises.setdefault(exercise_id, Record())
            number = number or min(record.hints + 1, count)
            record.hints = max(record.hints, number)
        return number

    def solution(self, exercise_id: str) -> Record:
        """Record that the solution was shown."""
        with self.change() as progress:
            record = progress.exercises.setdefault(exercise_id, Record())
            record.solution_shown_at = record.solution_shown_at or self.now()
        return record

    def tick(self, checklist_id: str, item_id: str, ticked: bool = True) -> frozenset[str]:
        """Tick an item of a checklist, or take the tick back; gives what is ticked in it now."""
        with self.change() as progress:
            kept = progress.checklists.get(checklist_id)
            kept = kept if isinstance(kept, dict) else {}
            times = kept.get("ticked")
            times = dict(times) if isinstance(times, dict) else {}
            if ticked:
                times.setdefault(item_id, self.now())
            else:
                times.pop(item_id, None)
            progress.checklists[checklist_id] = kept | {"ticked": times}
            return progress.ticked(checklist_id)

    def export(self, target: Path) -> None:
        """Write a copy to `target`.

        Raises
        ------
        InvalidInput
            `target` exists already or cannot be written.
        """
        if target.exists():
            raise InvalidInput(f"{target} exists already; name a new file")
        try:
            replace_file(target.absolute(), dumps(self.read()))
        except OSError as error:
            raise InvalidInput(f"{target} cannot be written ({error.strerror}); name another file") from error

    def take(self, source: Path) -> Path | None:
        """Put an exported file in the place of this one; gives where the old one was kept.

        Raises
        ------
        InvalidInput
            `source` is no progress file.
        """
        try:
            progress = loads(source.read_bytes())
        except OSError as error:
            raise InvalidInput(f"{source} cannot be read ({error.strerror})") from error
        except ValueError as error:
            raise InvalidInput(
                f"{source} is no progress file ({error}); name one that fraudkit progress --export wrote"
            ) from error
        with self._locked():
            copy = self._copy("before-import")
            self._write(dumps(progress))
        return copy

    def reset(self) -> Path | None:
        """Begin again with nothing done; gives where the old file was kept, None where there was none."""
        with self._locked():
            copy = self._copy("before-reset")
            self._write(dumps(Progress()))
        return copy

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with locked(self.path.with_name(f".{self.path.name}.lock")):
            yield

    def _read_or_move_aside(self) -> Progress:
        """With the lock held: what stands in the file; a damaged one keeps its bytes under another name."""
        try:
            return loads(self.path.read_bytes())
        except FileNotFoundError:
            return Progress()
        except ValueError as error:
            aside = self._free_name("damaged")
            self.path.rename(aside)
            sync_folder(self.path.parent)
            self.tell(
                f"{self.path} is damaged ({error}) and was moved to {aside.name}; progress begins again. "
                f"If you can mend it: fraudkit progress --import {aside}"
            )
            return Progress()

    def _write(self, data: bytes) -> None:
        """With the lock held: replace the file, and remove what a killed writer left half done."""
        for leftover in self.path.parent.glob(f".{self.path.name}.*"):
            if leftover.suffix != ".lock":
                leftover.unlink(missing_ok=True)
        replace_file(self.path, data)

    def _copy(self, why: str) -> Path | None:
        """With the lock held: the file's bytes under another name."""
        if not self.path.exists():
            return None
        copy = self._free_name(why)
        replace_file(copy, self.path.read_bytes())
        return copy

    def _free_name(self, why: str) -> Path:
        """progress.WHY-TIME.json, with a number where that exists."""
        stamp = self.moment().strftime("%Y%m%dT%H%M%SZ")
        name, number = f"{self.path.stem}.{why}-{stamp}", 1
        found = self.path.with_name(f"{name}.json")
        while os.path.lexists(found):
            number += 1
            found = self.path.with_name(f"{name}-{number}.json")
        return found
