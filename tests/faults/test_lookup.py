"""Which files a service takes its lookup from, and what it says of the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from fraudkit.core.errors import InvalidInput
from fraudkit.faults.lookup import VERSIONS, digest_of, load_lookup, version_path

GOOD = "import math\n\ndef get_reputation(pool, address):\n    return math.sqrt(0.25)\n"


def written(folder: Path, text: str, name: str = "fix.py") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_with_the_function_is_loaded(tmp_path: Path):
    assert load_lookup(written(tmp_path, GOOD))(None, "203.0.113.1") == 0.5


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_can_be_loaded(version: str):
    assert callable(load_lookup(version_path(version)))


def test_versions_differ_in_what_the_decision_database_notes():
    assert len({digest_of(version_path(version)) for version in VERSIONS}) == len(VERSIONS)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("def get_reputation(pool, address:\n", "not Python.*line 1"),
        ("def get_features(pool, address):\n    return 0.0\n", "defines no function get_reputation"),
        ("def get_reputation(pool):\n    return 0.0\n", "takes other arguments"),
        ("import subprocess\n" + GOOD, "imports subprocess"),
        ("def get_reputation(pool, address):\n    import socket\n    return 0.0\n", "imports socket"),
        ("from . import lookup\n" + GOOD, "a neighbouring file"),
        (GOOD + "1 / 0\n", "fails when it is loaded: ZeroDivisionError"),
        (GOOD + "#" * 30_000, "far fewer"),
    ],
)
def test_what_cannot_be_the_function_is_refused_with_the_reason(tmp_path: Path, text: str, complaint: str):
    with pytest.raises(InvalidInput, match=complaint):
        load_lookup(written(tmp_path, text))


def test_a_file_that_is_no_python_file_or_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(InvalidInput, match=r"does not end in \.py"):
        load_lookup(written(tmp_path, GOOD, "fix.txt"))
    with pytest.raises(InvalidInput, match="cannot be read"):
        load_lookup(tmp_path / "absent.py")


def test_an_unknown_version_names_the_known_ones():
    with pytest.raises(InvalidInput, match="sound, leaking, fixed"):
        version_path("broken")
