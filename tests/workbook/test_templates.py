"""The twelve templates: forms, how they are filled, what they compute, and that the filled copies are not stale."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm
from typer.testing import CliRunner

from fraudkit.cli import app
from fraudkit.core.config import PROJECT_ROOT
from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.checklist_file import read_checklist
from fraudkit.workbook.plan.items import read_plan
from fraudkit.workbook.progress import ProgressFile
from fraudkit.workbook.templates.facts import Facts
from fraudkit.workbook.templates.fill_talk import incident_response, interview_preparation
from fraudkit.workbook.templates.form import Fill, boxes, filled, name_of, placeholders
from fraudkit.workbook.templates.incident import parse_incident, recorded_incident
from fraudkit.workbook.templates.library import TEMPLATES, form_text, published_path, stale
from fraudkit.workbook.templates.rehearse import CHAPTER
from fraudkit.workbook.templates.sample_size import (
    bound_for_looks,
    design_effect,
    false_alarms_with_peeking,
    units_not_worse,
    units_per_arm,
)

EACH = pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
# What no system knows: the reader fills it in.
LEFT_OPEN = {"interview_preparation": {"target_companies"}}

# The checklists of the specification that stand in a form, word for word.
IN_FORMS = {
    "ml_system_design": [
        "functional_requirements", "requirements", "architecture", "trade_offs", "scalability", "monitoring",
    ],
    "incident_response": [
        "incident_detection", "incident_verification", "incident_actions_24_hours", "incident_actions_1_week",
        "incident_actions_1_month",
    ],
    "interview_preparation": [
        "company_preparation", "interview_final", "interview_before", "interview_during", "interview_after",
    ],
}  # fmt: skip

FORM = "# [Title: of it]\n| [Part] | [Size] |\n- [Note]\n- [ ] Practice: do it\n[link](x.md) `a[0]`\n"


def test_a_text_fills_a_placeholder_and_a_list_repeats_its_line():
    fill = Fill({"title": "T", "part": [("a", "1"), ("b", "2")], "note": ["x", "y"]}, {"practice_do_it": (True, "n")})
    assert filled(FORM, fill) == (
        "# T\n| a | 1 |\n| b | 2 |\n- x\n- y\n- [x] Practice: do it: n\n[link](x.md) `a[0]`\n"
    )


def test_what_is_not_known_stays_in_brackets():
    assert filled(FORM, Fill({"size": "3"})) == FORM.replace("[Size]", "3")


@pytest.mark.parametrize("fill", [Fill({"titel": "T"}), Fill(boxes={"nothing": (True, "")}), Fill({"part": [("a",)]})])
def test_a_value_that_fits_nowhere_is_refused(fill: Fill):
    with pytest.raises(InvalidInput):
        filled(FORM, fill)


def test_a_filled_text_is_not_read_as_a_form_again():
    assert (
        filled(
            "[Part]\n",
            Fill(
                {
                    "part": "[Size]",
                }
            ),
        )
        == "[Size]\n"
    )


def test_there_are_the_twelve_of_the_specification():
    assert len(TEMPLATES) == 12
    assert {path.stem for path in (PROJECT_ROOT / "templates").glob("*.md")} == set(TEMPLATES)


@EACH
def test_a_form_has_a_title_placeholders_and_boxes(template):
    text = form_text(template)
    assert text.startswith("# ")
    assert placeholders(text)
    assert boxes(text)
    assert "!" not in text.replace("accuracy!", "")  # the specification's own words


@EACH
def test_a_filled_copy_leaves_open_only_what_the_reader_knows(template):
    text = published_path(template).read_text(encoding="utf-8")
    assert set(placeholders(text)) == LEFT_OPEN.get(template.name, set())


def test_no_filled_copy_is_stale():
    assert stale() == [], "run: fraudkit template --renew"


def test_a_changed_form_is_found_stale(monkeypatch: pytest.MonkeyPatch):
    changed = "fraudkit.workbook.templates.library.read_form"
    monkeypatch.setattr(changed, lambda path: path.read_text(encoding="utf-8") + "one line more\n")
    assert stale() == list(TEMPLATES)


@pytest.mark.parametrize("name", IN_FORMS)
def test_a_form_holds_the_checklists_of_the_specification(name: str):
    found = set(boxes(form_text(TEMPLATES[name])))
    for checklist_id in IN_FORMS[name]:
        assert {item.text for item in read_checklist(checklist_id).items} <= found, checklist_id


def test_the_interview_form_holds_every_box_of_the_plan():
    found = {text.replace("*", "") for text in boxes(form_text(TEMPLATES["interview_preparation"]))}
    assert [item.text for item in read_plan().items if item.text not in found] == []


def test_a_box_that_takes_each_of_its_subjects_is_not_crossed_for_one(home: Path):
    graphs, numbers = read_plan().item("trees-graphs"), read_plan().item("dynamic-programming")
    for name in graphs.evidence[1].ids:
        ProgressFile().attempt(name, "pass")
    for name in numbers.evidence[0].ids:
        ProgressFile().attempt(name, "pass")
    boxes_now = interview_preparation(Facts(own=True)).boxes
    assert not boxes_now[name_of(graphs.text)][0] and boxes_now[name_of(numbers.text)][0]
    ProgressFile().attempt(graphs.evidence[0].ids[0], "pass")
    assert interview_preparation(Facts(own=True)).boxes[name_of(graphs.text)][0]


def test_the_recorded_incident_is_the_one_that_the_chapter_shows():
    printed = CHAPTER.read_text(encoding="utf-8")
    slots = recorded_incident().slots
    assert f"{slots['affected']} payments" in printed
    assert f"raised at {slots['detected']}" in printed
    assert slots["affected_usd"] in printed


def test_another_incident_fills_the_same_form():
    record = recorded_incident()
    other = parse_incident(
        json.dumps(
            {"day": "2026-01-02", "slots": record.slots | {"affected": "77"}, "timeline": [["09:00", "x", "alert"]]}
        )
    )
    text = filled(form_text(TEMPLATES["incident_response"]), incident_response(Facts(), other))
    assert "| 09:00 | x | recorded | system (alert) |" in text
    assert "77 of 88 payments" in text
    with pytest.raises(InvalidInput, match="rehearse"):
        parse_incident('{"day": 1}')


def test_a_sample_of_that_size_has_the_power_it_promises():
    control, treatment, draws = 0.144, 0.120, 4_000
    n = units_per_arm(control, treatment)
    rng = np.random.default_rng(7)
    a, b = (rng.binomial(n, share, draws) / n for share in (control, treatment))
    z = (a - b) / np.sqrt((a * (1 - a) + b * (1 - b)) / n)
    assert np.mean(np.abs(z) > norm.ppf(0.975)) == pytest.approx(0.80, abs=0.03)


def test_a_sample_for_not_worse_has_the_power_it_promises():
    n, draws = units_not_worse(0.02, 0.004), 4_000
    rng = np.random.default_rng(7)
    a, b = (rng.binomial(n, 0.02, draws) / n for _ in range(2))
    upper = b - a + norm.ppf(0.95) * np.sqrt((a * (1 - a) + b * (1 - b)) / n)
    assert np.mean(upper < 0.004) == pytest.approx(0.80, abs=0.03)


def test_looking_five_times_is_as_bad_as_the_tables_say():
    rng = np.random.default_rng(7)
    assert false_alarms_with_peeking(1, rng) == pytest.approx(0.05, abs=0.002)
    assert false_alarms_with_peeking(5, rng) == pytest.approx(0.142, abs=0.004)  # Armitage et al. 1969
    assert bound_for_looks(5, rng) == pytest.approx(2.040, abs=0.02)  # O'Brien and Fleming 1979


def test_payments_of_one_card_count_for_less():
    assert design_effect(1, 0.5) == 1.0
    assert design_effect(4, 1.0) == 4.0


def test_impossible_shares_are_refused():
    for shares in ((0.1, 0.1), (0.0, 0.1), (0.1, 1.0)):
        with pytest.raises(InvalidInput):
            units_per_arm(*shares)
    with pytest.raises(InvalidInput):
        units_not_worse(0.02, 0.0)


def test_the_command_lists_writes_and_never_overwrites(tmp_path: Path):
    run = CliRunner().invoke
    assert len(json.loads(run(app, ["template", "--list", "--json"]).stdout)) == 12
    assert run(app, ["template", "--check"]).exit_code == 0
    out = tmp_path / "plan.md"
    assert run(app, ["template", "ab-test-plan", "--fill", "--published", "--out", str(out)]).exit_code == 0
    assert "frauds an arm" in out.read_text(encoding="utf-8")
    with pytest.raises(InvalidInput, match="exists already"):
        run(app, ["template", "ab_test_plan", "--out", str(out)], catch_exceptions=False)
    with pytest.raises(InvalidInput, match="incident_response"):
        run(app, ["template", "nope"], catch_exceptions=False)


def test_a_placeholder_is_named_by_its_text_up_to_the_colon():
    assert name_of("Review capacity: cases a day") == "review_capacity"
