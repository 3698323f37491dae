"""Marks: one key in each slot of a cluster that says that the slot's content is there.

A node that comes back empty answers like any other, and its card holders would look new. A mark lies in the
slot that it speaks for: it is lost with the slot's content, and moves with it to another node. Fewer marks
would be wrong where a stretch of slots is divided between a node that lost its data and one that did not.
A slot whose mark is missing, or says that filling has only begun, holds no histories to rely on.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import count

from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot

SLOTS = REDIS_CLUSTER_HASH_SLOTS
WHOLE, BEGUN = b"1", b"0"


def slot_of(key: str) -> int:
    """The slot that a key lies in."""
    slot: int = key_slot(key.encode())
    return slot


@lru_cache(maxsize=1)
def mark_keys() -> tuple[str, ...]:
    """The key of each slot's mark, (SLOTS,); the first numbers that fall into the slots name them."""
    found: dict[int, str] = {}
    numbers = count()
    while len(found) < SLOTS:
        tag = str(next(numbers))
        found.setdefault(slot_of(tag), f"{{{tag}}}:f")
    return tuple(found[slot] for slot in range(SLOTS))
