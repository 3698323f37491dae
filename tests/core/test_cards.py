import pandas as pd
import pytest

from fraudkit.core.cards import MASK, holds_card_number, mask_card_numbers, mask_column


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111111",
        "4111-1111-1111-1111",
        "4111 1111 1111 1111",
        "3782-822463-10005",
        "txn4111111111111111end",
        "5555555555554444",
        "6011000990139424",
    ],
)
def test_a_card_number_is_seen_and_taken_out(text: str):
    assert holds_card_number(text)
    masked = mask_card_numbers(text)
    assert MASK in masked and not any(character.isdigit() for character in masked)


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",  # the check digit is wrong
        "txn-000000000000001",
        "41111111111111111111111",  # a longer run of digits is something else
        "41114111-4111-4111-8111-111111111111",
        "abcd4111-1111-1111-1111-cdef00000000",  # a UUID with a right check digit inside
        "a4111111111111111b0c2d3e4f5a6b7c",  # an MD5 digest, likewise
        "411111111111",
        "2025-10-01T12:30:00Z",
        "",
    ],
)
def test_other_text_is_left_alone(text: str):
    assert not holds_card_number(text)
    assert mask_card_numbers(text) == text


def test_a_long_text_is_no_hash_because_of_its_length():
    assert holds_card_number("4111-1111-1111-1111 in 32 letters"[:32])


def test_only_what_holds_a_number_changes_in_a_column():
    column = pd.Series(
        ["shop 4111 1111 1111 1111", "u_17", None, "4111111111111112"], dtype="string", index=[3, 1, 4, 9]
    )
    assert mask_column(column).tolist() == [f"shop {MASK}", "u_17", pd.NA, "4111111111111112"]
    clean = column.drop(index=3)
    assert mask_column(clean).equals(clean)
