"""What `fraudkit log expire` removes and what it leaves, on SQLite and on a real PostgreSQL alike."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from fraudkit.audit import expire as expire_module
from fraudkit.audit.archive import FOLDER, Archive
from fraudkit.audit.expire import EVERYWHERE, Expiry, Safe
from fraudkit.cli import app
from fraudkit.core.clock import DAY_S
from fraudkit.core.config import settings
from fraudkit.core.decision_event import DecisionEvent
from fraudkit.core.errors import InvalidInput, NotReady
from fraudkit.features.secondary_choice import secondary_table
from fraudkit.serve.decisions import Context, DecisionStore, Record, Rescored
from fraudkit.serve.decisions.followers import SharedFollowers
from fraudkit.serve.decisions.opening import open_decisions, open_progress, open_reader
from fraudkit.serve.decisions.removal import TO_RESCORE, UNDER_REVIEW, Removal
from fraudkit.serve.event_stream import AT_ONCE, Publisher
from fraudkit.serve.follower import POSITION_KEY

CONTEXT = Context("v", "m", "r", "p", "s", "c")
NOW_MS = time.time_ns() // 1_000_000
BEYOND = "2999-01-01"


class Shelf:
    """A sink that keeps what it took."""

    def __init__(self) -> None:
        self.taken: list[DecisionEvent] = []

    def room(self) -> int:
        return AT_ONCE

    def put(self, events) -> None:
        self.taken += events


@dataclass
class Home:
    """A decision database, what follows from it, and the command."""

    store: DecisionStore
    context: int
    shelf: Shelf

    def decide(self, names: Iterator[str] | list[str], days_ago: float, **changes: object) -> None:
        at_ms = NOW_MS - round(days_ago * DAY_S * 1000)
        made = {"action": "APPROVE", "to_rescore": False, "vector": b"v" * 572, **changes}
        records = [
            Record(
                name, name.encode(), at_ms, made["action"], 0.1, b'{"a":1}', made["vector"], b"{}", "",
                made["to_rescore"], self.context,
            )
            for name in names
        ]  # fmt: skip
        for start in range(0, len(records), 100):
            self.store.add(records[start : start + 100])

    def publish(self) -> None:
        chosen = settings()
        with (
            closing(open_reader(chosen.run, chosen.database_url)) as reader,
            closing(open_progress(chosen.run, chosen.database_url)) as progress,
        ):
            publisher = Publisher(reader, self.shelf, progress)
            while publisher.step():
                pass

    def archive(self) -> None:
        Archive(settings().home / FOLDER).add(self.shelf.taken)

    def mirror(self, name: str = "here", position: int | None = None) -> None:
        """Let a secondary store have everything, or everything up to a position."""
        chosen = settings()
        if position is None:
            with closing(open_reader(chosen.run, chosen.database_url)) as reader:
                rows = reader.events_after(0, 100_000)
                position = rows[-1][0] if rows else 0
        if chosen.database_url is None:
            with closing(secondary_table(chosen.secondary, chosen.run)) as table:
                table.put({POSITION_KEY: str(position).encode()}, None)
        else:
            with closing(SharedFollowers(chosen.database_url)) as followers:
                followers.tell(name, position)

    def follow(self) -> None:
        self.publish()
        self.archive()
        self.mirror()

    def names(self) -> set[str]:
        with self.store.database.others() as line:
            return {row[0] for row in line.rows("SELECT transaction_id FROM decisions")}

    def expire(self, *options: str) -> dict:
        done = CliRunner().invoke(app, ["log", "expire", "--json", *options], catch_exceptions=False)
        return json.loads(done.stdout)


@pytest.fixture
def set_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Home]]:
    stores = []
    monkeypatch.setattr(expire_module, "SAMPLE", 0)  # the tests of the sample set their own

    def make(url: str | None = None, **variables: str) -> Home:
        monkeypatch.setenv("FRAUDKIT_HOME", str(tmp_path))
        monkeypatch.setenv("FRAUDKIT_ACCEPTED_DAYS", "3")
        monkeypatch.setenv("FRAUDKIT_PATIENCE", "100")
        for name, text in variables.items():
            monkeypatch.setenv(name, text)
        if url is not None:
            monkeypatch.setenv("DATABASE_URL", url)
        settings.cache_clear()
        stores.append(open_decisions(settings()))
        return Home(stores[-1], stores[-1].context_id(CONTEXT), Shelf())

    yield make
    for store in stores:
        store.close()
    settings.cache_clear()


@pytest.fixture(params=["sqlite", "postgres"])
def home(request: pytest.FixtureRequest, set_up: Callable[..., Home]) -> Home:
    return set_up(request.getfixturevalue("postgres").new_database() if request.param == "postgres" else None)


@pytest.fixture
def on_sqlite(set_up: Callable[..., Home]) -> Home:
    return set_up()


def expire_all(home: Home, rest: Callable[[float], None]) -> None:
    """What the command does with the database, without a pause of its own."""
    with closing(open_reader(settings().run, settings().database_url)) as reader:
        expiry = Expiry(reader, Removal(home.store.database), Safe(EVERYWHERE, EVERYWHERE), BEYOND, BEYOND)
        expiry.remove(expiry.look(lambda *_: None), lambda *_: None, rest)


def test_old_decisions_go_and_young_ones_stay(home: Home):
    home.decide([f"old{n}" for n in range(150)], 9)
    home.decide([f"young{n}" for n in range(20)], 6)
    home.follow()
    told = home.expire("--dry-run")
    assert (told["old"], told["removed"], told["held"]) == (150, 150, {})
    assert len(home.names()) == 170
    assert home.expire() == told | {"dry_run": False}
    assert home.names() == {f"young{n}" for n in range(20)}
    assert home.expire()["old"] == 0


def test_days_are_whole_and_can_be_chosen(home: Home):
    home.decide(["a"], 12.5)
    home.decide(["b"], 10.5)
    home.decide(["c"], 0)
    home.follow()
    home.expire("--days", "11")
    assert home.names() == {"b", "c"}


def test_what_is_not_published_stays(home: Home):
    home.decide(["a", "b"], 9)
    home.follow()
    home.decide(["c", "d", "e"], 9)
    home.decide(["new"], 0)
    home.mirror()
    told = home.expire()
    assert (told["removed"], told["held"]) == (2, {"not in the archive": 3})
    assert home.names() == {"c", "d", "e", "new"}


def test_what_is_published_and_not_archived_stays(home: Home):
    home.decide(["a", "b"], 9)
    home.follow()
    home.decide(["c", "d"], 9)
    home.decide(["new"], 0)
    home.publish()
    home.mirror()
    home.expire()
    assert home.names() == {"c", "d", "new"}


def test_what_lies_behind_a_gap_of_the_archive_stays(home: Home):
    home.decide([f"t{n}" for n in range(6)], 9)
    home.decide(["new"], 0)
    home.publish()
    home.mirror()
    lost = home.shelf.taken.pop(3)
    home.archive()
    assert home.expire()["held"] == {"not in the archive": 3}
    assert home.names() == {"t3", "t4", "t5", "new"}
    Archive(settings().home / FOLDER).add([lost])
    assert home.expire()["removed"] == 3


def test_the_archive_of_another_database_says_nothing(home: Home):
    home.decide(["a", "b"], 9)
    home.decide(["new"], 0)
    home.follow()
    with home.store.database.others() as line:
        line.run("UPDATE decisions SET payload_digest = ?", (b"other",))
    assert home.expire()["held"] == {"not in the archive": 2}


def test_what_was_published_without_being_noted_stays(home: Home):
    """It is published again, under the same numbers, which takes the same decisions."""
    home.decide(["a", "b"], 9)
    home.follow()
    with closing(open_progress(settings().run, settings().database_url)) as progress:
        before = progress.read()
    home.decide(["c", "d"], 9)
    home.decide(["new"], 0)
    home.follow()
    with closing(open_progress(settings().run, settings().database_url)) as progress, progress.turn():
        progress.keep(before)
    home.expire()
    assert home.names() == {"c", "d", "new"}


def test_what_a_secondary_store_lacks_stays(home: Home):
    home.decide(["a", "b", "c"], 9)
    home.decide(["new"], 0)
    home.publish()
    home.archive()
    assert home.expire()["held"] == {"not in every secondary store": 3}
    with closing(open_reader(settings().run, settings().database_url)) as reader:
        second = reader.events_after(0, 10)[1][0]
    home.mirror(position=second)
    told = home.expire()
    assert (told["removed"], told["held"]) == (2, {"not in every secondary store": 1})


def test_of_several_pods_the_last_one_counts_until_it_is_gone(set_up: Callable[..., Home], postgres):
    url = postgres.new_database()
    home = set_up(url)
    home.decide(["a", "b"], 9)
    home.decide(["new"], 0)
    home.follow()
    home.mirror("new pod", position=0)
    assert home.expire()["removed"] == 0
    with psycopg.connect(url, autocommit=True) as line:
        line.execute("UPDATE followers SET told_at = now() - interval '25 hours' WHERE name = 'new pod'")
    assert home.expire()["removed"] == 2
    home.mirror("another")
    with psycopg.connect(url, autocommit=True) as line:
        assert line.execute("SELECT count(*) FROM followers").fetchone() == (2,)


def test_a_shared_database_of_before_gets_the_table_of_followers(set_up: Callable[..., Home], postgres):
    url = postgres.new_database()
    set_up(url)
    with psycopg.connect(url, autocommit=True) as line:
        line.execute("DROP TABLE followers")
    home = set_up(url)
    home.mirror("here", 5)


def test_what_the_service_works_on_stays_and_what_it_finished_goes_whole(home: Home):
    home.decide(["open", "closed"], 9, action="REVIEW")
    home.decide(["waits", "again"], 9, to_rescore=True)
    home.decide(["new"], 0)
    home.store.add_feedback("closed", "chargeback", True, NOW_MS)
    home.store.add_rescored([Rescored("again", NOW_MS, "APPROVE", 0.2, b"", home.context)])
    home.follow()
    told = home.expire()
    assert (told["removed"], told["held"]) == (2, {UNDER_REVIEW: 1, TO_RESCORE: 1})
    assert home.names() == {"open", "waits", "new"}
    assert home.store.reviews.get("closed") is None and home.store.reviews.get("open") is not None
    assert home.store.rescored("again") is None
    assert [event.event for event in home.store.reviews.events("closed")] == ["chargeback"]


def test_a_case_that_is_opened_meanwhile_stays(home: Home):
    at_once = home.store.database.pace.rows
    home.decide([f"t{n:03}" for n in range(at_once + 5)], 9)
    home.decide(["new"], 0)
    home.follow()

    def meanwhile(_: float) -> None:
        with home.store.database.others() as line:
            late = "INSERT INTO review_items (transaction_id, action, expected_loss, queued_at_ms) VALUES (?, ?, 1, 1)"
            line.run(f"{late} ON CONFLICT DO NOTHING", (f"t{at_once:03}", "REVIEW"))

    expire_all(home, meanwhile)
    assert f"t{at_once:03}" in home.names()


def test_a_commit_removes_few_and_payments_come_between(home: Home, monkeypatch: pytest.MonkeyPatch):
    home.decide([f"t{n}" for n in range(1_200)], 9)
    home.decide(["new"], 0)
    home.follow()
    sizes, rests = [], []
    remove = Removal.remove
    monkeypatch.setattr(Removal, "remove", lambda self, names: sizes.append(len(names)) or remove(self, names))
    expire_all(home, rests.append)
    assert sum(sizes) >= 1_200 and max(sizes) <= home.store.database.pace.rows
    assert len(rests) == len(sizes)


def test_readers_miss_nothing_that_is_decided_after_everything_went(home: Home):
    home.decide(["a", "b", "c"], 9)
    home.follow()
    home.expire()
    home.decide(["d", "e"], 0)
    home.publish()
    assert [event.transaction_id for event in home.shelf.taken] == list("abcde")
    with closing(open_reader(settings().run, settings().database_url)) as reader:
        assert reader.behind(0) >= 2


def test_a_word_on_a_decision_that_went_is_kept_as_on_one_never_made(home: Home):
    home.decide(["a"], 9)
    home.decide(["new"], 0)
    home.store.add_feedback("a", "user_report", True, NOW_MS)
    home.follow()
    home.expire()
    assert home.store.add_feedback("a", "chargeback", True, NOW_MS) == (False, False)
    assert home.store.add_feedback("a", "chargeback", True, NOW_MS) == (False, True)
    assert [word.source for word in home.store.feedback("a")] == ["user_report", "chargeback"]


def test_a_sample_of_each_day_waits_for_its_labels_whatever_they_are(home: Home, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(expire_module, "SAMPLE", 30)
    names = {days: {f"d{days}-{n}" for n in range(300)} for days in (9, 20, 160)}
    for days, of_day in names.items():
        home.decide(sorted(of_day), days)
    home.decide(["few1", "few2"], 15)
    home.decide(["new"], 0)
    for days in names:
        for n in range(0, 300, 2):
            home.store.add_feedback(f"d{days}-{n}", "chargeback", True, NOW_MS)
    home.follow()
    told = home.expire()
    left = home.names()
    for days in (9, 20):
        sample = left & names[days]
        assert 12 <= len(sample) <= 55
        told_of = sum(int(name.partition("-")[2]) % 2 == 0 for name in sample)
        assert 0.2 < told_of / len(sample) < 0.8  # half of all have a word
    assert not left & names[160]
    assert {"few1", "few2", "new"} <= left
    assert told["held"] == {"in the sample for labels": len(left) - 1}
    assert home.expire()["removed"] == 0  # the sample of a sample is the same sample
    assert home.names() == left
    assert home.expire("--without-labels")["removed"] == len(left) - 1


def test_days_of_the_archive_wait_for_labels_unless_nobody_does(home: Home):
    for days in (160, 100, 80, 9):
        home.decide([f"d{days}"], days)
    home.decide(["new"], 0)
    home.follow()
    archive = Archive(settings().home / FOLDER)
    told = home.expire()
    assert (told["archive_days"], told["archive_events"], told["begins_after"]) == (1, 1, 1)
    assert [event.transaction_id for event in archive.events()] == ["d100", "d80", "d9", "new"]
    assert home.expire("--without-labels")["begins_after"] == 2
    assert home.expire("--without-labels", "--archive-days", "30")["begins_after"] == 3
    assert [event.transaction_id for event in archive.events()] == ["d9", "new"]
    home.decide(["later"], 0)
    home.follow()
    assert [event.transaction_id for event in archive.events()] == ["d9", "new", "later"]


@pytest.mark.parametrize(
    ("accepted", "options", "message"),
    [
        ("", [], "any day since 1990.*FRAUDKIT_ACCEPTED_DAYS.*fewer than 7"),
        ("7", [], "of the last 7: one that is sent again"),
        ("3", ["--days", "2"], "of the last 3"),
        ("3", ["--days", "20", "--archive-days", "19"], "below --days 20"),
        ("3", ["--unarchived"], "events are off"),
    ],
)
def test_a_setting_that_would_lose_something_is_refused(
    set_up: Callable[..., Home], accepted: str, options: list[str], message: str
):
    home = set_up(FRAUDKIT_ACCEPTED_DAYS=accepted)
    home.decide(["a"], 30)
    home.decide(["new"], 0)
    home.follow()
    with pytest.raises(InvalidInput, match=message):
        home.expire(*options)
    assert home.names() == {"a", "new"}


def test_without_events_somebody_has_to_say_it(set_up: Callable[..., Home]):
    home = set_up(FRAUDKIT_EVENTS="off")
    home.decide(["a"], 9)
    home.decide(["new"], 0)
    home.mirror()
    with pytest.raises(InvalidInput, match="would be nowhere"):
        home.expire()
    assert home.expire("--unarchived")["removed"] == 1


def test_without_a_database_none_is_made(set_up: Callable[..., Home], tmp_path: Path, monkeypatch):
    set_up()
    monkeypatch.setenv("FRAUDKIT_HOME", str(tmp_path / "elsewhere"))
    settings.cache_clear()
    with pytest.raises(NotReady, match="no decision database"):
        CliRunner().invoke(app, ["log", "expire"], catch_exceptions=False)
    assert not (tmp_path / "elsewhere").exists()


def test_the_file_of_sqlite_does_not_grow_for_what_takes_the_place(on_sqlite: Home):
    home, n = on_sqlite, 3_000
    sizes = []
    for turn in range(4):
        home.decide([f"{turn}-{k}" for k in range(n)], 9)
        home.follow()
        home.expire()
        with sqlite3.connect(settings().run / "decisions.db") as line:
            (pages,), (free,) = (
                line.execute("PRAGMA page_count").fetchone(),
                line.execute("PRAGMA freelist_count").fetchone(),
            )
            sizes.append(pages)
        line.close()
        assert free > 0.8 * pages
    assert sizes[-1] < 1.2 * sizes[0]


def test_a_table_of_postgres_does_not_grow_for_what_takes_the_place(set_up: Callable[..., Home], postgres):
    url = postgres.new_database()
    home, n = set_up(url), 3_000
    sizes = []
    with psycopg.connect(url, autocommit=True) as line:
        for turn in range(4):
            home.decide([f"{turn}-{k}" for k in range(n)], 9)
            home.follow()
            sizes.append(line.execute("SELECT pg_total_relation_size('decisions')").fetchone()[0])
            home.expire()
            line.execute("VACUUM decisions")  # what autovacuum does in its time
    assert sizes[-1] < 1.3 * sizes[0]


def test_people_are_told_in_sentences(home: Home):
    home.decide(["a", "b"], 9)
    home.decide(["new"], 0)
    home.publish()
    home.archive()
    done = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["log", "expire"], catch_exceptions=False)
    assert "0 of 2 decisions made before" in done.stdout
    assert "2 stay: not in every secondary store" in done.stdout


def test_decisions_that_come_while_others_are_counted_do_no_harm(home: Home, monkeypatch: pytest.MonkeyPatch):
    """A journal brings old ones in between the two looks."""
    home.decide(["new"], 0)
    counted = Expiry._old

    def then_more(self: Expiry) -> Iterator[tuple[int, str, int]]:
        yield from counted(self)
        home.decide(["late1", "late2"], 9)
        home.decide(["newer"], 0)

    monkeypatch.setattr(Expiry, "_old", then_more)
    home.expire()
    assert {"late1", "late2", "newer"} <= home.names()
