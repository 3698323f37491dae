"""The command on a real process's terms: what it writes, and one sentence for every malformed input."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from fraudkit import cli

from .conftest import SCHEMA

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Call `fraudkit benchmark` as the shell does: exit code, standard output, standard error in one line."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["fraudkit", "benchmark", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
            raise SystemExit(0)
        said = capsys.readouterr()
        return int(end.value.code or 0), said.out, " ".join(said.err.split())

    return call


@pytest.fixture
def files(tmp_path: Path, raw: pd.DataFrame) -> tuple[Path, Path]:
    """A compressed CSV and its TOML file."""
    raw.to_csv(tmp_path / "table.csv.gz", index=False)
    (tmp_path / "schema.toml").write_text(SCHEMA)
    return tmp_path / "table.csv.gz", tmp_path / "schema.toml"


def test_a_run_writes_report_page_and_pictures(run: Run, files: tuple[Path, Path], tmp_path: Path) -> None:
    code, out, said = run(files[0], "--schema", files[1], "--out", tmp_path / "o", "--tune", "--json")
    assert code == 0, said
    written = json.loads((tmp_path / "o" / "report.json").read_text())
    assert json.loads(out) == written
    assert len(written["tuning"]) == 2
    names = {"report.json", "report.md", "report.html", "ranking.png", "scores_by_time.png", "top_features.png"}
    assert {path.name for path in (tmp_path / "o").iterdir()} == names
    assert "test folds" in said and "ROC AUC" in said


def test_a_dry_run_says_what_was_understood_and_writes_nothing(
    run: Run, files: tuple[Path, Path], tmp_path: Path
) -> None:
    code, out, said = run(files[0], "--schema", files[1], "--out", tmp_path / "o", "--dry-run", "--json")
    assert code == 0
    assert "120 card holders" in said and "needs country" in said and "2018-05" in said
    assert json.loads(out)["rows"] == 70 * 260
    code, out, said = run(files[0], "--schema", files[1], "--out", tmp_path / "o", "--dry-run")
    assert code == 0 and said == ""
    assert "120 card holders" in out and "needs country" in out and "fold 2018-05-20" in out
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('user = "CARD"', 'user = "KARTE"', "no column 'KARTE' (named as user); the table has ID"),
        ('user = "CARD"', 'usr = "CARD"', "names no user; add"),
        ('user = "CARD"', 'user = "CARD"\nusr = "CARD"', "usr, which is no role"),
        ('label = "FRAUD"', 'label = "FRAUD"\nextra = ["WHEN"]', "extra column 'WHEN' is not numeric"),
        ("[protocol]", "[labels]\ndelay_days = 30\n[protocol]", "differ; make them one"),
        ("[protocol]", '[time]\nformat = "stardate"\n[protocol]', "'stardate' is none of iso"),
        ("[models]", "[modles]", "unknown key 'modles'"),
        ("trees = 20", 'trees = "many"', "must be of type int"),
        ("trees = 20", "trees = 20\nforest_share = 0", "forest_share = 0.0 is out of range"),
        ("trees = 20", "trees = = 20", "is not TOML"),
        ("2018-05-20, 2018-05-13", "2030-05-20", "the table spans 2018-04-01 to 2018-06-09"),
        ("2018-05-20, 2018-05-13", '"May"', "is not a day"),
        ("card_budget = 5", "label_delay_days = 9", "shorter than label_delay_days"),
        ('kind = "prequential"', 'kind = "weekly"', "'weekly' is unknown"),
        ('"logistic", "xgboost"', '"oracle"', "choose from"),
        ("delayed_days = [1, 7]", 'catalog = ["distance_from_home_km"]', "which needs"),
        ("depth = [2, 3]", "depth = 2", "must be a list"),
    ],
)
def test_a_wrong_schema_is_one_sentence(run: Run, files: tuple[Path, Path], old: str, new: str, sentence: str) -> None:
    assert old in SCHEMA
    files[1].write_text(SCHEMA.replace(old, new))
    code, _, said = run(files[0], "--schema", files[1], "--dry-run")
    assert (code, said.count("error: ")) == (1, 1)
    assert sentence in said and "Traceback" not in said


@pytest.mark.parametrize(
    ("column", "value", "sentence"),
    [
        ("WHEN", "yesterday", "none of 50 rows can be used; most often: event_time cannot be read"),
        ("WHEN", 17, "holds numbers; say what they count"),
        ("WHEN", None, "event_time is empty (50 rows)"),
        ("EUR", "ten", "amount cannot be read"),
        ("EUR", -1, "amount is below zero"),
        ("FRAUD", 0, "of one class"),
        ("FRAUD", 2, "use 0 and 1"),
        ("CARD", None, "user_id is empty"),
        ("CARD", 4111111111111111, "looks like a card number"),
        ("ID", 1, "the same transaction_id"),
    ],
)
def test_a_wrong_table_is_one_sentence(
    run: Run, files: tuple[Path, Path], raw: pd.DataFrame, column: str, value: object, sentence: str
) -> None:
    path = files[0].with_name("wrong.csv")
    raw.head(50).assign(**{column: value}).to_csv(path, index=False)
    code, _, said = run(path, "--schema", files[1], "--dry-run")
    assert (code, said.count("error: ")) == (1, 1)
    assert sentence in said and "Traceback" not in said


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("absent.csv", None, "there is no file"),
        ("table.xlsx", b"PK", "is none of .csv"),
        ("empty.csv", b"", "cannot be read"),
        ("short.parquet", b"PAR1", "cannot be read"),
        ("short.csv.gz", b"\x1f\x8b", "cannot be read"),
        ("binary.csv", b"\xff\xfe\x00\x01", "cannot be read"),
        ("heading.csv", b"ID,CARD,TERMINAL,EUR,WHEN,FRAUD\n", "has no rows"),
    ],
)
def test_a_file_that_is_no_table_is_one_sentence(
    run: Run, files: tuple[Path, Path], tmp_path: Path, name: str, content: bytes | None, sentence: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    code, _, said = run(path, "--schema", files[1])
    assert code == 1 and "error: " in said
    assert sentence in said and "Traceback" not in said


def test_times_without_columns_are_refused(run: Run, files: tuple[Path, Path]) -> None:
    files[1].write_text('[time]\nformat = "epoch_s"\n[protocol]\ntrain_start = 2018-05-20\n')
    code, _, said = run(files[0], "--schema", files[1])
    assert code == 1 and "[time] goes with [columns]" in said


def test_a_missing_schema_is_one_sentence(run: Run, files: tuple[Path, Path], tmp_path: Path) -> None:
    code, _, said = run(files[0], "--schema", tmp_path / "none.toml")
    assert code == 1 and "cannot be read" in said
