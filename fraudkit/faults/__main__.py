"""`python -m fraudkit.faults`: start the leaking service, or show a version of the function that leaks.

The service listens on loopback only, ends by itself, and keeps its files in a temporary folder
unless it is given one. So what a learner wrote into FILE stays in a small room.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import tempfile
import threading
from contextlib import ExitStack, suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from fraudkit.core.clock import to_epoch_ms
from fraudkit.core.config import settings
from fraudkit.core.console import console
from fraudkit.core.errors import FraudkitError, InvalidInput
from fraudkit.faults.lookup import VERSIONS, version_path

LOOPBACK = "127.0.0.1"
LARGEST_FILE = 256 * 1024 * 1024  # bytes that this process may write into one file

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@app.command()
def show(version: Annotated[str, typer.Argument(help=f"One of {', '.join(VERSIONS)}.")] = "leaking") -> None:
    """Print a version of get_reputation(pool, address)."""
    typer.echo(version_path(version).read_text(encoding="utf-8"), nl=False)


@app.command()
def leak(
    lookup: Annotated[str, typer.Option(help=f"The version to run: {', '.join(VERSIONS)}.")] = "leaking",
    fixed: Annotated[Path | None, typer.Option(help="A file of your own in place of a version.")] = None,
    pool: Annotated[int, typer.Option(help="Connections that can be out at once.")] = 20,
    wait_ms: Annotated[float, typer.Option(help="How long a payment waits for a connection.")] = 105.0,
    per_minute: Annotated[int, typer.Option(help="Payments that make up a minute of the service's time.")] = 10,
    start: Annotated[str, typer.Option(help="The service's time at its start, ISO 8601.")] = "2025-10-01T10:00:00Z",
    home: Annotated[Path | None, typer.Option(help="Folder of its files. Default: a temporary one.")] = None,
    model: Annotated[str, typer.Option(help="Alias, version, or folder of a bundle.")] = "production",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0: any free one.")] = 0,
    seconds: Annotated[int, typer.Option(min=1, max=3_600, help="It ends by itself after this time.")] = 600,
) -> None:
    """Start the real service with a part that leaks connections. Stop it with Ctrl-C."""
    import uvicorn

    from fraudkit.faults.leak import LeakPlan, open_leaking_app
    from fraudkit.serve.startup import bind

    plan = LeakPlan(fixed or version_path(lookup), pool, wait_ms / 1000, _moment(start), per_minute, model)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with ExitStack() as stack:
        folder = home or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fraudkit-faults-")))
        listener = stack.enter_context(bind(LOOPBACK, port))
        served = stack.enter_context(open_leaking_app(plan, settings(), folder))
        config = uvicorn.Config(served, log_level="warning", access_log=False, ws="none", server_header=False)
        listener.listen(config.backlog)
        console.print(f"faulty service ready on http://{LOOPBACK}:{listener.getsockname()[1]}", markup=False)
        signal.signal(signal.SIGTERM, _leave)
        _end_after(seconds)
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])


def _moment(text: str) -> int:
    try:
        return to_epoch_ms(datetime.fromisoformat(text))
    except ValueError:
        raise InvalidInput(f"--start {text!r} is not a date and time; write it as 2025-10-01T10:00:00Z") from None


def _leave(_number: int, _frame: object) -> None:
    """End the process the orderly way."""
    raise SystemExit(0)


def _end_after(seconds: int) -> None:
    """Ask this process to stop once its time is over, so that a forgotten one does not stay."""
    timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGTERM))
    timer.daemon = True
    timer.start()


if __name__ == "__main__":
    try:
        app()
    except FraudkitError as failure:
        console.print(f"error: {failure}", style="red", markup=False)
        sys.exit(1)
