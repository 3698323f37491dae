"""Record the incident that the filled report tells: `python -m fraudkit.workbook.templates.rehearse`.

Chapter 14 rehearses it on a live service. This runs the chapter up to the point where the facts and the
timeline are gathered, and keeps both in incident.json beside the code. Times of the day come from a
clock that counts payments, so the record is the same on every machine.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from fraudkit.core.config import PROJECT_ROOT
from fraudkit.core.console import console
from fraudkit.core.errors import NotReady

CHAPTER = PROJECT_ROOT / "notebooks" / "14_incident_response.ipynb"
RECORD = Path(__file__).with_name("incident.json")
UNTIL = "from fraudkit.workbook.incident.report import check_report"
TELL = (
    "import json\n"
    "from fraudkit.workbook.templates.incident import as_record\n"
    'print("RECORD " + json.dumps(as_record(facts, events)))'
)
TIMEOUT_S = 120


def rehearse(chapter: Path = CHAPTER) -> dict[str, Any]:
    """Facts and timeline of the chapter's incident, as plain values.

    Raises
    ------
    NotReady
        The chapter no longer has the cell at which the facts are complete.
    """
    notebook = nbformat.read(chapter, as_version=4)
    ends = [number for number, cell in enumerate(notebook.cells) if cell.source.startswith(UNTIL)]
    if not ends:
        raise NotReady(f"{chapter.name} has no cell that begins with {UNTIL!r}; tell rehearse.py where the facts are")
    closing = [cell for cell in notebook.cells if cell.source.startswith("production.close()")]
    told = nbformat.v4.new_code_cell(TELL)
    notebook.cells = [*notebook.cells[: ends[0]], told, *closing]
    client = NotebookClient(
        notebook, timeout=TIMEOUT_S, kernel_name="python3", resources={"metadata": {"path": str(chapter.parent)}}
    )
    client.execute()
    printed = next(output.text for output in told.outputs if output.get("text", "").startswith("RECORD "))
    found: dict[str, Any] = json.loads(printed.removeprefix("RECORD "))
    return found


if __name__ == "__main__":
    RECORD.write_text(json.dumps(rehearse(), indent=1) + "\n", encoding="utf-8")
    console.print(f"recorded in {RECORD.name}", markup=False)
