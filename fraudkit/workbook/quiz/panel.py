"""`quiz()` in a notebook: buttons and a field in JupyterLab, the questions with folded answers as text elsewhere.

Everything can be reached by the Tab key and pressed by Enter or the space bar.
"""

from __future__ import annotations

from fraudkit.core.errors import FraudkitError
from fraudkit.workbook.check import show as show_panel
from fraudkit.workbook.checklist import has_front_end
from fraudkit.workbook.panel import note_panel
from fraudkit.workbook.progress import ProgressFile
from fraudkit.workbook.quiz.choose import Wanted, matching, next_questions
from fraudkit.workbook.quiz.memory import memories
from fraudkit.workbook.quiz.page import as_markdown


def quiz(count: int = 10, week: str = "", topic: str = "", weak: bool = False, kind: str = "") -> None:
    """Ask theory questions; answers are kept with the progress, and what is missed comes back.

    Parameters
    ----------
    count : how many questions
    week : weeks of the plan, such as "3-4"; topic : of the bank, or an item of the plan
    weak : only what was not right the last time
    kind : "choice", "numeric", "reading" or "free"
    """
    wanted = Wanted(week, topic, weak, kind)
    try:
        if not has_front_end():
            from IPython.display import Markdown, display

            display(Markdown(as_markdown(matching(wanted)[:count])))
            return
        file = ProgressFile()
        now = file.moment()
        questions = next_questions(wanted, memories(file.read()), now, count)
    except FraudkitError as error:
        show_panel(note_panel("quiz", str(error)))
        return
    if not questions:
        show_panel(note_panel("quiz", "Nothing was missed: there is nothing weak to repeat."))
        return
    from fraudkit.workbook.quiz.board import show_board  # late: it loads the widgets

    show_board(questions, file)
