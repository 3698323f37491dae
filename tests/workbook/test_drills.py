"""The ten design drills: their form, their arithmetic recomputed, and the door that shows them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import pytest

from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.drills.arithmetic import compute, words
from fraudkit.workbook.drills.drill import MINUTES, NAME, STEPS, Drill, drill_ids, parse_drill, read_drill
from fraudkit.workbook.drills.show import PARTS, Page, drill, drills, mark

EACH = pytest.mark.parametrize("drill_id", drill_ids())
DAY = 24 * 60 * 60

# Every computed number of the designs, once more from plain figures, so that neither a formula
# nor an assumption can change unseen.
EXPECTED: dict[str, dict[str, float]] = {
    "youtube_recommendation": {
        "mean_rate": 4e9 / DAY,
        "peak_rate": 10e9 / DAY,
        "exhaustive": 10e9 / DAY * 1e9,
        "ranked": 10e12 / DAY,
        "accelerators": math.ceil(10e12 / DAY / 1.2e6),
        "index_gb": 128,
        "impressions": 80e9,
    },
    "web_search_ranking": {
        "peak_rate": 4e9 / DAY,
        "uncached": 2.4e9 / DAY,
        "index_tb": 50,
        "shards": 250,
        "accelerators": math.ceil(120e9 / DAY / 6000),
        "slow_share": 100 - 100 * math.exp(250 * math.log(0.99)),
    },
    "ad_click_prediction": {
        "peak_rate": 20e9 / DAY,
        "predictions": 4e12 / DAY,
        "processors": math.ceil(4e12 / DAY / 120e3),
        "rows_a_day": 30e9,
        "rows_kept": 0.3e9 + 29.7e9 / 20,
        "sampled_rate": 100 * 0.3 / (0.3 + 1.485),
        "table_gb": 16,
        "revenue_a_day": 120e6,
    },
    "news_feed_ranking": {
        "load_rate": 9.6e9 / DAY,
        "fanout_writes": 60e9 / DAY,
        "big_seconds": 50e6 * DAY / 60e9,
        "inbox_tb": 8,
        "scores": 3.84e12 / DAY,
        "processors": math.ceil(3.84e12 / DAY / 12000),
    },
    "autocomplete": {
        "request_rate": 15e9 / DAY,
        "server_requests": 7.5e9 / DAY,
        "machines": math.ceil(7.5e9 / DAY / 10000),
        "trie_gb": 11.2,
        "texts_gb": 3,
        "two_letters": 37 * 38,
    },
    "image_search": {
        "peak_rate": 250e6 / DAY,
        "flat_tb": 2.048,
        "hnsw_tb": 2.304,
        "pq_gb": 72,
        "compared": 1e9 / 1024,
        "query_ms": 1e9 / 1024 / 200e3,
        "processors": math.ceil(250e6 / DAY * 1e9 / 1024 / 100e6),
        "backfill_hours": 1e9 / 80000 / 3600,
        "daily_accelerators": 5e6 / (800 * DAY),
    },
    "chatbot": {
        "turn_rate": 4e6 / DAY,
        "prompt_tokens": 3000,
        "busy_s": 0.25 + 0.12,
        "accelerators": math.ceil(4e6 / DAY * 0.37 / 0.6),
        "index_mb": 307.2,
        "saved_a_day": 540e3,
        "right": 85.5,
        "graded": math.ceil(0.09 * (1.96 / 0.02) ** 2),
    },
    "anomaly_detection": {
        "rate": 50000 / 60,
        "tests": 72e6,
        "naive_alerts": 194400,
        "rate_needed": 17.3 / 72e6,
        "one_in": 72e6 / 17.3,
        "precision": 13.5,
        "storage_gb": 12.96,
        "processors": 50000 / 60 * 0.0002,
    },
    "demand_forecasting": {
        "pairs": 20e6,
        "history_rows": 21.9e9,
        "history_gb": 262.8,
        "forecast_rows": 560e6,
        "forecasts": 3.92e9,
        "processors": math.ceil(560e6 / 20000 / 7200),
        "critical": 0.75,
        "no_sale": 100 * math.exp(-0.3),
    },
    "fraud_detection": {
        "stated_rate": 10e6 / DAY,
        "contradiction": 86.4,
        "store_gb": 100,
        "processors": math.ceil(8 / 0.7),
        "in_flight": 300,
        "down_minutes": 4.32,
        "break_even": 1 / 76,
        "worth": 6e6,
        "frauds_a_day": 1e5 / 365,
        "reviews_a_day": 4000,
        "review_share": 0.04,
        "allowed_stops": 200e3,
        "stops_cost": 146e6,
        "log_tb": 116.64,
    },
}


def toml(**changes: str) -> str:
    """The text of a small right design, some of its lines changed."""
    lines = {
        "title": '"T"',
        "opening": '"Design {rate}."',
        "rows": '[[capacity]]\nid = "rate"\nsays = "s"\nformula = "day / 86400"\nunit = "a second"',
        "letters": "PROBLEM",
        "minutes": "5 6 7 12 5 6 4",
        "rubric": '["a", "b", "c"]',
        "step": "P",
    } | changes
    steps = [
        f'[[steps]]\nletter = "{letter}"\nminutes = {minutes}\nworked = "w"\nrubric = {lines["rubric"]}'
        for letter, minutes in zip(lines["letters"], lines["minutes"].split(), strict=True)
    ]
    return "\n".join(
        [
            f"title = {lines['title']}\nopening = {lines['opening']}",
            '[[questions]]\nask = "q"\nanswer = "a"',
            '[[assumptions]]\nid = "day"\nsays = "s"\nvalue = 864000\nunit = ""',
            lines["rows"],
            *steps,
            f'[[follow_ups]]\ntopic = "t"\nstep = "{lines["step"]}"\ncovered = "c"\nmissed = "m"\ngood = "g"',
            '[[mistakes]]\nmistake = "m"\ninstead = "i"',
        ]
    )


def texts(found: Drill) -> list[str]:
    """Every prose of a design."""
    return [
        found.opening,
        *(text for q in found.questions for text in (q.ask, q.answer)),
        *(text for s in found.steps for text in (s.worked, *s.rubric)),
        *(text for f in found.follow_ups for text in (f.covered, f.missed, f.good)),
        *(text for m in found.mistakes for text in (m.mistake, m.instead)),
    ]


def test_the_ten_systems_of_the_specification_are_there():
    assert set(drill_ids()) == set(EXPECTED)


@EACH
def test_every_computed_number_comes_out_again(drill_id: str):
    found = {quantity.id: quantity.value for quantity in read_drill(drill_id).capacity}
    assert found == pytest.approx(EXPECTED[drill_id], rel=1e-9)


@EACH
def test_a_design_is_whole(drill_id: str):
    found = read_drill(drill_id)
    assert [step.letter for step in found.steps] == list(STEPS)
    assert sum(step.minutes for step in found.steps) == MINUTES
    assert len(found.questions) >= 5
    assert len(found.follow_ups) >= 4
    assert len(found.mistakes) >= 3
    assert sum(len(step.worked.split()) for step in found.steps) >= 800
    topics = [follow_up.topic for follow_up in found.follow_ups]
    assert len(set(topics)) == len(topics)


@EACH
def test_no_prose_keeps_a_name_where_a_number_belongs_and_none_shouts(drill_id: str):
    for text in texts(read_drill(drill_id)):
        assert not NAME.search(text)
        assert "!" not in text
        assert "$" not in text  # a notebook would read mathematics


@EACH
def test_most_computed_numbers_are_used_in_the_prose(drill_id: str):
    found = read_drill(drill_id)
    prose = " ".join(texts(found))
    unused = [quantity.id for quantity in found.capacity if quantity.words not in prose]
    assert len(unused) <= len(found.capacity) // 2, unused


@EACH
def test_every_chapter_that_a_design_names_has_two_digits_of_a_letter(drill_id: str):
    for text in texts(read_drill(drill_id)):
        for number in re.findall(r"\bchapter (\d+)", text, re.IGNORECASE):
            assert 1 <= int(number) <= 16


@EACH
def test_a_follow_up_depends_on_what_was_covered(drill_id: str):
    found = read_drill(drill_id)
    first = found.follow_ups[0]
    assert first.ask({first.topic}) == first.covered != first.missed == first.ask(set())
    page = drill(drill_id, "follow-ups", covered=[first.topic]).text
    assert first.covered in page
    assert first.missed not in page


@EACH
@pytest.mark.parametrize("part", PARTS)
def test_every_part_reads_as_text(drill_id: str, part: str):
    page = drill(drill_id, part)
    assert repr(page) == page._repr_markdown_()
    assert len(page.text) > 60


@EACH
def test_the_start_gives_no_answer_away(drill_id: str):
    start = drill(drill_id).text
    found = read_drill(drill_id)
    assert found.opening in start
    assert not any(question.answer in start for question in found.questions)


def test_the_list_names_every_system():
    assert all(f"`{name}`" in drills().text for name in drill_ids())


def test_marking_sums_and_says_what_one_point_more_takes():
    found = read_drill("autocomplete")
    points = dict.fromkeys(STEPS, 2) | {"R": 1}
    page = mark("autocomplete", **points).text
    assert "13 of 14" in page
    assert found.step("R").rubric[2][1:] in page
    assert "- **P**" not in page


@pytest.mark.parametrize(
    "call",
    [
        lambda: drill("tinder"),
        lambda: drill("autocomplete", "X"),
        lambda: drill("autocomplete", "follow-ups", covered=["love"]),
        lambda: mark("autocomplete", P=2),
        lambda: mark("autocomplete", **dict.fromkeys(STEPS, 3)),
        lambda: read_drill("autocomplete").step("Q"),
        lambda: read_drill("autocomplete").number("love"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(call: Callable[[], Page]):
    with pytest.raises(InvalidInput):
        call()


def test_a_small_design_is_read_and_its_number_stands_in_the_prose():
    assert parse_drill("t", toml()).opening == "Design 10 a second."


@pytest.mark.parametrize(
    "changes",
    [
        {"letters": "PROBLME"},
        {"minutes": "5 6 7 12 5 6 5"},
        {"rubric": '["a", "b"]'},
        {"opening": '"Design {speed}."'},
        {"opening": '""'},
        {"title": "3"},
        {"step": "Q"},
        {"rows": '[[capacity]]\nid = "rate"\nsays = "s"\nformula = "day / 0"\nunit = ""'},
        {"rows": '[[capacity]]\nid = "day"\nsays = "s"\nformula = "day / 2"\nunit = ""'},
        {"rows": '[[capacity]]\nid = "rate"\nsays = "s"\nformula = "day"\nunit = ""\ncolour = "red"'},
        {"title": '"'},
    ],
)
def test_a_design_of_the_wrong_form_is_refused(changes: dict[str, str]):
    with pytest.raises(InvalidInput):
        parse_drill("t", toml(**changes))


@pytest.mark.parametrize(
    "formula",
    ["unknown", "1 / 0", "a.b", "[1]", "'x'", "True", "ceil(x=1)", "__import__('os')", "1 if 1 else 2", "9**9**9"],
)
def test_a_formula_is_arithmetic_and_nothing_else(formula: str):
    with pytest.raises(InvalidInput):
        compute(formula, {"a": 1.0})


@pytest.mark.parametrize(
    "value, expected",
    [(0.0, "0"), (0.5, "0.5"), (99.96, "100"), (1234.5, "1,230"), (999_999, "1 million"), (2.5e12, "2.5 trillion")],
)
def test_numbers_are_said_with_three_digits(value: float, expected: str):
    assert words(value) == expected
