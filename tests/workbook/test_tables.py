"""A table of a TOML file has the keys it should have, each of its own type."""

from __future__ import annotations

from typing import Any

import pytest

from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.tables import demand_keys, read_document

NEEDED = {"id": str, "value": (int, float), "unit": str, "levels": list}
GOOD: dict[str, Any] = {"id": "a", "value": 0, "unit": "", "levels": [1]}


def demand(table: Any) -> None:
    demand_keys("file, table 2", table, NEEDED, {"every": bool}, may_be_empty=("unit",))


def test_what_has_its_keys_is_taken_zero_and_permitted_emptiness_too():
    demand(GOOD)
    demand(GOOD | {"every": False, "value": 2.5})


@pytest.mark.parametrize(
    "wrong, said",
    [
        ({"id": ""}, r"missing or empty \['id'\]"),
        ({"levels": []}, r"missing or empty \['levels'\]"),
        ({"value": True}, r"wrong type \['value'\]"),
        ({"unit": 3}, r"wrong type \['unit'\]"),
        ({"every": 1}, r"wrong type \['every'\]"),
        ({"colour": "red"}, r"unknown \['colour'\]"),
    ],
)
def test_what_has_not_is_refused_with_its_place_and_key(wrong: dict[str, Any], said: str):
    with pytest.raises(InvalidInput, match=f"file, table 2: .*{said}"):
        demand(GOOD | wrong)


@pytest.mark.parametrize("key", NEEDED)
def test_a_key_that_is_missing_is_named(key: str):
    with pytest.raises(InvalidInput, match=rf"missing or empty \['{key}'\]"):
        demand({name: value for name, value in GOOD.items() if name != key})


@pytest.mark.parametrize("table", ["a", 3, [GOOD]])
def test_what_is_no_table_is_refused(table: Any):
    with pytest.raises(InvalidInput, match="should be a table"):
        demand(table)


def test_a_text_that_is_no_toml_is_refused_by_its_name():
    with pytest.raises(InvalidInput, match="the list is no TOML"):
        read_document("the list", "[")
