"""The author's gate: the stub fails, the solution passes, every wrong answer by name is refused and recognised.

Counts what a grader may never do: accept a wrong answer, or refuse a right one.
"""

from __future__ import annotations

import ast
import doctest
import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np

from fraudkit.workbook.exercise import CHECKS, WEEKS, Case, Exercise, Mutant, exercise
from fraudkit.workbook.judge import Verdict, judge, mutant_replies, mutant_source
from fraudkit.workbook.notebooks import ALOUD, reference_source, section, source_of, stub_of
from fraudkit.workbook.sandbox import Reply, Sandbox
from fraudkit.workbook.source import slice_source

SEEDS = (7, 20_260_101)
ALOUD_WORDS = 90, 320  # of the model answer: two minutes at a speaker's pace, with room
MIN_HINTS, MIN_MUTANTS, MIN_ACCEPTED = 2, 5, 2
# Answers that take no thought; none may pass.
THOUGHTLESS = {
    "returns 0": "def {name}(*args, **kwargs):\n    return 0\n",
    "returns None": "def {name}(*args, **kwargs):\n    return None\n",
    "returns its input": "def {name}(*args, **kwargs):\n    return args[0] if args else None\n",
    "raises everywhere": "def {name}(*args, **kwargs):\n    raise ValueError\n",
}
EXAMPLE = re.compile(r"```python\n(.*?)```", re.DOTALL)
LOOSE = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


@dataclass
class Report:
    """What the gate found on one exercise; `problems` is empty when it may go in."""

    id: str
    mutants: int = 0
    rejected: int = 0
    recognised: int = 0
    accepted: int = 0
    alternatives: int = 0
    false_accepts: int = 0
    false_rejects: int = 0
    problems: list[str] = field(default_factory=list)


def verify(exercise_id: str) -> Report:
    """Put one exercise through the gate."""
    item = exercise(exercise_id)
    report = Report(exercise_id)
    report.problems += form_problems(item)
    with Sandbox(item.preload) as first, Sandbox(item.preload, hash_seed="1") as second:
        wrong = {what: text.format(name=item.name) for what, text in THOUGHTLESS.items()}
        wrong["the stub"] = source_of(item.id, stub_of(section(item.id).answer), item.name)
        for what, source in wrong.items():
            if _verdict(item, source, first).status == "pass":
                report.false_accepts += 1
                report.problems.append(f"accepted: {what}")
        if _verdict(item, wrong["the stub"], first).status != "missing":
            report.problems.append("the stub is not recognised as a stub")
        for what, source in right_answers(item):
            report.alternatives += 1
            verdicts = [_verdict(item, source, first, seed) for seed in SEEDS]
            verdicts.append(_verdict(reordered(item), source, second))
            if bad := [verdict for verdict in verdicts if verdict.status != "pass"]:
                report.false_rejects += 1
                report.problems.append(f"refused: {what}: {in_a_line(bad[0])}")
            else:
                report.accepted += 1
        _try_mutants(item, report, first)
        report.problems += example_problems(item, first)
    return report


def _try_mutants(item: Exercise, report: Report, sandbox: Sandbox) -> None:
    """Every named wrong answer, on two seeds: refused on both, recognised on both."""
    sources = {}
    for mutant in item.mutants:
        report.mutants += 1
        try:
            sources[mutant.name] = mutant_source(item, mutant)
        except ValueError as error:
            report.problems.append(str(error))
    fitting = replace(item, mutants=tuple(mutant for mutant in item.mutants if mutant.name in sources))
    wrong = {
        seed: list(mutant_replies(fitting, item.cases(np.random.default_rng(seed)), sandbox, None)) for seed in SEEDS
    }
    for name, source in sources.items():
        verdicts = [_verdict(item, source, sandbox, seed, wrong=wrong[seed]) for seed in SEEDS]
        if any(verdict.status == "pass" for verdict in verdicts):
            report.false_accepts += 1
            report.problems.append(f"accepted: mutant {name}")
            continue
        report.rejected += 1
        named = [verdict.failure.mutant if verdict.failure else "" for verdict in verdicts]
        # An answer that dies or hangs is told by how it ends, not by what it returns.
        ended = all(verdict.status in ("timeout", "crash") for verdict in verdicts)
        if ended or all(found in (name, "slow") for found in named):
            report.recognised += 1
        else:
            report.problems.append(f"mutant {name} is taken for {named} ({in_a_line(verdicts[0])})")


def right_answers(item: Exercise) -> Iterator[tuple[str, str]]:
    """The reference solution and the accepted answers, each with its text."""
    yield "the solution", reference_source(item.id, item.name)
    text = (CHECKS / f"{item.id}.py").read_text(encoding="utf-8")
    for answer in item.accepted:
        yield answer.__name__, slice_source([text], answer.__name__) + f"\n{item.name} = {answer.__name__}\n"


def reordered(item: Exercise) -> Exercise:
    """The same exercise with its cases back to front."""

    def backwards(rng: np.random.Generator) -> list[Case]:
        return item.cases(rng)[::-1]

    return replace(item, cases=backwards)


def _verdict(
    item: Exercise,
    source: str,
    sandbox: Sandbox,
    seed: int = SEEDS[0],
    wrong: Sequence[tuple[Mutant, list[Reply]]] = (),
) -> Verdict:
    return judge(item, source, sandbox=sandbox, rng=np.random.default_rng(seed), wrong=wrong)


def in_a_line(verdict: Verdict) -> str:
    """A verdict for a list of problems."""
    failure = verdict.failure
    return f"{verdict.status}, case {failure.case!r}: {failure.reason}"[:240] if failure else verdict.status


def form_problems(item: Exercise) -> list[str]:
    """What an exercise lacks before anything is run."""
    text = section(item.id)
    problems = []
    if len(item.hints) < MIN_HINTS or not all(hint.strip() for hint in item.hints):
        problems.append(f"{len(item.hints)} hints, at least {MIN_HINTS} are needed")
    if len(item.mutants) < MIN_MUTANTS:
        problems.append(f"{len(item.mutants)} mutants, at least {MIN_MUTANTS} are needed")
    if len({mutant.name for mutant in item.mutants}) < len(item.mutants):
        problems.append("two mutants have the same name")
    if len(item.accepted) < MIN_ACCEPTED:
        problems.append(f"{len(item.accepted)} accepted answers, at least {MIN_ACCEPTED} are needed")
    if "**In the fraud system**" not in text.question:
        problems.append("the question does not say what it is for: **In the fraud system** is missing")
    if not EXAMPLE.search(text.question):
        problems.append("the question has no worked example")
    if not text.notes:
        problems.append("there are no notes on the solution")
    if item.week not in WEEKS:
        problems.append(f"week {item.week!r} is none of {', '.join(WEEKS)}")
    problems += aloud_problems(text.aloud)
    if text.title != item.title:
        problems.append(f"title {item.title!r} is {text.title!r} in the notebook")
    problems += [
        f"{call} is missing"
        for call in (f'check("{item.id}")', f'hint("{item.id}")', f'solution("{item.id}")')
        if call not in text.calls
    ]
    names = [case.name for case in item.cases(np.random.default_rng(SEEDS[0]))]
    if len(set(names)) < len(names):
        problems.append("two cases have the same name")
    if item.plug and f'plug("{item.id}")' not in text.calls:
        problems.append(f'plug("{item.id}") is missing')
    return problems


def aloud_problems(aloud: str) -> list[str]:
    """What the cell "Two minutes aloud" lacks: a question, and an answer folded under it of two minutes' length."""
    prompt, found, answer = aloud.partition("<details>")
    if not found or not prompt.removeprefix(ALOUD).strip():
        return [f"{ALOUD!r} needs a question and a folded answer in <details>"]
    words = len(answer.split())
    low, high = ALOUD_WORDS
    return [] if low <= words <= high else [f"an answer aloud of {words} words; two minutes are {low} to {high}"]


def example_problems(item: Exercise, sandbox: Sandbox) -> list[str]:
    """Where the question's example is not what the solution gives."""
    parser = doctest.DocTestParser()
    examples = [e for block in EXAMPLE.findall(section(item.id).question) for e in parser.get_examples(block)]
    if not examples:
        return ["the question's example shows no `>>>` line"]
    source = reference_source(item.id, item.name) + "\n" + _as_function(examples)
    reply = sandbox.run(source, "_examples", [Case("the question's example")])[0]
    if reply.status != "ok":
        return [f"the question's example does not run: {reply.error} {reply.message}"]
    checker = doctest.OutputChecker()
    wrong = []
    for example, got in zip((e for e in examples if e.want), reply.value, strict=True):
        want = f"{example.exc_msg}" if example.exc_msg else example.want
        if not checker.check_output(want, got + "\n", LOOSE):
            wrong.append(f"the question says {example.source.strip()} gives {want.strip()!r}, it is {got!r}")
    return wrong


def _as_function(examples: list[doctest.Example]) -> str:
    """The examples as one function that returns what each shows."""
    lines = ["import numpy as np", "def _examples():", "    shown = []"]
    for example in examples:
        code = example.source.strip()
        if not example.want:
            lines.append(textwrap.indent(code, "    "))
        elif example.exc_msg:
            lines += ["    try:", textwrap.indent(code, "        "), "        shown.append('nothing is raised')"]
            lines += ["    except Exception as error:", "        shown.append(f'{type(error).__name__}: {error}')"]
        else:
            lines.append(f"    shown.append(repr({ast.unparse(ast.parse(code, mode='eval'))}))")
    return "\n".join([*lines, "    return shown", ""])


def verify_all(ids: list[str], jobs: int, progress: Callable[[float, str], None]) -> list[Report]:
    """Every exercise through the gate, `jobs` at a time, in the given order."""
    reports: list[Report] = []
    with ThreadPoolExecutor(max(1, jobs)) as pool:
        for report in pool.map(verify, ids):
            reports.append(report)
            progress(len(reports) / len(ids), report.id)
    return reports
