"""A learner's notebook as it may be run: its cells and nothing else of it.

Outputs, metadata, widgets and attachments are left behind, so that what papermill and the kernel
get is small and well formed whatever was handed in.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from fraudkit.core.errors import InvalidInput

MAX_CELLS = 2_000
KERNEL_NAME = "fraudkit-graded"
CELL_TYPES = ("code", "markdown", "raw")


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: `kind` is code, markdown or raw."""

    kind: str
    source: str
    parameters: bool = False


def read_notebook(data: bytes) -> list[Cell]:
    """The cells of a notebook file.

    Raises
    ------
    InvalidInput
        The bytes are no notebook; the message says what is wrong.
    """
    try:
        document = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InvalidInput("is not UTF-8 text; save it again in JupyterLab") from error
    except RecursionError as error:
        raise InvalidInput("is nested too deeply to be a notebook; save it again in JupyterLab") from error
    except ValueError as error:
        message = str(error)[:80]
        raise InvalidInput(f"is not readable JSON ({message}); save it again in JupyterLab") from error
    cells = document.get("cells") if isinstance(document, dict) else None
    if not isinstance(cells, list):
        raise InvalidInput("has no cells; save it again in JupyterLab as format 4")
    if len(cells) > MAX_CELLS:
        raise InvalidInput(f"has {len(cells):,} cells, at most {MAX_CELLS:,} are run")
    return [cell for cell in map(_cell, cells) if cell is not None]


def _cell(cell: Any) -> Cell | None:
    """One cell, or None when it is no cell at all."""
    if not isinstance(cell, dict) or cell.get("cell_type") not in CELL_TYPES:
        return None
    source = cell.get("source", "")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        return None
    source = source.encode("utf-8", "replace").decode()  # a lone surrogate could not be written again
    metadata = cell.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    return Cell(cell["cell_type"], source, isinstance(tags, list) and "parameters" in tags)


def code_cells(cells: list[Cell]) -> list[str]:
    """The sources of the code cells, in order."""
    return [cell.source for cell in cells if cell.kind == "code"]


def notebook_document(cells: list[Cell]) -> dict[str, Any]:
    """The cells as a notebook for the graded kernel, fit to be written as JSON."""
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {
            "kernelspec": {"name": KERNEL_NAME, "display_name": "Python 3 (graded)", "language": "python"},
            "language_info": {"name": "python"},
        },
        "cells": [_document_cell(index, cell) for index, cell in enumerate(cells)],
    }


def _document_cell(index: int, cell: Cell) -> dict[str, Any]:
    metadata = {"tags": ["parameters"]} if cell.parameters else {}
    plain = {"id": f"cell-{index:04d}", "cell_type": cell.kind, "source": cell.source, "metadata": metadata}
    return plain | ({"outputs": [], "execution_count": None} if cell.kind == "code" else {})
