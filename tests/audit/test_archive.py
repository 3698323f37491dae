"""The archive as it is read: in order, each position once, and no more of it in memory than must be."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fraudkit.audit import archive as archive_module
from fraudkit.audit.archive import ANCHOR_FILE, Anchor, Archive
from fraudkit.core.clock import DAY_S, from_epoch_ms
from fraudkit.core.decision_event import GENESIS, DecisionEvent, broken_links
from fraudkit.core.errors import CorruptArtefact

START_MS = 20_370 * DAY_S * 1000  # midnight
A_FILE = 50  # events
FILES = 60


def chain(n: int, a_day: int, blob: bytes = b"{}") -> list[DecisionEvent]:
    """n linked events from position 1, `a_day` a day."""
    before, made = GENESIS, []
    for position in range(1, n + 1):
        at_ms = START_MS + (position - 1) * DAY_S * 1000 // a_day
        plain = DecisionEvent(
            position, f"t{position}", b"d", at_ms, "APPROVE", 0.1, b"{}", blob, b"{}", "", "v0001", "m", "r", "p",
            "s", "c",
        )  # fmt: skip
        made.append(plain.linked(before))
        before = made[-1].chain
    return made


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive")


class Held:
    """How many events were read from files and not handed on yet, at most."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = self.most = 0
        read = archive_module._read

        def counted(path: Path) -> list[DecisionEvent]:
            found = read(path)
            self.now += len(found)
            self.most = max(self.most, self.now)
            return found

        monkeypatch.setattr(archive_module, "_read", counted)

    def through(self, events: Iterator[DecisionEvent]) -> Iterator[DecisionEvent]:
        for event in events:
            self.now -= 1
            yield event


def test_reading_holds_a_file_of_events_and_not_the_archive(archive: Archive, monkeypatch: pytest.MonkeyPatch):
    made = chain(A_FILE * FILES, a_day=A_FILE * 4)
    for start in range(0, len(made), A_FILE):
        archive.add(made[start : start + A_FILE])
    held = Held(monkeypatch)
    assert list(held.through(archive.events())) == made
    assert held.most == A_FILE


def test_of_consumers_that_share_the_work_a_file_each_is_held(archive: Archive, monkeypatch: pytest.MonkeyPatch):
    made = chain(A_FILE * FILES, a_day=A_FILE * FILES)
    shares: list[list[DecisionEvent]] = [[], [], []]
    chance = random.Random(7)
    for event in made:
        share = shares[chance.randrange(3)]
        share.append(event)
        if len(share) == A_FILE:
            archive.add(share)
            share.clear()
    for share in shares:
        archive.add(share)
    held = Held(monkeypatch)
    assert list(held.through(archive.events())) == made
    assert held.most <= 2 * 3 * A_FILE  # a consumer's next file may begin before its last one ends


def test_the_peak_of_memory_does_not_grow_with_the_archive(archive: Archive):
    made = chain(A_FILE * FILES, a_day=A_FILE * 4, blob=bytes(2_000))
    for start in range(0, len(made), A_FILE):
        archive.add(made[start : start + A_FILE])
    del made
    list(archive.events())[:0]  # what is made once at the first reading is none of the archive's
    tracemalloc.start()
    try:
        assert broken_links(archive.events()) == []
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < A_FILE * FILES * 2_000 / 5


def test_what_two_consumers_wrote_is_read_once_and_in_order(archive: Archive):
    made = chain(40, a_day=20)
    for part in (made[20:], made[5:30], made[:20], made[5:30]):
        archive.add(part)
    assert list(archive.events()) == made


def test_an_event_twice_in_one_file_is_read_once(archive: Archive):
    made = chain(10, a_day=10)
    archive.add([*made, made[4]])
    assert list(archive.events()) == made


def test_an_event_twice_in_one_file_hides_no_gap(archive: Archive):
    made = chain(4, a_day=10)
    archive.add([made[0], made[1], made[1], made[3]])
    assert archive.last_whole() == made[1]


def test_a_payment_of_an_earlier_day_that_came_late_keeps_its_place(archive: Archive):
    made = chain(30, a_day=10)
    late = replace(made[-1], position=31, decided_at_ms=START_MS).linked(made[-1].chain)
    archive.add([*made, late])
    assert [event.position for event in archive.events()] == list(range(1, 32))


@pytest.mark.parametrize("position", [5, 12, 20], ids=["first", "inside", "last"])
def test_another_event_at_a_position_is_told_with_its_file(archive: Archive, position: int):
    made = chain(20, a_day=20)
    archive.add(made)
    other = [replace(event, action="DECLINE") if event.position == position else event for event in made[4:]]
    archive.add(other)
    with pytest.raises(CorruptArtefact, match=rf"000005-000000000020-16.*another event at position {position} "):
        list(archive.events())


def test_a_missing_position_breaks_the_chain(archive: Archive):
    made = chain(30, a_day=10)
    archive.add(made[:12])
    archive.add(made[13:])
    assert broken_links(archive.events()) == [14]


def test_a_file_that_holds_something_else_than_its_name_says_is_told(archive: Archive):
    archive.add(chain(20, a_day=20))
    (file,) = archive.files()
    for name in ("events-000000000001-000000000019-20", "events-000000000002-000000000020-20", "events-1-20-21"):
        moved = file.path.rename(file.path.with_name(f"{name}.parquet"))
        with pytest.raises(CorruptArtefact, match="what its name says"):
            list(archive.events())
        moved.rename(file.path)
    file.path.rename(file.path.with_name("events-old.parquet"))
    with pytest.raises(CorruptArtefact, match="give it its old name"):
        list(archive.events())


def test_a_damaged_file_is_told_by_name(archive: Archive):
    archive.add(chain(20, a_day=20))
    (file,) = archive.files()
    file.path.write_bytes(file.path.read_bytes()[:-50])
    with pytest.raises(CorruptArtefact, match=file.path.name):
        list(archive.events())


def kept(archive: Archive) -> list[int]:
    return [event.position for event in archive.events()]


def in_files_of(archive: Archive, events: list[DecisionEvent], size: int) -> None:
    for start in range(0, len(events), size):
        archive.add(events[start : start + size])


def day(number: int) -> str:
    """The day that is `number` days after the first one of `chain`."""
    return f"{from_epoch_ms(START_MS + number * DAY_S * 1000):%Y-%m-%d}"


def test_the_oldest_days_go_and_the_rest_is_a_chain_from_the_anchor_on(archive: Archive):
    made = chain(40, a_day=10)
    in_files_of(archive, made, 4)
    assert sum(file.rows for file in archive.remove_days(day(2), dry_run=True)) == 20
    assert kept(archive) == list(range(1, 41))
    assert sum(file.rows for file in archive.remove_days(day(2))) == 20
    assert archive.anchor() == Anchor(20, made[19].chain)
    assert kept(archive) == list(range(21, 41))
    assert not (archive.folder / f"day={day(0)}").exists()
    assert broken_links(archive.events(), archive.anchor().chain) == []
    archive.remove_days(day(3))
    assert archive.anchor() == Anchor(30, made[29].chain)
    assert archive.remove_days(day(3)) == []
    assert archive.last_whole() == made[-1]


@pytest.mark.parametrize("change", ["edited", "missing", "anchor lost"])
def test_what_happens_to_the_first_kept_event_is_found(archive: Archive, change: str):
    made = chain(40, a_day=10)
    in_files_of(archive, made, 1)
    archive.remove_days(day(2))
    if change == "anchor lost":
        (archive.folder / ANCHOR_FILE).unlink()
    else:
        next(file.path for file in archive.files() if file.first == 21).unlink()
    if change == "edited":
        archive.add([replace(made[20], action="DECLINE")])
    found = broken_links(archive.events(), archive.anchor().chain)
    assert found == [22 if change == "missing" else 21]


def test_an_anchor_that_cannot_be_read_is_told(archive: Archive):
    in_files_of(archive, chain(20, a_day=10), 5)
    archive.remove_days(day(1))
    (archive.folder / ANCHOR_FILE).write_text("{}")
    with pytest.raises(CorruptArtefact, match=r"removed\.json"):
        kept(archive)


def test_an_event_of_an_old_day_behind_newer_ones_stays_with_them(archive: Archive):
    """It came from a journal, days later."""
    made = chain(30, a_day=10)
    late = replace(made[-1], position=31, decided_at_ms=START_MS).linked(made[-1].chain)
    archive.add([*made, late])
    archive.remove_days(day(2))
    assert kept(archive) == list(range(21, 32))
    assert broken_links(archive.events(), archive.anchor().chain) == []
    archive.add([made[4], late])  # what a consumer wrote twice, in a file that reaches over the anchor
    assert kept(archive) == list(range(21, 32))


def test_a_file_that_reaches_over_the_end_of_what_goes_stays_whole(archive: Archive):
    """Two consumers shared the events of the first day, and one of them also had a late one."""
    made = chain(30, a_day=10)
    late = replace(made[-1], position=31, decided_at_ms=START_MS).linked(made[-1].chain)
    archive.add(made[0:10:2])
    archive.add([*made[1:10:2], late])
    archive.add(made[10:])
    archive.remove_days(day(1))
    assert (kept(archive), archive.anchor().position) == (list(range(1, 32)), 0)


def test_nothing_behind_a_missing_event_goes(archive: Archive):
    made = chain(40, a_day=10)
    in_files_of(archive, made[:13], 1)
    in_files_of(archive, made[14:], 1)
    assert archive.last_whole() == made[12]
    archive.remove_days(day(3))
    assert archive.anchor().position == 13
    assert kept(archive) == list(range(15, 41))
    assert archive.last_whole() is None


def test_a_missing_event_in_a_file_of_two_consumers_is_missed(archive: Archive):
    made = chain(30, a_day=30)
    archive.add(made[0:20:2])
    archive.add([event for event in made[1:20:2] if event.position != 14])
    archive.add(made[20:])
    assert archive.last_whole() == made[12]
    archive.add([made[13]])
    assert archive.last_whole() == made[-1]


def test_a_crash_while_files_go_leaves_what_is_read_as_it_will_be(archive: Archive, monkeypatch: pytest.MonkeyPatch):
    made = chain(40, a_day=10)
    in_files_of(archive, made, 4)
    unlink, calls = Path.unlink, iter(range(100))

    def dies(path: Path, missing_ok: bool = False) -> None:
        if path.suffix == ".parquet" and next(calls) == 2:
            raise KeyboardInterrupt
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", dies)
    with pytest.raises(KeyboardInterrupt):
        archive.remove_days(day(2))
    monkeypatch.undo()
    assert any(file.last <= 20 for file in archive.files())
    assert kept(archive) == list(range(21, 41))
    archive.remove_days(day(2))
    assert min(file.first for file in archive.files()) == 21
    assert kept(archive) == list(range(21, 41))


def test_a_broken_chain_keeps_the_days_that_it_is_broken_in(archive: Archive):
    made = chain(40, a_day=10)
    in_files_of(archive, [*made[:6], replace(made[6], action="DECLINE"), *made[7:]], 4)
    for dry_run in (True, False):
        with pytest.raises(CorruptArtefact, match="broken at position 7"):
            archive.remove_days(day(2), dry_run)
    assert kept(archive) == list(range(1, 41))


def test_an_archive_that_is_not_there_has_nothing_to_remove(archive: Archive):
    assert archive.remove_days(day(2)) == []
    assert archive.last_whole() is None
