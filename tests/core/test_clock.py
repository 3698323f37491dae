from datetime import UTC, datetime, timedelta, timezone

from fraudkit.core.clock import FixedClock, SystemClock, from_epoch_ms, to_epoch_ms


def test_epoch_round_trip_keeps_milliseconds():
    moment = datetime(2025, 3, 4, 5, 6, 7, 891_000, tzinfo=UTC)
    assert from_epoch_ms(to_epoch_ms(moment)) == moment


def test_a_zone_is_honoured_and_its_absence_means_utc():
    berlin = timezone(timedelta(hours=2))
    assert to_epoch_ms(datetime(2025, 1, 1, 2, tzinfo=berlin)) == to_epoch_ms(datetime(2025, 1, 1))


def test_clocks():
    clock = FixedClock(1_000)
    clock.advance(5)
    assert clock.now_ms() == 1_005
    assert SystemClock().now_ms() > to_epoch_ms(datetime(2024, 1, 1))
