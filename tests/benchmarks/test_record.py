"""Figures, goals and the files they are kept in."""

from pathlib import Path

import pytest

from benchmarks.machine import machine_facts
from benchmarks.record import Figure, new_record, number, read_record, second_table, table, write_record


@pytest.mark.parametrize(
    ("figure", "met"),
    [
        (Figure("a", 50.0, "×", at_least=50.0), True),
        (Figure("a", 49.9, "×", at_least=50.0), False),
        (Figure("a", 50.0, "ms", at_most=50.0), True),
        (Figure("a", 50.1, "ms", at_most=50.0), False),
        (Figure("a", 5.0, "", at_least=1.0, at_most=4.0), False),
        (Figure("a", 5.0, ""), None),
    ],
)
def test_a_goal_is_met_or_not(figure: Figure, met: bool | None):
    assert figure.met is met


def test_a_record_comes_back_as_it_was_written(tmp_path: Path):
    figures = [Figure("speed", 12.5, "×", at_least=10.0), Figure("rows", 1_754_155, "rows")]
    record = new_record("sample", "A sample", "python -m benchmarks.sample", figures, ["one note"], ["numpy"])
    assert read_record(write_record(record, tmp_path)) == record


def test_a_record_names_no_host_no_user_and_no_path():
    facts = machine_facts(["numpy"])
    assert set(facts) == {"cores", "cpu", "memory_gb", "system", "python", "packages"}
    assert not any("/" in str(value) for value in facts.values())


def test_a_goal_is_not_rounded_away():
    row = table(new_record("n", "t", "c", [Figure("agreeing", 99.995, "%", at_least=99.99)])).splitlines()[-1]
    assert "≥ 99.99" in row and "yes" in row


@pytest.mark.parametrize(
    ("value", "text"), [(1_754_155, "1,754,155"), (0.04217, "0.0422"), (98.64, "98.6"), (1234.5, "1,234"), (0, "0")]
)
def test_numbers_read_well(value: float, text: str):
    assert number(value) == text


def test_a_second_table_comes_back_and_is_shown(tmp_path: Path):
    record = new_record("n", "t", "c", [], columns=("exercise", "size"), rows=[("pca", "20"), ("dbscan", "1,000")])
    assert read_record(write_record(record, tmp_path)) == record
    assert second_table(record).splitlines() == [
        "| exercise | size |",
        "| --- | --- |",
        "| pca | 20 |",
        "| dbscan | 1,000 |",
    ]
    assert second_table(new_record("n", "t", "c", [])) == ""
