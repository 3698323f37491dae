"""Values as JSON and plain array bytes, so that they can cross to a process that is not trusted and back.

Nothing is pickled: what arrives can only be numbers, text, containers and arrays. Knows nothing of
who talks to whom.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

MAX_DEPTH = 40
ARRAY_KINDS = "biufcSUmM"
_HEAD = struct.Struct(">II")  # bytes of JSON, bytes of arrays


class NotEncodable(TypeError):
    """A value of a kind that cannot cross; the message names its type."""


def dumps(value: Any) -> bytes:
    """One message: eight bytes of lengths, JSON, the arrays' bytes.

    Raises
    ------
    NotEncodable
        It holds something other than None, bool, numbers, text, bytes, list, tuple, set, dict,
        or arrays of these.
    """
    buffers: list[bytes] = []
    text = json.dumps(_pack(value, buffers, 0), ensure_ascii=True).encode()
    body = b"".join(buffers)
    return _HEAD.pack(len(text), len(body)) + text + body


def head_bytes() -> int:
    """How many bytes of a message tell the length of the rest."""
    return _HEAD.size


def body_bytes(head: bytes) -> int:
    """The length of the rest of a message that starts with `head`."""
    text, arrays = _HEAD.unpack(head)
    return int(text + arrays)


def loads(message: bytes) -> Any:
    """The value of one message.

    Raises
    ------
    ValueError
        The bytes are no message.
    """
    if len(message) < _HEAD.size:
        raise ValueError("message is shorter than its head")
    text_size, body_size = _HEAD.unpack_from(message)
    if len(message) != _HEAD.size + text_size + body_size:
        raise ValueError(f"message has {len(message)} bytes, its head says {_HEAD.size + text_size + body_size}")
    middle = _HEAD.size + text_size
    try:
        return _unpack(json.loads(message[_HEAD.size : middle]), memoryview(message)[middle:])
    except (KeyError, TypeError, IndexError, RecursionError) as error:
        raise ValueError(f"message cannot be read: {type(error).__name__}: {error}") from error


def _pack(value: Any, buffers: list[bytes], depth: int) -> Any:
    """JSON for one value; array bytes go to `buffers`."""
    if depth > MAX_DEPTH:
        raise NotEncodable(f"the value is nested more than {MAX_DEPTH} deep")
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, np.generic):
        return _pack_scalar(value, buffers)
    if isinstance(value, int):
        return value if abs(value) < 2**53 else {"int": str(value)}
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, np.ndarray):
        return _pack_array(value, buffers, depth)
    return _pack_container(value, buffers, depth)


def _pack_container(value: Any, buffers: list[bytes], depth: int) -> Any:
    if isinstance(value, list):
        return [_pack(item, buffers, depth + 1) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [_pack(item, buffers, depth + 1) for item in value]}
    if isinstance(value, Mapping):
        pairs = [[_pack(key, buffers, depth + 1), _pack(item, buffers, depth + 1)] for key, item in value.items()]
        return {"dict": pairs}
    if isinstance(value, set | frozenset):
        return {"set": sorted((_pack(item, buffers, depth + 1) for item in value), key=repr)}
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, complex):
        return {"complex": [value.real, value.imag]}
    raise NotEncodable(f"a value of type {type(value).__name__}")


def _pack_scalar(value: np.generic, buffers: list[bytes]) -> Any:
    if value.dtype.kind in "mM":
        return {"scalar": _pack_array(np.asarray(value), buffers, 0)}
    return _pack(value.item(), buffers, 0)


def _pack_array(value: np.ndarray, buffers: list[bytes], depth: int) -> Any:
    if value.dtype.kind not in ARRAY_KINDS:  # objects, records
        return [_pack(item, buffers, depth + 1) for item in value.tolist()]
    start = sum(map(len, buffers))
    data = np.ascontiguousarray(value).tobytes()
    buffers.append(data)
    return {"array": [value.dtype.str, list(value.shape), start, len(data)]}


def _unpack(packed: Any, body: memoryview) -> Any:
    """The value that `_pack` made JSON of."""
    if isinstance(packed, list):
        return [_unpack(item, body) for item in packed]
    if not isinstance(packed, dict):
        return packed
    ((kind, content),) = packed.items()
    if kind == "array":
        dtype, shape, start, size = content
        if np.dtype(dtype).kind not in ARRAY_KINDS:
            raise ValueError(f"arrays of type {dtype!r} are not accepted")
        return np.frombuffer(body[start : start + size], dtype=np.dtype(dtype)).reshape(shape).copy()
    if kind == "dict":
        return {_hashable(_unpack(key, body)): _unpack(item, body) for key, item in content}
    readers: dict[str, Any] = {
        "tuple": lambda: tuple(_unpack(item, body) for item in content),
        "set": lambda: {_hashable(_unpack(item, body)) for item in content},
        "scalar": lambda: _unpack(content, body)[()],
        "int": lambda: int(content),
        "float": lambda: float(content),
        "bytes": lambda: bytes.fromhex(content),
        "complex": lambda: complex(*content),
    }
    return readers[kind]()


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
