"""`fraudkit template`: write a project template, empty or filled in; say which filled ones are stale."""

from __future__ import annotations

import json
from pathlib import Path

import typer
from rich.table import Table

from fraudkit.core.console import console, output
from fraudkit.core.errors import InvalidInput, NotReady
from fraudkit.core.files import replace_file
from fraudkit.workbook.templates.facts import Facts
from fraudkit.workbook.templates.library import (
    TEMPLATES,
    Template,
    filled_text,
    form_text,
    published_path,
    published_text,
    stale,
    template_named,
)


def template(
    name: str = typer.Argument("", metavar="[NAME]", help="A template, such as ab_test_plan."),
    fill: bool = typer.Option(
        False, "--fill", help="Fill it in; with your production model's figures if there is one."
    ),
    published: bool = typer.Option(False, "--published", help="With --fill: only committed records, as in templates/."),
    incident: Path = typer.Option(None, "--incident", help="With --fill: an incident record for incident_response."),
    out: Path = typer.Option(None, "--out", help="Write to this new file instead of the terminal."),
    listed: bool = typer.Option(False, "--list", help="List the templates."),
    as_json: bool = typer.Option(False, "--json", help="With --list: print JSON."),
    check: bool = typer.Option(False, "--check", help="Exit code 1 if a filled-in copy is stale."),
    renew: bool = typer.Option(False, "--renew", help="Write templates/filled/ again."),
) -> None:
    """Write a project template, empty or filled in from the fraud system."""
    if check:
        _check()
    elif renew:
        _renew()
    elif listed or not name:
        _list(as_json)
    else:
        _write(_text(template_named(name), fill, published, incident), out)


def _text(wanted: Template, fill: bool, published: bool, incident: Path | None) -> str:
    """The text that was asked for."""
    if incident is not None:
        from fraudkit.workbook.templates.fill_talk import incident_response
        from fraudkit.workbook.templates.form import filled
        from fraudkit.workbook.templates.incident import parse_incident

        if wanted.name != "incident_response" or not fill:
            raise InvalidInput("--incident goes with: fraudkit template incident_response --fill")
        try:
            record = parse_incident(incident.read_text(encoding="utf-8"))
        except OSError as error:
            raise InvalidInput(f"{incident} cannot be read ({error.strerror})") from error
        return filled(form_text(wanted), incident_response(Facts(), record))
    if not fill:
        return form_text(wanted)
    if published:
        return filled_text(wanted, Facts())
    own = Facts(own=True)
    try:
        own.models  # noqa: B018 - asks the registry
    except (NotReady, KeyError) as error:
        console.print(f"the published figures are used: {error}", style="yellow", markup=False)
        own = Facts()
    return filled_text(wanted, own)


def _write(text: str, out: Path | None) -> None:
    """To a new file, or to the terminal."""
    if out is None:
        typer.echo(text, nl=False)
        return
    if out.exists():
        raise InvalidInput(f"{out} exists already; name a new file")
    try:
        replace_file(out.absolute(), text.encode())
    except OSError as error:
        raise InvalidInput(f"{out} cannot be written ({error.strerror}); name another file") from error
    console.print(f"written to {out}", markup=False)


def _list(as_json: bool) -> None:
    """The twelve, with what each is for."""
    if as_json:
        rows = [{"name": found.name, "purpose": found.purpose} for found in TEMPLATES.values()]
        typer.echo(json.dumps(rows, indent=2))
        return
    table = Table("name", "for", box=None)
    for found in TEMPLATES.values():
        table.add_row(found.name, found.purpose)
    output.print(table)


def _check() -> None:
    """Say which copies are stale."""
    old = stale()
    if old:
        output.print(f"stale: {', '.join(old)}; run: fraudkit template --renew", style="red", markup=False)
        raise typer.Exit(1)
    output.print(f"{len(TEMPLATES)} filled-in templates are what their sources make of them")


def _renew() -> None:
    """Write every filled-in copy."""
    facts = Facts()
    for found in TEMPLATES.values():
        path = published_path(found)
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, published_text(found, facts).encode())
    console.print(f"{len(TEMPLATES)} templates written to {published_path(found).parent.name}/", markup=False)
