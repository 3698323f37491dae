import pandas as pd

from fraudkit.core.label import SOURCE_PRECEDENCE, LabelSource, labels_as_of


def label(transaction_id: str, day: int, source: str, is_fraud: bool) -> dict:
    return {
        "transaction_id": transaction_id,
        "event_time": pd.Timestamp("2025-01-01", tz="UTC"),
        "known_at": pd.Timestamp("2025-01-01", tz="UTC") + pd.Timedelta(days=day),
        "source": source,
        "is_fraud": is_fraud,
    }


def verdicts(rows: list[dict], day: int) -> dict[str, bool]:
    moment = pd.Timestamp("2025-01-01", tz="UTC") + pd.Timedelta(days=day)
    table = labels_as_of(pd.DataFrame(rows), moment)
    return dict(zip(table["transaction_id"], table["is_fraud"], strict=True))


def test_a_label_is_not_known_before_it_arrives():
    rows = [label("t1", 40, "chargeback", True)]
    assert verdicts(rows, 39) == {}
    assert verdicts(rows, 40) == {"t1": True}


def test_the_most_authoritative_source_wins_whatever_the_order_of_arrival():
    rows = [label("t1", 40, "chargeback", True), label("t1", 50, "user_report", False)]
    assert verdicts(rows, 60) == {"t1": True}
    assert verdicts(rows[::-1], 60) == {"t1": True}


def test_a_later_word_of_the_same_source_is_a_reversal():
    rows = [label("t1", 70, "chargeback", False), label("t1", 40, "chargeback", True)]
    assert verdicts(rows, 60) == {"t1": True}
    assert verdicts(rows, 80) == {"t1": False}


def test_every_source_has_a_precedence():
    assert set(SOURCE_PRECEDENCE) == {source.value for source in LabelSource}
    assert max(SOURCE_PRECEDENCE, key=SOURCE_PRECEDENCE.__getitem__) == "chargeback"
