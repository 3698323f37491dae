"""Words of feedback come to one verdict, whatever the order in which they arrive and however often."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from fraudkit.core.label import LabelSource, labels_as_of
from fraudkit.serve.decisions import DecisionStore, Word
from fraudkit.serve.verdict import verdict

SAID = st.tuples(st.sampled_from([source.value for source in LabelSource]), st.booleans(), st.integers(1, 4))


def kept(words: list[tuple[str, bool, int]]) -> list[Word]:
    """What a database keeps of words that arrive in this order."""
    with tempfile.TemporaryDirectory() as folder:
        store = DecisionStore(Path(folder) / "decisions.db")
        for arrival, (source, is_fraud, known_at) in enumerate(words):
            store.add_feedback("t", source, is_fraud, 100 + arrival, known_at)
        found = store.feedback("t")
        store.close()
    return found


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_duplicated_and_reordered_words_converge(data: st.DataObject):
    words = data.draw(st.lists(SAID, min_size=1, max_size=8))
    others = data.draw(st.permutations(words + data.draw(st.lists(st.sampled_from(words), max_size=6))))
    first, second = kept(words), kept(others)
    key = [(w.source, w.is_fraud, w.known_at_ms) for w in first]
    assert sorted(key) == sorted((w.source, w.is_fraud, w.known_at_ms) for w in second)
    one, other = verdict(first), verdict(second)
    assert (one.source, one.is_fraud, one.known_at_ms) == (other.source, other.is_fraud, other.known_at_ms)


@settings(max_examples=60, deadline=None)
@given(st.lists(SAID, min_size=1, max_size=8, unique_by=lambda word: (word[0], word[2])))
def test_the_verdict_is_the_label_that_training_would_use(words: list[tuple[str, bool, int]]):
    labels = pd.DataFrame(words, columns=["source", "is_fraud", "known_at"]).assign(transaction_id="t")
    standing = verdict([Word(source, is_fraud, 0, known_at) for source, is_fraud, known_at in words])
    assert standing.is_fraud == bool(labels_as_of(labels, 10).is_fraud.iloc[0])


def test_without_words_there_is_no_verdict():
    assert verdict([]) is None
