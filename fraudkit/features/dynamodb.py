"""The secondary store's table in DynamoDB, for services on several machines that share one.

An item is a key, its value, a version, and where it may be forgotten the second from which DynamoDB's own
expiry removes it. Region and credentials are those of boto3's usual chain; AWS_ENDPOINT_URL_DYNAMODB names a
server of one's own. It knows nothing of what the values mean.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from fraudkit.core.errors import InvalidInput, StoreUnavailable
from fraudkit.features.secondary import Table, Values

READ_AT_ONCE, WRITTEN_AT_ONCE, CHANGED_AT_ONCE = 100, 25, 100  # DynamoDB's own limits for one call
ATTEMPTS, PAUSE_S = 5, 0.05  # for what a throttled table left undone


class DynamoDbTable(Table):
    """Keys and values in a DynamoDB table whose partition key is the string `key`.

    What a batch read, it writes only if nobody else changed it meanwhile; a batch of up to 100 changed keys is
    written as a whole or not at all, a larger one in parts of 100.

    Parameters
    ----------
    name : of a table that exists
    timeout_s : for connecting, and for each reply

    Raises
    ------
    StoreUnavailable
        By every method, where the table does not answer, is throttled for long, or another writer came between.
    """

    def __init__(self, name: str, timeout_s: float = 1.0) -> None:
        self._name = name
        config = Config(connect_timeout=timeout_s, read_timeout=timeout_s, retries={"total_max_attempts": 2})
        try:
            self._client: Any = boto3.client("dynamodb", config=config)
        except (BotoCoreError, ValueError) as error:
            raise InvalidInput(f"DynamoDB cannot be used: {error}; set AWS_REGION and the credentials") from error
        self._lock = threading.RLock()
        self._versions: dict[str, int] | None = None  # of what the batch in work has read; None outside of one
        self._written: dict[str, tuple[bytes, int | None]] = {}

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except self._client.exceptions.TransactionCanceledException as error:
            raise StoreUnavailable(
                f"another writer changed DynamoDB table {self._name} meanwhile; try again"
            ) from error
        except (BotoCoreError, ClientError) as error:
            raise StoreUnavailable(f"DynamoDB table {self._name} failed: {error}") from error

    @contextmanager
    def batch(self) -> Iterator[None]:
        with self._lock:
            self._versions, self._written = {}, {}
            try:
                yield
                self._change(self._written, self._versions)
            finally:
                self._versions, self._written = None, {}

    def get(self, keys: Iterable[str]) -> Values:
        with self._lock, self._translated():
            wanted = list(dict.fromkeys(keys))
            found = {key: self._written[key][0] for key in wanted if key in self._written}
            for part in parts_of([key for key in wanted if key not in found], READ_AT_ONCE):
                items = {item["key"]["S"]: item for item in self._items(part)}
                found |= {key: item["value"]["B"] for key, item in items.items()}
                if self._versions is not None:
                    self._versions |= {key: int(items[key]["version"]["N"]) if key in items else 0 for key in part}
        return found

    def _items(self, keys: Sequence[str]) -> Iterator[dict[str, Any]]:
        asked: dict[str, Any] = {self._name: {"Keys": [{"key": {"S": key}} for key in keys], "ConsistentRead": True}}
        for attempt in range(ATTEMPTS):
            reply = self._client.batch_get_item(RequestItems=asked)
            yield from reply["Responses"].get(self._name, ())
            asked = reply.get("UnprocessedKeys") or {}
            if not asked:
                return
            time.sleep(PAUSE_S * 2**attempt)
        raise StoreUnavailable(f"DynamoDB table {self._name} is throttled; raise its capacity")

    def put(self, values: Mapping[str, bytes], expires_s: int | None) -> None:
        written = {key: (value, expires_s) for key, value in values.items()}
        with self._lock:
            if self._versions is None:
                self._change(written, {})
            else:
                self._written |= written

    def _change(self, written: Mapping[str, tuple[bytes, int | None]], versions: Mapping[str, int]) -> None:
        """Write: what was read before, on condition that it has not changed since; the rest as it is."""
        checked = [self._checked(key, *written[key], versions[key]) for key in written if key in versions]
        plain = [{"PutRequest": {"Item": _item(key, *written[key], 1)}} for key in written if key not in versions]
        with self._translated():
            for part in parts_of(checked, CHANGED_AT_ONCE):
                self._client.transact_write_items(TransactItems=part)
        self._write_all(plain)

    def _checked(self, key: str, value: bytes, expires_s: int | None, version: int) -> dict[str, Any]:
        put: dict[str, Any] = {"TableName": self._name, "Item": _item(key, value, expires_s, version + 1)}
        put["ExpressionAttributeNames"] = {"#v": "version"}
        if version:
            put["ConditionExpression"] = "#v = :seen"
            put["ExpressionAttributeValues"] = {":seen": {"N": str(version)}}
        else:
            put["ConditionExpression"] = "attribute_not_exists(#v)"
        return {"Put": put}

    def _write_all(self, requests: Sequence[dict[str, Any]]) -> None:
        with self._translated():
            for part in parts_of(requests, WRITTEN_AT_ONCE):
                asked: dict[str, Any] = {self._name: part}
                for attempt in range(ATTEMPTS):
                    asked = self._client.batch_write_item(RequestItems=asked).get("UnprocessedItems") or {}
                    if not asked:
                        break
                    time.sleep(PAUSE_S * 2**attempt)
                else:
                    raise StoreUnavailable(f"DynamoDB table {self._name} is throttled; raise its capacity")

    def pages(self, size: int) -> Iterator[Values]:
        start: dict[str, Any] = {}
        while True:
            with self._translated():
                reply = self._client.scan(TableName=self._name, Limit=size, **start)
            if found := {item["key"]["S"]: item["value"]["B"] for item in reply["Items"]}:
                yield found
            if "LastEvaluatedKey" not in reply:
                return
            start = {"ExclusiveStartKey": reply["LastEvaluatedKey"]}

    def purge(self, now_s: int) -> None:
        """Nothing: the table's own expiry on the attribute `expires` does it."""

    def clear(self) -> None:
        with self._lock:
            with self._translated():
                pages = self._client.get_paginator("scan").paginate(
                    TableName=self._name, ProjectionExpression="#k", ExpressionAttributeNames={"#k": "key"}
                )
                keys = [item["key"] for page in pages for item in page["Items"]]
            self._write_all([{"DeleteRequest": {"Key": {"key": key}}} for key in keys])

    def close(self) -> None:
        self._client.close()


def parts_of(items: Sequence[Any], size: int) -> list[Any]:
    """A sequence in slices of at most `size`."""
    return [items[start : start + size] for start in range(0, len(items), size)]


def _item(key: str, value: bytes, expires_s: int | None, version: int) -> dict[str, Any]:
    item = {"key": {"S": key}, "value": {"B": value}, "version": {"N": str(version)}}
    return item if expires_s is None else item | {"expires": {"N": str(expires_s)}}
