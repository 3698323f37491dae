"""The decision database: every decision with what is needed to replay it, and the feedback on it.

SQLite on one machine, PostgreSQL where several services share one database. The database never holds a
card number.
"""

from fraudkit.serve.decisions.reader import DecisionReader
from fraudkit.serve.decisions.records import Case, CaseEvent, Context, Record, Rescored, Word
from fraudkit.serve.decisions.reviews import Chosen, ReviewQueue
from fraudkit.serve.decisions.store import DecisionStore

__all__ = [
    "Case",
    "CaseEvent",
    "Chosen",
    "Context",
    "DecisionReader",
    "DecisionStore",
    "Record",
    "Rescored",
    "ReviewQueue",
    "Word",
]
