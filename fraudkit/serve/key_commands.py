"""`fraudkit keys`: add, list and revoke API keys. A running service takes notice within a second."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.table import Table

from fraudkit.core.config import settings
from fraudkit.core.console import console, output
from fraudkit.serve.keys import KEYS_FILE, SCOPES, KeyFile

app = typer.Typer(no_args_is_help=True, help="Add, list and revoke API keys.", pretty_exceptions_enable=False)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def _file() -> KeyFile:
    return KeyFile(settings().run / KEYS_FILE)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Who will use it, such as gateway.")],
    scope: Annotated[list[str], typer.Option(help=f"One of {', '.join(SCOPES)}; give it several times for several.")],
    per_second: Annotated[float | None, typer.Option(help="Most requests a second; without it, no limit.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it. It is not kept and cannot be shown again."""
    key = _file().add(name, scope, per_second)
    if as_json:
        typer.echo(json.dumps({"name": name, "scopes": scope, "per_second": per_second, "key": key}))
        return
    console.print(f"key of {name}, shown this once:", markup=False)
    typer.echo(key)


@app.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """Names, scopes and rates; never the keys."""
    keys = _file().read().values()
    if as_json:
        typer.echo(json.dumps([{"name": k.name, "scopes": k.scopes, "per_second": k.per_second} for k in keys]))
        return
    if not keys:
        console.print("no keys; the service is open to this machine only. Add one with `fraudkit keys add`")
        return
    table = Table("name", "scopes", "requests a second", box=None)
    for key in keys:
        table.add_row(key.name, " ".join(key.scopes), "no limit" if key.per_second is None else f"{key.per_second:g}")
    output.print(table)


@app.command()
def revoke(name: Annotated[str, typer.Argument(help="A name that `fraudkit keys list` shows.")]) -> None:
    """Forget a key: whoever uses it is refused from now on."""
    _file().revoke(name)
    console.print(f"key of {name} revoked", markup=False)
