"""The verdict on a transaction: which of the words that were said about it stands."""

from __future__ import annotations

from collections.abc import Iterable

from fraudkit.core.label import SOURCE_PRECEDENCE
from fraudkit.serve.decisions import Word


def verdict(words: Iterable[Word]) -> Word | None:
    """The word that stands, whatever the order in which the words arrived; None where nothing was said.

    A chargeback stands before a review and a review before a user's report; within a source the latest word stands,
    so that a later one reverses an earlier one. Of two words with the same source and time, fraud stands.
    """
    return max(words, key=lambda word: (SOURCE_PRECEDENCE[word.source], word.known_at_ms, word.is_fraud), default=None)
