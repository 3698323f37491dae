-- A decision database as format 2 of it was written.
CREATE TABLE IF NOT EXISTS decisions (
    transaction_id TEXT PRIMARY KEY,
    payload_digest BLOB NOT NULL,
    decided_at_ms  INTEGER NOT NULL,
    action         TEXT NOT NULL,
    fraud_score    REAL,
    reply          BLOB NOT NULL,   -- JSON as sent
    vector         BLOB NOT NULL,   -- float32, little endian, catalog order
    transaction_json BLOB NOT NULL, -- the transaction as taken in; the card token is no part of it
    degraded       TEXT NOT NULL,   -- parts that were missing, comma-separated; empty where none was
    to_rescore     INTEGER NOT NULL, -- 1 where the score rests on less than it should
    context        INTEGER NOT NULL REFERENCES contexts (id)
);
CREATE INDEX IF NOT EXISTS decisions_to_rescore ON decisions (decided_at_ms) WHERE to_rescore;
CREATE TABLE IF NOT EXISTS rescored (
    transaction_id TEXT PRIMARY KEY REFERENCES decisions (transaction_id),
    rescored_at_ms INTEGER NOT NULL,
    action         TEXT NOT NULL,
    fraud_score    REAL,
    vector         BLOB NOT NULL,
    context        INTEGER NOT NULL REFERENCES contexts (id)
);
CREATE TABLE IF NOT EXISTS contexts (
    id            INTEGER PRIMARY KEY,
    model_version TEXT NOT NULL,
    model_digest  TEXT NOT NULL,
    rules_digest  TEXT NOT NULL,
    policy_digest TEXT NOT NULL,
    schema_hash   TEXT NOT NULL,
    code_digest   TEXT NOT NULL,
    UNIQUE (model_version, model_digest, rules_digest, policy_digest, schema_hash, code_digest)
);
CREATE TABLE IF NOT EXISTS feedback (
    id             INTEGER PRIMARY KEY,
    transaction_id TEXT NOT NULL,
    source         TEXT NOT NULL,
    is_fraud       INTEGER NOT NULL,
    received_at_ms INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS feedback_by_transaction ON feedback (transaction_id);
INSERT INTO contexts VALUES (1, 'v0001', 'm', 'r', 'p', 's', 'c');
INSERT INTO decisions (transaction_id, payload_digest, decided_at_ms, action, fraud_score, reply, vector, context, transaction_json, degraded, to_rescore) VALUES ('txn-1', CAST('digest' AS BLOB), 5, 'REVIEW', 0.5, CAST('{"a":1}' AS BLOB), x'0001', 1, CAST('{"user_id": "user-7"}' AS BLOB), '', 0);
INSERT INTO feedback VALUES (1, 'txn-1', 'chargeback', 1, 9);
PRAGMA user_version = 2;
