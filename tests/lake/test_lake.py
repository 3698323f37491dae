import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from fraudkit.core.errors import CorruptArtefact, InvalidInput, NotReady
from fraudkit.lake import Lake, resolve
from fraudkit.lake import lake as lake_module
from fraudkit.lake.manifest import MANIFEST_NAME


def as_text(table: pd.DataFrame) -> pd.DataFrame:
    """Values without the order of categories."""
    return table.astype(dict.fromkeys(table.select_dtypes("category"), "string"))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_what_is_written_is_read_back_with_values_dtypes_and_order(tmp_path, tables):
    lake = Lake.write(tmp_path / "a b" / "world", tables)
    assert_frame_equal(as_text(lake.transactions()), as_text(tables.transactions))
    assert dict(lake.transactions().dtypes.astype(str)) == dict(tables.transactions.dtypes.astype(str))
    assert_frame_equal(as_text(lake.labels()), as_text(tables.labels))
    assert lake.config == {"name": "tiny", "start": "2025-01-01T00:00:00+00:00"}
    assert {path.parent.name for path in lake.files("transactions")} == {f"event_day=2025-01-0{day}" for day in "1234"}


def test_ties_in_known_at_are_ordered_by_id_also_across_days(tmp_path, tables):
    tables.transactions["known_at"] = tables.transactions["known_at"].max()
    tables.transactions["transaction_id"] = tables.transactions["transaction_id"].to_numpy()[::-1]
    ids = Lake.write(tmp_path / "w", tables).transactions()["transaction_id"]
    assert ids.tolist() == sorted(ids)


def test_same_tables_give_the_same_bytes_whatever_the_rows_order_and_the_categories(tmp_path, tables):
    Lake.write(tmp_path / "one", tables)
    shuffled = tables.transactions.sample(frac=1, random_state=1)
    shuffled["user_id"] = shuffled["user_id"].cat.reorder_categories(shuffled["user_id"].cat.categories[::-1])
    shuffled["user_id"] = shuffled["user_id"].cat.add_categories(["never seen"])
    tables.transactions = shuffled
    Lake.write(tmp_path / "two", tables)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_the_window_is_on_event_time_closed_below_and_open_above(tmp_path, tables):
    lake = Lake.write(tmp_path / "w", tables)
    event = tables.transactions["event_time"].sort_values()
    start, end = event.iloc[10], event.iloc[40]
    found = lake.transactions(start=start, end=end, columns=["event_time", "amount"])
    assert list(found) == ["event_time", "amount"]
    expected = tables.transactions.query("event_time >= @start and event_time < @end")
    assert found["amount"].tolist() == expected["amount"].tolist()
    assert len(lake.transactions(start="2025-01-02", end="2025-01-03")) == int(
        (tables.transactions["event_time"].dt.day == 2).sum()
    )
    assert lake.transactions(start="2026-01-01").empty


@pytest.mark.parametrize("question", [{"columns": ["nonsense"]}, {"start": "yesterday-ish"}])
def test_a_bad_question_is_told(tmp_path, tables, question):
    with pytest.raises(InvalidInput, match=r"nonsense|yesterday-ish"):
        Lake.write(tmp_path / "w", tables).transactions(**question)


def test_labels_as_of_a_moment(tmp_path, tables):
    lake = Lake.write(tmp_path / "w", tables)
    arrived = tables.labels["known_at"].sort_values().iloc[4]
    assert len(lake.labels(as_of=arrived)) == int((tables.labels["known_at"] <= arrived).sum())
    assert lake.labels(as_of="2025-01-02").empty


def test_open_refuses_what_is_not_a_finished_lake(tmp_path):
    with pytest.raises(NotReady, match="fraudkit simulate"):
        Lake.open(tmp_path / "nowhere")
    with pytest.raises(NotReady, match="holds no finished lake"):
        Lake.open(tmp_path)


def test_a_missing_or_cut_file_is_found_at_open(tmp_path, tables):
    lake = Lake.write(tmp_path / "w", tables)
    day = lake.files("transactions")[1]
    day.write_bytes(day.read_bytes()[:-1])
    with pytest.raises(CorruptArtefact, match=f"has {day.stat().st_size} bytes instead of"):
        Lake.open(lake.path)
    day.unlink()
    with pytest.raises(CorruptArtefact, match="is missing"):
        Lake.open(lake.path)


def test_a_flipped_byte_in_any_file_is_found_by_verify(tmp_path, tables):
    lake = Lake.write(tmp_path / "w", tables)
    assert lake.verify() == len(lake.manifest.files)
    for entry in lake.manifest.files:
        path = lake.path / entry.path
        good = path.read_bytes()
        middle = len(good) // 2
        path.write_bytes(good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1 :])
        with pytest.raises(CorruptArtefact, match=entry.path):
            Lake.open(lake.path).verify()
        path.write_bytes(good)


def test_a_changed_manifest_is_refused(tmp_path, tables):
    lake = Lake.write(tmp_path / "w", tables)
    path = lake.path / MANIFEST_NAME
    content = json.loads(path.read_text())
    for broken in (json.dumps(content | {"rows": {}}), "{", "[]", path.read_text().replace("tiny", "tinx")):
        path.write_text(broken)
        with pytest.raises(CorruptArtefact):
            Lake.open(lake.path)


@pytest.mark.parametrize("step", ["write_transactions", "sync_tree", "write_manifest", "replace_folder"])
def test_a_failure_at_any_step_leaves_nothing_behind(tmp_path, tables, monkeypatch, step):
    def fail(*_args, **_kwargs):
        raise OSError("disk full")

    monkeypatch.setattr(lake_module, step, fail)
    with pytest.raises(OSError, match="disk full"):
        Lake.write(tmp_path / "w", tables)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("files_written", [1, 9])
def test_a_process_killed_in_the_middle_leaves_no_readable_lake(tmp_path, tables, files_written):
    tables.transactions.to_parquet(tmp_path / "t.parquet")
    script = f"""
import os, signal, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import pandas as pd
from conftest import make_tables
from fraudkit.core import files
from fraudkit.lake import parts, Lake
real, count = files.write_synced, 0
def dying(path, data):
    global count
    count += 1
    if count > {files_written}:
        path.write_bytes(data[: len(data) // 2])
        os.kill(os.getpid(), signal.SIGKILL)
    real(path, data)
files.write_synced = parts.write_synced = dying
Lake.write({str(tmp_path / "w")!r}, make_tables())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, env={**os.environ}, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    left = [path for path in tmp_path.iterdir() if path.is_dir()]
    assert left and left[0].name.startswith(".w.")  # the unfinished sibling, which has no manifest
    for folder in (tmp_path / "w", *left):
        with pytest.raises(NotReady):
            Lake.open(folder)
    assert len(Lake.write(tmp_path / "w", tables).transactions()) == len(tables.transactions)


def test_nothing_is_overwritten_unless_asked_and_then_only_a_lake(tmp_path, tables):
    Lake.write(tmp_path / "w", tables)
    with pytest.raises(InvalidInput, match="holds a lake already"):
        Lake.write(tmp_path / "w", tables)
    tables.transactions = tables.transactions.head(5)
    assert len(Lake.write(tmp_path / "w", tables, replace=True).transactions()) == 5
    assert [path.name for path in tmp_path.iterdir()] == ["w"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(InvalidInput, match="is no lake"):
        Lake.write(tmp_path / "mine", tables, replace=True)


def test_a_transaction_without_time_or_id_is_refused(tmp_path, tables):
    tables.transactions.loc[3, "event_time"] = pd.NaT
    with pytest.raises(InvalidInput, match="1 transactions have no event_time"):
        Lake.write(tmp_path / "w", tables)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_world_is_a_lake(tmp_path, tables):
    tables.transactions = tables.transactions.head(0)
    lake = Lake.write(tmp_path / "w", tables)
    assert lake.transactions().empty and lake.days == []
    assert lake.query("SELECT count(*) AS n FROM transactions")["n"].tolist() == [0]


def test_progress_ends_at_one(tmp_path, tables):
    seen: list[float] = []
    Lake.write(tmp_path / "w", tables, lambda fraction, _: seen.append(fraction))
    assert seen == sorted(seen) and np.isclose(seen[-1], 1)


def test_a_name_or_a_path_is_resolved(tmp_path, tables, monkeypatch):
    class Home:
        worlds = tmp_path / "worlds"

    monkeypatch.setattr("fraudkit.lake.locate.settings", lambda: Home)
    with pytest.raises(NotReady, match="no world is built yet"):
        resolve("tiny")
    Lake.write(tmp_path / "worlds" / "tiny", tables)
    assert resolve("tiny") == tmp_path / "worlds" / "tiny"
    assert resolve(str(tmp_path / "worlds" / "tiny")) == tmp_path / "worlds" / "tiny"
    with pytest.raises(NotReady, match="worlds that are built: tiny"):
        resolve("huge")
