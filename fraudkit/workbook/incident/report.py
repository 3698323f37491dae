"""Is an incident report complete, and does it agree with the facts?

Reads the Markdown of a report with the headings of the template. It can see that a number is wrong,
a section empty or a cause unnamed; whether a lesson is wise it cannot see.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from fraudkit.core.clock import from_epoch_ms
from fraudkit.workbook.incident.facts import Facts
from fraudkit.workbook.incident.timeline import clock_time

FIELDS = ("Incident ID", "Status", "Severity", "Detected", "Resolved", "Duration")
SECTIONS = (
    "Incident Summary", "Timeline", "Impact Assessment", "Detection", "Root Cause Analysis", "Resolution",
    "Action Items", "Prevention Measures", "Lessons Learned",
)  # fmt: skip
HORIZONS = ("Immediate", "Short-term", "Long-term")
WHYS = 5
SHORTEST_ANSWER = 4  # words
NOBODY = frozenset({"", "tbd", "team", "the team", "everyone", "all", "nobody", "someone", "n/a", "-", "?"})
TOLERANCE = 0.05  # of a count
_PLACEHOLDER = re.compile(r"\[(?![xX ]\])[^\]\n]+\](?!\()")
_ACTION = re.compile(r"^- \[[ xX]\] (?P<what>.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a report: `kind` is missing or contradicts, `words` say what to do."""

    section: str
    kind: str
    words: str


def check_report(text: str, facts: Facts) -> list[Finding]:
    """Everything that is missing from a report or contradicts the facts; empty for a good one.

    Parameters
    ----------
    text : Markdown with the headings of the template
    facts : of the incident, from `gather_facts`
    """
    sections = read_sections(text)
    return [
        *_form(text, sections),
        *_times(text, sections, facts),
        *_impact(text, sections, facts),
        *_cause(sections, facts),
        *_whys(sections),
        *_actions(sections, facts),
        *_prevention(sections),
    ]


def read_sections(text: str) -> dict[str, str]:
    """Heading -> text below it, for headings of the second and third depth; a section holds its sub-sections."""
    found: dict[str, str] = {}
    matches = list(re.finditer(r"^(##+) (.+?)\s*$", _without_fences(text), re.MULTILINE))
    for position, match in enumerate(matches):
        depth = len(match[1])
        end = next((m.start() for m in matches[position + 1 :] if len(m[1]) <= depth), len(text))
        found[re.sub(r"\s*\(.*\)$", "", match[2])] = text[match.end() : end].strip()
    return found


def _without_fences(text: str) -> str:
    """The text with code blocks blanked, so that a comment in one is no heading. Positions stay."""
    return re.sub(r"```.*?```", lambda match: re.sub(r"[^\n]", " ", match[0]), text, flags=re.DOTALL)


def field(text: str, name: str) -> str | None:
    """What follows `**name:**` on its line, None where there is no such field."""
    found = re.search(rf"\*\*{re.escape(name)}:\*\*[ \t]*(.*)", text)
    return found[1].strip() if found else None


def _form(text: str, sections: dict[str, str]) -> Iterator[Finding]:
    for name in FIELDS:
        if not field(text, name):
            yield Finding("header", "missing", f"fill in **{name}:**")
    for name in SECTIONS:
        if not sections.get(name):
            yield Finding(name, "missing", f"write the section '## {name}'")
    for left in dict.fromkeys(_PLACEHOLDER.findall(_without_fences(text))):
        yield Finding("form", "missing", f"replace the placeholder {left}")


def _times(text: str, sections: dict[str, str], facts: Facts) -> Iterator[Finding]:
    minutes = _minutes(field(text, "Duration") or "")
    if minutes is not None and abs(minutes - facts.duration_min) > 1:
        words = f"duration {minutes} minutes; first to last harmed payment is {facts.duration_min}"
        yield Finding("header", "contradicts", words)
    detection = sections.get("Detection", "")
    if detection and facts.first_alert not in detection:
        yield Finding("Detection", "missing", f"name the first alert, {facts.first_alert}")
    if detection and clock_time(facts.detected_ms) not in detection + (field(text, "Detected") or ""):
        words = f"say when it was raised: {clock_time(facts.detected_ms)}"
        yield Finding("Detection", "contradicts", words)
    yield from _timeline(sections.get("Timeline", ""), facts)


def _timeline(table: str, facts: Facts) -> Iterator[Finding]:
    times = re.findall(r"^\|\s*(\d\d:\d\d)", table, re.MULTILINE)
    if table and times != sorted(times):
        yield Finding("Timeline", "contradicts", "put the rows in order of time")
    moments = {
        "the release that brought it in": facts.released_ms,
        "the first harmed payment": facts.started_ms,
        "the first alert": facts.detected_ms,
    }
    if facts.fixed_ms is not None:
        moments["the release of the fix"] = facts.fixed_ms
    for what, moment in moments.items():
        if table and clock_time(moment) not in times:
            yield Finding("Timeline", "missing", f"give {what}, {clock_time(moment)}")


def _impact(text: str, sections: dict[str, str], facts: Facts) -> Iterator[Finding]:
    impact = sections.get("Impact Assessment", "")
    if not impact:
        return
    said = field(impact, "Payments Affected") or field(impact, "Users Affected") or ""
    counts = _numbers(said.partition("(")[0])
    if not counts:
        yield Finding("Impact Assessment", "missing", "count those affected: **Payments Affected:** and a number")
    elif abs(counts[0] - facts.affected) > TOLERANCE * facts.affected:
        words = f"{counts[0]:,.0f} affected; the decision database holds {facts.affected:,}"
        yield Finding("Impact Assessment", "contradicts", words)
    if "$" not in impact:
        yield Finding("Impact Assessment", "missing", "say what it cost or put at risk, in money")


def _cause(sections: dict[str, str], facts: Facts) -> Iterator[Finding]:
    cause = sections.get("Root Cause", "").lower()
    if "Root Cause Analysis" in sections and not cause:
        yield Finding("Root Cause", "missing", "write '### Root Cause'")
        return
    for group in facts.cause.named_by if cause else ():
        if not any(word in cause for word in group):
            yield Finding("Root Cause", "missing", f"name it: nothing is said of {' or '.join(repr(w) for w in group)}")
    for word in facts.cause.refuted:
        if re.search(rf"(?<!not )(?<!not by )(?<!no ){re.escape(word)}", cause):
            yield Finding("Root Cause", "contradicts", f"{word!r} was checked and is not the cause")
    if cause and not sections.get("Investigation Steps"):
        yield Finding("Investigation Steps", "missing", "give each hypothesis and what refuted or confirmed it")


def _whys(sections: dict[str, str]) -> Iterator[Finding]:
    whys = sections.get("The Five Whys", "")
    parts = re.split(r"^\d+\.\s*\*\*Why[^\n]*\*\*", whys, flags=re.MULTILINE)[1:]
    answers = [" ".join(re.sub(r"^\s*- ", "", part, flags=re.MULTILINE).split()) for part in parts]
    told = [answer for answer in answers if len(answer.split()) >= SHORTEST_ANSWER]
    if len(told) < WHYS:
        yield Finding(
            "The Five Whys", "missing", f"answer {WHYS}, each in {SHORTEST_ANSWER} words or more; found {len(told)}"
        )
    elif len({answer.lower() for answer in told}) < len(told):
        yield Finding("The Five Whys", "contradicts", "two whys have the same answer; ask further")


def _actions(sections: dict[str, str], facts: Facts) -> Iterator[Finding]:
    items = _ACTION.findall(sections.get("Action Items", ""))
    if "Action Items" in sections and not items:
        yield Finding("Action Items", "missing", "list actions as `- [ ] what - **Owner:** role - **Due:** date`")
    for horizon in HORIZONS if items else ():
        if not any(name.startswith(horizon) and body for name, body in sections.items()):
            yield Finding("Action Items", "missing", f"nothing is planned under '{horizon}'")
    for item in items:
        name = f"{item.partition(' - ')[0][:40]!r}"
        owner = re.search(r"\*\*Owner:\*\*\s*([^*\n]*?)\s*(?:-|$)", item)
        if owner is None or owner[1].lower() in NOBODY:
            yield Finding("Action Items", "missing", f"{name} needs one role as owner")
        yield from _dated(name, item, facts)


def _dated(name: str, item: str, facts: Facts) -> Iterator[Finding]:
    found = re.search(r"\*\*(?:Due|Done):\*\*\s*(\d{4}-\d\d-\d\d)", item)
    try:
        day = date.fromisoformat(found[1]) if found else None
    except ValueError:
        day = None
    if day is None:
        yield Finding("Action Items", "missing", f"{name} needs a date, YYYY-MM-DD")
    elif day < from_epoch_ms(facts.detected_ms).date():
        yield Finding("Action Items", "contradicts", f"{name} is dated before the incident")


def _prevention(sections: dict[str, str]) -> Iterator[Finding]:
    body = sections.get("Prevention Measures", "").lower()
    if body and not re.search(r"\balert|\bmonitor", body):
        yield Finding("Prevention Measures", "missing", "say which alert would have come earlier")
    if body and not re.search(r"\btest", body):
        yield Finding("Prevention Measures", "missing", "say which test would have failed")


def _minutes(text: str) -> int | None:
    """`1 hour 27 minutes` as 87; None where neither unit stands there."""
    hours, minutes = re.search(r"(\d+)\s*h", text), re.search(r"(\d+)\s*min", text)
    if not hours and not minutes:
        return None
    return 60 * int(hours[1] if hours else 0) + int(minutes[1] if minutes else 0)


def _numbers(text: str) -> list[float]:
    return [float(number.replace(",", "")) for number in re.findall(r"\d[\d,]*(?:\.\d+)?", text)]
