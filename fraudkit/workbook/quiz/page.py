"""Questions as pages hold them: Markdown with folded answers, and a plot as an image element."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from io import BytesIO

import numpy as np

from fraudkit.workbook.quiz import plots
from fraudkit.workbook.quiz.question import Choice, Free, Question
from fraudkit.workbook.quiz.showing import LETTERS, Showing


def as_markdown(questions: list[Question]) -> str:
    """Questions with folded answers, the same text at every run: numbers and options in their first order."""
    blocks = []
    for place, question in enumerate(questions, 1):
        showing = Showing(question, np.random.default_rng(0))
        lines = [f"**{place}.** {showing.ask}", ""]
        if isinstance(question, Choice):
            lines += [f"```python\n{question.code.strip()}\n```"] if question.code else []
            lines += [f"```\n{plots.as_text(question.plot)}\n```"] if question.plot else []
            lines += [f"- {letter}) {option.text}" for letter, option in zip(LETTERS, showing.options, strict=False)]
        said = showing.right_answer if isinstance(question, Free) else f"{showing.right_answer}. {showing.explain}"
        lines += ["", f"<details><summary>Answer</summary>\n\n{said}\n\n{question.source}\n\n</details>"]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def picture_html(name: str) -> str:
    """A question's plot as an image element."""
    buffer = BytesIO()
    made = plots.figure(name)
    made.savefig(buffer, format="png")
    title = escape(plots.data(name)[0])
    return f'<img alt="{title}" src="data:image/png;base64,{b64encode(buffer.getvalue()).decode()}">'
