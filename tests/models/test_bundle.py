"""The bundle on disk: whole or refused, bit-equal on replay, light to load."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import astuple

import numpy as np
import pytest

from fraudkit.core.errors import CorruptArtefact, InvalidInput, NotReady
from fraudkit.models.bundle import ARTEFACTS, MANIFEST, Bundle
from fraudkit.models.schema import FeatureSchema, catalog_schema, table_schema
from fraudkit.models.train import train_bundle


def test_saved_and_loaded_scores_are_the_trained_ones(folder, trained, data, rng):
    X, _ = data(200, 143, rng)
    for stored, live in zip(astuple(Bundle.load(folder).score(X)), astuple(trained.score(X)), strict=True):
        assert stored.tobytes() == live.tobytes()


def test_a_decision_replays_bit_for_bit_whatever_the_batch(folder, data, rng):
    bundle = Bundle.load(folder)
    X, _ = data(130, 143, rng)
    whole = astuple(bundle.score(X))
    for size in (1, 3, 64):
        parts = [astuple(bundle.score(X[i : i + size])) for i in range(0, len(X), size)]
        for k, expected in enumerate(whole):
            assert np.concatenate([part[k] for part in parts]).tobytes() == expected.tobytes()


def test_scores_mean_what_the_module_says(trained, data, rng):
    X, y = data(3_000, 143, rng)
    scores = trained.score(X)
    for part in astuple(scores):
        assert part.dtype == np.float64
        assert ((part >= 0.0) & (part <= 1.0)).all()
    assert np.allclose(scores.ensemble, 0.6 * scores.xgboost + 0.4 * scores.network)
    assert (np.diff(scores.probability[np.argsort(scores.ensemble)]) >= 0.0).all()
    assert scores.probability.mean() == pytest.approx(y.mean(), rel=0.35)


@pytest.mark.parametrize("name", [*ARTEFACTS, MANIFEST])
def test_a_flipped_byte_in_any_file_is_refused_by_name(folder, name):
    path = folder / name
    original = path.read_bytes()
    for position in np.linspace(0, len(original) - 1, 9).astype(int):
        damaged = bytearray(original)
        damaged[position] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(CorruptArtefact, match=name):
            Bundle.load(folder)
    path.write_bytes(original)
    Bundle.load(folder)


@pytest.mark.parametrize("name", [*ARTEFACTS, MANIFEST])
def test_a_half_written_bundle_is_never_read(folder, name):
    (folder / name).unlink()
    with pytest.raises(CorruptArtefact, match=name):
        Bundle.load(folder)


def test_a_manifest_edited_without_its_digest_is_refused(folder):
    data = (folder / MANIFEST).read_bytes()
    edited = data.replace(b'"tree_weight": 0.6', b'"tree_weight": 0.7')
    assert edited != data
    (folder / MANIFEST).write_bytes(edited)
    with pytest.raises(CorruptArtefact, match="digest it carries"):
        Bundle.load(folder)


def test_a_manifest_that_lists_files_elsewhere_is_refused(folder):
    from fraudkit.models.files import seal

    manifest = json.loads((folder / MANIFEST).read_bytes())
    manifest["files"]["../outside"] = "0"
    (folder / MANIFEST).write_bytes(seal(manifest))
    with pytest.raises(CorruptArtefact, match="other files"):
        Bundle.load(folder)


def test_reordered_renamed_and_redeclared_columns_are_refused(folder):
    schema = catalog_schema()
    names = list(schema.names)
    names[3], names[4] = names[4], names[3]
    with pytest.raises(CorruptArtefact, match=f"column 3 was '{schema.names[3]}'"):
        Bundle.load(folder, table_schema(names))
    with pytest.raises(CorruptArtefact, match="schema"):
        Bundle.load(folder, FeatureSchema(schema.names, "0" * 64))  # same names, other meaning


def test_missing_folder_and_wrong_width_say_what_to_do(folder, tmp_path):
    with pytest.raises(NotReady, match="fraudkit train"):
        Bundle.load(tmp_path / "nothing")
    with pytest.raises(InvalidInput, match="143"):
        Bundle.load(folder).score(np.zeros((2, 7), dtype=np.float32))


def test_saving_twice_is_refused_and_leaves_no_crumbs(trained, folder):
    before = sorted(path.name for path in folder.parent.iterdir())
    with pytest.raises(InvalidInput, match="exists"):
        trained.save(folder)
    assert sorted(path.name for path in folder.parent.iterdir()) == before


def test_same_seed_same_bytes(data, quick):
    rows = (*data(1_500, 6, np.random.default_rng(1)), *data(600, 6, np.random.default_rng(2)))
    schema = table_schema([f"column_{i}" for i in range(6)])
    a, b = (train_bundle(*rows, np.random.default_rng(3), params=quick, schema=schema) for _ in range(2))
    assert a.files == b.files


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X, y: (X[:, :5], y), "shapes"),
        (lambda X, y: (X, np.where(y > 0, 2, y)), "0 or 1"),
        (lambda X, y: (np.where(np.arange(6) == 2, np.inf, X), y), "column_2"),
        (lambda X, y: (X, np.zeros_like(y)), "0 frauds"),
    ],
)
def test_unusable_training_data_is_refused_in_words(data, quick, rng, change, message):
    X, y = data(300, 6, rng)
    schema = table_schema([f"column_{i}" for i in range(6)])
    with pytest.raises(InvalidInput, match=message):
        train_bundle(*change(X, y), X, y, rng, params=quick, schema=schema)


def test_explanation_is_ordered_and_says_which_way(folder, data, rng):
    bundle = Bundle.load(folder)
    X, _ = data(1, 143, rng)
    contributions = bundle.explain(X[0], top=4)
    sizes = [abs(c.log_odds) for c in contributions]
    assert len(contributions) == 4
    assert sizes == sorted(sizes, reverse=True)
    for c in contributions:
        assert c.words.endswith("raises the score" if c.log_odds > 0 else "lowers the score")
        assert np.array_equal(c.value, X[0, bundle.schema.names.index(c.feature)], equal_nan=True)


def test_loading_scoring_and_explaining_import_no_training_library(folder):
    code = (
        "import sys, numpy as np\n"
        "from fraudkit.models.bundle import Bundle\n"
        "bundle = Bundle.load(sys.argv[1]); bundle.warm_up()\n"
        "bundle.score(np.zeros((3, 143), dtype=np.float32))\n"
        "heavy = {'torch', 'sklearn', 'xgboost', 'pandas'} & set(sys.modules)\n"
        "print(sorted(heavy)); sys.exit(bool(heavy))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
