"""The service's start page in a browser, on the service as it is run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

DECISIONS = {"APPROVE", "REVIEW", "DECLINE"}
PHONE = {"width": 380, "height": 760}


@pytest.fixture(scope="module")
def service(start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("service") / "log.txt"
    with start(["fraudkit", "serve", "--port", "0"], r"ready on (http://\S+)", log) as url:
        yield url


@pytest.fixture
def opened(open_page, service: str, tmp_path: Path, request: pytest.FixtureRequest):
    """The start page; at the end nothing may have gone wrong, and nothing may have left the machine."""
    watched = open_page(viewport=getattr(request, "param", {"width": 1200, "height": 900}))
    watched.page.goto(service)
    yield watched
    watched.page.screenshot(path=tmp_path / "page.png", full_page=True)
    assert watched.hosts == {urlsplit(service).netloc}


def reply_is_drawn(page: Page) -> str:
    """Wait for a reply; gives its decision."""
    expect(page.locator("#reply")).to_be_visible()
    decision = page.locator("#decision").inner_text()
    assert decision in DECISIONS
    assert page.locator("#problems").inner_text() == ""
    expect(page.locator("#gauge-text")).to_contain_text("Fraud score 0.")
    expect(page.locator("#facts")).to_contain_text("by model v0001")
    return decision


EXAMPLES = {
    "Ordinary purchase": None,
    "Card testing burst": "Excessive velocity",
    "Impossible travel": "Impossible travel detected",
    "New device, high-risk country": None,
}


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_scored_and_explained(opened, example: str):
    page = opened.page
    page.get_by_role("button", name=example).click()
    decision = reply_is_drawn(page)
    drivers = page.locator("#drivers .driver").all_inner_texts()
    assert all("fraud)" in text for text in drivers)
    assert bool(drivers) is (decision != "APPROVE")  # what is let through needs no reasons
    expect(page.locator("#gauge")).to_contain_text("review above 0.4 (new)")  # the line that was applied
    reason = EXAMPLES[example]
    if reason is not None:
        assert decision == "DECLINE"
        expect(page.locator("#reason")).to_have_text(reason)
        expect(page.locator("#rules li").first).to_be_visible()
    assert opened.errors == []


def test_the_page_offers_exactly_these_examples(opened):
    assert opened.page.locator("#examples button").all_inner_texts() == list(EXAMPLES)


def test_an_invalid_amount_is_told_beside_the_form_and_then_mended(opened):
    page = opened.page
    page.get_by_label("Amount").fill("-5")
    with page.expect_response("**/score_transaction") as answered:
        page.get_by_role("button", name="Score", exact=True).click()
    assert answered.value.status == 422
    (problem,) = answered.value.json()["detail"]
    assert problem["field"] == "amount"
    expect(page.locator("#problems li")).to_have_text(f"amount {problem['problem']}: {problem['remedy']}.")
    expect(page.get_by_label("Amount")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#reply")).to_be_hidden()
    # Chromium itself notes the status on the console; nothing else may be there.
    assert all("422" in error for error in opened.errors)

    page.get_by_label("Amount").fill("5")
    page.get_by_role("button", name="Score", exact=True).click()
    reply_is_drawn(page)
    assert page.locator("[aria-invalid]").count() == 0


def test_the_keyboard_is_enough(opened):
    page = opened.page

    def focused() -> str:
        return page.evaluate("document.activeElement.name || document.activeElement.innerText")

    seen = []
    while "amount" not in seen:
        page.keyboard.press("Tab")
        seen.append(focused())
        assert len(seen) < 20, seen
    page.keyboard.press("Control+A")
    page.keyboard.type("61.25")
    page.keyboard.press("Enter")
    reply_is_drawn(page)
    while focused() != "Score":
        page.keyboard.press("Tab")
        assert len(seen) < 60, seen
        seen.append(focused())
    with page.expect_response("**/score_transaction") as answered:
        page.keyboard.press("Enter")
    assert answered.value.request.post_data_json["amount"] == 61.25
    assert opened.errors == []


@pytest.mark.parametrize("opened", [PHONE], indirect=True)
def test_a_phone_shows_it_without_sideways_scrolling(opened, service: str, tmp_path: Path):
    page = opened.page
    page.get_by_role("button", name="Card testing burst").click()
    reply_is_drawn(page)
    page.locator("summary").click()
    wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not page.evaluate(wide)
    page.screenshot(path=tmp_path / "phone.png", full_page=True)
    page.goto(service + "/docs")
    expect(page.locator("article").first).to_be_visible()
    assert not page.evaluate(wide)
    assert opened.errors == []


def test_a_service_that_went_away_is_told(opened):
    page = opened.page
    page.route("**/score_transaction", lambda route: route.abort())
    page.get_by_role("button", name="Score", exact=True).click()
    expect(page.locator("#problems li")).to_have_text("service did not answer: see whether it is running.")
    expect(page.get_by_role("button", name="Score", exact=True)).to_be_enabled()
