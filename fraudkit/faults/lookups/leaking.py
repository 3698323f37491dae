"""The version of the release: a connection that meets an address without a rating is never given back."""

import struct
from typing import Any


def get_reputation(pool: Any, address: str) -> float:
    """Reputation of an address, 0 clean .. 1 bad; LookupError where it was never rated."""
    connection = pool.get_connection()
    try:
        connection.send_command("GET", f"{{{address}}}:r")
        value = float(struct.unpack("<d", connection.read_response())[0])
        pool.release(connection)
        return value
    except (TypeError, struct.error) as error:
        raise LookupError("the address was never rated") from error
