"""The readiness page of three learners, opened from its file in a real browser, wide and narrow, light and dark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from typer.testing import CliRunner

from fraudkit.cli import app
from fraudkit.core.config import settings
from fraudkit.workbook.progress import ProgressFile
from fraudkit.workbook.readiness import gather
from tests.workbook.readiness_helpers import learner, new_clock

pytestmark = [pytest.mark.browser, pytest.mark.timeout(280)]

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
LEARNERS = ("empty", "halfway", "ready")
OVERFLOWS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
CLIPPED = """() => [...document.querySelectorAll("svg text")].filter(text => {
  const [own, whole] = [text.getBoundingClientRect(), text.closest("svg").getBoundingClientRect()];
  return own.left < whole.left - 1 || own.right > whole.right + 1 || own.bottom > whole.bottom + 1;
}).map(text => text.textContent)"""
CONTRAST = """([selector, property]) => {
  const light = colour => { const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const probe = document.createElement("div");
  probe.style.background = "Canvas"; document.body.append(probe);
  const ground = light(getComputedStyle(probe).backgroundColor); probe.remove();
  const ink = light(getComputedStyle(document.querySelector(selector))[property]);
  return (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
}"""


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """Each learner's home, with the page that the command wrote into it."""
    made = {}
    with pytest.MonkeyPatch.context() as patch:
        for name in LEARNERS:
            home = made[name] = tmp_path_factory.mktemp(name)
            patch.setenv("FRAUDKIT_HOME", str(home))
            settings.cache_clear()
            learner(ProgressFile(home / "progress.json", new_clock()), name)
            result = CliRunner().invoke(app, ["readiness", "--html", str(home / "page.html")], catch_exceptions=False)
            assert result.exit_code == 0
        yield made
    settings.cache_clear()


@pytest.fixture
def page_of(homes: dict[str, Path], open_page, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Opens a learner's page; in the end, nothing may have been asked of anybody, and nothing gone wrong."""
    opened = []

    def open_one(name: str, **options: object) -> Page:
        watched = open_page(**options)
        opened.append(watched)
        watched.page.goto((homes[name] / "page.html").as_uri())
        watched.page.screenshot(path=tmp_path / f"{name}.png")  # a page of many screens cannot always be taken whole
        return watched.page

    yield open_one
    for watched in opened:
        assert watched.errors == [] and watched.hosts == {""}, "a page from a file asks no host"


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("name", LEARNERS)
def test_nothing_is_cut_or_runs_over_the_side(name: str, viewport: dict[str, int], page_of):
    page = page_of(name, viewport=viewport)
    for details in page.locator("details").all():
        details.evaluate("it => { it.open = true; }")
    assert not page.evaluate(OVERFLOWS)
    assert page.evaluate(CLIPPED) == []


@pytest.mark.parametrize("name", LEARNERS)
def test_the_target_is_marked_in_the_trend_of_each_round(name: str, page_of):
    page = page_of(name, viewport=NARROW)
    rounds = page.get_by_role("article")
    expect(rounds).to_have_count(4)
    for each in rounds.all():
        expect(each.get_by_text("target 4+", exact=True)).to_be_visible()
        line, name_ = each.locator("line.target").bounding_box(), each.locator("text.name").bounding_box()
        assert line is not None and name_ is not None
        assert name_["y"] < line["y"] < name_["y"] + name_["height"], "the name stands at its line"


def test_a_dot_stands_above_the_target_exactly_where_the_mock_reached_it(page_of, homes: dict[str, Path]):
    page = page_of("halfway", viewport=WIDE)
    coding, theory = page.get_by_role("article").all()[:2]
    for each, reached in ((coding, [False, False]), (theory, [True])):
        line = each.locator("line.target").bounding_box()
        boxes = [dot.bounding_box() for dot in each.locator("circle").all()]
        assert line is not None and [box["y"] + box["height"] / 2 < line["y"] for box in boxes if box] == reached
    expect(coding).to_contain_text("3.2 over its last 2 mocks: not yet")
    expect(theory).to_contain_text("4.3 over its one mock: reached")
    assert len(gather(ProgressFile(homes["halfway"] / "progress.json")).mocks) == 3


def test_weak_spots_are_listed_with_their_commands(page_of):
    page = page_of("halfway", viewport=WIDE)
    rows = page.locator(".weak li")
    for says, command in (
        ("Behavioral Interview: no mock held yet", "fraudkit mock behavioral"),
        ("Problem understanding 2.5", "fraudkit mock coding"),
        ("Linear algebra", "fraudkit quiz --topic linear_algebra"),
        ("exercise dropout, tried once and not passed", "jupyter lab exercises/16_network_layers.ipynb"),
        ("stories: 1 of 10 complete", "fraudkit story map"),
    ):
        expect(rows.filter(has_text=says).locator("code")).to_have_text(command)
    page = page_of("empty", viewport=WIDE)
    expect(page.locator(".weak code")).to_have_text(
        [f"fraudkit mock {n}" for n in ("coding", "theory", "design", "behavioral")]
    )


def test_the_state_is_shown_by_week_and_the_evidence_by_mock(page_of):
    page = page_of("halfway", viewport=WIDE)
    weeks = page.locator(".week")
    expect(weeks).to_have_count(7)
    expect(weeks.last).to_contain_text("2 ticked")
    whole, shown = weeks.last.locator(".bar").bounding_box(), weeks.last.locator(".shown, .ticked").last.bounding_box()
    assert whole is not None and shown is not None
    assert (shown["x"] + shown["width"] - whole["x"]) / whole["width"] == pytest.approx(3 / 14, abs=0.02)
    expect(page.locator("details").first).to_contain_text("hints: 0")
    page.locator("summary").last.click()
    expect(page.locator("details").last).to_contain_text("answered")


def test_who_is_ready_is_told_so(page_of):
    expect(page_of("ready", viewport=WIDE).locator(".verdict")).to_contain_text("Every round is at the target")
    expect(page_of("empty", viewport=WIDE).locator(".verdict")).to_contain_text("Not every round")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_readable_in_light_and_dark(scheme: str, page_of):
    page = page_of("halfway", viewport=WIDE, color_scheme=scheme)
    for selector, of in (
        ("h1", "color"),
        ("article.no b", "color"),
        ("article.yes b", "color"),
        ("svg text.name", "fill"),
    ):
        assert page.evaluate(CONTRAST, [selector, of]) >= 4.5, selector
    assert page.evaluate(CONTRAST, [".shown", "backgroundColor"]) >= 3
