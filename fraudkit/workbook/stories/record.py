"""What the stories count for in the plan, as it stands in the progress file under `plan` · `stories`.

The stories are files that an editor writes; the progress keeps what the last look at them found, so that an exported
progress shows its plan without them. The form: `{name: ["kind/failure", "principle/ownership", ...]}` for complete
stories, and `{"walkthrough": ["part/problem-definition", ...]}`.
"""

from __future__ import annotations

from fraudkit.workbook.plan.items import Evidence
from fraudkit.workbook.progress import Progress

ROOM = "stories"
ANY = "kind/any"


def recorded(progress: Progress) -> dict[str, frozenset[str]]:
    """Name of a story -> what it counts for; entries of another form are passed over."""
    kept = progress.plan.get(ROOM)
    entries = kept.items() if isinstance(kept, dict) else ()
    return {name: frozenset(map(str, topics)) for name, topics in entries if isinstance(topics, list)}


def stories_written(progress: Progress, evidence: Evidence) -> int:
    """How many stories count for the evidence's topic."""
    return sum(evidence.topic in topics for topics in recorded(progress).values())
