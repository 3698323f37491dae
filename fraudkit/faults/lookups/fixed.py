"""The release, mended: the connection goes back whatever happens after it was taken."""

import struct
from typing import Any


def get_reputation(pool: Any, address: str) -> float:
    """Reputation of an address, 0 clean .. 1 bad; LookupError where it was never rated."""
    connection = pool.get_connection()
    try:
        connection.send_command("GET", f"{{{address}}}:r")
        return float(struct.unpack("<d", connection.read_response())[0])
    except (TypeError, struct.error) as error:
        raise LookupError("the address was never rated") from error
    finally:
        pool.release(connection)
