"""Papermill runs with real kernels on notebooks made here."""

import json
from pathlib import Path

import nbformat
import pytest
from typer.testing import CliRunner

from fraudkit.cli import app
from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.walk import numbered_notebooks, parse_parameters, run_notebook, save_outputs


def write_notebook(path: Path, *cells: str) -> Path:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(notebook, path)
    return path


def test_parameters_reach_the_notebook_and_the_source_is_left_alone(tmp_path: Path):
    source = write_notebook(tmp_path / "00_a.ipynb", "seed = 7", "print(seed + 1)")
    before = source.read_bytes()
    (tmp_path / "out").mkdir()
    run = run_notebook(source, tmp_path / "out", {"seed": 41})
    assert run.error == "" and run.notebook == "00_a"
    executed = nbformat.read(tmp_path / "out" / "00_a.ipynb", as_version=4)
    assert executed.cells[-1].outputs[0].text == "42\n"
    assert source.read_bytes() == before


def test_a_failing_cell_and_a_dead_kernel_are_told(tmp_path: Path):
    (tmp_path / "out").mkdir()
    raised = run_notebook(write_notebook(tmp_path / "00_a.ipynb", "1/0"), tmp_path / "out", {})
    assert "ZeroDivisionError" in raised.error
    died = run_notebook(write_notebook(tmp_path / "01_b.ipynb", "import os; os._exit(1)"), tmp_path / "out", {})
    assert died.error


def test_the_table_of_times_is_the_report(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch):
    chapters = [write_notebook(tmp_path / "00_a.ipynb", "1/0")]
    monkeypatch.setattr("fraudkit.workbook.walk.numbered_notebooks", lambda: chapters)
    told = CliRunner().invoke(app, ["walk"])
    assert told.exit_code == 1 and "ZeroDivisionError" in told.stdout
    assert "executed copies" in told.stderr and "executed copies" not in told.stdout
    told = CliRunner().invoke(app, ["walk", "--json"])
    [row] = json.loads(told.stdout)
    assert told.exit_code == 1 and row["notebook"] == "00_a" and "ZeroDivisionError" in row["error"]


def test_saving_twice_gives_the_same_bytes(tmp_path: Path):
    path = write_notebook(tmp_path / "00_a.ipynb", "print(1)", "2 + 2")
    save_outputs(path)
    first = path.read_bytes()
    save_outputs(path)
    assert path.read_bytes() == first
    assert nbformat.read(path, as_version=4).cells[1].outputs[0].data["text/plain"] == "4"


def test_only_numbered_files_are_chapters_and_they_come_in_order(tmp_path: Path):
    for name in ("10_c.ipynb", "02_b.ipynb", "scratch.ipynb", "00_a.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in numbered_notebooks(tmp_path)] == ["02_b.ipynb", "10_c.ipynb"]


@pytest.mark.parametrize("pair", ["seed", "=7", "a b=1"])
def test_a_bad_parameter_is_named(pair: str):
    with pytest.raises(InvalidInput, match="NAME=VALUE"):
        parse_parameters([pair])
