"""The process that keeps the secondary store ends with its service, whenever that died."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from fraudkit.serve.decisions import DecisionStore


def test_a_service_that_was_killed_while_the_mirror_started_leaves_none_behind(tmp_path: Path):
    DecisionStore(tmp_path / "decisions.db").close()
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait(30)
    command = [sys.executable, "-m", "fraudkit.serve.mirror", tmp_path / "decisions.db", tmp_path / "secondary.db"]
    assert subprocess.run([*command, str(gone.pid)], timeout=60, check=False).returncode == 0
