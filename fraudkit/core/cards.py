"""Card numbers in text: whether one is there, and the same text with it taken out.

It looks for 13 to 19 digits as they are printed on cards (in one run, in fours, or 4-6-5), starting with
an issuer's digit and ending with a right check digit. One in ten random digit runs passes that check, so
an id that merely looks like a card number counts as one; hashes and UUIDs do not. It cannot see numbers
that were encoded or split over fields.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from stdnum import luhn

if TYPE_CHECKING:
    import pandas as pd

MASK = "[card number removed]"

_SHORTEST = 13
_SEPARATORS = str.maketrans("", "", " -")
_HASH = re.compile(
    r"[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
)
# Groups of four, 4-6-5, or unbroken; never part of a longer run of digits.
_CANDIDATE = re.compile(
    r"(?<![0-9])(?:[2-6][0-9]{3}(?:[ -][0-9]{4}){3}(?:[ -][0-9]{1,3})?"
    r"|3[0-9]{3}[ -][0-9]{6}[ -][0-9]{4,5}"
    r"|[2-6][0-9]{12,18})(?![0-9])"
)
_DIGITS_ENOUGH = r"[0-9][0-9 \-]{11,}[0-9]"  # what a fast engine can rule out first


def holds_card_number(text: str) -> bool:
    """Whether `text` contains something that is written and checks like a card number.

    >>> holds_card_number("order 4111-1111-1111-1111"), holds_card_number("order 4111-1111-1111-1112")
    (True, False)
    """
    if len(text) < _SHORTEST:
        return False
    return any(map(_is_card_number, _CANDIDATE.finditer(text))) and not _HASH.fullmatch(text)


def mask_card_numbers(text: str) -> str:
    """`text` with every card number in it replaced by MASK.

    >>> mask_card_numbers("order 4111-1111-1111-1111"), mask_card_numbers("order 4111-1111-1111-1112")
    ('order [card number removed]', 'order 4111-1111-1111-1112')
    """
    if _HASH.fullmatch(text):
        return text
    return _CANDIDATE.sub(lambda found: MASK if _is_card_number(found) else found.group(), text)


def mask_column(values: pd.Series) -> pd.Series:
    """A string column with its card numbers replaced; equal to the input where there was none."""
    suspects = values[values.str.contains(_DIGITS_ENOUGH, regex=True).fillna(False).astype(bool)]
    if suspects.empty:
        return values
    masked = values.copy()
    masked.loc[suspects.index] = [mask_card_numbers(text) for text in suspects]
    return masked


def _is_card_number(found: re.Match[str]) -> bool:
    return luhn.is_valid(found.group().translate(_SEPARATORS))
