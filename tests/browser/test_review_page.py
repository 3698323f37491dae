"""The analysts' page in a browser: the keyboard alone is enough, and two analysts do not get into each other's way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from fraudkit.core.clock import SystemClock
from fraudkit.core.decision import Contribution
from fraudkit.serve.app import create_app
from fraudkit.serve.contracts import EXAMPLE_REQUEST
from fraudkit.serve.keys import KeyFile, KeyRing
from tests.serve.conftest import make_scorer, running

pytestmark = pytest.mark.browser

PHONE = {"width": 380, "height": 760}
REASONS = (
    Contribution("user_txn_count_1h", 9.0, 1.42, "9 transactions of this user in the last hour"),
    Contribution("amount_usd", 620.0, 0.85, "The amount is high"),
    Contribution("device_is_new", 1.0, 0.31, "The device was never seen with this card holder"),
    Contribution("account_age_days", 400.0, -0.62, "The account is 400 days old"),
)
AMOUNTS = {"case-a": 620.0, "case-b": 610.0, "case-c": 560.0, "case-d": 540.0}


class Desk:
    """A real service whose model is a formula, with four cases in its queue."""

    def __init__(self, url: str, keys: dict[str, str]) -> None:
        self.url = url
        self.keys = keys
        self.client = httpx.Client(base_url=url, headers={"X-API-Key": keys["boss"]}, timeout=20)

    def pay(self, name: str, amount: float, user_id: str) -> None:
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        body = {**EXAMPLE_REQUEST, "transaction_id": name, "amount": amount, "user_id": user_id, "timestamp": now}
        self.client.post("/score_transaction", json=body).raise_for_status()

    def case(self, name: str) -> dict:
        return self.client.get(f"/v1/reviews/{name}").raise_for_status().json()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    file = KeyFile(tmp_path / "keys.json")
    keys = {name: file.add(name, ["review"]) for name in ("anna", "ben")}
    keys["boss"] = file.add("boss", ["score", "feedback", "review", "admin"])
    scorer = make_scorer(tmp_path)
    scorer.clock = SystemClock()
    scorer.serving.model.explain = lambda X: REASONS
    with running(create_app(scorer, ring=KeyRing(file))) as url:
        made = Desk(url, keys)
        for n in range(3):
            made.pay(f"past-{n}", 20.0 + n, "holder-a")
        for name, amount in AMOUNTS.items():
            made.pay(name, amount, "holder-a" if name == "case-a" else f"holder-{name}")
        yield made
        made.client.close()
    scorer.journal.close()
    scorer.decisions.close()


def options(page: Page) -> Locator:
    """The cases of the list, in its order."""
    return page.get_by_role("listbox", name="Cases").locator("[role=option]")


Opens = Callable[..., Page]


@pytest.fixture
def sign_in(open_page, desk: Desk) -> Iterator[Opens]:
    """Opens the page as an analyst; at the end nothing may have gone wrong in any of them."""
    opened = []

    def one(analyst: str, **context: object) -> Page:
        watched = open_page(**({"viewport": {"width": 1280, "height": 900}} | context))
        opened.append(watched)
        watched.page.goto(desk.url + "/review")
        watched.page.get_by_label("API key").fill(desk.keys[analyst])
        watched.page.keyboard.press("Enter")
        expect(options(watched.page)).to_have_count(len(AMOUNTS))
        expect(watched.page.locator("#cases li").first).to_be_focused()
        watched.errors.clear()  # Chromium notes the 401 that asks for the key
        return watched.page

    yield one
    for watched in opened:
        assert all("409" in error for error in watched.errors), watched.errors
        assert len(watched.hosts) == 1


def selected(page: Page) -> str:
    return page.locator("#cases [aria-selected=true]").get_attribute("data-id")


def test_cases_stand_in_the_order_of_their_expected_loss(sign_in: Opens):
    page = sign_in("anna")
    assert [option.get_attribute("data-id") for option in options(page).all()] == list(AMOUNTS)
    expect(options(page).first).to_contain_text("$192.20")
    expect(page.locator("#count")).to_have_text("(4 shown, 4 open)")


def test_the_keyboard_takes_a_case_from_the_list_to_its_decision(sign_in: Opens, desk: Desk, tmp_path: Path):
    page = sign_in("anna")
    press = page.keyboard.press
    for key, at in (("j", "case-b"), ("j", "case-c"), ("k", "case-b"), ("k", "case-a"), ("k", "case-a")):
        press(key)
        expect(page.locator(f"#cases [data-id={at}]")).to_be_focused()
    press("Enter")
    expect(page.locator("#case-title")).to_be_focused()
    expect(page.locator("#case-title")).to_have_text("Case case-a")
    expect(page.locator("#history tr")).to_have_count(1 + 3)
    press("f")  # not claimed yet: nothing happens
    press("c")
    expect(page.locator("#case-state")).to_contain_text("Yours until")
    assert desk.case("case-a")["case"]["claimed_by"] == "anna"
    page.get_by_label("Note for whoever").fill("Card reported stolen; fuller text with the letters f, l and u.")
    press("Escape")
    page.screenshot(path=tmp_path / "case.png", full_page=True)
    press("f")
    expect(page.locator("#status")).to_have_text("case-a: fraud, kept as feedback.")
    expect(page.locator("#case-title")).to_have_text("Case case-b")
    told = desk.case("case-a")
    assert (told["case"]["state"], told["case"]["closed_by"]) == ("fraud", "anna")
    assert told["feedback"][0]["note"].startswith("Card reported stolen")
    assert told["feedback"][0]["source"] == "manual_review"
    press("c")
    expect(page.locator("#case-state")).to_contain_text("Yours until")
    press("u")
    expect(page.locator("#case-state")).to_contain_text("nobody has it")
    press("c")
    expect(page.locator("#case-state")).to_contain_text("Yours until")
    press("l")
    expect(page.locator("#case-title")).to_have_text("Case case-c")
    assert desk.case("case-b")["case"]["state"] == "legitimate"
    expect(options(page)).to_have_count(2)


def test_who_comes_second_is_told_who_has_the_case(sign_in: Opens, desk: Desk):
    first, second = sign_in("anna"), sign_in("ben")
    for page in (first, second):
        page.keyboard.press("Enter")
        expect(page.locator("#case-title")).to_have_text("Case case-a")
    first.keyboard.press("c")
    expect(first.locator("#case-state")).to_contain_text("Yours until")
    second.keyboard.press("c")
    expect(second.get_by_role("alert")).to_contain_text("is with anna until")
    expect(second.locator("#case-state")).to_contain_text("With anna until")
    expect(second.get_by_role("button", name="Fraud")).to_be_disabled()
    expect(options(second).first).to_contain_text("with anna")
    assert desk.case("case-a")["case"]["claimed_by"] == "anna"


def test_a_picture_and_its_words_say_what_drove_the_score(sign_in: Opens):
    page = sign_in("anna")
    page.keyboard.press("Enter")
    picture = page.get_by_role("img")
    sentences = [
        "9 transactions of this user in the last hour: +1.42, towards fraud.",
        "The amount is high: +0.85, towards fraud.",
        "The device was never seen with this card holder: +0.31, towards fraud.",
        "The account is 400 days old: \N{MINUS SIGN}0.62, away from fraud.",
    ]
    expect(picture).to_have_attribute("aria-label", " ".join(["What drove the score.", *sentences]))
    bars = picture.locator("rect")
    expect(bars).to_have_count(len(REASONS))
    boxes = [bar.bounding_box() for bar in bars.all()]
    middle = boxes[0]["x"]
    assert [round(box["width"] / boxes[0]["width"], 2) for box in boxes] == [1.0, 0.6, 0.22, 0.44]
    assert boxes[3]["x"] + boxes[3]["width"] == pytest.approx(middle, abs=1)


def test_a_chargeback_closes_the_case_that_is_open_on_the_page(sign_in: Opens, desk: Desk):
    page = sign_in("anna")
    page.clock.install()
    page.keyboard.press("Enter")
    expect(page.locator("#case-title")).to_have_text("Case case-a")
    word = {"transaction_id": "case-a", "is_fraud": True, "source": "chargeback"}
    desk.client.post("/feedback", json=word).raise_for_status()
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#case-state")).to_contain_text("Closed as chargeback")
    expect(options(page)).to_have_count(3)
    expect(page.get_by_role("button", name="Claim")).to_be_disabled()


def test_single_letters_can_be_turned_off_and_help_says_them(sign_in: Opens):
    page = sign_in("anna")
    page.keyboard.press("?")
    help_box = page.get_by_role("dialog", name="Keyboard")
    expect(help_box).to_be_visible()
    help_box.get_by_label("Single-letter keys are on").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    assert selected(page) == "case-a"
    page.keyboard.press("ArrowDown")  # the list's own keys stay
    assert selected(page) == "case-b"
    page.reload()
    expect(page.locator("#shortcuts")).not_to_be_checked()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_readable_in_light_and_dark_and_everything_has_a_name(sign_in: Opens, tmp_path: Path, scheme: str):
    page = sign_in("anna", color_scheme=scheme)
    page.keyboard.press("Enter")
    page.keyboard.press("c")
    expect(page.locator("#case-state")).to_contain_text("Yours until")
    page.screenshot(path=tmp_path / f"{scheme}.png", full_page=True)
    assert page.evaluate(TOO_FAINT) == []
    assert page.evaluate(NAMELESS) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_it_without_sideways_scrolling(sign_in: Opens, tmp_path: Path, scheme: str):
    page = sign_in("anna", viewport=PHONE, color_scheme=scheme)
    options(page).first.click()
    expect(page.locator("#case-title")).to_be_in_viewport()
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    page.screenshot(path=tmp_path / f"phone-{scheme}.png", full_page=True)


# Text with a contrast below 4.5 to 1 (WCAG AA); what cannot be used now is exempt.
TOO_FAINT = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (color, under) => {
    canvas.fillStyle = under; canvas.fillRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (c) => c.map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, n) => sum + v * [0.2126, 0.7152, 0.0722][n], 0);
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const page = dark ? "rgb(18, 18, 18)" : "rgb(255, 255, 255)";
  const faint = [];
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !node.checkVisibility() || node.closest(":disabled, dialog, option")) continue;
    let opacity = 1, under = page;
    const chain = [];
    for (let at = node; at; at = at.parentElement) {
      chain.unshift(at); opacity *= Number(getComputedStyle(at).opacity);
    }
    for (const at of chain) under = `rgb(${rgb(getComputedStyle(at).backgroundColor, under)})`;
    const style = getComputedStyle(node), color = node.namespaceURI.endsWith("svg") ? style.fill : style.color;
    const back = rgb(under, page), front = rgb(color, under).map((v, n) => v * opacity + back[n] * (1 - opacity));
    const [high, low] = [light(front), light(back)].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < 4.5) faint.push(`${node.tagName} ${node.textContent.trim().slice(0, 40)}: ${ratio.toFixed(2)}`);
  }
  return faint;
}"""
NAMELESS = """() => [...document.querySelectorAll("input, select, textarea, button")]
  .filter((n) => !(n.labels && n.labels.length) && !n.textContent.trim() && !n.ariaLabel).map((n) => n.outerHTML)"""
