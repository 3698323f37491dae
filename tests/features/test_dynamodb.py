"""The secondary store in DynamoDB: the same bytes as the first store, and nothing lost between two writers."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import boto3
import numpy as np
import pytest
from moto.server import ThreadedMotoServer

from fraudkit.core.errors import CorruptArtefact, InvalidInput, StoreUnavailable
from fraudkit.features.catalog import INDEX
from fraudkit.features.dynamodb import CHANGED_AT_ONCE, DynamoDbTable
from fraudkit.features.online import OnlineFeatures
from fraudkit.features.publish import fill_store
from fraudkit.features.secondary import SecondaryStore, SqliteTable
from fraudkit.features.secondary_choice import secondary_table

TABLE = "histories"
PATIENCE_S = 60.0  # the stand-in copies its tables for a transaction, and a call repeated meanwhile makes it fail


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A local server of DynamoDB's API."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    yield "http://{}:{}".format(*running.get_host_and_port())
    running.stop()


@pytest.fixture
def address(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The server's address in the environment, and an empty table there."""
    for name, value in {
        "AWS_ENDPOINT_URL_DYNAMODB": server,
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("dynamodb")
    client.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    yield server
    client.delete_table(TableName=TABLE)
    client.close()


@pytest.fixture
def secondary(address: str) -> Iterator[SecondaryStore]:
    made = SecondaryStore(DynamoDbTable(TABLE, PATIENCE_S))
    yield made
    made.close()


def test_it_gives_the_vectors_of_the_first_store(store, secondary, payment):
    rng = np.random.default_rng(7)
    seconds = 0
    for _ in range(8):
        batch = []
        for number in rng.integers(0, 40, size=int(rng.integers(1, 30))):
            seconds += int(rng.integers(0, 4000))
            user, device, address = (
                rng.choice(["anna", "bert"]),
                rng.choice(["", "phone"]),
                rng.choice(["", "10.0.0.1"]),
            )
            batch.append(
                payment(
                    int(number), seconds=seconds, user_id=str(user),
                    device_id=str(device) or None, ip_address=str(address) or None,
                )
            )  # fmt: skip
        first, second = (OnlineFeatures(s, rated_by_store=True).vectors(batch).X for s in (store, secondary))
        assert first.tobytes() == second.tobytes()


def test_it_is_filled_read_again_and_cleared(secondary, tables, payment, tmp_path: Path):
    assert not secondary.filled()
    moment = tables.transactions["known_at"].iloc[300]
    few = tables.transactions.iloc[:300]
    fill_store(secondary, few, tables.users, tables.labels, None, moment)
    assert secondary.filled()
    again = SecondaryStore(DynamoDbTable(TABLE, PATIENCE_S))
    beside = SecondaryStore(SqliteTable(tmp_path / "beside.db"))
    fill_store(beside, few, tables.users, tables.labels, None, moment)
    user = str(few["user_id"].iloc[-1])
    asked = [payment(1, seconds=400 * 86_400, user_id=user)]
    assert OnlineFeatures(again).vectors(asked).X.tobytes() == OnlineFeatures(beside).vectors(asked).X.tobytes()
    again.clear()
    assert not secondary.filled()
    again.close()
    beside.close()


def test_of_two_writers_one_is_told_and_nothing_is_lost(address: str):
    first, second = DynamoDbTable(TABLE, PATIENCE_S), DynamoDbTable(TABLE, PATIENCE_S)
    first.put({"a": b"1"}, None)
    with pytest.raises(StoreUnavailable, match="another writer"), first.batch():
        assert first.get(["a", "new"]) == {"a": b"1"}
        with second.batch():
            second.put({"a": second.get(["a"])["a"] + b"2"}, None)
        first.put({"a": b"1 and mine", "new": b"x"}, None)
    assert second.get(["a", "new"]) == {"a": b"12"}, "a batch is written as a whole or not at all"
    first.close()
    second.close()


def test_a_batch_sees_what_it_wrote_and_a_failed_one_leaves_no_trace(address: str):
    table = DynamoDbTable(TABLE, PATIENCE_S)
    with table.batch():
        table.get(["a"])
        table.put({"a": b"1"}, 5)
        assert table.get(["a"]) == {"a": b"1"}
    with pytest.raises(RuntimeError), table.batch():
        table.put({"a": b"2"}, None)
        raise RuntimeError
    assert table.get(["a"]) == {"a": b"1"}
    table.close()


def test_more_keys_than_one_call_takes(address: str):
    table = DynamoDbTable(TABLE, PATIENCE_S)
    many = {f"k{number}": bytes([number % 256]) for number in range(2 * CHANGED_AT_ONCE + 7)}
    with table.batch():
        assert table.get(many) == {}
        table.put(many, None)
    table.put({f"plain{number}": b"x" for number in range(60)}, 9)
    assert table.get(many) == many and len(table.get(f"plain{number}" for number in range(60))) == 60
    table.close()


def test_the_setting_names_the_table(address: str, tmp_path: Path):
    chosen = secondary_table(f"dynamodb://{TABLE}", tmp_path)
    chosen.put({"a": b"1"}, None)
    table = DynamoDbTable(TABLE, PATIENCE_S)
    assert table.get(["a"]) == {"a": b"1"}
    table.close()
    chosen.close()


def test_expiry_is_the_table_s_own(address: str):
    table = DynamoDbTable(TABLE, PATIENCE_S)
    table.put({"a": b"1"}, 1_700_000_000)
    client = boto3.client("dynamodb")
    item = client.get_item(TableName=TABLE, Key={"key": {"S": "a"}})["Item"]
    assert item["expires"] == {"N": "1700000000"}
    client.close()
    table.close()


def test_a_damaged_value_is_told(secondary, payment):
    secondary._write([("{phone}:d", b"seven b")])
    with pytest.raises(CorruptArtefact, match=r"\{phone\}:d holds 7 bytes"):
        OnlineFeatures(secondary).vectors([payment(1, device_id="phone")])
    assert OnlineFeatures(secondary).vectors([payment(2)]).X[0, INDEX["user_txn_count_1h"]] == 1


def test_a_table_or_a_server_that_is_not_there_is_told(address: str, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(StoreUnavailable, match="DynamoDB table nowhere"):
        DynamoDbTable("nowhere").get(["a"])
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9")
    with pytest.raises(StoreUnavailable, match="DynamoDB table histories failed"):
        DynamoDbTable(TABLE, timeout_s=0.2).get(["a"])


@pytest.mark.parametrize("setting", ["dynamodb://", "postgres://x", ""])
def test_a_setting_that_names_no_table_is_refused(setting: str, tmp_path: Path):
    with pytest.raises(InvalidInput, match="FRAUDKIT_SECONDARY"):
        secondary_table(setting, tmp_path)


def test_without_a_region_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(InvalidInput, match="AWS_REGION"):
        secondary_table(f"dynamodb://{TABLE}", tmp_path)
