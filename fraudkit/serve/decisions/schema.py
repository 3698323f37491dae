"""The tables of the decision database, and how those of earlier versions become them.

Feedback and the audit of reviews are only ever added to, and so are decisions until they are old enough to go
(fraudkit.serve.decisions.removal). `review_items` alone changes: it is the queue's present state, and could be made
again from the other tables.

An SQLite file must not be vacuumed: that may number the rows of decisions anew, and readers go by those numbers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

FORMAT = 3

# What each engine calls a thing.
SQLITE = {
    "bytes": "BLOB",
    "real": "REAL",
    "serial": "INTEGER PRIMARY KEY",
    "position": "",
}
POSTGRES = {
    "bytes": "BYTEA",
    "real": "DOUBLE PRECISION",
    "serial": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    # A reader that goes by the row's number alone would miss rows whose transaction ended later than those after
    # it; the number of the transaction tells it which rows are settled.
    "position": """,
    position       BIGINT GENERATED ALWAYS AS IDENTITY,
    written_in     BIGINT NOT NULL DEFAULT (pg_current_xact_id()::text::bigint)""",
}

_TABLES = """
CREATE TABLE IF NOT EXISTS contexts (
    id            {serial},
    model_version TEXT NOT NULL,
    model_digest  TEXT NOT NULL,
    rules_digest  TEXT NOT NULL,
    policy_digest TEXT NOT NULL,
    schema_hash   TEXT NOT NULL,
    code_digest   TEXT NOT NULL,
    UNIQUE (model_version, model_digest, rules_digest, policy_digest, schema_hash, code_digest)
);
CREATE TABLE IF NOT EXISTS decisions (
    transaction_id TEXT PRIMARY KEY,
    payload_digest {bytes} NOT NULL,
    decided_at_ms  BIGINT NOT NULL,
    action         TEXT NOT NULL,
    fraud_score    {real},
    reply          {bytes} NOT NULL,   -- JSON as sent
    vector         {bytes} NOT NULL,   -- float32, little endian, catalog order
    transaction_json {bytes} NOT NULL, -- the transaction as taken in, without its card token
    degraded       TEXT NOT NULL,   -- parts that were missing, comma-separated; empty where none was
    to_rescore     INTEGER NOT NULL, -- 1 where the score rests on less than it should
    context        BIGINT NOT NULL REFERENCES contexts (id),
    user_id        TEXT NOT NULL DEFAULT '',
    expected_loss  {real} NOT NULL DEFAULT 0, -- US dollars
    -- writer is the service that decided
    writer         TEXT NOT NULL DEFAULT ''{position}
);
CREATE TABLE IF NOT EXISTS set_aside ( -- decisions that another decision on the same transaction stands before
    id             {serial},
    transaction_id TEXT NOT NULL,
    payload_digest {bytes} NOT NULL,
    decided_at_ms  BIGINT NOT NULL,
    action         TEXT NOT NULL,
    reply          {bytes} NOT NULL,
    writer         TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS rescored (
    transaction_id TEXT PRIMARY KEY REFERENCES decisions (transaction_id),
    rescored_at_ms BIGINT NOT NULL,
    action         TEXT NOT NULL,
    fraud_score    {real},
    vector         {bytes} NOT NULL,
    context        BIGINT NOT NULL REFERENCES contexts (id),
    expected_loss  {real} NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS feedback (
    id             {serial},
    transaction_id TEXT NOT NULL,
    source         TEXT NOT NULL,
    is_fraud       INTEGER NOT NULL,
    received_at_ms BIGINT NOT NULL,
    known_at_ms    BIGINT NOT NULL DEFAULT 0,
    author         TEXT NOT NULL DEFAULT '',
    note           TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS review_items (
    transaction_id TEXT PRIMARY KEY,
    action         TEXT NOT NULL, -- the latest decision's
    expected_loss  {real} NOT NULL,
    queued_at_ms   BIGINT NOT NULL,
    state          TEXT NOT NULL DEFAULT 'open', -- else what closed it: fraud, legitimate, chargeback, expired
    closed_by      TEXT NOT NULL DEFAULT '',
    closed_at_ms   BIGINT NOT NULL DEFAULT 0,
    claimed_by     TEXT NOT NULL DEFAULT '',
    claimed_until_ms BIGINT NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS review_events (
    id             {serial},
    transaction_id TEXT NOT NULL,
    at_ms          BIGINT NOT NULL,
    analyst        TEXT NOT NULL,
    event          TEXT NOT NULL, -- claimed, released, or what closed the case
    note           TEXT NOT NULL
)
"""

_INDEXES = """
CREATE INDEX IF NOT EXISTS decisions_to_rescore ON decisions (decided_at_ms) WHERE to_rescore = 1;
CREATE INDEX IF NOT EXISTS decisions_by_user ON decisions (user_id, decided_at_ms);
CREATE INDEX IF NOT EXISTS feedback_by_transaction ON feedback (transaction_id);
CREATE INDEX IF NOT EXISTS set_aside_by_transaction ON set_aside (transaction_id);
CREATE INDEX IF NOT EXISTS review_queue ON review_items (expected_loss DESC, transaction_id) WHERE state = 'open';
CREATE INDEX IF NOT EXISTS review_events_by_transaction ON review_events (transaction_id)
"""

_POSTGRES_ONLY = (
    "CREATE INDEX IF NOT EXISTS decisions_in_order ON decisions (written_in, position)",
    # A reader's position has more than 64 bits.
    "CREATE TABLE IF NOT EXISTS published (only_row INTEGER PRIMARY KEY, position BIGINT NOT NULL,"
    " chain TEXT NOT NULL, cursor NUMERIC(40) NOT NULL)",
)

# What came after format 3 and changes none of its tables; made at every start where it is not there.
POSTGRES_ADDED = (
    "CREATE TABLE IF NOT EXISTS followers (name TEXT PRIMARY KEY, position NUMERIC(40) NOT NULL,"
    " told_at TIMESTAMPTZ NOT NULL)",
)

# Format of an SQLite file -> what makes the next one of it. PostgreSQL began with format 3.
MIGRATIONS: Mapping[int, tuple[str, ...]] = {
    1: (
        "ALTER TABLE decisions ADD COLUMN transaction_json BLOB NOT NULL DEFAULT x''",  # was not kept then
        "ALTER TABLE decisions ADD COLUMN degraded TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE decisions ADD COLUMN to_rescore INTEGER NOT NULL DEFAULT 0",
        "CREATE TABLE rescored (transaction_id TEXT PRIMARY KEY REFERENCES decisions (transaction_id),"
        " rescored_at_ms INTEGER NOT NULL, action TEXT NOT NULL, fraud_score REAL, vector BLOB NOT NULL,"
        " context INTEGER NOT NULL REFERENCES contexts (id))",
    ),
    2: (
        "DROP INDEX IF EXISTS decisions_to_rescore",
        "ALTER TABLE decisions ADD COLUMN user_id TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE decisions ADD COLUMN expected_loss REAL NOT NULL DEFAULT 0",
        "ALTER TABLE decisions ADD COLUMN writer TEXT NOT NULL DEFAULT ''",
        "UPDATE decisions SET user_id = json_extract(CAST(transaction_json AS TEXT), '$.user_id')"
        " WHERE length(transaction_json) > 0",
        "ALTER TABLE rescored ADD COLUMN expected_loss REAL NOT NULL DEFAULT 0",
        "ALTER TABLE feedback ADD COLUMN known_at_ms BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE feedback ADD COLUMN author TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE feedback ADD COLUMN note TEXT NOT NULL DEFAULT ''",
        "UPDATE feedback SET known_at_ms = received_at_ms",
    ),
}


def statements(words: Mapping[str, str]) -> list[str]:
    """What makes every table and index that is not there yet, in an engine's words."""
    text = re.sub("--.*", "", _TABLES.format_map(words) + ";" + _INDEXES)
    return [*text.split(";"), *(_POSTGRES_ONLY if words is POSTGRES else ())]
