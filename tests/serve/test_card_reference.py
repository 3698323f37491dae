"""References to cards: one a card under one key, none that leads back, keys that are none are refused."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

import pytest

from fraudkit.core.cards import holds_card_number
from fraudkit.core.errors import InvalidInput
from fraudkit.serve.card_reference import card_references, read_card_references

KEY = b"0123456789abcdef" * 2
CARD = "4111111111111111"


def test_a_reference_is_the_keyed_digest_cut_to_128_bits():
    whole = hmac.new(KEY, CARD.encode(), hashlib.sha256).hexdigest()
    reference = card_references(KEY)(CARD)
    assert reference is not None
    assert reference.replace("-", "") == whole[:32]


@pytest.mark.parametrize("token", ["4111-1111-1111-1111", "4111 1111 1111 1111", " 4111111111111111"])
def test_the_grouping_of_a_number_does_not_matter(token: str):
    assert card_references(KEY)(token) == card_references(KEY)(CARD)


def test_what_is_no_number_counts_as_it_is():
    tokens = ["tok-1", "tok1", "tok 1", "Tok-1", CARD, CARD + "x", "٤١١١", "4111", "\ud800"]
    assert len({card_references(KEY)(token) for token in tokens}) == len(tokens)


@pytest.mark.parametrize("token", ["", " ", "--"])
def test_an_empty_token_is_nobody_s_card(token: str):
    assert card_references(KEY)(token) is None


def test_a_reference_never_looks_like_a_card_number():
    reference = card_references(KEY)
    made = [str(reference(f"token-{n}")) for n in range(20_000)]
    assert not [one for one in made if holds_card_number(f"ref {one} of")]
    assert [one for one in made if holds_card_number(f"ref {one.replace('-', '')} of")], "the groups are for nothing"


def test_the_key_is_read_from_the_environment_or_from_a_file(tmp_path: Path):
    path = tmp_path / "key"
    path.write_bytes(KEY + b"\r\n")
    for env in ({"FRAUDKIT_CARD_KEY": KEY.decode()}, {"FRAUDKIT_CARD_KEY_FILE": str(path)}):
        references = read_card_references(env)
        assert references is not None
        assert references(CARD) == card_references(KEY)(CARD)
    assert read_card_references({}) is read_card_references({"FRAUDKIT_CARD_KEY": ""}) is None


@pytest.mark.parametrize("env", [
    {"FRAUDKIT_CARD_KEY": "x" * 31},
    {"FRAUDKIT_CARD_KEY": "x" * 30 + "  \n"},
    {"FRAUDKIT_CARD_KEY_FILE": "/dev/null"},
    {"FRAUDKIT_CARD_KEY_FILE": "/no/such/file"},
    {"FRAUDKIT_CARD_KEY": "x" * 32, "FRAUDKIT_CARD_KEY_FILE": "/dev/null"},
])  # fmt: skip
def test_what_is_no_key_is_refused_with_the_remedy_and_without_the_key(env: dict[str, str]):
    with pytest.raises(InvalidInput, match="FRAUDKIT_CARD_KEY") as caught:
        read_card_references(env)
    assert "xxx" not in str(caught.value)
