"""Which answers of a class resemble each other more than honest ones do.

Two short right answers share much by nature, so what they share counts by how rare it is: what
stands in the reference or in the known right answers counts little, and so does what half the class
wrote. Knows fingerprints, not sources.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path

from fraudkit.core.files import replace_file
from fraudkit.workbook.grade.marks import Pair

SHOWN_SCORE = 0.4  # pairs below are not listed
SUSPICIOUS_SCORE = 0.5
SUSPICIOUS_EVIDENCE = 8.0  # about the rare fingerprints of three lines
KNOWN_WEIGHT = 0.02  # of what stands in a known right answer


def weights(answers: Mapping[str, Sequence[int]], known: Iterable[int] = ()) -> dict[int, float]:
    """Fingerprint -> weight in 0..1: 1 for what one learner wrote, towards 0 for what all wrote.

    Parameters
    ----------
    answers : learner -> fingerprints of the answer to one task
    known : fingerprints of the reference and the accepted answers
    """
    counts = Counter(print_ for prints in answers.values() for print_ in set(prints))
    size = max(len(answers), 10)  # in a class of three, two alike say little about how common it is
    expected = set(known)
    found = {}
    for print_, count in counts.items():
        rarity = 1.0 if count <= 2 else math.log(size / count + 1) / math.log(size / 2 + 1)
        found[print_] = min(1.0, rarity) * (KNOWN_WEIGHT if print_ in expected else 1.0)
    return found


def similar_pairs(
    exercise_id: str, answers: Mapping[str, Sequence[int]], known: Iterable[int] = (), least: float = SHOWN_SCORE
) -> list[Pair]:
    """Pairs of learners whose answers to one task score at least `least`, the most alike first."""
    weight = weights(answers, known)
    total = {learner: sum(weight[print_] for print_ in set(prints)) for learner, prints in answers.items()}
    holders: dict[int, list[str]] = defaultdict(list)
    for learner in sorted(answers):
        for print_ in set(answers[learner]):
            holders[print_].append(learner)
    shared: Counter[tuple[str, str]] = Counter()
    for print_, learners in holders.items():
        for pair in combinations(learners, 2):
            shared[pair] += weight[print_]  # type: ignore[assignment]
    pairs = []
    for (first, second), evidence in shared.items():
        union = total[first] + total[second] - evidence
        score = evidence / union if union else 0.0
        if score >= least:
            telling = score >= SUSPICIOUS_SCORE and evidence >= SUSPICIOUS_EVIDENCE
            pairs.append(Pair(exercise_id, first, second, round(score, 3), round(evidence, 1), telling))
    return sorted(pairs, key=lambda pair: (not pair.suspicious, -pair.score, -pair.evidence, pair.first, pair.second))


def known_prints(exercise_id: str) -> tuple[int, ...]:
    """Fingerprints of the reference and the accepted answers of an exercise."""
    import inspect

    from fraudkit.workbook.exercise import exercise
    from fraudkit.workbook.grade.fingerprint import fingerprints
    from fraudkit.workbook.notebooks import reference_source
    from fraudkit.workbook.source import slice_source

    task = exercise(exercise_id)
    found = set(fingerprints(reference_source(exercise_id, task.name)))
    for accepted in task.accepted:
        text = Path(inspect.getsourcefile(accepted) or "").read_text(encoding="utf-8")
        found.update(fingerprints(slice_source([text], accepted.__name__)))
    return tuple(sorted(found))


def write_pairs(pairs: Sequence[Pair], path: Path) -> None:
    """Write similarity.csv: one line a pair and task, the most alike first."""
    from fraudkit.workbook.grade.gradebook import csv_bytes

    header = ["task", "learner", "other learner", "similarity", "evidence", "look at it"]
    rows = []
    for pair in pairs:
        look = "yes" if pair.suspicious else ""
        rows.append([pair.exercise_id, pair.first, pair.second, f"{pair.score:.2f}", f"{pair.evidence:.1f}", look])
    replace_file(path, csv_bytes([header, *rows]))
