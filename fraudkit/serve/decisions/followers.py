"""How far those are who read a shared database: what one of them has not read yet must stay in it.

Each pod's secondary store lies where only that pod sees it, so each tells its position here. One that has told
nothing for a day is gone.
"""

from __future__ import annotations

from fraudkit.serve.decisions.postgres import OTHERS_TIMEOUT_S, PostgresConnection, safe_name

GONE = "interval '1 day'"


class SharedFollowers:
    """The table of one PostgreSQL database.

    Raises
    ------
    StoreUnavailable
        By every method, where the database does not answer.
    """

    def __init__(self, url: str) -> None:
        self._line = PostgresConnection(url, safe_name(url), OTHERS_TIMEOUT_S, reconnects=True)

    def tell(self, name: str, position: int) -> None:
        """Note how far the follower of a name is, and forget those who are gone."""
        insert = (
            "INSERT INTO followers (name, position, told_at) VALUES (?, ?, now())"
            " ON CONFLICT (name) DO UPDATE SET position = excluded.position, told_at = excluded.told_at"
        )
        self._line.run(insert, (name, position))
        self._line.run(f"DELETE FROM followers WHERE told_at < now() - {GONE}")  # noqa: S608

    def lowest(self) -> int:
        """Position that every follower has read up to; 0 where there is none."""
        query = f"SELECT coalesce(min(position), 0) FROM followers WHERE told_at >= now() - {GONE}"  # noqa: S608
        return int(self._line.rows(query)[0][0])

    def close(self) -> None:
        """Close the connection."""
        self._line.close()
