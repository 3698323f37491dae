"""One sitting: questions one after the other; each answer is recorded at once, what was missed comes again at the end.

Knows nothing of screens: the terminal and the notebook both drive it.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence

import numpy as np

from fraudkit.workbook.progress import ProgressFile
from fraudkit.workbook.quiz.memory import remember
from fraudkit.workbook.quiz.question import Question
from fraudkit.workbook.quiz.showing import Grade, Marked, Showing

SECOND_CHANCES = 2  # how often a missed question comes again in one sitting


class Sitting:
    """Questions to be answered, in order.

    Parameters
    ----------
    questions : as `choose.next_questions` gives them
    file : where answers are recorded
    rng : draws numbers and the order of options
    """

    def __init__(self, questions: Sequence[Question], file: ProgressFile, rng: np.random.Generator) -> None:
        self._waiting = deque(questions)
        self._file = file
        self._rng = rng
        self._shown: Counter[str] = Counter()
        self.first_grades: dict[str, Grade] = {}
        self.count = len(questions)
        self.showing: Showing | None = None
        self.next()

    @property
    def number(self) -> int:
        """Which of the questions is on the screen, from 1; repeats keep the last number."""
        return min(len(self.first_grades) + (self.showing is not None and not self.is_repeat), self.count)

    @property
    def is_repeat(self) -> bool:
        """Whether the question on the screen was missed in this sitting."""
        return self.showing is not None and self.showing.question.id in self.first_grades

    def answer(self, text: str) -> Marked:
        """Mark and record an answer to the question on the screen; the question stays there until `next`.

        Raises
        ------
        InvalidInput
            The text is no answer to this kind of question; nothing is recorded.
        """
        if self.showing is None:
            raise RuntimeError("the sitting is over")
        marked = self.showing.mark(text)
        question = self.showing.question
        remember(self._file, question.id, marked.grade)
        self.first_grades.setdefault(question.id, marked.grade)
        self._shown[question.id] += 1
        if marked.grade == "wrong" and self._shown[question.id] <= SECOND_CHANCES:
            self._waiting.append(question)
        return marked

    def next(self) -> Showing | None:
        """Go to the next question; None when there is none left."""
        self.showing = Showing(self._waiting.popleft(), self._rng) if self._waiting else None
        return self.showing

    @property
    def right(self) -> int:
        """How many questions were answered right at their first showing."""
        return sum(grade == "right" for grade in self.first_grades.values())
