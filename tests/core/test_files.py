import subprocess
import sys
from pathlib import Path

import pytest

from fraudkit.core import files
from fraudkit.core.errors import InvalidInput


def fail(*_args: object) -> None:
    raise OSError("disk full")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_digest_of_a_file_is_that_of_its_bytes(tmp_path: Path):
    data = bytes(range(256)) * 9000
    (tmp_path / "f").write_bytes(data)
    assert files.sha256_of(tmp_path / "f") == files.sha256(data)


def test_a_replaced_file_is_readable_by_others_and_stands_alone(tmp_path: Path):
    for data in (b"old", b"new"):
        files.replace_file(tmp_path / "f", data)
    assert (tmp_path / "f").read_bytes() == b"new"
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o644
    assert names(tmp_path) == ["f"]


def test_a_replacement_that_fails_leaves_the_old_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    files.replace_file(tmp_path / "f", b"old")
    monkeypatch.setattr(files, "write_synced", fail)
    with pytest.raises(OSError, match="disk full"):
        files.replace_file(tmp_path / "f", b"new")
    assert (tmp_path / "f").read_bytes() == b"old"
    assert names(tmp_path) == ["f"]


@pytest.mark.parametrize("inside", [True, False])
def test_a_folder_is_created_whole_and_never_over_another(tmp_path: Path, inside: bool):
    (tmp_path / "there").mkdir()
    if inside:
        (tmp_path / "there" / "mine").touch()
    with pytest.raises(InvalidInput, match="exists already"):
        files.write_folder(tmp_path / "there", {"a": b"1"})
    files.write_folder(tmp_path / "new", {"a": b"1", "b": b"2"})
    assert names(tmp_path / "new") == ["a", "b"]
    assert names(tmp_path) == ["new", "there"]


def test_a_folder_takes_another_s_place(tmp_path: Path):
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.txt").touch()
    files.replace_folder(tmp_path / "new", tmp_path / "old")
    assert names(tmp_path) == ["old"]
    assert names(tmp_path / "old") == ["new.txt"]


def test_the_old_folder_comes_back_when_the_new_one_cannot_stand(tmp_path: Path):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "old.txt").touch()
    with pytest.raises(FileNotFoundError):
        files.replace_folder(tmp_path / "missing", tmp_path / "old")
    assert names(tmp_path) == ["old"]
    assert names(tmp_path / "old") == ["old.txt"]


COUNT_UP = """
import sys
from pathlib import Path
from fraudkit.core.files import locked
folder = Path(sys.argv[1])
for _ in range(50):
    with locked(folder / ".lock"):
        count = int((folder / "count").read_text())
        (folder / "count").write_text(str(count + 1))
"""


def test_two_processes_take_turns(tmp_path: Path):
    (tmp_path / "count").write_text("0")
    workers = [subprocess.Popen([sys.executable, "-c", COUNT_UP, str(tmp_path)]) for _ in range(2)]
    assert [worker.wait(timeout=60) for worker in workers] == [0, 0]
    assert (tmp_path / "count").read_text() == "100"
