"""The version before the release: the connection goes back on every path."""

import struct
from typing import Any


def get_reputation(pool: Any, address: str) -> float:
    """Reputation of an address, 0 clean .. 1 bad; LookupError where it was never rated."""
    connection = pool.get_connection()
    try:
        connection.send_command("GET", f"{{{address}}}:r")
        reply = connection.read_response()
    finally:
        pool.release(connection)
    if reply is None:
        raise LookupError("the address was never rated")
    return float(struct.unpack("<d", reply)[0])
