"""What a learner sees: one panel, as HTML in a notebook and as plain text elsewhere.

Styles are inline and colours are tints over the page's own, so that it reads on light and dark
themes alike. Everything from a learner's code is escaped. Knows nothing of files and kernels.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Literal
from unicodedata import category

from fraudkit.workbook.judge import Failure, Verdict
from fraudkit.workbook.order import Next

Tone = Literal["good", "bad", "quiet"]
Kind = Literal["lead", "text", "code", "aside"]

WIDTH = 96
PRINTED_LINES = 12
# Border and tint; both have to carry on white and on near-black.
COLOURS: dict[Tone, tuple[str, str]] = {
    "good": ("#2e9e5b", "rgba(46,158,91,.10)"),
    "bad": ("#d9544d", "rgba(217,84,77,.10)"),
    "quiet": ("#7a8793", "rgba(122,135,147,.12)"),
}
SIGNS: dict[Tone, str] = {"good": "✓", "bad": "✗", "quiet": "•"}
MONO = "font-family:var(--jp-code-font-family,ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace)"


@dataclass(frozen=True, slots=True)
class Block:
    """One part of a panel.

    Attributes
    ----------
    kind : lead (the sentence to read first), text, code (monospace, lines kept), aside (small)
    text : plain text, never markup; in text and asides, `...` between backquotes is set as code
    label : what a code block is: "input", "expected"
    """

    kind: Kind
    text: str
    label: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Panel:
    """A headline and blocks, shown by Jupyter as HTML and by everything else as text."""

    tone: Tone
    headline: str
    blocks: tuple[Block, ...] = ()

    def text(self) -> str:
        """Plain text, prose broken at 96 characters."""
        lines = [f"{SIGNS[self.tone]} {_printable(self.headline.replace('`', ''))}"]
        labels = [len(block.label) for block in self.blocks]
        for block in self.blocks:
            if block.kind == "code":
                first, rest = f"  {block.label:<{max(labels)}}  ", " " * (max(labels) + 4)
                for number, line in enumerate(_printable(block.text).split("\n")):
                    lines.append(((rest if number else first) + line).rstrip())
            else:
                prose = _wrapped(_printable(block.text))
                lines += ["", *prose, ""] if block.kind == "lead" else prose
        return "\n".join(lines)

    def html(self) -> str:
        """The panel as one HTML element without scripts, classes or ids."""
        border, tint = COLOURS[self.tone]
        blocks = "".join(_block_html(block) for block in self.blocks)
        headline = f'<div style="font-weight:600"><span style="color:{border}">{SIGNS[self.tone]}</span> '
        return (
            f'<div role="status" style="border-left:4px solid {border};background:{tint};color:inherit;'
            'padding:.55em .9em;margin:.2em 0;border-radius:3px;max-width:60em;line-height:1.45">'
            f"{headline}{_inline(self.headline)}</div>{blocks}</div>"
        )

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return self.html()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.text(), "text/html": self.html()}


def _wrapped(text: str) -> list[str]:
    """Prose as indented lines; the text's own lines are kept apart."""
    lines: list[str] = []
    for line in text.split("\n"):
        lines += textwrap.wrap(line, WIDTH, initial_indent="  ", subsequent_indent="  ") or [""]
    return lines


def _printable(text: str) -> str:
    """Text without what would move a terminal's cursor or cannot be encoded: those characters are spelled out."""
    return "".join(char if char in "\n\t" or category(char) not in ("Cc", "Cs") else ascii(char)[1:-1] for char in text)


def _inline(text: str) -> str:
    """Escaped text in which `code` between backquotes is monospace."""
    text = _printable(text)
    parts = text.split("`")
    if len(parts) % 2 == 0:  # a backquote without a partner
        return escape(text)
    return "".join(
        f'<code style="{MONO};background:rgba(128,128,128,.16);color:inherit;padding:0 .25em">{escape(part)}</code>'
        if number % 2
        else escape(part)
        for number, part in enumerate(parts)
    )


def _block_html(block: Block) -> str:
    if block.kind == "code":
        label = f'<div style="flex:0 0 5.5em;opacity:.75">{escape(block.label)}</div>' if block.label else ""
        pre = (
            f'<pre style="{MONO};font-size:.92em;margin:0;padding:.15em .5em;flex:1 1 auto;min-width:0;'
            "background:rgba(128,128,128,.12);color:inherit;border:0;border-radius:3px;"
            f'max-height:24em;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere">{escape(_printable(block.text))}</pre>'
        )
        return f'<div style="display:flex;margin-top:.3em">{label}{pre}</div>'
    style = {
        "lead": "margin:.45em 0 .5em;font-size:1.08em;font-weight:500",
        "text": "margin-top:.35em",
        "aside": "margin-top:.45em;opacity:.8;font-size:.95em",
    }[block.kind]
    return f'<div style="{style};white-space:pre-line">{_inline(block.text)}</div>'


HEADLINES = {
    "pass": "passes all {total} cases",
    "fail": "is not right yet: {passed} of {total} cases pass",
    "timeout": "takes too long: {passed} of {total} cases pass",
    "crash": "ends the process it runs in",
    "missing": "cannot be checked yet",
    "tampered": "tries something that is not allowed here",
}


def verdict_panel(
    verdict: Verdict,
    title: str,
    *,
    following: Next | None = None,
    hints_left: int | None = None,
    finished: bool = False,
    notes: Sequence[str] = (),
) -> Panel:
    """A verdict for the learner.

    Parameters
    ----------
    title : the exercise's
    following : where to go after a pass
    hints_left : how many hints have not been shown; None where hints cannot be had
    finished : every exercise has been passed
    notes : sentences to add, such as that progress could not be written
    """
    tone: Tone = {"pass": "good", "missing": "quiet"}.get(verdict.status, "bad")  # type: ignore[assignment]
    headline = HEADLINES[verdict.status].format(passed=verdict.passed, total=verdict.total)
    blocks: list[Block] = []
    if verdict.failure is not None:
        blocks += _failure_blocks(verdict.failure, verdict.exercise_id)
    if verdict.status == "pass":
        if following is not None:
            blocks.append(Block("text", f"Next: `{following.exercise_id}`, {following.title} ({following.notebook})."))
        elif finished:
            blocks.append(Block("text", "Every exercise is passed."))
    elif verdict.status != "missing" and hints_left is not None:
        blocks.append(Block("aside", _offer(verdict.exercise_id, hints_left)))
    blocks += [Block("aside", note) for note in notes]
    return Panel(tone, f"{title}: `{verdict.exercise_id}` {headline}", tuple(blocks))


def _offer(exercise_id: str, hints_left: int) -> str:
    if hints_left:
        which = "the last one" if hints_left == 1 else f"the next of {hints_left}"
        return f'Would a hint help? `hint("{exercise_id}")` gives {which}.'
    return f'All hints have been shown; `solution("{exercise_id}")` shows ours.'


def _failure_blocks(failure: Failure, name: str) -> list[Block]:
    """Misconception first, then the case, what went in, what should have come out, what did."""
    blocks = []
    if failure.misconception:
        guess = "" if failure.certain else "On this case your answer does what a common mistake does. "
        blocks.append(Block("lead", guess + failure.misconception))
    if not failure.case:
        return [*blocks, Block("text", _sentence(failure.reason, name))]
    blocks.append(Block("text", f"Case: {failure.case}" + (f". {_sentence(failure.why)}" if failure.why else ".")))
    shown = (("input", failure.call), ("expected", failure.expected), ("got", failure.got))
    blocks += [Block("code", text, label) for label, text in shown if text]
    blocks.append(Block("text", _sentence(failure.reason, name)))
    if failure.printed.strip():
        lines = failure.printed.rstrip().split("\n")
        shortened = lines if len(lines) <= PRINTED_LINES else [*lines[:PRINTED_LINES], "…"]
        blocks.append(Block("code", "\n".join(shortened), "printed"))
    return blocks


def _sentence(text: str, name: str = "") -> str:
    """With a full stop at the end, and a capital at the front unless `name` or another name stands there."""
    text = text.strip()
    first, gap, rest = text.partition(" ")
    first = first.capitalize() if first.isalpha() and first.islower() and first != name else first
    text = first + gap + rest
    return text if not text or text.endswith((".", "!", "?", ":")) else f"{text}."


def hint_panel(exercise_id: str, title: str, hint: str, number: int, count: int, notes: Sequence[str] = ()) -> Panel:
    """One hint, the `number`-th of `count`."""
    more = (
        f'That was the last one; `solution("{exercise_id}")` shows ours.'
        if number >= count
        else f'`hint("{exercise_id}")` again gives the next one.'
    )
    asides = [Block("aside", text) for text in (more, *notes)]
    return Panel("quiet", f"{title}: hint {number} of {count}", (Block("lead", hint), *asides))


def note_panel(headline: str, *sentences: str) -> Panel:
    """A few plain sentences."""
    return Panel("quiet", headline, tuple(Block("text", _sentence(sentence)) for sentence in sentences))


@dataclass(frozen=True, slots=True, repr=False)
class Page:
    """Code with notes in Markdown: Jupyter highlights both in the colours of the reader's theme."""

    headline: str
    code: str
    notes: str = ""
    remarks: tuple[str, ...] = ()

    def text(self) -> str:
        """Plain text."""
        return "\n\n".join(part for part in (self.headline, self.code, self.notes, *self.remarks) if part)

    def markdown(self) -> str:
        """The same as Markdown."""
        code = f"```python\n{self.code}\n```"
        return "\n\n".join(part for part in (f"**{self.headline}**", code, self.notes, *self.remarks) if part)

    def __repr__(self) -> str:
        return self.text()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.text(), "text/markdown": self.markdown()}
