"""What every numbered notebook promises its reader, checked on the files as they are saved.

Whether a notebook runs is tested elsewhere (`make walk`, `make nbval`); this looks at form and at
what the saved outputs would show a reader on GitHub who runs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest
from nbformat import NotebookNode
from stdnum import luhn

from fraudkit.core.config import PROJECT_ROOT
from fraudkit.workbook.checklist_file import read_checklist
from fraudkit.workbook.walk import numbered_notebooks

MAX_BYTES = 400_000
MAX_LINES = 24
QUESTIONS = 5
TAGS = {"parameters", "nbval-ignore-output"}

# Cells whose output differs between runs by nature: (notebook, start of the cell's source).
MAY_VARY: set[tuple[str, str]] = {
    ("07_models.ipynb", "started = perf_counter()\nfor _ in range(200):"),
    ("08_training_and_promotion.ipynb", 'record = registry.version("production")'),
    ("09_serving.ipynb", 'theft = bank.payments[bank.payments["campaign"]'),
    ("09_serving.ipynb", "middle = 1e6 * inside.median()"),
    ("09_serving.ipynb", 'features_ms = 1e3 * (inside["store"]'),
    ("09_serving.ipynb", "axes = per_row.plot("),
    ("09_serving.ipynb", "import psutil"),
    ("11_trade_offs.ipynb", 'specified = {"rules"'),
    ("11_trade_offs.ipynb", "times_larger = "),
    ("11_trade_offs.ipynb", 'pd.DataFrame({\n    title: {\n        "specified training"'),
    ("12_edge_cases_and_scaling.ipynb", "import timeit"),
    ("10_monitoring_and_feedback.ipynb", "# A look at the live service"),
    ("14_incident_response.ipynb", "# Answer times depend on the machine"),
}

NOTEBOOKS = numbered_notebooks()
EACH = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)

FENCE = re.compile(r"```.*?```|~~~.*?~~~", re.DOTALL)
CODE_SPAN = re.compile(r"(`+).+?\1", re.DOTALL)
LINK = re.compile(r"\]\(\s*<?([^)>\s]+)>?(?:\s+\"[^\"]*\")?\s*\)|(?:href|src)=[\"']([^\"']+)[\"']")
CARD_NUMBER = re.compile(r"(?<![\d.])(?:\d[ -]?){12,18}\d(?![\d.])")
MACHINE_PATH = re.compile(r"(?<![\w/:.])/(?:home|root|Users|tmp|private|var/folders|opt|mnt)/[\w.@-]+|[A-Z]:\\\\?Users")


def read(path: Path) -> NotebookNode:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def prose(notebook: NotebookNode) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def output_texts(notebook: NotebookNode) -> Iterator[str]:
    """Every text that an output shows; pictures are left out."""
    for cell in code_cells(notebook):
        for output in cell.outputs:
            yield output.get("text", "")
            for kind, content in output.get("data", {}).items():
                if not kind.startswith("image/") or kind == "image/svg+xml":
                    yield content if isinstance(content, str) else str(content)


def tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def section(notebook: NotebookNode, title: str) -> str:
    """The prose below the heading `## title`, up to the next heading of that depth or higher."""
    whole = "\n\n".join(prose(notebook))
    found = re.search(rf"^## (?:\d+ · )?{title}\s*$(.*?)(?=^##? |\Z)", whole, re.MULTILINE | re.DOTALL)
    assert found, f"there is no section '## {title}'"
    return found[1]


def test_there_are_notebooks():
    assert NOTEBOOKS
    numbers = [path.name[:2] for path in NOTEBOOKS]
    assert len(set(numbers)) == len(numbers)


@EACH
def test_every_code_cell_was_run_in_order(path: Path):
    counts = [cell.execution_count for cell in code_cells(read(path))]
    assert counts == list(range(1, len(counts) + 1))


@EACH
def test_no_output_is_an_error_or_a_warning(path: Path):
    for cell in code_cells(read(path)):
        wrong = [output for output in cell.outputs if output.output_type == "error" or output.get("name") == "stderr"]
        assert not wrong, f"{cell.source[:80]!r}: {wrong}"


@EACH
def test_the_saved_file_is_small(path: Path):
    assert path.stat().st_size < MAX_BYTES


@EACH
def test_the_parameters_are_world_scale_and_seed(path: Path):
    tagged = [cell for cell in read(path).cells if "parameters" in tags(cell)]
    assert len(tagged) == 1
    values: dict[str, object] = {}
    exec(tagged[0].source, values)
    assert (values["world"], values["scale"], values["seed"]) == ("small", 1.0, 7)


@EACH
def test_only_known_tags_and_only_named_cells_may_vary(path: Path):
    for cell in read(path).cells:
        assert set(tags(cell)) <= TAGS, tags(cell)
        if "nbval-ignore-output" in tags(cell):
            named = any(path.name == name and cell.source.startswith(start) for name, start in MAY_VARY)
            assert named, f"the output of this cell is not compared: {cell.source[:80]!r}"


def test_the_list_of_varying_cells_is_not_out_of_date():
    for name, start in MAY_VARY:
        cells = code_cells(read(PROJECT_ROOT / "notebooks" / name))
        assert any(cell.source.startswith(start) and "nbval-ignore-output" in tags(cell) for cell in cells), (
            name,
            start,
        )


@EACH
def test_the_header_says_what_where_and_how_long(path: Path):
    title, goals = prose(read(path))[:2]
    assert re.match(rf"# {path.name[:2]} · \S", title)
    assert re.search(r"(?<!\d)\d{1,2} minutes", title)
    assert re.search(r"\[\d\d [^]]+\]\(\d\d_\w+\.ipynb\)", title), "the header links no neighbour"
    assert goals.startswith("**After this chapter you can**")
    assert 3 <= len(re.findall(r"^- ", goals, re.MULTILINE)) <= 7


@EACH
def test_there_is_something_to_do_with_a_folded_answer(path: Path):
    whole = "\n\n".join(prose(read(path)))
    parts = whole.split("### Your turn")
    assert len(parts) > 1
    for part in parts[1:]:
        assert "<details>" in part.partition("\n## ")[0], f"no folded answer to: {part[:80]!r}"


@EACH
def test_it_ends_with_recap_checklist_and_questions(path: Path):
    notebook = read(path)
    assert len(section(notebook, "Recap").split()) >= 20
    assert len(section(notebook, "Checklist").split()) >= 3
    assert f'checklist("{path.stem}")' in "\n".join(cell.source for cell in code_cells(notebook))
    assert len(read_checklist(path.stem).items) >= 3
    questions = section(notebook, "Interview questions")
    numbers = re.findall(r"^\*\*(\d+)\. [^\n]+\*\*$", questions, re.MULTILINE)
    assert numbers == [str(number) for number in range(1, QUESTIONS + 1)]
    answers = re.findall(r"<details><summary>Answer</summary>(.*?)</details>", questions, re.DOTALL)
    assert len(answers) == QUESTIONS
    assert all(len(answer.split()) >= 10 for answer in answers)


@EACH
def test_the_saved_checklist_holds_no_state_and_no_widget(path: Path):
    (cell,) = [cell for cell in code_cells(read(path)) if cell.source.rstrip().endswith(f'checklist("{path.stem}")')]
    (output,) = cell.outputs
    assert output.data["text/plain"] == read_checklist(path.stem).text()
    assert set(output.data) == {"text/plain", "text/html"}


@EACH
def test_it_shows_a_figure(path: Path):
    outputs = [output for cell in code_cells(read(path)) for output in cell.outputs]
    assert any("image/png" in output.get("data", {}) for output in outputs)


@EACH
def test_the_prose_does_not_shout(path: Path):
    for text in prose(read(path)):
        plain = CODE_SPAN.sub("", FENCE.sub("", text)).replace("![", "[").replace("<!--", "")
        assert "!" not in plain, plain


@EACH
def test_every_local_link_leads_somewhere(path: Path):
    for text in prose(read(path)):
        for link in (markdown or html for markdown, html in LINK.findall(FENCE.sub("", text))):
            if re.match(r"[a-z]+:", link) or link.startswith(("#", "attachment:")):
                continue
            target = path.parent / unquote(link.partition("#")[0])
            assert target.exists(), f"{link} leads nowhere"


@EACH
def test_code_cells_fit_on_a_screen(path: Path):
    for cell in code_cells(read(path)):
        lines = [line for line in cell.source.splitlines() if line.strip()]
        assert len(lines) <= MAX_LINES, f"{len(lines)} lines: {cell.source[:80]!r}"


@EACH
def test_outputs_hold_no_card_number(path: Path):
    for text in output_texts(read(path)):
        for number in CARD_NUMBER.findall(text):
            digits = re.sub(r"\D", "", number)
            assert not luhn.is_valid(digits), f"{number} has the form of a card number"


@EACH
def test_outputs_name_no_folder_of_the_machine_they_were_made_on(path: Path):
    for text in output_texts(read(path)):
        assert str(PROJECT_ROOT) not in text
        assert str(Path.home()) not in text or str(Path.home()) == "/"
        assert not MACHINE_PATH.search(text), MACHINE_PATH.search(text)
