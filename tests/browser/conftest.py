"""A real Chromium, a real service, a real JupyterLab.

These tests need Debian's `chromium` (playwright brings none that is reviewed here). Where it is not
installed they are skipped, and the reason is printed. With FRAUDKIT_REQUIRE_ALL=1, as in CI, a
suite that cannot run is a failure instead: a check that silently does not happen is worse than none.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, sync_playwright

from fraudkit.core.config import settings
from fraudkit.models.params import TrainingParams
from fraudkit.pipeline.ready import make_ready
from fraudkit.simulate import WORLDS

START_S = 90.0

# Plain frauds and tidy customers: 80 card holders are enough for a model that the gate lets pass.
WORLD = replace(WORLDS["small"], users=80, fraud_rate=0.03, stealth=0.0, legit_oddness=0.2)
TRAINING = partial(TrainingParams, n_estimators=40, max_depth=4, learning_rate=0.2, max_epochs=4, n_jobs=1)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; see the module for what happens without it."""
    path = shutil.which("chromium")
    if path is None:
        reason = "chromium is not installed (Debian: apt-get install chromium)"
        if os.environ.get("FRAUDKIT_REQUIRE_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield made
        made.close()


@dataclass
class Watched:
    """A page, and what it did: errors on its console, and the hosts that it asked."""

    page: Page
    errors: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob"):
            self.hosts.add(parts.netloc)


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Watched]]:
    """Opens pages; arguments are those of a browser context, such as viewport."""
    contexts = []

    def open_one(**options: object) -> Watched:
        contexts.append(browser.new_context(**options))  # type: ignore[arg-type]
        page = contexts[-1].new_page()
        page.set_default_timeout(20_000)
        return Watched(page)

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def ready_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a small world, a quickly trained model in production and a filled store."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FRAUDKIT_HOME", str(folder))
        patch.setitem(WORLDS, "small", WORLD)
        patch.setattr("fraudkit.models.train.TrainingParams", TRAINING)
        settings.cache_clear()
        make_ready("small")
    settings.cache_clear()
    return folder


@contextmanager
def running(
    home: Path, arguments: list[str], announced: str, log: Path, variables: dict[str, str] | None = None
) -> Iterator[str]:
    """A Python module as a process of its own; yields what `announced` matches in its log."""
    dropped = {"REDIS_URL", "FRAUDKIT_API_KEY", "FRAUDKIT_HOST", "PYTEST_CURRENT_TEST"}
    environment = {name: value for name, value in os.environ.items() if name not in dropped}
    environment |= {"FRAUDKIT_HOME": str(home), "COLUMNS": "400", "FRAUDKIT_PATIENCE": "15", **(variables or {})}
    with log.open("w") as out:
        process = subprocess.Popen([sys.executable, "-m", *arguments], env=environment, stdout=out, stderr=out)
        try:
            yield _wait_for(announced, process, log)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def _wait_for(announced: str, process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        found = re.search(announced, log.read_text())
        if found:
            return found[1]
        assert process.poll() is None, log.read_text()
        time.sleep(0.05)
    raise AssertionError(log.read_text())


@pytest.fixture(scope="session")
def start(ready_home: Path):
    """Starts processes on the ready home, as `running` does."""
    return partial(running, ready_home)


TOKEN = "test-token"
# JupyterLab draws only the cells in view, so the notebook's model is asked; `--expose-app-in-browser` shows it.
CELLS = "[...window.jupyterapp.shell.currentWidget.content.model.cells]"
IDLE = f"""name => window.jupyterapp?.shell.currentWidget?.context?.path === name
  && window.jupyterapp.shell.currentWidget.sessionContext?.session?.kernel?.status === "idle"
  && {CELLS}.length > 0"""
FIND = f"""text => {CELLS}.findIndex(c => c.type === "code" && c.sharedModel.getSource().startsWith(text))"""
RUNS = f"""n => {CELLS}[n].executionCount"""
RUN_SINCE = f"""([n, before]) => {CELLS}[n].executionCount !== before && {CELLS}[n].executionCount !== null"""
RUN_MS = 60_000


@dataclass
class Notebook:
    """A notebook open in JupyterLab."""

    page: Page

    def open(self, lab: str, name: str) -> None:
        """Open it and wait for its kernel.

        In a workspace of its own: the default one brings back the tabs of the notebook before, and one of them
        may come to the front after this one was opened.
        """
        self.page.goto(f"{lab}/lab/workspaces/{Path(name).stem}/tree/{name}?token={TOKEN}")
        self.page.wait_for_function(IDLE, arg=name, timeout=RUN_MS)

    def find(self, text: str) -> int:
        """The number of the first code cell that begins with `text`, -1 where there is none."""
        return int(self.page.evaluate(FIND, text))

    def cell(self, number: int) -> Locator:
        """A cell, scrolled into view."""
        self.page.evaluate("n => window.jupyterapp.shell.currentWidget.content.scrollToItem(n, 'center')", number)
        return self.page.locator(f'.jp-Notebook .jp-Cell[data-windowed-list-index="{number}"]')

    def run(self, number: int, written: str | None = None) -> None:
        """Click into a cell, write in it if there is something to write, run it and wait until it has run."""
        before = self.page.evaluate(RUNS, number)
        self.cell(number).locator(".jp-InputArea .cm-content").click()
        if written is not None:
            self.page.keyboard.press("Control+A")
            self.page.keyboard.insert_text(written)
        self.page.keyboard.press("Control+Enter")
        self.page.wait_for_function(RUN_SINCE, arg=[number, before], timeout=RUN_MS)


@pytest.fixture(scope="session")
def notebook_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes a folder with a notebook of a few code cells; `folder / "home"` is free for the progress."""

    def make(name: str, *sources: str) -> Path:
        made = tmp_path_factory.mktemp("notebook")
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
        notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
        nbformat.write(notebook, made / name)
        return made

    return make


@pytest.fixture(scope="module")
def start_lab(start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """Starts JupyterLab on a folder, with settings of its own; gives its address."""
    with ExitStack() as stack:

        def start_one(folder: Path, variables: dict[str, str] | None = None) -> str:
            own = tmp_path_factory.mktemp("jupyter")
            arguments = [
                "jupyter", "lab", "--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0",
                f"--ServerApp.root_dir={folder}", f"--IdentityProvider.token={TOKEN}",
                "--LabApp.extension_manager=readonly", "--LabApp.news_url=None", "--expose-app-in-browser",
                "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
            ]  # fmt: skip
            places = {f"JUPYTER_{name}_DIR": str(own / name) for name in ("CONFIG", "DATA", "RUNTIME")}
            places |= {"IPYTHONDIR": str(own / "ipython"), **(variables or {})}
            announced = r"(http://127\.0\.0\.1:\d+)/lab\?token"
            return stack.enter_context(start(arguments, announced, own / "log.txt", places))

        yield start_one


@pytest.fixture
def in_lab() -> Callable[[Page], Notebook]:
    """What handles a notebook in a page."""
    return Notebook
