"""The twelve templates by name: form, filled-in copy, and whether that copy is still what the sources make of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fraudkit.core.config import PROJECT_ROOT
from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.templates.facts import Facts, read_form
from fraudkit.workbook.templates.form import Fill, filled

FOLDER = PROJECT_ROOT / "templates"
NOTE = "<!-- made by `fraudkit template --renew` from templates/{name}.md and published records; do not edit -->\n"


@dataclass(frozen=True, slots=True)
class Template:
    """One template: its name, what it is for, and the module and function that fill it in."""

    name: str
    purpose: str
    module: str


TEMPLATES = {
    template.name: template
    for template in (
        Template("project_initiation", "the case for a project, with targets that can fail", "fill_start"),
        Template("data_analysis", "what the data is, its times, labels, quality and split", "fill_start"),
        Template("feature_engineering", "declared features, point in time, parity, cost", "fill_start"),
        Template("model_development", "goal, data, baselines, parameters, result, gate", "fill_model"),
        Template("experiment_tracking", "one experiment with digests and a refutation rule", "fill_model"),
        Template("model_evaluation", "evidence against requirements, by somebody else", "fill_model"),
        Template("ab_test_plan", "hypothesis, unit, sample size, guardrails, looks", "fill_run"),
        Template("production_deployment", "what is released, roll-out, rollback", "fill_run"),
        Template("monitoring_and_alerting", "metrics, drift, alerts with actions", "fill_run"),
        Template("incident_response", "the report on an incident", "fill_talk"),
        Template("ml_system_design", "a design by the PROBLEM framework", "fill_talk"),
        Template("interview_preparation", "twelve weeks of preparation", "fill_talk"),
    )
}


def template_named(name: str) -> Template:
    """The template of this name; hyphens may stand for underscores.

    Raises
    ------
    InvalidInput
        There is none.
    """
    found = TEMPLATES.get(name.replace("-", "_"))
    if found is None:
        raise InvalidInput(f"there is no template {name!r}; there are {', '.join(TEMPLATES)}")
    return found


def form_text(template: Template) -> str:
    """The empty form."""
    return read_form(FOLDER / f"{template.name}.md")


def filled_text(template: Template, facts: Facts) -> str:
    """The form filled in with what the system knows."""
    return filled(form_text(template), _filler(template)(facts))


def published_text(template: Template, facts: Facts | None = None) -> str:
    """The copy that templates/filled/ should hold: from code and committed records only."""
    return NOTE.format(name=template.name) + filled_text(template, facts or Facts())


def published_path(template: Template) -> Path:
    """Where that copy lies."""
    return FOLDER / "filled" / f"{template.name}.md"


def stale() -> list[str]:
    """The templates whose filled-in copy is not what its sources make of it now."""
    facts = Facts()
    return [
        template.name
        for template in TEMPLATES.values()
        if not published_path(template).is_file()
        or published_path(template).read_text(encoding="utf-8") != published_text(template, facts)
    ]


def _filler(template: Template) -> Callable[[Facts], Fill]:
    """The function that fills this template in, loaded when it is asked for."""
    from fraudkit.workbook.templates import fill_model, fill_run, fill_start, fill_talk

    modules = {module.__name__.rpartition(".")[2]: module for module in (fill_model, fill_run, fill_start, fill_talk)}
    fill: Callable[[Facts], Fill] = getattr(modules[template.module], template.name)
    return fill
