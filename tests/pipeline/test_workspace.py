"""A world is simulated once and its features replayed once; nothing half done is ever read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fraudkit.core.config import settings
from fraudkit.core.errors import InvalidInput
from fraudkit.features.catalog import INDEX
from fraudkit.features.offline import replay
from fraudkit.lake import Lake
from fraudkit.pipeline.workspace import Workspace, open_workspace, world_folder
from fraudkit.simulate import WORLDS, simulate

TINY = 0.375  # of the easy world's 80 card holders


class Interrupted(Exception):
    """Stands for Ctrl-C at a chosen moment."""


def interrupt_after(fraction: float):
    def progress(done: float, _text: str) -> None:
        if done >= fraction:
            raise Interrupted

    return progress


def test_opening_twice_simulates_once(empty_home, contents, forbid):
    first = open_workspace("small", scale=TINY)
    before = contents(settings().worlds)
    forbid("fraudkit.pipeline.workspace.simulate")
    second = open_workspace("small", scale=TINY)
    assert contents(settings().worlds) == before
    pd.testing.assert_frame_equal(first.transactions, second.transactions)


def test_an_interrupted_simulation_is_done_again(empty_home):
    with pytest.raises(Interrupted):
        open_workspace("small", scale=TINY, progress=interrupt_after(0.9))
    assert not world_folder("small", TINY).exists()
    assert len(open_workspace("small", scale=TINY).transactions)


def test_a_world_has_the_users_that_were_asked_for_and_a_folder_of_its_own(empty_home):
    bank = open_workspace("small", scale=TINY, seed=3)
    assert len(bank.users) == bank.config.users == 30
    assert bank.lake.path.name == "small-x0.375-seed3"
    assert not (settings().worlds / "small").exists()


def test_an_unknown_world_is_refused_by_name():
    with pytest.raises(InvalidInput, match=r"'middling'.*small, reference"):
        open_workspace("middling")


def test_features_are_replayed_once_and_cannot_be_written_to(bank, forbid):
    forbid("fraudkit.features.offline.replay")
    X = bank.features()
    assert X.shape == (len(bank.transactions), 143)
    assert X.dtype == np.float32
    with pytest.raises(ValueError, match="read-only"):
        X[0, 0] = 1.0


def test_features_lie_in_the_order_of_the_transactions(bank):
    amount = bank.features()[:, INDEX["amount_usd"]]
    np.testing.assert_allclose(amount, bank.amount_usd, rtol=1e-5)
    by_id = bank.lake.truth().set_index("transaction_id")["is_fraud"]
    assert (by_id[bank.transactions["transaction_id"]].to_numpy() == bank.y_true).all()


def test_a_half_written_feature_file_is_never_read(empty_home, monkeypatch):
    bank = open_workspace("small", scale=TINY)
    save = np.save

    def torn(file, X):
        save(file, X)
        file.truncate(file.tell() // 2)
        raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr("fraudkit.pipeline.workspace.np.save", torn)
        with pytest.raises(Interrupted):
            bank.features()
    np.testing.assert_array_equal(bank.features(), replay(bank.transactions, bank.users, bank.labels))


@pytest.mark.parametrize("change", ["world", "schema", "code"])
def test_stale_features_are_not_read(bank, tmp_path, monkeypatch, change):
    bank.features()
    before = set((settings().home / "features").glob("*/*.npy"))
    monkeypatch.setattr(
        "fraudkit.features.offline.replay", lambda transactions, *_, **__: np.zeros((len(transactions), 143), "f4")
    )
    if change == "world":
        other = simulate(bank.config, np.random.default_rng(8))
        bank = Workspace(bank.name, bank.config, Lake.write(tmp_path / "other", other))
    elif change == "schema":
        monkeypatch.setattr("fraudkit.pipeline.workspace.schema_hash", lambda: "another")
    else:
        monkeypatch.setattr("fraudkit.pipeline.workspace.code_digest", lambda: "another")
    assert not bank.features().any()
    assert len(set((settings().home / "features").glob("*/*.npy")) - before) == 1


def test_the_split_leaves_the_label_delay_between_training_and_test(bank):
    split, known_at = bank.split, bank.transactions["known_at"]
    learnt = np.concatenate([split.train, split.valid])
    assert not set(learnt) & set(split.test)
    gap = known_at.iloc[split.test].min() - known_at.iloc[learnt].max()
    assert gap >= pd.Timedelta(days=bank.config.label_delay_days)
    assert known_at.iloc[split.train].max() < split.valid_start <= known_at.iloc[split.valid].min()
    assert split.training_moment == pd.Timestamp(bank.config.test_start)
    assert split.test_end == pd.Timestamp(bank.config.end)


def test_training_knows_only_labels_that_had_arrived_when_the_test_began(empty_home, tmp_path):
    config = replace(WORLDS["small"], users=30)
    world = simulate(config, np.random.default_rng(7))
    learnt = world.labels["is_fraud"] & (world.labels["event_time"] < config.valid_end)
    late = learnt & (np.arange(len(learnt)) % 2 == 0)
    labels = world.labels.copy()
    labels.loc[late, "known_at"] = pd.Timestamp(config.test_start) + pd.Timedelta(days=1)
    labels = labels.sort_values(["known_at", "transaction_id"], ignore_index=True)
    bank = Workspace("late", config, Lake.write(tmp_path / "late", replace(world, labels=labels)))

    split = bank.split
    rows, y = np.concatenate([split.train, split.valid]), np.concatenate([split.y_train, split.y_valid])
    called_fraud = set(bank.transactions["transaction_id"].iloc[rows[y]])
    in_time = labels[labels["is_fraud"] & (labels["known_at"] <= pd.Timestamp(config.test_start))]
    assert called_fraud
    assert called_fraud <= set(in_time["transaction_id"])
