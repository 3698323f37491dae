"""A small, easy world and a quick model, trained once a worker by the command that users train with.

Each test works on its own copy of that home, so it may damage what it likes.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fraudkit.cli import app
from fraudkit.core.config import settings
from fraudkit.models.params import TrainingParams
from fraudkit.pipeline import daily
from fraudkit.pipeline.daily import Outcome
from fraudkit.pipeline.workspace import Workspace, open_workspace
from fraudkit.registry.registry import Registry
from fraudkit.simulate import WORLDS

# Plain frauds and tidy customers: 80 card holders are enough for a model that the gate lets pass.
WORLD = replace(WORLDS["small"], users=80, fraud_rate=0.03, stealth=0.0, legit_oddness=0.2)
TRAINING = partial(TrainingParams, n_estimators=40, max_depth=4, learning_rate=0.2, max_epochs=4, n_jobs=1)


def command(*arguments: str) -> Result:
    """What `fraudkit ARGUMENTS` does, in this process."""
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


@contextmanager
def at_home(folder: Path) -> Iterator[None]:
    """FRAUDKIT_HOME is `folder`, "small" is the easy world, and training is quick."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FRAUDKIT_HOME", str(folder))
        patch.delenv("REDIS_URL", raising=False)
        patch.setitem(WORLDS, "small", WORLD)
        patch.setattr("fraudkit.models.train.TrainingParams", TRAINING)
        settings.cache_clear()
        yield
    settings.cache_clear()


@dataclass(frozen=True)
class TrainedHome:
    """A home with the world, its features and one candidate; what the training command printed."""

    folder: Path
    printed: dict


@pytest.fixture(scope="session")
def trained_home(tmp_path_factory: pytest.TempPathFactory) -> TrainedHome:
    folder = tmp_path_factory.mktemp("trained")
    with at_home(folder):
        done = command("train", "--world", "small", "--json")
    assert done.exit_code == 0, done.stderr
    return TrainedHome(folder, json.loads(done.stdout))


@pytest.fixture
def empty_home(tmp_path: Path) -> Iterator[Path]:
    """A home with nothing in it."""
    with at_home(tmp_path / "home"):
        yield tmp_path / "home"


@pytest.fixture
def home(trained_home: TrainedHome, tmp_path: Path) -> Iterator[Path]:
    """A copy of the trained home, under a name that careless code trips over."""
    folder = tmp_path / "home [of one]"
    shutil.copytree(trained_home.folder, folder)
    with at_home(folder):
        yield folder


@pytest.fixture(scope="session")
def run_home(trained_home: TrainedHome, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """The trained home after a daily run, and what the run came to."""
    folder = tmp_path_factory.mktemp("daily") / "home"
    shutil.copytree(trained_home.folder, folder)
    with at_home(folder):
        return folder, daily.retrain()


@pytest.fixture
def after_a_run(run_home: tuple[Path, Outcome], tmp_path: Path) -> Iterator[Outcome]:
    """A copy of that home, to damage; what the run came to."""
    folder, outcome = run_home
    shutil.copytree(folder, tmp_path / "after")
    with at_home(tmp_path / "after"):
        yield outcome


@pytest.fixture
def bank(home: Path) -> Workspace:
    """The trained home's world, opened."""
    return open_workspace("small")


@pytest.fixture
def registry(home: Path) -> Registry:
    return Registry(settings().registry)


@pytest.fixture
def run():
    """Runs a `fraudkit` command in this process."""
    return command


@pytest.fixture
def contents():
    """Reads every file below a folder: relative path -> bytes."""

    def read(folder: Path) -> dict[str, bytes]:
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    return read


@pytest.fixture
def forbid(monkeypatch: pytest.MonkeyPatch):
    """Makes calling a function, given by its dotted name, fail the test."""

    def apply(name: str) -> None:
        def called(*_args: object, **_kwargs: object) -> None:
            pytest.fail(f"{name} was called")

        monkeypatch.setattr(name, called)

    return apply
