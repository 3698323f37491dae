"""What a report's folder remembers between runs: the secret seed, and a result for each notebook.

A result counts again as long as nothing that could change it has changed: the notebook's bytes, the
parameters, the limits, the seed, the checks and the grader itself.
"""

from __future__ import annotations

import fcntl
import json
import os
import platform
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fraudkit.core.errors import CorruptArtefact, InvalidInput
from fraudkit.core.files import replace_file, sha256, sha256_of
from fraudkit.workbook.exercise import CHECKS
from fraudkit.workbook.grade.marks import NotebookResult
from fraudkit.workbook.notebooks import Topic

STATE_FOLDER = ".grader"
SEED_BYTES = 16
WORKBOOK = CHECKS.parent
# What decides a mark; the other modules of the workbook do not.
JUDGING = ("agree", "codec", "exercise", "guard", "judge", "limits", "runner", "sandbox", "show", "source")


class Ledger:
    """The state of one report's folder. Only its owner may read it: the seed tells the hidden cases."""

    def __init__(self, report: Path) -> None:
        self.folder = report / STATE_FOLDER
        try:
            (self.folder / "notebooks").mkdir(parents=True, exist_ok=True)
            self.folder.chmod(0o700)
        except OSError as error:
            raise InvalidInput(f"{report} cannot be written ({error.strerror}); choose another --out") from error

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other gradings out of this folder; a crash lets go of it.

        Raises
        ------
        InvalidInput
            Another grading holds it.
        """
        with (self.folder / "lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise InvalidInput(
                    f"another grading writes to {self.folder.parent}; wait for it, or choose another --out"
                ) from error
            yield

    def seed(self) -> int:
        """The secret number that the cases are drawn from; made once, so that a regrade gives the same marks.

        Raises
        ------
        CorruptArtefact
            The file holds something else.
        """
        path = self.folder / "seed"
        if not path.exists():
            descriptor, name = tempfile.mkstemp(prefix=".seed.", dir=self.folder)  # mode 0600
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_hex(SEED_BYTES) + "\n")
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        path.chmod(0o600)
        try:
            text = path.read_text(encoding="ascii").strip()
            if len(text) != 2 * SEED_BYTES:
                raise ValueError(text)
            return int(text, 16)
        except ValueError as error:
            raise CorruptArtefact(f"{path} holds no seed; remove it to grade everything afresh") from error

    def load(self, learner: str, topic: str, key: str) -> NotebookResult | None:
        """The result of an earlier run, if `key` is still the same and the executed notebook is there."""
        try:
            content = json.loads(self._path(learner, topic).read_bytes())
            if content["key"] != key:
                return None
            result = NotebookResult.from_dict(content["result"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if result.executed and not (self.folder.parent / result.executed).exists():
            return None
        return result

    def save(self, result: NotebookResult, key: str) -> None:
        """Remember a result, in one step."""
        content = json.dumps({"key": key, "result": result.as_dict()}, ensure_ascii=True)
        replace_file(self._path(result.learner, result.topic), content.encode())

    def _path(self, learner: str, topic: str) -> Path:
        return self.folder / "notebooks" / f"{topic}-{sha256(learner.encode())[:24]}.json"


def result_key(digest: str, topic: Topic, seed: int, settings: Mapping[str, Any]) -> str:
    """What a result depends on, as one digest.

    Parameters
    ----------
    digest : of the notebook
    settings : parameters and limits, as JSON values
    """
    parts = [digest, grader_digest(topic), sha256(str(seed).encode()), json.dumps(settings, sort_keys=True)]
    return sha256("\n".join(parts).encode())


def grader_digest(topic: Topic) -> str:
    """A digest of what judges a topic: its checks and solutions, the judge, the grader, numpy and Python."""
    checks = "\n".join(sha256_of(CHECKS / f"{name}.py") for name in topic.exercise_ids)
    return sha256("\n".join([_code_digest(), sha256_of(topic.path), checks]).encode())


@lru_cache(maxsize=1)
def _code_digest() -> str:
    files = [WORKBOOK / f"{name}.py" for name in JUDGING]
    files += [path for path in sorted((WORKBOOK / "grade").glob("*.py")) if path.stem not in ("report", "page")]
    texts = [f"{path.name} {sha256_of(path)}" for path in files]
    return sha256("\n".join([*texts, version("numpy"), platform.python_version()]).encode())
