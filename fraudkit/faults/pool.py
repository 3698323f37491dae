"""A small pool of store connections that says how many are out, and who was turned away.

It is redis-py's own blocking pool; this adds only the counting that an operator needs.
"""

from __future__ import annotations

import threading
from typing import Any

import redis
from redis.connection import BlockingConnectionPool


class CountedPool(BlockingConnectionPool):
    """Hands out at most `max_connections`; who finds none waits `timeout` seconds and gets redis.ConnectionError.

    Attributes
    ----------
    taken, timeouts : connections handed out and requests that went away empty, since the start
    """

    def __init__(self, **options: Any) -> None:
        self.taken = 0
        self.timeouts = 0
        self._out: set[int] = set()
        self._counting = threading.Lock()
        super().__init__(**options)

    @property
    def in_use(self) -> int:
        """Connections that were taken and not given back."""
        with self._counting:
            return len(self._out)

    @property
    def size(self) -> int:
        """The most that can be out at once."""
        return int(self.max_connections)

    def get_connection(self, command_name: str | None = None, *keys: Any, **options: Any) -> Any:
        """A connected connection, to be given back by `release`.

        Raises
        ------
        redis.ConnectionError
            None came free in time, or the server does not answer.
        """
        try:
            connection = super().get_connection()
        except redis.ConnectionError:
            with self._counting:
                self.timeouts += self.size == len(self._out)
            raise
        with self._counting:
            self.taken += 1
            self._out.add(id(connection))
        return connection

    def release(self, connection: Any) -> None:
        """Take a connection back; one that is not out is left alone, since two users of one would mix replies."""
        with self._counting:
            if id(connection) not in self._out:
                return
            self._out.discard(id(connection))
        super().release(connection)


def open_pool(url: str, size: int, wait_s: float) -> CountedPool:
    """A pool of `size` connections to the store at `url`, on which a caller waits at most `wait_s` seconds."""
    return CountedPool.from_url(url, max_connections=size, timeout=wait_s, socket_timeout=1.0)
