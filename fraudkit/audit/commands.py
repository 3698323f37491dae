"""`fraudkit log` and `fraudkit replay`."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from fraudkit.audit.archive import Archive
from fraudkit.core.config import settings
from fraudkit.core.console import console, progress_bar
from fraudkit.core.decision_event import GENESIS
from fraudkit.registry.registry import Registry

if TYPE_CHECKING:
    from fraudkit.audit.consume import KafkaConsumer, StreamConsumer

app = typer.Typer(no_args_is_help=True, help="Decision events: archive and look.", pretty_exceptions_enable=False)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
ARCHIVE = "decision_log"
WAIT_MS = 500


@app.command()
def consume(
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on until Ctrl-C instead of ending when all is here.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring decision events from the stream into the archive."""
    consumer = _consumer(Archive(settings().home / ARCHIVE))
    total = 0
    try:
        while (found := consumer.step(WAIT_MS)) or follow:
            total += found
    except KeyboardInterrupt:
        pass
    finally:
        consumer.close()
    typer.echo(json.dumps({"archived": total}) if as_json else f"{total:,} events archived")


def _consumer(archive: Archive) -> StreamConsumer | KafkaConsumer:
    """The consumer of the stream that FRAUDKIT_EVENTS names."""
    from fraudkit.audit.consume import KafkaConsumer, StreamConsumer
    from fraudkit.features.embedded import EmbeddedValkey

    if settings().events.startswith("kafka://"):
        return KafkaConsumer(settings().events, archive)
    return StreamConsumer(settings().redis_url or EmbeddedValkey(settings().run / "store").url, archive)


@app.command()
def show(as_json: AsJson = False) -> None:
    """Decisions in the archive by day and action."""
    from collections import Counter

    from fraudkit.audit.archive import day_of

    counts = Counter((day_of(event), event.action) for event in Archive(settings().home / ARCHIVE).events())
    rows = [{"day": day, "action": action, "decisions": n} for (day, action), n in sorted(counts.items())]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    table = Table("day", "action", "decisions", box=None)
    for row in rows:
        table.add_row(str(row["day"]), str(row["action"]), f"{row['decisions']:,}")
    console.print(table if rows else "nothing archived yet; run `fraudkit log consume` beside a running service")


def replay_command(
    limit: Annotated[int | None, typer.Option(min=1, help="The first so many events only.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make the archived decisions again, compare them bit for bit, follow their chain; exit code 1 on a difference."""
    from fraudkit.audit.replay import Replayer, replay

    events = list(islice(Archive(settings().home / ARCHIVE).events(), limit))
    with progress_bar("replay") as progress:
        told = (progress(n / len(events), event.transaction_id) or event for n, event in enumerate(events))
        report = replay(told, Replayer(Registry(settings().registry)), GENESIS)
    if as_json:
        typer.echo(json.dumps(asdict(report) | {"passed": report.passed}))
    else:
        console.print(f"{report.events:,} events, {report.equal:,} made again and equal bit for bit", markup=False)
        for reason, n in report.not_here.items():
            console.print(f"{n:,} could not be made again here: {reason}", markup=False)
        for found in report.differences[:20]:
            console.print(f"{found.transaction_id}: {found.field} was {found.logged}, now {found.now}", markup=False)
        if report.broken_links:
            console.print(f"the chain is broken at positions {list(report.broken_links[:20])}", markup=False)
    if not report.passed:
        raise typer.Exit(1)
