"""The incident of a filled report as plain values: the facts, and the timeline from decisions and metrics."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from fraudkit.core.clock import from_epoch_ms
from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.incident.facts import Facts
from fraudkit.workbook.incident.timeline import Event

SOURCES = {"decisions": "decision database", "metrics": "/metrics", "alert": "alert"}


@dataclass(frozen=True, slots=True)
class Incident:
    """Facts as texts by their slots, the day, and the lines of the timeline: time, what happened, source."""

    day: str
    slots: dict[str, str]
    timeline: tuple[tuple[str, str, str], ...]


def as_record(facts: Facts, events: Sequence[Event]) -> dict[str, Any]:
    """An incident as JSON."""
    lines = [
        (from_epoch_ms(event.at_ms).strftime("%H:%M"), event.what, SOURCES.get(event.source, event.source))
        for event in events
    ]
    return {"day": from_epoch_ms(facts.detected_ms).date().isoformat(), "slots": facts.slots(), "timeline": lines}


def parse_incident(text: str) -> Incident:
    """An incident from its JSON.

    Raises
    ------
    InvalidInput
        The text is no such record.
    """
    try:
        record = json.loads(text)
        lines = tuple((str(at), str(what), str(source)) for at, what, source in record["timeline"])
        return Incident(str(record["day"]), {key: str(value) for key, value in record["slots"].items()}, lines)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(f"no incident record ({error!r}); python -m fraudkit.workbook.templates.rehearse") from error


def recorded_incident() -> Incident:
    """The rehearsal that is kept beside the code."""
    return parse_incident((files("fraudkit.workbook.templates") / "incident.json").read_text(encoding="utf-8"))
