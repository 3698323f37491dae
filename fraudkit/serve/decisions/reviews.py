"""The review queue in the database: cases, who has them, what became of them.

A case is claimed for a while; whoever goes away without a word loses it then. Each step of a case is one commit and
leaves an event that is never changed. Knows nothing of HTTP and of who may do what.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from fraudkit.serve.decisions.database import Connection, Database
from fraudkit.serve.decisions.records import Case, CaseEvent, Record, Word

LEASE_MS = 10 * 60_000
# A review that comes later than this stops nothing any more: the payment is settled, and chargebacks will tell.
LIFETIME_MS = 7 * 86_400_000
OPEN, EXPIRED = "open", "expired"
FRAUD, LEGITIMATE = "fraud", "legitimate"

_CASE = ", ".join(f"r.{field.name}" for field in fields(Case))
_RECORD = ", ".join(f"d.{field.name}" for field in fields(Record)).replace("d.context_id", "d.context")
_FIRST = (float("inf"), "")


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which cases are wanted: only open ones by default.

    Attributes
    ----------
    holder : those that this analyst has
    free : only those that nobody has
    min_loss : US dollars
    """

    closed: bool = False
    holder: str = ""
    free: bool = False
    user_id: str = ""
    min_loss: float = 0.0


@dataclass(frozen=True, slots=True)
class Totals:
    """The queue as it stands: open cases, those among them that somebody has, and when the oldest came."""

    open: int
    claimed: int
    oldest_ms: int | None


class ReviewQueue:
    """The queue of one database; services that share it share the queue.

    Raises
    ------
    StoreUnavailable
        By every method, where the database does not answer.
    """

    def __init__(self, database: Database, lease_ms: int = LEASE_MS, lifetime_ms: int = LIFETIME_MS) -> None:
        self._database = database
        self._lease_ms = lease_ms
        self._lifetime_ms = lifetime_ms

    def page(
        self, chosen: Chosen, now_ms: int, limit: int, after: tuple[float, str] = _FIRST
    ) -> list[tuple[Case, Record]]:
        """Cases with their decisions, highest expected loss first, after a case's loss and id."""
        wanted = ["r.state <> 'open'" if chosen.closed else "r.state = 'open'", "r.expected_loss >= ?"]
        values: list[object] = [chosen.min_loss]
        if chosen.user_id:
            wanted.append("d.user_id = ?")
            values.append(chosen.user_id)
        if chosen.holder:
            wanted.append("r.claimed_by = ? AND r.claimed_until_ms > ?")
            values += [chosen.holder, now_ms]
        if chosen.free:
            wanted.append("r.claimed_until_ms <= ?")
            values.append(now_ms)
        if after != _FIRST:
            wanted.append("(r.expected_loss < ? OR (r.expected_loss = ? AND r.transaction_id > ?))")
            values += [after[0], after[0], after[1]]
        query = (
            f"SELECT {_CASE}, {_RECORD} FROM review_items AS r"  # noqa: S608
            " JOIN decisions AS d ON d.transaction_id = r.transaction_id"
            f" WHERE {' AND '.join(wanted)} ORDER BY r.expected_loss DESC, r.transaction_id LIMIT ?"
        )
        with self._database.others() as line:
            rows = line.rows(query, (*values, limit))
        width = len(fields(Case))
        return [(Case(*row[:width]), Record(*row[width:])) for row in rows]

    def get(self, transaction_id: str) -> Case | None:
        """One case."""
        with self._database.others() as line:
            return _case(line, transaction_id)

    def events(self, transaction_id: str) -> list[CaseEvent]:
        """What happened to a case, in order."""
        query = "SELECT at_ms, analyst, event, note FROM review_events WHERE transaction_id = ? ORDER BY id"
        with self._database.others() as line:
            return [CaseEvent(*row) for row in line.rows(query, (transaction_id,))]

    def claim(self, transaction_id: str, analyst: str, now_ms: int) -> Case | None:
        """Give an open case to an analyst where nobody else has it; who has it already has it for longer.

        Returns
        -------
        the case as it is then, which tells who has it; None where there is none
        """
        with self._database.others() as line, line.transaction():
            self._database.one_at_a_time(line, transaction_id)
            case = _case(line, transaction_id)
            if case is None or case.state != OPEN or case.holder(now_ms) not in ("", analyst):
                return case
            if not case.holder(now_ms):
                _note(line, transaction_id, now_ms, analyst, "claimed")
            _hold(line, transaction_id, analyst, now_ms + self._lease_ms)
            return _case(line, transaction_id)

    def release(self, transaction_id: str, analyst: str, now_ms: int) -> Case | None:
        """Take a case back from an analyst who has it; the case as it is then, None where there is none."""
        with self._database.others() as line, line.transaction():
            self._database.one_at_a_time(line, transaction_id)
            case = _case(line, transaction_id)
            if case is not None and case.holder(now_ms) == analyst:
                _note(line, transaction_id, now_ms, analyst, "released")
                _hold(line, transaction_id, "", 0)
            return _case(line, transaction_id)

    def decide(self, transaction_id: str, word: Word) -> tuple[Case | None, bool]:
        """Close a case with the word of the analyst who claimed it.

        Whose time is up but whose case nobody took may still decide.

        Returns
        -------
        the case as it is then, None where there is none; whether this call closed it
        """
        with self._database.others() as line, line.transaction():
            self._database.one_at_a_time(line, transaction_id)
            case = _case(line, transaction_id)
            if case is None or case.state != OPEN or case.claimed_by != word.author:
                return case, False
            keep_word(line, transaction_id, word)
            return _case(line, transaction_id), True

    def tidy(self, now_ms: int) -> int:
        """Close open cases that nobody looks at and that are too old, or settled by a word; how many there were."""
        too_old = (
            "UPDATE review_items SET state = 'expired', closed_at_ms = ? WHERE state = 'open' AND queued_at_ms <= ?"
            " AND claimed_until_ms <= ? RETURNING transaction_id"
        )
        # Between services, a word and a decision on the same payment may be committed without seeing each other.
        settled = (
            "SELECT f.transaction_id, f.source, f.is_fraud, f.received_at_ms, f.known_at_ms, f.author, f.note"
            " FROM review_items AS r JOIN feedback AS f ON f.transaction_id = r.transaction_id"
            " WHERE r.state = 'open' AND f.source IN ('chargeback', 'manual_review') ORDER BY f.id"
        )
        with self._database.others() as line, line.transaction():
            closed = [name for (name,) in line.rows(too_old, (now_ms, now_ms - self._lifetime_ms, now_ms))]
            for name in closed:
                _note(line, name, now_ms, "", EXPIRED)
            for name, source, is_fraud, *rest in line.rows(settled):
                word = Word(source, bool(is_fraud), *rest)
                if close_case(line, name, settles(word), word.author, now_ms, word.note):
                    closed.append(name)
        return len(closed)

    def totals(self, now_ms: int) -> Totals:
        """The queue in numbers."""
        query = (
            "SELECT count(*), coalesce(sum(CASE WHEN claimed_until_ms > ? THEN 1 ELSE 0 END), 0), min(queued_at_ms)"
            " FROM review_items WHERE state = 'open'"
        )
        with self._database.others() as line:
            ((n, claimed, oldest),) = line.rows(query, (now_ms,))
        return Totals(int(n), int(claimed), oldest)


def keep_word(line: Connection, transaction_id: str, word: Word) -> None:
    """Add a word of feedback inside a transaction, and close the case that it settles."""
    insert = (
        "INSERT INTO feedback (transaction_id, source, is_fraud, received_at_ms, known_at_ms, author, note)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)"
    )
    said = (word.source, int(word.is_fraud), word.received_at_ms, word.known_at_ms, word.author, word.note)
    line.run(insert, (transaction_id, *said))
    if outcome := settles(word):
        close_case(line, transaction_id, outcome, word.author, word.received_at_ms, word.note)


def settles(word: Word) -> str:
    """The state that a word closes a case with; empty where an analyst should still look."""
    if word.source == "chargeback":
        return "chargeback"
    if word.source == "manual_review":
        return FRAUD if word.is_fraud else LEGITIMATE
    return ""


def close_case(line: Connection, transaction_id: str, outcome: str, analyst: str, at_ms: int, note: str = "") -> bool:
    """Close a case inside a transaction; False where there is no open one."""
    update = (
        "UPDATE review_items SET state = ?, closed_by = ?, closed_at_ms = ? WHERE transaction_id = ? AND state = 'open'"
    )
    if not line.run(update, (outcome, analyst, at_ms, transaction_id)):
        return False
    _note(line, transaction_id, at_ms, analyst, outcome, note)
    return True


def _case(line: Connection, transaction_id: str) -> Case | None:
    rows = line.rows(f"SELECT {_CASE} FROM review_items AS r WHERE transaction_id = ?", (transaction_id,))  # noqa: S608
    return Case(*rows[0]) if rows else None


def _hold(line: Connection, transaction_id: str, analyst: str, until_ms: int) -> None:
    update = "UPDATE review_items SET claimed_by = ?, claimed_until_ms = ? WHERE transaction_id = ?"
    line.run(update, (analyst, until_ms, transaction_id))


def _note(line: Connection, transaction_id: str, at_ms: int, analyst: str, event: str, note: str = "") -> None:
    insert = "INSERT INTO review_events (transaction_id, at_ms, analyst, event, note) VALUES (?, ?, ?, ?, ?)"
    line.run(insert, (transaction_id, at_ms, analyst, event, note))
