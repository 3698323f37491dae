"""`fraudkit checklist`: list, show, tick and verify checklists in a terminal."""

from __future__ import annotations

import json
from typing import Any

import typer
from rich.table import Table

from fraudkit.core.console import console, output
from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.checklist_file import Checklist, checklist_ids, read_checklist
from fraudkit.workbook.progress import ProgressFile
from fraudkit.workbook.system_checks import Finding, verify

STYLES = {"ok": "green", "not ok": "red", "cannot tell": "yellow"}


def checklist(
    checklist_id: str = typer.Argument("", metavar="[ID]", help="A checklist, such as requirements; all by default."),
    tick: list[str] = typer.Option([], "--tick", help="Tick this item."),
    untick: list[str] = typer.Option([], "--untick", help="Take the tick of this item back."),
    verifying: bool = typer.Option(False, "--verify", help="Run the real check of each item that has one."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> None:
    """Show checklists and what is ticked. With --verify, exit code 1 where something does not hold."""
    if not checklist_id:
        if tick or untick or verifying:
            raise InvalidInput(f"say which checklist: {', '.join(checklist_ids())}")
        _show_all(as_json)
        return
    shown, file = read_checklist(checklist_id), ProgressFile()
    for item_id in (*tick, *untick):
        shown.item(item_id)
    for item_id in tick:
        file.tick(shown.id, item_id)
    for item_id in untick:
        file.tick(shown.id, item_id, ticked=False)
    findings = _verified(shown, file, as_json) if verifying else {}
    if as_json:
        typer.echo(json.dumps(_facts(shown, file.read().ticked(shown.id), findings), indent=2))
    else:
        typer.echo(shown.text(file.read().ticked(shown.id)))
    if any(finding.state == "not ok" for finding in findings.values()):
        raise typer.Exit(1)


def _verified(shown: Checklist, file: ProgressFile, quiet: bool) -> dict[str, Finding]:
    """Run the checks of a list, saying each answer as it comes; what holds is ticked."""
    findings = {}
    if not shown.verifiable:
        console.print(f"nothing in {shown.id} can be verified by the system", markup=False)
    for item in shown.verifiable:
        findings[item.id] = finding = verify(item.check)
        if finding.state == "ok":
            file.tick(shown.id, item.id)
        if not quiet:
            output.print(f"{finding.state}: {item.text}", style=STYLES[finding.state], markup=False)
            output.print(f"    {finding.says}\n    by hand: {finding.command}", markup=False, highlight=False)
    return findings


def _facts(shown: Checklist, ticked: frozenset[str], findings: dict[str, Finding]) -> dict[str, Any]:
    """A checklist in plain values."""
    items = [
        {"id": item.id, "text": item.text, "ticked": item.id in ticked, "check": item.check or None}
        | ({"finding": findings[item.id].as_dict()} if item.id in findings else {})
        for item in shown.items
    ]
    return {"id": shown.id, "title": shown.title, "items": items}


def _show_all(as_json: bool) -> None:
    """Every checklist with how much of it is ticked."""
    progress = ProgressFile().read()
    found = [read_checklist(name) for name in checklist_ids()]
    done = [len(progress.ticked(shown.id) & {item.id for item in shown.items}) for shown in found]
    if as_json:
        rows = [
            {"id": shown.id, "title": shown.title, "ticked": ticked, "items": len(shown.items)}
            for shown, ticked in zip(found, done, strict=True)
        ]
        typer.echo(json.dumps(rows, indent=2))
        return
    table = Table("id", "title", "ticked", "verifiable", box=None)
    for shown, ticked in zip(found, done, strict=True):
        table.add_row(shown.id, shown.title, f"{ticked} of {len(shown.items)}", str(len(shown.verifiable) or ""))
    output.print(table)
