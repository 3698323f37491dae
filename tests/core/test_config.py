from pathlib import Path

import pytest

from fraudkit.core.config import PROJECT_ROOT, read_settings
from fraudkit.core.errors import InvalidInput


def test_defaults_need_no_environment():
    found = read_settings({})
    assert found.home == PROJECT_ROOT / "data"
    assert found.host == "127.0.0.1"
    assert found.redis_url is None


def test_the_environment_wins_and_paths_may_hold_spaces(tmp_path: Path):
    found = read_settings({"FRAUDKIT_HOME": str(tmp_path / "a b"), "FRAUDKIT_PORT": "0", "REDIS_URL": "redis://h:1"})
    assert found.worlds == tmp_path / "a b" / "worlds"
    assert found.port == 0
    assert found.redis_url == "redis://h:1"


@pytest.mark.parametrize("port", ["http", "-1", "65536", "8000.0", ""])
def test_a_bad_port_is_named(port: str):
    with pytest.raises(InvalidInput, match="FRAUDKIT_PORT="):
        read_settings({"FRAUDKIT_PORT": port})


@pytest.mark.parametrize("text", ["0", "-1", "nan", "soon", "1e9"])
def test_a_patience_that_is_no_factor_is_refused(text: str):
    with pytest.raises(InvalidInput, match="FRAUDKIT_PATIENCE"):
        read_settings({"FRAUDKIT_PATIENCE": text})


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "two", "99999"])
def test_days_that_are_no_number_of_days_are_refused(text: str):
    with pytest.raises(InvalidInput, match="FRAUDKIT_ACCEPTED_DAYS"):
        read_settings({"FRAUDKIT_ACCEPTED_DAYS": text})
    assert read_settings({"FRAUDKIT_ACCEPTED_DAYS": "3"}).accepted_days == 3
