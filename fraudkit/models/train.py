"""Training a whole bundle: trees, network, logistic baseline, calibration, reference.

Validation rows must be later than training rows; they stop the training and fit the calibration.
Cutting the time line, and leaving out labels that are not mature yet, is the caller's part
(fraudkit.evaluate.splits).
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save as save_tensors

from fraudkit import __version__
from fraudkit.core.console import scaled
from fraudkit.core.errors import InvalidInput
from fraudkit.core.files import sha256, write_folder
from fraudkit.models.alone import train_alone
from fraudkit.models.bundle import FORMAT, MANIFEST, Bundle, Scores, bundle_from_files
from fraudkit.models.calibration import fit_calibration
from fraudkit.models.code_digest import code_digest
from fraudkit.models.files import seal, unseal
from fraudkit.models.logistic import train_logistic
from fraudkit.models.params import TrainingParams
from fraudkit.models.reference import build_reference
from fraudkit.models.schema import FeatureSchema, catalog_schema
from fraudkit.models.train_boosting import train_boosting
from fraudkit.models.train_network import train_network
from fraudkit.models.transform import fit_transform_parameters

MIN_FRAUDS = 10
LIBRARIES = ("numpy", "numba", "scikit-learn", "xgboost-cpu", "torch", "safetensors")


@dataclass(frozen=True, slots=True)
class TrainedBundle:
    """A trained bundle in memory: its files, and the run-time bundle built from those very bytes."""

    files: dict[str, bytes]
    bundle: Bundle

    def score(self, X: np.ndarray) -> Scores:
        """Scores of float32 rows X (n, n_features), as the service will give them."""
        return self.bundle.score(X)

    def save(self, folder: Path | str) -> Path:
        """Write the bundle folder in one step, manifest last; a half-written one is never visible.

        Raises
        ------
        InvalidInput
            The folder exists already.
        """
        write_folder(Path(folder), self.files)
        return Path(folder)


def train_bundle(
    X_train: np.ndarray,
    y_train: np.ndarray,
    X_valid: np.ndarray,
    y_valid: np.ndarray,
    rng: np.random.Generator,
    progress: Callable[[float, str], None] | None = None,
    params: TrainingParams | None = None,
    schema: FeatureSchema | None = None,
    facts: Mapping[str, Any] | None = None,
    bare: tuple[np.ndarray, np.ndarray] | None = None,
) -> TrainedBundle:
    """Train everything that a bundle holds.

    Parameters
    ----------
    X_train, X_valid : float32 (n, n_features); NaN is missing, infinity is refused
    y_train, y_valid : (n,) of 0 and 1
    rng : the one source of chance; the same state gives the same models on the same machine
    progress : told the fraction done and what is happening
    params : None takes the defaults
    schema : None takes the catalog's 143 features
    bare : the training and the validation rows once more, as vectors made without any history; a model
        is trained on them that scores where no history can be had. None: the bundle has no such model
    facts : what the manifest shall say of the data, JSON values: world, training window, seed

    Raises
    ------
    InvalidInput
        Shapes differ, a label is not 0 or 1, a value is infinite, or there are too few frauds.
    """
    params = params or TrainingParams()
    schema = schema or catalog_schema()
    X_train, y_train = checked("training", X_train, y_train, schema, MIN_FRAUDS)
    X_valid, y_valid = checked("validation", X_valid, y_valid, schema, 1)
    data = (X_train, y_train, X_valid, y_valid)
    trees, model_ubj = train_boosting(*data, rng, params, scaled(progress, 0.0, 0.4))
    transform = fit_transform_parameters(X_train)
    network = train_network(*data, transform, rng, params, scaled(progress, 0.4, 0.85))
    scaled(progress, 0.85, 1.0)(0.0, "logistic regression")
    logistic = train_logistic(X_train, y_train, transform, params)
    scaled(progress, 0.85, 1.0)(0.7, "calibration and reference")
    weight = params.tree_weight
    valid_scores = weight * trees.predict_score(X_valid) + (1.0 - weight) * network.predict_score(X_valid)
    calibration = fit_calibration(valid_scores, y_valid, rng)
    reference = build_reference(X_train, y_train, valid_scores, rng)
    stored = {"mean": transform.mean, "scale": transform.scale, "clip": np.array([transform.clip])}
    files = {
        "model.ubj": model_ubj,
        "trees.safetensors": save_tensors(trees.tensors()),
        "network.safetensors": save_tensors(network.tensors()),
        "logistic.safetensors": save_tensors(logistic.tensors()),
        "transform.safetensors": save_tensors(stored),
        "calibration.json": seal(calibration.content()),
        "reference.json": seal(reference.content()),
    }
    if bare is not None:
        scaled(progress, 0.9, 1.0)(0.0, "the model for payments without a history")
        files |= train_alone(bare[0], y_train, bare[1], y_valid, rng, params)
    files[MANIFEST] = seal(_manifest(files, schema, params, data, facts or {}))
    scaled(progress, 0.0, 1.0)(1.0, "trained")
    manifest = unseal(files[MANIFEST], MANIFEST)
    return TrainedBundle(files, bundle_from_files("unsaved", manifest, files, schema))


def checked(
    name: str, X: np.ndarray, y: np.ndarray, schema: FeatureSchema, min_frauds: int
) -> tuple[np.ndarray, np.ndarray]:
    """X as contiguous float32 and y as float32, or InvalidInput saying what is wrong with them."""
    X = np.ascontiguousarray(X, dtype=np.float32)
    y = np.asarray(y, dtype=np.float32)
    if X.ndim != 2 or X.shape[1] != len(schema.names) or y.shape != X.shape[:1]:
        raise InvalidInput(
            f"{name} data has shapes {X.shape} and {y.shape}; expected (n, {len(schema.names)}) and (n,)"
        )
    if not np.isin(y, (0.0, 1.0)).all():
        raise InvalidInput(f"{name} labels must be 0 or 1; leave out rows whose label is not known yet")
    if np.isinf(X).any():
        column = schema.names[int(np.flatnonzero(np.isinf(X).any(axis=0))[0])]
        raise InvalidInput(f"{name} data has an infinite value in {column!r}; use NaN for missing")
    frauds = int(y.sum())
    if frauds < min_frauds or frauds == len(y):
        raise InvalidInput(
            f"{name} data has {frauds} frauds in {len(y)} rows; at least {min_frauds} and some legitimate rows are "
            "needed: take a longer window"
        )
    return X, y


def _manifest(
    files: Mapping[str, bytes],
    schema: FeatureSchema,
    params: TrainingParams,
    data: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    facts: Mapping[str, Any],
) -> dict[str, Any]:
    """The manifest's content. No date of today: the same seed gives the same bytes."""
    _, y_train, _, y_valid = data
    return {
        "format": FORMAT,
        "files": {name: sha256(content) for name, content in files.items()},
        "schema_hash": schema.digest,
        "feature_names": list(schema.names),
        "params": asdict(params),
        "facts": dict(facts),
        "rows": {"train": len(y_train), "validation": len(y_valid)},
        "frauds": {"train": int(y_train.sum()), "validation": int(y_valid.sum())},
        "code_digest": code_digest(),
        "versions": {
            "fraudkit": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in LIBRARIES},
        },
    }
