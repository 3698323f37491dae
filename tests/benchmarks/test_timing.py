"""How often contenders are called, and that the fastest turn counts."""

import pytest

from benchmarks import timing


def test_contenders_take_turns():
    calls: list[str] = []
    times = timing.fastest_us({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, rounds=2, least=0.0)
    assert "".join(calls) == "aabb" + "abab"  # twice each to warm up and to see how quick it is
    assert set(times) == {"a", "b"}


def test_the_fastest_turn_counts(monkeypatch: pytest.MonkeyPatch):
    moments = iter([0.0, 1.0, 10.0, 13.0, 20.0, 22.0, 30.0, 39.0])  # one second to warm up, then turns of 3, 2 and 9
    monkeypatch.setattr(timing.time, "perf_counter", lambda: next(moments))
    assert timing.fastest_us({"a": lambda: None}, rounds=3, least=0.5) == {"a": 2e6}


def test_a_quick_call_is_repeated_within_a_turn(monkeypatch: pytest.MonkeyPatch):
    calls: list[int] = []
    moments = iter([0.0, 0.1, 1.0, 2.2])
    monkeypatch.setattr(timing.time, "perf_counter", lambda: next(moments))
    times = timing.fastest_us({"a": lambda: calls.append(1)}, rounds=1, least=1.0)
    assert len(calls) == 2 + 11
    assert times["a"] == pytest.approx(1.2e6 / 11)
