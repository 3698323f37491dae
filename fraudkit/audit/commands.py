"""`fraudkit log` and `fraudkit replay`."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from fraudkit.audit.archive import FOLDER, Archive
from fraudkit.audit.expire_command import expire
from fraudkit.core.config import settings
from fraudkit.core.console import console, output, progress_bar
from fraudkit.core.errors import InvalidInput
from fraudkit.registry.registry import Registry
from fraudkit.rules.exploration import read_exploration

if TYPE_CHECKING:
    import pandas as pd

    from fraudkit.audit.consume import KafkaConsumer, StreamConsumer

app = typer.Typer(no_args_is_help=True, help="Decision events: archive, look, let go.", pretty_exceptions_enable=False)
app.command()(expire)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
WAIT_MS = 500


@app.command()
def consume(
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on until Ctrl-C instead of ending when all is here.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring decision events from the stream into the archive."""
    consumer = _consumer(Archive(settings().home / FOLDER))
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

    counts = Counter((day_of(event), event.action) for event in Archive(settings().home / FOLDER).events())
    rows = [{"day": day, "action": action, "decisions": n} for (day, action), n in sorted(counts.items())]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    table = Table("day", "action", "decisions", box=None)
    for row in rows:
        table.add_row(str(row["day"]), str(row["action"]), f"{row['decisions']:,}")
    if rows:
        output.print(table)
    else:
        console.print("nothing archived yet; run `fraudkit log consume` beside a running service")


@app.command()
def estimate(
    as_of: Annotated[str | None, typer.Option("--as-of", help="The day, YYYY-MM-DD, of labels; default today.")] = None,
    as_json: AsJson = False,
) -> None:
    """How good the policy was, weighted by the chance that each label had to be seen.

    Decisions count once they are 120 days old. Without exploration nothing is known of what was declined.
    """
    import numpy as np
    import pandas as pd

    from fraudkit.audit.outcomes import outcomes
    from fraudkit.evaluate.selective import Logged, weighted_estimates
    from fraudkit.monitor.snapshot import read_feedback

    moment = pd.Timestamp.now(tz="UTC") if as_of is None else _end_of_day(as_of)
    with progress_bar("estimate") as progress:
        progress(0.0, "reading the archive")
        events = Archive(settings().home / FOLDER).events()
        logged = Logged(**outcomes(events, read_feedback(settings().run / "decisions.db"), moment))
        progress(0.5, "weighing")
        estimates, diagnosis = weighted_estimates(logged, np.random.default_rng(7))
    if as_json:
        typer.echo(json.dumps({"estimates": asdict(estimates), "diagnosis": asdict(diagnosis)}))
        return
    table = Table("of all that could be seen", "estimate", "95 % interval", box=None)
    for name, found in asdict(estimates).items():
        known = ("-", "-") if found is None else (f"{found['estimate']:.4g}", f"{found['low']:.4g}-{found['high']:.4g}")
        table.add_row(name, *known)
    output.print(table)
    output.print(
        f"{diagnosis.seen:,} labels seen; those of flagged payments are worth {diagnosis.effective_flagged:.0f}; "
        f"{diagnosis.out_of_reach:,} declines over {diagnosis.out_of_reach_usd:,.0f} US dollars had no chance of it",
        markup=False,
        soft_wrap=True,
    )


def _end_of_day(day: str) -> pd.Timestamp:
    """The midnight after a day."""
    import pandas as pd

    try:
        return pd.Timestamp(day, tz="UTC").normalize() + pd.Timedelta(days=1)
    except ValueError as error:
        raise InvalidInput(f"as_of={day!r} is not a date; write YYYY-MM-DD") from error


def replay_command(
    limit: Annotated[int | None, typer.Option(min=1, help="The first so many events only.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make the archived decisions again, compare them bit for bit, follow their chain; exit code 1 on a difference."""
    from fraudkit.audit.replay import Replayer, replay

    archive = Archive(settings().home / FOLDER)
    total = sum(file.rows for file in archive.files())  # a little too many where two consumers wrote the same
    total = total if limit is None else min(total, limit)
    with progress_bar("replay") as progress:
        events = enumerate(islice(archive.events(), limit))
        told = (progress(n / total, event.transaction_id) or event for n, event in events)
        anchor = archive.anchor()
        report = replay(told, Replayer(Registry(settings().registry), read_exploration()), anchor.chain)
    if as_json:
        typer.echo(json.dumps(asdict(report) | {"passed": report.passed, "begins_after": anchor.position}))
    else:
        if anchor.position:
            output.print(f"events up to position {anchor.position:,} were removed from the archive", markup=False)
        output.print(f"{report.events:,} events, {report.equal:,} made again and equal bit for bit", markup=False)
        for reason, n in report.not_here.items():
            output.print(f"{n:,} could not be made again here: {reason}", markup=False)
        for found in report.differences[:20]:
            output.print(f"{found.transaction_id}: {found.field} was {found.logged}, now {found.now}", markup=False)
        if report.broken_links:
            output.print(f"the chain is broken at positions {list(report.broken_links[:20])}", markup=False)
    if not report.passed:
        raise typer.Exit(1)
