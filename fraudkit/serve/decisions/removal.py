"""Removes decisions that are no longer needed from the database, a few in each commit.

Which ones are old enough, and safe elsewhere, is for whoever calls to know. What the service itself still works on
stays in any case. Feedback, the audit of reviews and decisions that were set aside are kept for good: they are few.
"""

from __future__ import annotations

from collections.abc import Sequence

from fraudkit.serve.decisions.database import Connection, Database

UNDER_REVIEW, TO_RESCORE = "open in the review queue", "to be decided again"

_IS_OPEN = "EXISTS (SELECT 1 FROM review_items r WHERE r.transaction_id = d.transaction_id AND r.state = 'open')"
_WAITS = "to_rescore = 1 AND NOT EXISTS (SELECT 1 FROM rescored s WHERE s.transaction_id = d.transaction_id)"
_HELD = (
    f"SELECT transaction_id, CASE WHEN {_IS_OPEN} THEN '{UNDER_REVIEW}' ELSE '{TO_RESCORE}' END"  # noqa: S608
    f" FROM decisions d WHERE transaction_id IN {{keys}} AND ({_IS_OPEN} OR {_WAITS})"
)
# Each before the one that it refers to.
_TABLES = ("review_items", "rescored", "decisions")


class Removal:
    """Removes from one database, at the `pace` that whoever calls keeps to.

    Raises
    ------
    StoreUnavailable
        By every method, where the database does not answer.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.pace = database.pace

    def held(self, transaction_ids: Sequence[str]) -> dict[str, str]:
        """Which of some decisions the service still works on, and why: UNDER_REVIEW or TO_RESCORE."""
        with self._database.others() as line:
            return _held(line, transaction_ids)

    def remove(self, transaction_ids: Sequence[str]) -> int:
        """Remove decisions, with their cases and second decisions, in one commit; how many there were.

        What the service works on by now stays.
        """
        with self._database.others() as line, line.transaction():
            held = _held(line, transaction_ids)
            going = [(name,) for name in transaction_ids if name not in held]
            if not going:
                return 0
            *_, removed = [line.run_many(f"DELETE FROM {table} WHERE transaction_id = ?", going) for table in _TABLES]  # noqa: S608
        return removed


def _held(line: Connection, transaction_ids: Sequence[str]) -> dict[str, str]:
    return {row[0]: row[1] for row in line.rows_of(_HELD, transaction_ids)}
