"""`fraudkit story`: begin a story, list and check them, see what they cover, and prepare the project walk-through."""

from __future__ import annotations

import json

import typer
from rich.table import Table

from fraudkit.core.console import console, output
from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.stories.cover import cover
from fraudkit.workbook.stories.remarks import is_complete, remarks
from fraudkit.workbook.stories.shelf import LEAST_WORDS, Shelf, template
from fraudkit.workbook.stories.story import KINDS, Story

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
NONE_YET = "no stories yet; begin with: fraudkit story new NAME --kind success"
JSON = typer.Option(False, "--json", help="Print JSON.")


@app.command()
def new(
    name: str = typer.Argument(..., help="Of the file: a-z, 0-9 and hyphens."),
    kind: str = typer.Option("success", "--kind", "-k", help=f"One of {', '.join(KINDS)}."),
) -> None:
    """Begin a story: writes the form, to be filled in with any editor."""
    path = Shelf().new(name, kind)
    console.print(f"{path}\nfill it in, then: fraudkit story check {name}", markup=False)


@app.command()
def example() -> None:
    """Print a story that is filled in."""
    typer.echo(template("example.md"), nl=False)


@app.command("list")
def list_stories(as_json: bool = JSON) -> None:
    """List the stories, and how complete each is."""
    stories, wrong = Shelf().stories()
    if as_json:
        rows = [
            {"name": s.name, "title": s.title, "kind": s.kind, "words": s.words, "complete": is_complete(s)}
            for s in stories
        ]
        typer.echo(json.dumps({"stories": rows, "unreadable": wrong}, indent=2))
        return
    table = Table("story", "title", "kind", "words", "complete")
    for story in stories:
        open_ = sum(remark.needed for remark in remarks(story))
        table.add_row(story.name, story.title, story.kind, str(story.words), "yes" if not open_ else f"{open_} to mend")
    if stories:
        output.print(table)
    else:
        console.print(NONE_YET)
    _tell_of(wrong)


@app.command()
def check(names: list[str] = typer.Argument(None, help="Stories; all by default."), as_json: bool = JSON) -> None:
    """Say what each story lacks. Exit code 1 where one is not complete."""
    stories, wrong = Shelf().stories()
    chosen = [_named(name, stories, wrong) for name in names] if names else stories
    if as_json:
        found = {s.name: [{"part": r.part, "says": r.says, "needed": r.needed} for r in remarks(s)] for s in chosen}
        typer.echo(json.dumps({"stories": found, "unreadable": wrong}, indent=2))
    else:
        if not stories and not wrong:
            console.print(NONE_YET)
        for story in chosen:
            output.rule(f"{story.name}: {story.words} words")
            for remark in remarks(story):
                output.print(f"{'✗' if remark.needed else '•'} {remark.part}: {remark.says}", markup=False)
            if is_complete(story):
                output.print("✓ complete; now tell it to somebody, with a clock", style="green")
        _tell_of(wrong)
    if wrong or not all(map(is_complete, chosen)):
        raise typer.Exit(1)


@app.command("map")
def map_stories(as_json: bool = JSON) -> None:
    """Show which questions, principles and kinds the complete stories cover, and the gaps."""
    rows = cover(Shelf().stories()[0])
    if as_json:
        listed = [{"topic": r.topic, "says": r.says, "need": r.need, "stories": list(r.stories)} for r in rows]
        typer.echo(json.dumps(listed, indent=2))
        return
    table = Table("id", "what", "stories", "still needed")
    for row in rows:
        missing = max(row.need - len(row.stories), 0)
        table.add_row(row.topic, row.says, ", ".join(row.stories) or "-", str(missing) if missing else "")
    output.print(table)
    output.print(f"{sum(row.is_open for row in rows)} gaps")


@app.command()
def walkthrough(
    begin: bool = typer.Option(False, "--new", help="Write the form."),
    example: bool = typer.Option(False, "--example", help="Write it filled in from the fraud system."),
    as_json: bool = JSON,
) -> None:
    """The project walk-through: begin it, or say which of its five parts say too little."""
    shelf = Shelf()
    if begin or example:
        console.print(str(shelf.new_walkthrough(example)), markup=False)
        return
    gaps, parts = shelf.walkthrough_gaps(), shelf.walkthrough()
    if as_json:
        typer.echo(
            json.dumps(
                {part: {"words": len(text.split()), "complete": part not in gaps} for part, text in parts.items()},
                indent=2,
            )
        )
        return
    for part, text in parts.items():
        sign = "✗" if part in gaps else "✓"
        output.print(f"{sign} {part}: {len(text.split())} words", markup=False)
    if gaps:
        console.print(f"a part needs {LEAST_WORDS} words; begin with: fraudkit story walkthrough --new", markup=False)


def _named(name: str, stories: list[Story], wrong: dict[str, str]) -> Story:
    if name in wrong:
        raise InvalidInput(wrong[name])
    for story in stories:
        if story.name == name:
            return story
    raise InvalidInput(f"there is no story {name!r}; there are {', '.join(s.name for s in stories) or 'none yet'}")


def _tell_of(wrong: dict[str, str]) -> None:
    for reason in wrong.values():
        console.print(reason, style="yellow", markup=False)
