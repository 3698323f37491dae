"""What a run learns from: the lake, and those decisions of the archive whose vector and outcome can be trusted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import orjson
import pandas as pd
import pytest

from fraudkit.audit.archive import FOLDER, Archive
from fraudkit.core.clock import to_epoch_ms
from fraudkit.core.config import settings
from fraudkit.core.decision_event import DecisionEvent
from fraudkit.core.transaction import Transaction
from fraudkit.features.catalog import N_FEATURES, schema_hash
from fraudkit.pipeline import daily
from fraudkit.pipeline.examples import Sources, read_examples
from fraudkit.pipeline.run import run_folder
from fraudkit.pipeline.windows import Windows, days_needed
from fraudkit.serve.decisions import Context, DecisionStore, Record

AS_OF = pd.Timestamp("2025-11-07", tz="UTC")
WINDOWS = Windows.until(AS_OF, 90)
IN_TRAINING = WINDOWS.train_start + pd.Timedelta(days=30)
VECTOR = np.arange(N_FEATURES, dtype="<f4")


def event(position: int, moment: pd.Timestamp = IN_TRAINING, **changes: object) -> DecisionEvent:
    """A decision that may be learned from."""
    at_ms = to_epoch_ms(moment.to_pydatetime()) + position
    name = str(changes.get("transaction_id", f"served-{position}"))
    payment = Transaction(
        name, f"user-{position}", at_ms, at_ms, 10.0, "EUR", "m", "5411", "DE", 52.5, 13.4, True, False
    )
    made = DecisionEvent(
        position, name, b"d", at_ms, "APPROVE", 0.1, b"{}", (VECTOR + position).tobytes(), orjson.dumps(payment), "",
        "v0001", "m", "r", "p", schema_hash(), "c",
    )  # fmt: skip
    return replace(made, **changes)


def archive(*events: DecisionEvent) -> None:
    Archive(settings().home / FOLDER).add(events)


@pytest.fixture
def speak(home):
    """Gives a word of feedback, through the decision database as the service does."""
    store = DecisionStore(settings().run / "decisions.db")
    context = store.context_id(Context("v0001", "m", "r", "p", "s", "c"))

    def word(of: DecisionEvent, is_fraud: bool, at: pd.Timestamp) -> None:
        store.add([
            Record(of.transaction_id, b"d", of.decided_at_ms, of.action, 0.1, b"{}", of.vector, of.transaction_json,
                   "", False, context)
        ])  # fmt: skip
        store.add_feedback(of.transaction_id, "chargeback", is_fraud, to_epoch_ms(at.to_pydatetime()))

    yield word
    store.close()


def served_rows(bank) -> pd.DataFrame:
    table = Sources.of(bank, settings()).table(WINDOWS)
    return table[table["position"] < 0]


def test_decisions_join_the_part_of_their_day_with_the_vector_that_was_served(bank):
    archive(event(1), event(2, WINDOWS.valid_start), event(3, WINDOWS.test_start), event(4, AS_OF))
    extracted = daily.extract("2025-11-06")
    assert extracted["from_archive"] == 3
    learned = read_examples(run_folder(extracted["run"]), "train", bank)
    assert len(learned.X) == extracted["rows"]["train"]
    assert learned.X[-1].tolist() == (VECTOR + 1).tolist()
    assert not learned.y[-1]
    assert learned.bare[-1].shape == (N_FEATURES,)
    assert learned.payments["user_id"].iloc[-1] == "user-1"
    assert learned.payments["amount_usd"].iloc[-1] == pytest.approx(10.0, rel=0.5)


@pytest.mark.parametrize(
    "changes",
    [
        {"action": "DECLINE"},
        {"degraded": "feature_store,secondary_store"},
        {"schema_hash": "of another catalog"},
    ],
    ids=["declined, nobody knows what it was", "made without the histories", "other features"],
)
def test_a_decision_that_cannot_be_trusted_is_left_out(bank, changes):
    archive(event(1, **changes), event(2))
    assert served_rows(bank)["user_id"].tolist() == ["user-2"]


def test_a_payment_that_is_in_the_lake_too_counts_once(bank):
    archive(event(1, transaction_id=str(bank.transactions["transaction_id"].iloc[0])), event(2))
    assert served_rows(bank)["user_id"].tolist() == ["user-2"]


def test_feedback_counts_from_the_moment_it_arrived(bank, speak):
    made = [event(1), event(2), event(3, action="DECLINE")]
    archive(*made)
    speak(made[0], True, AS_OF - pd.Timedelta(days=1))
    speak(made[1], True, AS_OF + pd.Timedelta(days=1))
    speak(made[2], True, AS_OF - pd.Timedelta(days=1))
    assert served_rows(bank)[["user_id", "y"]].values.tolist() == [
        ["user-1", True], ["user-2", False], ["user-3", True],
    ]  # fmt: skip


def test_new_decisions_or_words_make_another_run(bank, speak):
    made = event(1)
    before = daily.extract()["run"]
    archive(made)
    with_decision = daily.extract()["run"]
    speak(made, True, AS_OF - pd.Timedelta(days=1))
    assert len({before, with_decision, daily.extract()["run"]}) == 3


def test_the_archive_moves_the_last_day_only_where_it_spans_a_whole_run(bank):
    last = AS_OF + pd.Timedelta(days=20, hours=3)
    archive(event(1, last))
    needed = days_needed(1)
    assert Sources.of(bank, settings()).last_moment(needed) == AS_OF
    archive(event(2, last - pd.Timedelta(days=needed, hours=1)))
    assert Sources.of(bank, settings()).last_moment(needed) == AS_OF + pd.Timedelta(days=21)
