"""The log never holds a payment up, and says what it lost."""

from __future__ import annotations

import threading
import time

from fraudkit.serve.log_stream import UnhurriedStream


class Sink:
    """A stream that can be blocked and broken."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.open = threading.Event()
        self.open.set()
        self.broken = False

    def write(self, text: str) -> None:
        self.open.wait(20)
        if self.broken:
            raise OSError("no space left on device")
        self.texts.append(text)

    def flush(self) -> None:
        pass


def lost(count: int) -> str:
    return f"{count} lost"


def test_lines_come_out_in_order():
    sink = Sink()
    stream = UnhurriedStream(sink, lost)
    for number in range(50):
        stream.write(str(number))
    stream.close()
    assert sink.texts == [str(number) for number in range(50)]


def test_a_reader_that_stands_still_holds_nobody_up_and_what_was_lost_is_told():
    sink = Sink()
    stream = UnhurriedStream(sink, lost, most_waiting=5)
    sink.open.clear()
    started = time.process_time()
    for number in range(1000):
        stream.write(str(number))
    assert time.process_time() - started < 5
    assert stream.lost >= 1000 - 5 - 1
    sink.open.set()
    stream.close()
    assert f"{stream.lost} lost" in sink.texts
    assert len([text for text in sink.texts if text.isdigit()]) + stream.lost == 1000


def test_a_full_disk_is_counted_and_the_log_goes_on_when_there_is_room():
    sink = Sink()
    sink.broken = True
    stream = UnhurriedStream(sink, lost)
    for _ in range(3):
        stream.write("x")
    while stream.lost < 3:
        time.sleep(0.001)
    sink.broken = False
    stream.write("y")
    stream.close()
    assert sink.texts == ["3 lost", "y"]
