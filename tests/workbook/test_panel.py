"""What the learner reads: the right sentence first, nothing of the learner's code as markup, text as good as HTML."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from fraudkit.workbook.judge import Failure, Verdict
from fraudkit.workbook.order import Next
from fraudkit.workbook.panel import HEADLINES, Block, Page, Panel, hint_panel, note_panel, verdict_panel

FAILURE = Failure(
    case="all scores equal",
    why="a model that says the same of everybody ranks nothing",
    call="roc_auc([1, 0], [0.5, 0.5])",
    expected="0.5",
    got="0.0",
    reason="the value is off by 0.5",
    misconception="Equal scores were ranked one after the other.",
    mutant="ties-ordered",
    printed="here\n",
)
WRONG = Verdict("roc_auc", "fail", 3, 8, 0.2, 0.1, FAILURE)
RIGHT = Verdict("roc_auc", "pass", 8, 8, 1.0, 0.1)
PCA = Next("pca", "Principal components", "06_unsupervised", "exercises/06_unsupervised.ipynb")


class Read(HTMLParser):
    """The words of a page, the tags that carry them, and every tag closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: set[str] = set()
        self.open: list[str] = []
        self.attributes: set[str] = set()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.open.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def words(panel: Panel) -> str:
    read = Read(panel.html())
    assert read.open == []
    return " ".join("".join(read.words).split())


def test_a_wrong_answer_is_told_in_order():
    """Misconception first, then the case, what went in, what should have come out, what did."""
    panel = verdict_panel(WRONG, "ROC AUC with ties", hints_left=2)
    parts = [
        "3 of 8 cases pass", "Equal scores were ranked", "all scores equal", "roc_auc([1, 0], [0.5, 0.5])",
        "expected", "got", "The value is off by 0.5.", "here", 'hint("roc_auc")',
    ]  # fmt: skip
    for shown in (panel.text(), words(panel)):
        places = [shown.index(part) for part in parts]
        assert places == sorted(places)


def test_a_pass_names_the_next_exercise_and_offers_no_hint():
    panel = verdict_panel(RIGHT, "ROC AUC with ties", following=PCA, hints_left=3)
    for shown in (panel.text(), words(panel)):
        assert "passes all 8 cases" in shown and "exercises/06_unsupervised.ipynb" in shown and "hint" not in shown
    assert "Every exercise is passed." in verdict_panel(RIGHT, "", finished=True).text()


@pytest.mark.parametrize(
    ("left", "offer"),
    [(3, "gives the next of 3"), (1, "gives the last one"), (0, 'solution("roc_auc")'), (None, "")],
)
def test_hints_are_offered_while_there_are_any(left: int | None, offer: str):
    shown = verdict_panel(WRONG, "", hints_left=left).text()
    assert offer in shown
    assert ("hint" in shown.lower()) is (left is not None)


def test_a_misconception_seen_on_one_case_only_is_no_certainty():
    assert "On this case" not in verdict_panel(WRONG, "").text()
    guess = replace(WRONG, failure=replace(FAILURE, certain=False))
    assert "On this case your answer does what a common mistake does." in verdict_panel(guess, "").text()


@pytest.mark.parametrize("status", HEADLINES)
def test_every_status_has_its_own_headline(status: str):
    panel = verdict_panel(replace(WRONG, status=status), "ROC AUC")  # type: ignore[arg-type]
    assert panel.tone == {"pass": "good", "missing": "quiet"}.get(status, "bad")
    assert len(set(HEADLINES.values())) == 6


def test_without_an_answer_there_is_a_reason_and_nothing_else():
    nothing = Verdict("pca", "missing", 0, 0, 0.0, 0.0, Failure("", "", "", "", "", "pca is not defined; run the cell"))
    panel = verdict_panel(nothing, "PCA", hints_left=3)
    assert [block.text for block in panel.blocks] == ["pca is not defined; run the cell."]


HOSTILE = "<script>alert(1)</script> & </div> `<b>` \" ' \x1b[2J \x00 \ud800"


def test_nothing_of_a_learner_s_answer_becomes_markup():
    fields = ("case", "why", "call", "expected", "got", "reason", "misconception", "printed")
    failure = replace(FAILURE, **dict.fromkeys(fields, HOSTILE))
    panel = verdict_panel(replace(WRONG, failure=failure), HOSTILE, hints_left=1, notes=[HOSTILE])
    read = Read(panel.html())
    assert read.tags == {"div", "span", "pre", "code"} and read.open == []
    assert read.attributes == {"style", "role"}
    for shown in (panel.text(), panel.html()):
        assert shown.encode("utf-8") and not any(char in shown for char in "\x1b\x00\ud800")
        assert "\\x1b[2J" in shown


def test_much_printed_is_shortened():
    failure = replace(FAILURE, printed="line\n" * 500)
    assert verdict_panel(replace(WRONG, failure=failure), "").text().count("line") == 12


def test_code_keeps_its_lines_and_prose_is_broken():
    panel = Panel("quiet", "Two", (Block("code", "f(\n    1,\n)", "input"), Block("text", "word " * 60)))
    lines = panel.text().split("\n")
    assert lines[1:4] == ["  input  f(", "             1,", "         )"]
    assert max(map(len, lines)) <= 96


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("the value is off", "The value is off."),
        ("roc_auc is not defined", "roc_auc is not defined."),
        ("ValueError should be raised", "ValueError should be raised."),
        ("not run.", "Not run."),
    ],
)
def test_a_reason_becomes_a_sentence_but_names_stay_names(said: str, shown: str):
    assert note_panel("x", said).blocks[0].text == shown


def test_jupyter_gets_both_forms_and_terminals_the_text():
    panel = verdict_panel(WRONG, "ROC AUC")
    assert panel._repr_mimebundle_() == {"text/plain": repr(panel), "text/html": panel._repr_html_()}
    assert repr(panel) == panel.text()


def test_colours_carry_on_light_and_dark_pages():
    """Text takes the page's own colour; backgrounds are tints over the page's."""
    page = verdict_panel(WRONG, "ROC AUC", hints_left=1).html()
    backgrounds = [part.split(";")[0].split('"')[0] for part in page.split("background:")[1:]]
    assert backgrounds and all(background.startswith("rgba(") for background in backgrounds)
    assert "<style" not in page and "class=" not in page


def test_hints_say_which_they_are_and_how_to_go_on():
    first, last = (hint_panel("pca", "PCA", "centre", number, 3).text() for number in (1, 3))
    assert "hint 1 of 3" in first and "again" in first
    assert "hint 3 of 3" in last and 'solution("pca")' in last


def test_a_solution_is_code_in_the_theme_s_colours_with_its_notes():
    page = Page("PCA: our solution", "def pca(): ...", "### Notes", ("remark",))
    bundle = page._repr_mimebundle_()
    assert bundle["text/markdown"].split("\n\n")[1:] == ["```python\ndef pca(): ...\n```", "### Notes", "remark"]
    assert bundle["text/plain"] == repr(page) and "```" not in repr(page)
