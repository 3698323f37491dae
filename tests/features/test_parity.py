"""The check that training and serving agree, and that it would see it if they did not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fraudkit.features import offline, online, plan
from fraudkit.features import store as store_module
from fraudkit.features.parity import check_parity
from fraudkit.features.publish import TilePublisher


def test_no_mismatch_on_a_table_full_of_awkward_rows(store, tables):
    report = check_parity(store, *tables)
    assert (report.events, report.values, report.mismatches) == (1500, 1500 * 143, 0)


def plant_bound(monkeypatch):
    monkeypatch.setattr(offline, "USER_EVENTS", 63)


def plant_device_bound(monkeypatch):
    monkeypatch.setattr(store_module, "DEVICE", replace(store_module.DEVICE, bound=15))


def plant_time_to_live(monkeypatch):
    monkeypatch.setattr(plan, "HORIZON_S", plan.HORIZON_S - 86_400)


def plant_tile_day(monkeypatch):
    publish = TilePublisher.publish
    monkeypatch.setattr(TilePublisher, "publish", lambda self, store, day: publish(self, store, day - 1))


def plant_read_after_append(monkeypatch):
    script = store_module._SCRIPT
    changed = script.replace("before[i] = blob", "before[i] = redis.call('GET', KEYS[i]) or ''")
    assert changed != script
    monkeypatch.setattr(store_module, "_SCRIPT", changed)


def plant_country_tile(monkeypatch):
    monkeypatch.setattr(online, "COUNTRY_TILE", 1)


@pytest.mark.parametrize(
    "plant, feature",
    [
        (plant_bound, "user_history_days"),
        (plant_device_bound, "device_txn_count_30d"),
        (plant_time_to_live, "user_txn_count_30d"),
        (plant_tile_day, "merchant_txn_count_1d"),
        (plant_read_after_append, "user_txn_count_10m"),
        (plant_country_tile, "country_txn_share_30d"),
    ],
)
def test_a_planted_difference_is_found_and_named(store, make_tables, rng, monkeypatch, plant, feature):
    # Few users fill their histories to the bound; many keep them to the age.
    tables = make_tables(rng, n=900, n_users=12 if plant is plant_time_to_live else 4, days=60)
    plant(monkeypatch)
    report = check_parity(store, *tables)
    assert report.mismatches > 0
    assert feature in report.features
    assert report.first[0].online != report.first[0].offline
