"""Decisions and feedback, read and written: the same statements for every database.

A batch of decisions is one commit, made before any of their replies is sent. Where another service decided a
transaction first, its decision stands and is what everybody gets. Nothing is changed here but the present state of
the review queue, and nothing deleted. The store knows neither HTTP nor what a decision means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, fields
from operator import attrgetter
from pathlib import Path

from fraudkit.serve.decisions.database import Connection, Database
from fraudkit.serve.decisions.records import Context, Record, Rescored, Word
from fraudkit.serve.decisions.reviews import ReviewQueue, keep_word
from fraudkit.serve.decisions.sqlite import SqliteDatabase

Replies = dict[str, tuple[bytes, bytes]]  # transaction_id -> payload digest, reply

_COLUMNS = ", ".join("context" if field.name == "context_id" else field.name for field in fields(Record))
_MARKS = ", ".join("?" * len(fields(Record)))
_of_record = attrgetter(*(field.name for field in fields(Record)))
_CONTEXT = "model_version, model_digest, rules_digest, policy_digest, schema_hash, code_digest"

_INSERT = f"INSERT INTO decisions ({_COLUMNS}, writer) VALUES ({_MARKS}, ?) ON CONFLICT DO NOTHING"  # noqa: S608
_REPLACE = (
    "UPDATE decisions SET payload_digest = ?, decided_at_ms = ?, action = ?, fraud_score = ?, reply = ?, vector = ?,"
    " transaction_json = ?, degraded = ?, to_rescore = ?, context = ?, user_id = ?, expected_loss = ?"
    " WHERE transaction_id = ?"
)
_SET_ASIDE = (
    "INSERT INTO set_aside (transaction_id, payload_digest, decided_at_ms, action, reply, writer)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)
# Reads what was committed, so that a decision that lost against another service's queues nothing. What a closing
# word was said about already needs nobody to look.
_QUEUE = (
    "INSERT INTO review_items (transaction_id, action, expected_loss, queued_at_ms)"
    " SELECT transaction_id, action, expected_loss, decided_at_ms FROM decisions AS d"
    " WHERE transaction_id = ? AND action = 'REVIEW' AND NOT EXISTS (SELECT 1 FROM feedback AS f"
    " WHERE f.transaction_id = d.transaction_id AND f.source IN ('chargeback', 'manual_review')) ON CONFLICT DO NOTHING"
)
# A payment that went through while a part was away cannot be declined any more, but looked at.
_QUEUE_LATE = (
    "INSERT INTO review_items (transaction_id, action, expected_loss, queued_at_ms) SELECT transaction_id, ?, ?, ?"
    " FROM decisions WHERE transaction_id = ? AND action IN ('APPROVE', 'APPROVE_FALLBACK') ON CONFLICT DO NOTHING"
)
_NEWS = "UPDATE review_items SET action = ?, expected_loss = ? WHERE transaction_id = ?"


class DecisionStore:
    """The decisions of one service. The scoring thread calls stored() and add(); any thread the others.

    Parameters
    ----------
    where : an opened database, or the path of an SQLite file
    writer : names this service among those that share the database, the same after a restart

    Raises
    ------
    StoreUnavailable
        By every method, where the database does not answer.
    """

    def __init__(self, where: Path | Database, writer: str = "") -> None:
        self.path = where if isinstance(where, Path) else None
        self.database = SqliteDatabase(where) if isinstance(where, Path) else where
        self._writer = writer
        self._scoring = self.database.scoring
        self.reviews = ReviewQueue(self.database)

    def context_id(self, context: Context) -> int:
        """The row of a context, added where it is new."""
        values = astuple(context)
        with self.database.others() as line:
            line.run(f"INSERT INTO contexts ({_CONTEXT}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", values)  # noqa: S608
            rows = line.rows(f"SELECT id FROM contexts WHERE ({_CONTEXT}) = (?, ?, ?, ?, ?, ?)", values)  # noqa: S608
        return int(rows[0][0])

    def contexts_of_schema(self, schema_hash: str) -> set[int]:
        """The rows of all contexts with these features."""
        with self.database.others() as line:
            return {int(row[0]) for row in line.rows("SELECT id FROM contexts WHERE schema_hash = ?", (schema_hash,))}

    def stored(self, transaction_ids: Sequence[str]) -> Replies:
        """Payload digest and reply of those transactions that were decided already; for the scoring thread."""
        query = "SELECT transaction_id, payload_digest, reply FROM decisions WHERE transaction_id IN {keys}"
        return {row[0]: (row[1], row[2]) for row in self._scoring.rows_of(query, transaction_ids)}

    def add(self, records: Sequence[Record]) -> Replies:
        """Write new decisions in one commit, all of them or none; for the scoring thread.

        Returns
        -------
        the replies of those transactions that another service had decided first: its decisions stand
        """
        # In one order everywhere, so that two services never wait for each other.
        rows = [_row(record, self._writer) for record in sorted(records, key=attrgetter("transaction_id"))]
        to_review = [(record.transaction_id,) for record in records if record.action == "REVIEW"]
        if to_review:
            with self._scoring.transaction():
                added = self._scoring.run_many(_INSERT, rows)
                self._scoring.run_many(_QUEUE, to_review)
        else:
            added = self._scoring.run_many(_INSERT, rows)
        if added == len(rows):
            return {}
        stored = self.stored([record.transaction_id for record in records])
        return {r.transaction_id: stored[r.transaction_id] for r in records if stored[r.transaction_id][1] != r.reply}

    def take_back(self, records: Sequence[Record]) -> None:
        """Write decisions that were kept elsewhere while the database was away.

        Where this service's own decision on the transaction is there already, it was never acknowledged, for the
        reply that went out is the one given here, which takes its place. Where another service decided meanwhile,
        both were acknowledged; the one in the database stands. The decision that does not is set aside.
        """
        with self.database.others() as line, line.transaction():
            for record in records:
                self._take_back(line, record)

    def _take_back(self, line: Connection, record: Record) -> None:
        name = record.transaction_id
        if not line.run(_INSERT, _row(record, self._writer)):
            query = (
                "SELECT payload_digest, decided_at_ms, action, reply, writer FROM decisions WHERE transaction_id = ?"
            )
            ((digest, decided_at_ms, action, reply, writer),) = line.rows(query, (name,))
            if reply == record.reply:
                return
            if writer != self._writer:
                kept = (record.payload_digest, record.decided_at_ms, record.action, record.reply, self._writer)
                line.run(_SET_ASIDE, (name, *kept))
                return
            line.run(_SET_ASIDE, (name, digest, decided_at_ms, action, reply, writer))
            line.run(_REPLACE, (*_row(record, self._writer)[1:-1], name))
            line.run(_NEWS, (record.action, record.expected_loss, name))
        line.run(_QUEUE, (name,))

    def to_rescore(self, limit: int) -> list[Record]:
        """Decisions whose score rests on less than it should, and that were not made once more yet, oldest first."""
        query = (
            f"SELECT {_COLUMNS} FROM decisions AS d WHERE to_rescore = 1 AND NOT EXISTS"  # noqa: S608
            " (SELECT 1 FROM rescored AS r WHERE r.transaction_id = d.transaction_id) ORDER BY decided_at_ms LIMIT ?"
        )
        with self.database.others() as line:
            return [Record(*row) for row in line.rows(query, (limit,))]

    def add_rescored(self, again: Sequence[Rescored]) -> None:
        """Keep decisions that were made once more; one that is there already stays."""
        insert = "INSERT INTO rescored VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
        with self.database.others() as line, line.transaction():
            for one in again:
                if not line.run(insert, astuple(one)):
                    continue
                known = line.run(_NEWS, (one.action, one.expected_loss, one.transaction_id))
                if not known and one.action in ("REVIEW", "DECLINE"):
                    line.run(_QUEUE_LATE, (one.action, one.expected_loss, one.rescored_at_ms, one.transaction_id))

    def rescored(self, transaction_id: str) -> Rescored | None:
        """The second decision on a transaction, if there is one."""
        with self.database.others() as line:
            rows = line.rows("SELECT * FROM rescored WHERE transaction_id = ?", (transaction_id,))
        return Rescored(*rows[0]) if rows else None

    def get(self, transaction_id: str) -> Record | None:
        """One stored decision."""
        with self.database.others() as line:
            rows = line.rows(f"SELECT {_COLUMNS} FROM decisions WHERE transaction_id = ?", (transaction_id,))  # noqa: S608
        return Record(*rows[0]) if rows else None

    def of_user(self, user_id: str, limit: int) -> list[Record]:
        """The latest decisions on a card holder's payments, latest first."""
        query = f"SELECT {_COLUMNS} FROM decisions WHERE user_id = ? ORDER BY decided_at_ms DESC LIMIT ?"  # noqa: S608
        with self.database.others() as line:
            return [Record(*row) for row in line.rows(query, (user_id, limit))]

    def add_feedback(
        self, transaction_id: str, source: str, is_fraud: bool, now_ms: int, known_at_ms: int | None = None
    ) -> tuple[bool, bool]:
        """Keep a word of feedback, unless it was said before.

        A word with `known_at_ms` is a repetition of the same word with the same time; one without is known now, and
        a repetition where the same source's standing word says the same.

        Returns
        -------
        whether the transaction was decided here, whether the word was a repetition
        """
        word = Word(source, is_fraud, now_ms, now_ms if known_at_ms is None else known_at_ms)
        with self.database.others() as line, line.transaction():
            self.database.one_at_a_time(line, transaction_id)
            known = line.rows("SELECT 1 FROM decisions WHERE transaction_id = ?", (transaction_id,))
            repeated = _is_repeated(line, transaction_id, word, dated=known_at_ms is not None)
            if not repeated:
                keep_word(line, transaction_id, word)
        return bool(known), repeated

    def feedback(self, transaction_id: str) -> list[Word]:
        """All words on a transaction, in the order of their arrival."""
        return self.feedback_on([transaction_id]).get(transaction_id, [])

    def feedback_on(self, transaction_ids: Sequence[str]) -> dict[str, list[Word]]:
        """All words on each of some transactions, in the order of their arrival; nothing where there are none."""
        query = (
            "SELECT transaction_id, source, is_fraud, received_at_ms, known_at_ms, author, note FROM feedback"
            " WHERE transaction_id IN {keys} ORDER BY id"
        )
        with self.database.others() as line:
            rows = line.rows_of(query, transaction_ids)
        found: dict[str, list[Word]] = {}
        for name, source, is_fraud, *rest in rows:
            found.setdefault(name, []).append(Word(source, bool(is_fraud), *rest))
        return found

    def close(self) -> None:
        """Close the connections; the database stays."""
        self.database.close()


def _is_repeated(line: Connection, transaction_id: str, word: Word, dated: bool) -> bool:
    if dated:
        query = "SELECT 1 FROM feedback WHERE transaction_id = ? AND source = ? AND is_fraud = ? AND known_at_ms = ?"
        return bool(line.rows(query, (transaction_id, word.source, int(word.is_fraud), word.known_at_ms)))
    query = (
        "SELECT is_fraud FROM feedback WHERE transaction_id = ? AND source = ?"
        " ORDER BY known_at_ms DESC, is_fraud DESC LIMIT 1"
    )
    standing = line.rows(query, (transaction_id, word.source))
    return bool(standing) and bool(standing[0][0]) == word.is_fraud


def _row(record: Record, writer: str) -> tuple[object, ...]:
    values = _of_record(record)
    return (*values[:9], int(record.to_rescore), *values[10:], writer)
