"""Pauses are seen, told with their length, and survive the way between two processes."""

from __future__ import annotations

import asyncio
import time

from tests.chaos.spans import Seen, Span, longest_ms, sleeping, touching, watched_machine


def test_what_was_seen_survives_the_way_between_two_processes():
    seen = Seen([Span("features", 1.0, 1.5)], [Span("trees", 2.0, 2.25, "OSError")], [Span("service", 3.0, 3.1)])
    assert "\n" not in seen.to_json()
    assert Seen.from_json(seen.to_json()) == seen


def test_spans_that_touch_a_stretch_of_time_are_found():
    spans = [Span("a", 0.0, 1.0), Span("b", 2.0, 5.0), Span("c", 6.0, 7.0)]
    assert [span.what for span in touching(spans, 3.0, 4.0)] == ["b"]
    assert [span.what for span in touching(spans, 0.5, 6.5)] == ["a", "b", "c"]
    assert longest_ms(spans) == 3000.0
    assert longest_ms([]) == 0.0


def test_an_event_loop_that_is_held_up_is_seen():
    async def held_up() -> list[Span]:
        async with sleeping("harness") as pauses:
            await asyncio.sleep(0.02)
            time.sleep(0.1)
            await asyncio.sleep(0.02)
        return pauses

    assert longest_ms(asyncio.run(held_up())) >= 80.0


def test_the_machine_is_watched_until_the_end():
    with watched_machine() as pauses:
        time.sleep(0.3)
    assert all(pause.what == "machine" and pause.ms > 0 for pause in pauses)
