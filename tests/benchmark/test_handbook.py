"""The page of the Handbook's table comes from two reports, and says what its record says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import handbook
from fraudkit.benchmark.report import REPORT_FORMAT


@pytest.fixture
def stored() -> dict[str, Any]:
    return json.loads(handbook.RECORD.read_text(encoding="utf-8"))


@pytest.fixture
def folders(tmp_path: Path, stored: dict[str, Any]) -> tuple[Path, Path]:
    """The two stored runs as `fraudkit benchmark --out` leaves them."""
    for name in ("folds", "single"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, stored[name])
    return tmp_path / "folds", tmp_path / "single"


def write(folder: Path, run: dict[str, Any], **changes: Any) -> None:
    report = {**run, "format": REPORT_FORMAT, "top_features": [], "data": {**run["data"], "months": []}, **changes}
    (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")


def test_the_page_is_what_the_record_says() -> None:
    handbook.main(["--check"])


def test_two_reports_make_record_and_page(
    tmp_path: Path, folders: tuple[Path, Path], stored: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handbook, "RECORD", tmp_path / "record.json")
    monkeypatch.setattr(handbook, "PAGE", tmp_path / "page.md")
    stored["folds"]["summary"]["xgboost"]["roc_auc"] = {"mean": 0.4321, "std": 0.0567}
    write(folders[0], stored["folds"])
    handbook.main([str(folder) for folder in folders])
    assert json.loads((tmp_path / "record.json").read_text()) == stored
    page = (tmp_path / "page.md").read_text()
    assert "| fraudkit: xgboost | .432 ± .057 |" in page
    assert "ROC AUC: best published .879, XGBoost here .432 (-0.447; deviation between weeks 0.057" in page
    handbook.main(["--check"])
    (tmp_path / "page.md").write_text(page + "by hand\n")
    with pytest.raises(SystemExit, match="1"):
        handbook.main(["--check"])


def test_reports_that_do_not_fit_are_refused(folders: tuple[Path, Path], stored: dict[str, Any]) -> None:
    folds, single = map(str, folders)
    with pytest.raises(SystemExit, match="is of a single protocol, prequential is needed"):
        handbook.main([single, folds])
    write(folders[0], stored["folds"], tuning=[])
    with pytest.raises(SystemExit, match="run the benchmark with --tune"):
        handbook.main([folds, single])
    write(folders[0], stored["folds"], format=0)
    with pytest.raises(SystemExit, match="has format 0"):
        handbook.main([folds, single])
    (folders[0] / "report.json").unlink()
    with pytest.raises(SystemExit, match="cannot be read"):
        handbook.main([folds, single])


def test_the_record_holds_figures_and_no_rows(stored: dict[str, Any]) -> None:
    assert handbook.RECORD.stat().st_size < 40_000
    first = stored["folds"]["folds"][-1]
    assert (first["train_start"], first["test_rows"], first["test_frauds"]) == ("2018-07-25", 58_264, 385)
    single = stored["single"]["folds"][0]
    assert (single["train_rows"], single["train_frauds"], single["test_rows"]) == (67_240, 598, 58_264)
