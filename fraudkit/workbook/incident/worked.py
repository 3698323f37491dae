"""Two reports on the leaked connections, filled from the facts: one to learn from, one to mend.

Owners are roles. The texts follow the headings of the template in the specification.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from string import Template

from fraudkit.core.clock import from_epoch_ms
from fraudkit.workbook.incident.facts import Facts
from fraudkit.workbook.incident.timeline import Event, to_markdown

KINDS = ("good", "poor")


def worked_report(kind: str, facts: Facts, events: Sequence[Event]) -> str:
    """The good or the poor report as Markdown.

    Parameters
    ----------
    kind : "good" or "poor"
    facts, events : of the incident

    Raises
    ------
    KeyError
        A text asks for a fact that is not there.
    """
    text = Path(__file__).with_name(f"report_{kind}.md").read_text(encoding="utf-8")
    day = from_epoch_ms(facts.detected_ms).date()
    dates = {f"day_{days}": (day + timedelta(days=days)).isoformat() for days in (0, 1, 7, 30)}
    return Template(text).substitute(facts.slots(), timeline=to_markdown(events), **dates)
