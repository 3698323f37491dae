"""What was handed in, in the shapes and with the names that people and their tools give it."""

import io
import json
import os
import sys
import zipfile
from pathlib import Path

import pytest

from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.grade import collect as collecting
from fraudkit.workbook.grade.collect import Collection, collect, shown
from fraudkit.workbook.grade.names import file_names
from fraudkit.workbook.grade.notebook import read_notebook

TOPICS = ["01_metrics", "02_data"]
EXERCISES = {"01_metrics": ["roc_auc", "ndcg"], "02_data": ["one_hot"]}


def notebook(*sources: str) -> bytes:
    cells = [{"cell_type": "code", "source": source, "metadata": {}, "outputs": []} for source in sources]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).encode()


def lay(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(notebook("x = 1"))
    return folder


def zipped(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


def told(found: Collection) -> set[tuple[str, str]]:
    return {(one.learner, one.topic) for one in found.submissions}


def test_a_folder_for_each_learner(tmp_path: Path):
    lay(tmp_path, "ana/01_metrics.ipynb", "ana/02_data.ipynb", "bo/week 1/01_metrics.ipynb", "bo/notes.txt")
    found = collect(tmp_path, TOPICS)
    assert told(found) == {("ana", "01_metrics"), ("ana", "02_data"), ("bo", "01_metrics")}
    assert found.learners == ("ana", "bo")


def test_a_flat_folder_takes_learners_from_file_names(tmp_path: Path):
    lay(tmp_path, "ana_01_metrics.ipynb", "01-metrics - bo.ipynb", "ana_02_data-Copy1.ipynb")
    assert told(collect(tmp_path, TOPICS)) == {("ana", "01_metrics"), ("bo", "01_metrics"), ("ana", "02_data")}


def test_a_folder_of_topics_is_one_learner(tmp_path: Path):
    lay(tmp_path / "solutions", "01_metrics.ipynb", "02_data.ipynb")
    found = collect(tmp_path / "solutions", TOPICS)
    assert told(found) == {("solutions", "01_metrics"), ("solutions", "02_data")}


def test_a_zip_with_one_folder_around_everybody(tmp_path: Path):
    entries = {"class/ana/01_metrics.ipynb": notebook("1"), "class/bo/01_metrics.ipynb": notebook("2")}
    entries["__MACOSX/class/ana/._01_metrics.ipynb"] = b"junk"
    found = collect(zipped(tmp_path / "class.zip", entries), TOPICS)
    assert told(found) == {("ana", "01_metrics"), ("bo", "01_metrics")}


def test_the_better_named_of_two_notebooks_counts_and_the_other_is_noted(tmp_path: Path):
    lay(tmp_path, "ana/01_metrics.ipynb", "ana/01_metrics (1).ipynb", "ana/.ipynb_checkpoints/01_metrics.ipynb")
    found = collect(tmp_path, TOPICS)
    assert [one.file for one in found.submissions] == ["ana/01_metrics.ipynb"]
    assert len(found.notes) == 1 and "left out" in found.notes[0]


def test_a_notebook_with_another_name_is_known_by_its_content(tmp_path: Path):
    (tmp_path / "ana").mkdir()
    (tmp_path / "ana" / "homework.ipynb").write_bytes(notebook("def one_hot(values):\n    return values"))
    (tmp_path / "ana" / "shopping.ipynb").write_bytes(notebook("milk = 2"))
    found = collect(tmp_path, TOPICS, EXERCISES)
    assert told(found) == {("ana", "02_data")} and "shopping" in found.notes[0]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_that_cannot_be_decoded_are_shown_and_kept_apart(tmp_path: Path):
    for name in (b"Jos\xe9", b"Jos\xff"):
        lay(tmp_path / os.fsdecode(name), "01_metrics.ipynb")
    found = collect(tmp_path, TOPICS)
    assert found.learners == ("Jos\ufffd", "Jos\ufffd~2")
    assert "".join(found.learners).encode("utf-8")


def test_a_zip_made_by_an_old_tool_shows_utf8_names(tmp_path: Path):
    raw = zipped(tmp_path / "a.zip", {"JoseX/01_metrics.ipynb": notebook("1")}).read_bytes()
    (tmp_path / "a.zip").write_bytes(raw.replace(b"JoseX", "José".encode()))  # no UTF-8 mark beside it
    assert collect(tmp_path / "a.zip", TOPICS).learners == ("José",)
    (tmp_path / "b.zip").write_bytes(raw.replace(b"JoseX", b"Jos\x82!"))  # and one that means cp437
    assert collect(tmp_path / "b.zip", TOPICS).learners == ("José!",)


@pytest.mark.parametrize(
    "name", ["../01_metrics.ipynb", "/etc/01_metrics.ipynb", "a/../../b.ipynb", "C:\\x.ipynb", "..\\x.ipynb"]
)
def test_a_zip_whose_names_lead_out_of_it_is_refused(tmp_path: Path, name: str):
    with pytest.raises(InvalidInput, match="leads out of it"):
        collect(zipped(tmp_path / "a.zip", {"ana/01_metrics.ipynb": notebook("1"), name: notebook("1")}), TOPICS)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(collecting, "MAX_NOTEBOOK_BYTES", 100_000)
    with pytest.raises(InvalidInput, match="200 times"):
        collect(zipped(tmp_path / "a.zip", {"ana/01_metrics.ipynb": b"0" * 10_000_000}), TOPICS)
    monkeypatch.setattr(collecting, "MAX_ZIP_BYTES", 1_000)
    many = {f"{name}/01_metrics.ipynb": notebook("x" * 400) for name in ("ana", "bo", "cy")}
    with pytest.raises(InvalidInput, match="unpacks to more"):
        collect(zipped(tmp_path / "b.zip", many), TOPICS)


def test_a_damaged_entry_costs_only_itself(tmp_path: Path):
    path = zipped(
        tmp_path / "a.zip", {"ana/01_metrics.ipynb": notebook("ana" * 99), "bo/01_metrics.ipynb": notebook("1")}
    )
    raw = bytearray(path.read_bytes())
    start = raw.index(b"ana/01_metrics.ipynb") + len(b"ana/01_metrics.ipynb")
    raw[start + 5 : start + 25] = b"\0" * 20
    path.write_bytes(raw)
    found = {one.learner: one for one in collect(path, TOPICS).submissions}
    assert "cannot be unpacked" in found["ana"].problem and found["bo"].problem == ""


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no zip at all"])
def test_what_is_no_zip_is_refused(tmp_path: Path, content: bytes):
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(InvalidInput, match="no readable zip"):
        collect(tmp_path / "a.zip", TOPICS)


def test_links_are_not_followed(tmp_path: Path):
    lay(tmp_path / "secret", "01_metrics.ipynb")
    lay(tmp_path / "class", "bo/01_metrics.ipynb")
    (tmp_path / "class" / "ana").symlink_to(tmp_path / "secret")
    found = collect(tmp_path / "class", TOPICS)
    assert told(found) == {("bo", "01_metrics")} and "link" in found.notes[0]


def test_a_notebook_that_is_too_large_is_a_problem_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(collecting, "MAX_NOTEBOOK_BYTES", 50)
    found = collect(lay(tmp_path, "ana/01_metrics.ipynb"), TOPICS)
    assert "larger" in found.submissions[0].problem


def test_nothing_to_grade_is_said(tmp_path: Path):
    with pytest.raises(InvalidInput, match="no notebook"):
        collect(tmp_path, TOPICS)
    with pytest.raises(InvalidInput, match="no folder or zip"):
        collect(tmp_path / "nowhere", TOPICS)


def test_control_characters_and_directions_in_names_are_replaced():
    assert shown("a\x1b[31m\u202ebc\n") == "a\ufffd[31m\ufffdbc\ufffd"


def test_names_of_files_are_safe_and_different():
    names = file_names(["../../etc/passwd", "CON", "ana", "Ana", "", "<b>", "名前", "x" * 300])
    assert len({name.casefold() for name in names.values()}) == 8
    for name in names.values():
        assert "/" not in name and not name.startswith(".") and 0 < len(name) <= 80
    assert names["CON"] == "_CON" and names["名前"] == "名前"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b'{"cells": [', "JSON"),
        (b"\xff\xfe{}", "UTF-8"),
        (b"[]", "no cells"),
        (b'{"worksheets": []}', "no cells"),
        (b"[" * 100_000, "nested|JSON"),
        (json.dumps({"cells": [{}] * 2_001}).encode(), "2,001"),
    ],
)
def test_what_is_no_notebook_is_refused_with_the_reason(data: bytes, says: str):
    with pytest.raises(InvalidInput, match=says):
        read_notebook(data)


def test_odd_cells_are_left_out_and_the_rest_is_read():
    cells = [
        7,
        {"cell_type": "code"},
        {"cell_type": "code", "source": ["a = 1\n", "b = 2"], "metadata": {"tags": ["parameters"]}},
        {"cell_type": "code", "source": 5},
        {"cell_type": "spell", "source": "x"},
        {"cell_type": "markdown", "source": "text \ud800"},
    ]
    read = read_notebook(b"\xef\xbb\xbf" + json.dumps({"cells": cells}).encode())
    assert [(cell.kind, cell.source, cell.parameters) for cell in read] == [
        ("code", "", False),
        ("code", "a = 1\nb = 2", True),
        ("markdown", "text ?", False),
    ]


def test_reading_a_zip_writes_nothing(tmp_path: Path):
    path = zipped(tmp_path / "a.zip", {"ana/01_metrics.ipynb": notebook("1")})
    collect(path, TOPICS)
    assert list(tmp_path.iterdir()) == [path]
    assert zipfile.ZipFile(io.BytesIO(path.read_bytes())).namelist() == ["ana/01_metrics.ipynb"]
