"""One round trip to a Valkey or Redis cluster of which a node may be away.

The client's own pipeline fails as a whole with one node. Here every node gets the commands of its keys
by itself, and what a node does not answer is marked as such. A node that failed is not asked again before a
thread of its own has heard from it, or the cluster has given its keys to another. Knows nothing of what the
commands mean.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from redis.exceptions import (
    AskError,
    ClusterDownError,
    ClusterError,
    MasterDownError,
    NoScriptError,
    RedisClusterException,
    RedisError,
    SlotNotCoveredError,
    TryAgainError,
)

from fraudkit.core.errors import StoreUnavailable

AWAY: Any = object()  # the reply of a node that does not answer
LOOK_S = 0.5  # between two looks at a node that is away
_ELSEWHERE = (AskError, TryAgainError)  # a moved key's error is a kind of AskError
_DOWN = (ClusterDownError, MasterDownError, ClusterError)
Command = tuple[Any, ...]


class ClusterLine:
    """Sends commands to the nodes of a cluster; safe to share between threads.

    Parameters
    ----------
    client : a connected RedisCluster
    script : text of the script that the commands call by its digest
    """

    def __init__(self, client: Any, script: str) -> None:
        self._client = client
        self._script = script
        self._away: set[str] = set()
        self._lock = threading.Lock()
        self._closed = False

    def load_script(self) -> None:
        """Have every node that answers know the script; raises a RedisError where none does."""
        loaded, failure = 0, None
        for node in self._client.get_primaries():
            try:
                self._client.get_redis_connection(node).script_load(self._script)
                loaded += 1
            except (RedisError, OSError) as error:
                failure = error
        if failure is not None and not loaded:
            raise failure

    def run(
        self, commands: Sequence[Command], keys: Sequence[str], apart: Callable[[Command], Sequence[Command]]
    ) -> list[Any]:
        """A reply for each command, in order: a list, AWAY, or what the node said is wrong with the command.

        Parameters
        ----------
        keys : of each command, one that tells the node
        apart : a command as several of one key each, for a slot that is moving; their replies are joined

        Raises
        ------
        StoreUnavailable
            No node answers.
        """
        replies: list[Any] = [AWAY] * len(commands)
        for node, places in self._by_node(keys).values():
            for place, reply in zip(places, self._ask(node, [commands[place] for place in places]), strict=True):
                replies[place] = reply
        for place, reply in enumerate(replies):
            if isinstance(reply, _ELSEWHERE):
                replies[place] = self._joined(apart(commands[place]))
            elif isinstance(reply, _DOWN):
                replies[place] = AWAY
        if commands and all(reply is AWAY for reply in replies):
            raise StoreUnavailable("the feature store failed: no node of the cluster at REDIS_URL answers")
        return replies

    def _by_node(self, keys: Sequence[str]) -> dict[str, tuple[Any, list[int]]]:
        """The nodes that are asked, and the places of their commands."""
        found: dict[str, tuple[Any, list[int]]] = {}
        for place, key in enumerate(keys):
            with suppress(SlotNotCoveredError):
                node = self._client.get_node_from_key(key)
                if node is not None and node.name not in self._away:
                    found.setdefault(node.name, (node, []))[1].append(place)
        return found

    def _ask(self, node: Any, commands: Sequence[Command]) -> list[Any]:
        """The replies of one node."""
        try:
            connection = self._client.get_redis_connection(node)
            replies = _piped(connection, commands)
            if any(isinstance(reply, NoScriptError) for reply in replies):
                connection.script_load(self._script)
                replies = _piped(connection, commands)  # those that were done are recognised as retries
        except (RedisError, OSError):
            self._leave(node)
            return [AWAY] * len(commands)
        return replies

    def _joined(self, commands: Sequence[Command]) -> Any:
        """The replies to commands of which one key each has moved, as one list, or AWAY."""
        replies = [self._follow(command) for command in commands]
        return AWAY if any(reply is AWAY for reply in replies) else [value for reply in replies for value in reply]

    def _follow(self, command: Command) -> Any:
        """The reply to a command whose key is moving to another node, or has moved."""
        for attempt in range(2):
            try:
                return self._client.execute_command(*command)
            except NoScriptError:
                if attempt:
                    break
                self.load_script()  # a node that joined
            except (RedisError, RedisClusterException, OSError):
                break
        return AWAY

    def _leave(self, node: Any) -> None:
        """Ask a node no more until it answers again."""
        with self._lock:
            if node.name in self._away:
                return
            self._away.add(node.name)
        threading.Thread(target=self._wait_for, args=(node,), name=f"waits for {node.name}", daemon=True).start()

    def _wait_for(self, node: Any) -> None:
        """Look until a node answers or holds no keys any more."""
        while not self._closed:
            time.sleep(LOOK_S)
            with suppress(RedisError, RedisClusterException, OSError):
                self._client.nodes_manager.initialize(last_failed_node_name=node.name)
                if node.name not in {primary.name for primary in self._client.get_primaries()}:
                    break
                self._client.get_redis_connection(node).ping()
                break
        with self._lock:
            self._away.discard(node.name)

    def close(self) -> None:
        """Wait for no node any more."""
        self._closed = True


def _piped(connection: Any, commands: Sequence[Command]) -> list[Any]:
    pipeline = connection.pipeline(transaction=False)
    for command in commands:
        pipeline.execute_command(*command)
    replies: list[Any] = pipeline.execute(raise_on_error=False)
    return replies
