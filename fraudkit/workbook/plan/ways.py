"""Where an item of the plan is done: the command to type, and the notebook where there is one."""

from __future__ import annotations

from dataclasses import dataclass

from fraudkit.core.config import PROJECT_ROOT
from fraudkit.workbook.notebooks import EXERCISES, topics
from fraudkit.workbook.plan.items import Evidence, Item
from fraudkit.workbook.plan.state import PlanState, questions_of

ROUNDS = {"system design": "design"}  # the command's name of a round where it is another than the plan's


@dataclass(frozen=True, slots=True)
class Way:
    """What to type, what to open, and what stands there already.

    Attributes
    ----------
    command : a line for the terminal
    notebook : path from the project's root; "" where there is none
    so_far : such as "2 of 3 questions"; "" where only a tick shows it
    """

    command: str
    notebook: str = ""
    so_far: str = ""


def way_to(item: Item, state: PlanState) -> Way:
    """How to go on with an open item: by the first line of its evidence that is not met, else by a tick."""
    for evidence in item.evidence:
        count = state.count(evidence)
        if count < evidence.need:
            return _way(evidence, count, state)
    return Way(f"fraudkit plan --done {item.id}")


def _way(evidence: Evidence, count: int, state: PlanState) -> Way:
    so_far = f"{count} of {evidence.need}"
    topic = evidence.topic
    match evidence.kind:
        case "exercise":
            name = next(name for name in evidence.ids if not state.progress.record(name).passed)
            notebook = notebook_of(name)
            return Way(f"jupyter lab {notebook}", notebook, f"{so_far} exercises, next {name}")
        case "quiz":
            chosen = "" if topic == "any" or not questions_of(topic) else f" --topic {topic}"
            return Way(f"fraudkit quiz{chosen}", "", f"{so_far} questions")
        case "mock":
            return Way(f"fraudkit mock {ROUNDS.get(topic, topic)}", "", f"{so_far} mocks")
        case "asked":
            return Way(f"fraudkit mock behavioral --about {topic}", "", f"{so_far} mocks with this question")
        case "drill":
            about = f" --about {evidence.ids[0]}" if len(evidence.ids) == 1 else ""
            return Way(f"fraudkit mock design{about}", "notebooks/16_system_design_drills.ipynb", f"{so_far} drills")
        case _:
            return Way(_story_command(topic), "", f"{so_far} stories")


def _story_command(topic: str) -> str:
    """How a story for this topic is written, or given to it."""
    group, _, name = topic.partition("/")
    if group == "part":
        return "fraudkit story walkthrough"
    if group == "kind":
        return "fraudkit story new NAME" + ("" if name == "any" else f" --kind {name}")
    return "fraudkit story map"


def notebook_of(exercise_id: str) -> str:
    """The notebook that holds an exercise, from the project's root; "" for one that is in none."""
    for topic in topics():
        if exercise_id in topic.exercise_ids:
            return (EXERCISES.relative_to(PROJECT_ROOT) / f"{topic.name}.ipynb").as_posix()
    return ""
