"""Values crossing between processes: the same value back, and nothing that could run."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraudkit.workbook import codec
from fraudkit.workbook.agree import difference

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


@given(PLAIN)
def test_plain_values_come_back_equal_and_of_the_same_type(value: object):
    back = codec.loads(codec.dumps(value))
    assert type(back) is type(value)
    assert repr(back) == repr(value)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6).reshape(2, 3),
        np.arange(6, dtype=np.float32)[::2],
        np.array(["a", "bc"]),
        np.array([], dtype=bool),
        np.array(3.5),
        np.array(["2025-01-01", "NaT"], dtype="datetime64[D]"),
        np.zeros((0, 3)),
        np.array([1 + 2j]),
    ],
)
def test_arrays_keep_type_shape_and_values(array: np.ndarray):
    back = codec.loads(codec.dumps({"a": [array]}))["a"][0]
    assert back.dtype == array.dtype and back.shape == array.shape
    np.testing.assert_array_equal(back, array)
    back.flat[:0] = 0  # a learner may write to it


def test_numpy_scalars_arrive_as_python_numbers():
    assert codec.loads(codec.dumps([np.float64(0.5), np.int32(3), np.bool_(True)])) == [0.5, 3, True]


def test_sets_and_keys_of_any_kind_come_back():
    value = {1: {1, 2}, (1, "a"): frozenset(), "x": {"y": set("ab")}}
    assert codec.loads(codec.dumps(value)) == {1: {1, 2}, (1, "a"): set(), "x": {"y": {"a", "b"}}}


@pytest.mark.parametrize("value", [object(), lambda: 1, np, type])
def test_anything_else_is_named_and_refused(value: object):
    with pytest.raises(codec.NotEncodable, match="a value of type"):
        codec.dumps([value])


def test_a_value_that_holds_itself_is_refused():
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(codec.NotEncodable, match="nested"):
        codec.dumps(loop)


def forged(packed: object, body: bytes = b"") -> bytes:
    text = json.dumps(packed).encode()
    return struct.pack(">II", len(text), len(body)) + text + body


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x00" * 8,
        forged({"array": ["|O", [1], 0, 8]}, b"x" * 8),
        forged({"array": ["<f8", [10**9], 0, 8]}, b"x" * 8),
        forged({"array": ["<f8", [1], 0, 99]}, b"x"),
        forged({"unknown": 1}),
        forged({"a": 1, "b": 2}),
        forged({"dict": [[{"dict": []}, 1]]}),
        forged({"int": "abc"}),
        forged({"tuple": 3}),
        struct.pack(">II", 5, 0) + b'"abc',
        struct.pack(">II", 40_000, 0) + b"[" * 40_000,
    ],
)
def test_forged_messages_are_refused(message: bytes):
    with pytest.raises(ValueError):
        codec.loads(message)


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (np.array([1, 2]), [1.0, 2.0]),
        ([1.0, 2.0], np.array([1, 2])),
        (np.float32(0.5), 0.5),
        (True, 1),
        ((1, np.array([2.0])), (1, [2])),
        ({"a": 1.0 + 1e-12}, {"a": 1}),
        (float("nan"), np.nan),
        ([None, "a"], (None, "a")),
    ],
)
def test_what_counts_as_the_same(got: object, expected: object):
    assert difference(got, expected, 1e-9, 1e-9) == ""


@pytest.mark.parametrize(
    ("got", "expected", "reason"),
    [
        (None, 0.5, "is a return missing"),
        (0.6, 0.5, "off by 0.1"),
        ([1, 2, 3], [1, 2], "shape"),
        ("0.5", 0.5, "a str"),
        ([0.5], 0.5, "shape"),
        ({"a": 1}, {"a": 1, "b": 2}, "no key 'b'"),
        ({"a": 1, "b": 2}, {"a": 1}, "not asked for"),
        ([[1], [2, 3]], [1, 2], "one array"),
        ([1, "a"], [1, "b"], "differ"),
        (np.nan, 0.5, "off by nan"),
        (5, {1, 2}, "a set"),
        (3, ("a", "b"), "expected 2 values"),
    ],
)
def test_what_differs_is_told(got: object, expected: object, reason: str):
    assert reason in difference(got, expected, 1e-9, 1e-9) or reason == "differ"
    assert difference(got, expected, 1e-9, 1e-9)
