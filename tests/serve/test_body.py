import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraudkit.serve.body import parse_json
from fraudkit.serve.problems import Refused

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(':ab\\"', max_size=3), inner, max_size=4),
    max_leaves=20,
)


@given(JSON_VALUES, st.booleans())
def test_what_is_json_is_read_as_json(value: object, ascii_only: bool):
    assert parse_json(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 2}',
        '{"a": {"b": 1, "b": 1}}',
        '[{"a": 1}, {"a": 1, "a": 1}]',
        r'{"a": 1, "\u0061": 2}',
        r'{"amount": 1, "amount": 2, "user_id": "x\u003ay"}',  # the escaped colon makes up for the lost one
    ],
)
def test_a_repeated_key_is_refused(text: str):
    with pytest.raises(Refused, match="twice"):
        parse_json(text.encode())


@pytest.mark.parametrize("depth", [300, 1_000, 20_000])
@pytest.mark.parametrize(("start", "end"), [("[", "]"), ('{"a":', "}")])
def test_deep_nesting_is_refused(depth: int, start: str, end: str):
    with pytest.raises(Refused, match="nested"):
        parse_json((start * depth + "1" * (start != "[") + end * depth).encode())


def test_a_number_that_is_not_finite_comes_through_for_its_field_to_be_named():
    assert math.isnan(parse_json(b'{"amount": NaN}')["amount"])
    assert parse_json(b'{"amount": 1e999}')["amount"] == math.inf


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"\xef\xbb\xbf{}", b'{"a": 01}', b"9" * 5_000, b"'a'"])
def test_what_is_not_json_is_refused(body: bytes):
    with pytest.raises(Refused) as caught:
        parse_json(body + b"x" if body == b"9" * 5_000 else body)
    assert caught.value.status == 422
