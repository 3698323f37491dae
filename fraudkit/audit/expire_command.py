"""`fraudkit log expire`: removes what is old enough and safe elsewhere, and tells what is not."""

from __future__ import annotations

import json
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from fraudkit.audit.archive import FOLDER, Archive
from fraudkit.core.clock import SystemClock
from fraudkit.core.config import Settings, settings
from fraudkit.core.console import output, progress_table
from fraudkit.core.errors import InvalidInput, NotReady

if TYPE_CHECKING:
    from fraudkit.serve.decisions.reader import Reader


@dataclass(frozen=True, slots=True)
class Report:
    """What went, or would go.

    Attributes
    ----------
    before, archive_before : decisions made, and archived days, from this day (UTC) on stay
    old, removed : decisions made before it, and those of them that went
    held : reason -> old decisions that stay for it
    archive_days, archive_events : days of the archive of which something went, and how many rows
    begins_after : the last position that is no longer in the archive
    """

    dry_run: bool
    before: str
    old: int
    removed: int
    held: dict[str, int]
    archive_before: str
    archive_days: int
    archive_events: int
    begins_after: int


def expire(
    days: Annotated[int, typer.Option(min=1, help="Whole days that a decision stays in the database.")] = 7,
    archive_days: Annotated[int, typer.Option(min=1, help="Whole days that an event stays in the archive.")] = 90,
    without_labels: Annotated[
        bool,
        typer.Option(
            "--without-labels",
            help="Do not wait for labels: no sample stays in the database, and no day in the archive for its labels.",
        ),
    ] = False,
    unarchived: Annotated[
        bool, typer.Option("--unarchived", help="Events are off: remove decisions that are nowhere else.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Remove nothing; say what would go.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Remove old decisions from the database and old days from the archive.

    What is not archived, not in every secondary store, under review or to be decided again stays. A sample of each day
    stays in the database, and each day in the archive, for 150 days: until its labels have matured.
    """
    from fraudkit.audit.expire import check_days

    check_days(days, settings().accepted_days)
    if archive_days < days:
        raise InvalidInput(f"--archive-days {archive_days} is below --days {days}; keep events at least as long")
    if settings().events == "off" and not unarchived:
        raise InvalidInput(
            "events are off, so that what is removed would be nowhere; set FRAUDKIT_EVENTS, or say --unarchived"
        )
    if unarchived and settings().events != "off":
        raise InvalidInput("--unarchived is for a service whose events are off; leave it out and archive them")
    report = _expire(settings(), days, archive_days, without_labels, dry_run)
    typer.echo(json.dumps(asdict(report))) if as_json else _tell(report)


def _expire(chosen: Settings, days: int, archive_days: int, without_labels: bool, dry_run: bool) -> Report:
    from fraudkit.audit.expire import LABELLED_DAYS, Expiry, Safe, day_before
    from fraudkit.serve.decisions.opening import DATABASE_FILE, open_decisions, open_reader
    from fraudkit.serve.decisions.removal import Removal

    if chosen.database_url is None and not (chosen.run / DATABASE_FILE).exists():
        raise NotReady(f"there is no decision database at {chosen.run / DATABASE_FILE}; start the service there once")
    now_ms = SystemClock().now_ms()
    before = day_before(now_ms, days)
    sampled_from = before if without_labels else day_before(now_ms, LABELLED_DAYS)
    archive_before = day_before(now_ms, archive_days if without_labels else max(archive_days, LABELLED_DAYS))
    archive = Archive(chosen.home / FOLDER)
    with ExitStack() as opened, progress_table(["look", "database", "archive"]) as of:
        store = open_decisions(chosen)
        opened.callback(store.close)
        reader = open_reader(chosen.run, chosen.database_url)
        opened.callback(reader.close)
        look, remove, clear = of("look"), of("database"), of("archive")
        safe = Safe(_archived(chosen, archive, reader), _mirrored(chosen))
        expiry = Expiry(reader, Removal(store.database), safe, before, sampled_from)
        found = expiry.look(look)
        look(1.0, f"{found.old:,} decisions are old")
        removed = found.free if dry_run else expiry.remove(found, remove)
        remove(1.0, f"{removed:,} decisions")
        gone = archive.remove_days(archive_before, dry_run)
        clear(1.0, f"{len(gone):,} files")
    return Report(
        dry_run, before, found.old, removed, dict(found.held), archive_before, len({file.day for file in gone}),
        sum(file.rows for file in gone), archive.anchor().position,
    )  # fmt: skip


def _archived(chosen: Settings, archive: Archive, reader: Reader) -> int:
    """Position of the database's reader up to which decisions are archived, or need not be."""
    from fraudkit.audit.expire import EVERYWHERE, archived_position
    from fraudkit.serve.decisions.opening import open_progress

    if chosen.events == "off":
        return EVERYWHERE
    with closing(open_progress(chosen.run, chosen.database_url)) as progress:
        return archived_position(archive, reader, progress)


def _mirrored(chosen: Settings) -> int:
    """Position up to which every secondary store has the decisions."""
    from fraudkit.features.secondary_choice import secondary_table
    from fraudkit.serve.follower import position

    if chosen.database_url is None:
        with closing(secondary_table(chosen.secondary, chosen.run)) as table:
            return position(table)
    from fraudkit.serve.decisions.followers import SharedFollowers

    with closing(SharedFollowers(chosen.database_url)) as followers:
        return followers.lowest()


def _tell(report: Report) -> None:
    verb = "would be removed" if report.dry_run else "removed"
    output.print(f"{report.removed:,} of {report.old:,} decisions made before {report.before} {verb}", markup=False)
    for reason, n in report.held.items():
        output.print(f"{n:,} stay: {reason}", markup=False)
    output.print(
        f"{report.archive_events:,} events of {report.archive_days:,} days before {report.archive_before} {verb} from "
        f"the archive, which begins after position {report.begins_after:,}",
        markup=False,
        soft_wrap=True,
    )
