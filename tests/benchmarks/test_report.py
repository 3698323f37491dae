"""The page made from the records."""

from pathlib import Path

from benchmarks import readme, report
from benchmarks.all import COMMANDS
from benchmarks.record import RESULTS, Figure, new_record, write_record


def records_in(folder: Path):
    write_record(new_record("zeta", "Last by name", "python -m benchmarks.zeta", [Figure("a", 1.0, "s")]), folder)
    write_record(
        new_record("service", "Service", "python -m benchmarks.service", [Figure("p99", 51.0, "ms", at_most=50)]),
        folder,
    )
    write_record(
        new_record("replay", "Replay", "python -m benchmarks.replay", [Figure("ratio", 120.0, "×", at_least=100)]),
        folder,
    )
    return report.read_records(folder)


def test_the_page_holds_every_record_in_order(tmp_path: Path):
    page = report.render(records_in(tmp_path), handbook=False)
    assert [line for line in page.splitlines() if line.startswith("## ")] == [
        "## Goals",
        "## Replay",
        "## Service",
        "## Last by name",
    ]


def test_a_missed_goal_is_shown_as_missed(tmp_path: Path):
    lines = report.summary(records_in(tmp_path)).splitlines()[2:]
    assert len(lines) == 2  # a figure without a goal is no line
    assert "≥ 100 | 120 × | yes" in lines[0]
    assert "≤ 50 | 51 ms | **no**" in lines[1]


def test_the_handbook_is_linked_where_it_is_there(tmp_path: Path):
    assert "(handbook.md)" in report.render(records_in(tmp_path), handbook=True)
    assert "handbook.md" not in report.render(records_in(tmp_path), handbook=False)


def test_the_committed_page_is_not_stale():
    """Run `python -m benchmarks.report` when this fails."""
    assert report.README.read_text(encoding="utf-8") == report.current()


def test_every_record_is_measured_by_make_bench():
    named = {module.rpartition(".")[2] for module, *_ in COMMANDS}
    assert {path.stem for path in RESULTS.glob("*.json")} <= named


def test_every_published_command_is_one_of_make_bench():
    commands = {"python -m " + " ".join(parts) for parts in COMMANDS}
    assert {record.command for record in report.read_records()} <= commands


def test_the_made_parts_of_the_projects_readme_are_not_stale():
    readme.main(["--check"])
