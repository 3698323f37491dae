"""`fraudkit serve` and `fraudkit openapi`."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import closing, suppress
from typing import Annotated, Any

import typer

from fraudkit.core.config import settings
from fraudkit.core.console import console


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on. Default: FRAUDKIT_HOST or 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65_535, help="Default: FRAUDKIT_PORT or 8000. 0: any.")] = None,
    model: Annotated[str, typer.Option(help="Alias, version, or folder of a bundle.")] = "production",
    json_logs: Annotated[bool, typer.Option("--json-logs", help="One JSON line a decision on stderr.")] = False,
) -> None:
    """Start the scoring service. Stop it with Ctrl-C."""
    from fraudkit.serve.app import create_app
    from fraudkit.serve.card_reference import read_card_references
    from fraudkit.serve.ending import Ending
    from fraudkit.serve.keys import KEYS_FILE, KeyFile, KeyRing
    from fraudkit.serve.log_stream import UnhurriedStream
    from fraudkit.serve.logs import DecisionLog, lost_line
    from fraudkit.serve.server import StoppingServer, settle
    from fraudkit.serve.startup import bind, check_host, open_scorer

    chosen = settings()
    host = chosen.host if host is None else host
    api_key = os.environ.get("FRAUDKIT_API_KEY") or None
    ring = KeyRing(KeyFile(chosen.run / KEYS_FILE), api_key)
    check_host(host, api_key, ring)
    references = read_card_references()
    ending = Ending()
    with (
        closing(UnhurriedStream(sys.stderr, lost_line)) as stream,
        bind(host, chosen.port if port is None else port) as listener,
        open_scorer(chosen, model, DecisionLog(stream, every_decision=json_logs), ending) as (scorer, checks),
    ):
        app = create_app(scorer, checks, ring, references, chosen.accepted_days)
        server = StoppingServer(app, ending)
        settle()
        listener.listen(server.config.backlog)  # whoever reads the announcement may connect at once
        _announce(listener.getsockname(), scorer.serving.context.model_version)
        # uvicorn passes the signal on once it has stopped; the store has to be stopped after that.
        signal.signal(signal.SIGTERM, _leave)
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listener])


def _leave(_number: int, _frame: object) -> None:
    """End the process the orderly way."""
    raise SystemExit(0)


def _announce(address: tuple[Any, ...], version: str) -> None:
    """Say where the service is, in one line."""
    host = f"[{address[0]}]" if ":" in address[0] else address[0]
    console.print(f"model {version} ready on http://{host}:{address[1]}  (page: /, reference: /docs)", markup=False)


def openapi() -> None:
    """Print the service's OpenAPI schema as JSON."""
    import json

    from fraudkit.serve.app import declare_app

    typer.echo(json.dumps(declare_app().openapi(), indent=2, ensure_ascii=False))
