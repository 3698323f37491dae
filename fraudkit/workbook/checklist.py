"""The door that shows a checklist in a notebook.

In JupyterLab the items are boxes, and what is ticked is kept with the progress. Where no front end
stands (papermill, nbval, grading) the output is one text that no tick changes, so that saved
notebooks compare. Knows nothing of how an item is verified.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.check import GRADING, show
from fraudkit.workbook.checklist_file import read_checklist
from fraudkit.workbook.panel import note_panel

PLAIN = "FRAUDKIT_PLAIN"


def checklist(checklist_id: str) -> None:
    """Show a checklist: boxes that remember in JupyterLab, plain text elsewhere.

    Parameters
    ----------
    checklist_id : the name of a file in checklists/; a chapter's is the notebook's name, such as "05_features"
    """
    try:
        found = read_checklist(checklist_id)
    except InvalidInput as error:
        show(note_panel(str(checklist_id), str(error)))
        return
    if has_front_end():
        from fraudkit.workbook.checklist_boxes import show_boxes  # late: it loads the widgets

        show_boxes(found)
    else:
        show(found)


def has_front_end() -> bool:
    """Whether this cell was run by somebody who sees widgets.

    JupyterLab, Notebook and VS Code name the cell in the request's metadata; papermill, nbclient and
    nbval do not. FRAUDKIT_PLAIN=1 says no for all of them.
    """
    if os.environ.get(PLAIN) == "1" or os.environ.get(GRADING) == "1":
        return False
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    parent: Any = getattr(shell, "get_parent", dict)()
    return bool(isinstance(parent, dict) and (parent.get("metadata") or {}).get("cellId"))
