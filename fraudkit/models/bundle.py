"""The bundle: everything the service needs to score and explain, as one folder of plain data.

| file | holds |
|---|---|
| model.ubj | the booster as XGBoost wrote it: the source that the trees were read from |
| trees.safetensors | the trees for run time |
| network.safetensors, logistic.safetensors, transform.safetensors | layers, coefficients, input transform |
| calibration.json | from score to probability |
| reference.json | quantiles and medians of the training features |
| alone.safetensors, alone.json | trees for payments without a history; a bundle over a table of one's own has none |
| manifest.json | written last: digests of the files above, feature schema, parameters, versions, code digest |

Loading needs numpy, numba and safetensors. It checks every digest and the feature schema, and
unpickles nothing. The bundle knows no rules, thresholds or actions.

**What the scores mean.** `ensemble` is the fraud score: 0.6 of the trees' score and 0.4 of the
network's, both trained with a fraud weighing ten times a legitimate transaction, so that the
published thresholds 0.9 and 0.5 stand near probabilities of 47 % and 9 % (fraudkit.models.params).
`probability` is the calibrated probability of fraud and what costs are computed from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors

from fraudkit.core.decision import Contribution
from fraudkit.core.errors import CorruptArtefact, InvalidInput, NotReady
from fraudkit.core.files import sha256
from fraudkit.models import alone
from fraudkit.models.alone import Alone
from fraudkit.models.calibration import Calibration, calibration_from_content
from fraudkit.models.explain import Explainer
from fraudkit.models.files import read_bytes, unseal
from fraudkit.models.logistic import Logistic, logistic_from_tensors
from fraudkit.models.network import Network, network_from_tensors
from fraudkit.models.reference import Reference, reference_from_content
from fraudkit.models.schema import FeatureSchema, catalog_schema
from fraudkit.models.transform import Transform
from fraudkit.models.trees import Trees, trees_from_tensors
from fraudkit.models.words import Wording

FORMAT = 1
MEMBERS = ("trees", "network")
MANIFEST = "manifest.json"
ARTEFACTS = (
    "model.ubj",
    "trees.safetensors",
    "network.safetensors",
    "logistic.safetensors",
    "transform.safetensors",
    "calibration.json",
    "reference.json",
)
OPTIONAL = (alone.TREES_FILE, alone.CALIBRATION_FILE)


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of n rows, each float64 (n,) in 0..1; what each means is said in this module."""

    ensemble: np.ndarray
    xgboost: np.ndarray
    network: np.ndarray
    probability: np.ndarray


@dataclass(frozen=True, slots=True)
class Bundle:
    """A loaded bundle. `version` is the folder's name, `digest` that of the manifest and so of every file."""

    version: str
    digest: str
    manifest: dict[str, Any]
    schema: FeatureSchema
    trees: Trees
    network: Network
    logistic: Logistic
    calibration: Calibration
    reference: Reference
    tree_weight: float
    explainer: Explainer
    wording: Wording
    alone: Alone | None = None

    @property
    def schema_hash(self) -> str:
        """Digest of the feature schema that the models were trained on."""
        return self.schema.digest

    @property
    def defaults(self) -> np.ndarray:
        """Median of each training feature, float32 (n_features,): stands in where nothing is known."""
        return self.reference.defaults

    @classmethod
    def load(cls, folder: Path | str, schema: FeatureSchema | None = None) -> Bundle:
        """Read and check a bundle folder.

        Parameters
        ----------
        folder : where `TrainedBundle.save` or the registry put it
        schema : schema the caller will score with; None is the catalog's

        Raises
        ------
        NotReady
            The folder does not exist.
        CorruptArtefact
            A file is missing, changed, or of another schema or format; the message names it.
        """
        folder = Path(folder)
        manifest, files = read_bundle_files(folder)
        return bundle_from_files(folder.name, manifest, files, catalog_schema() if schema is None else schema)

    def score(self, X: np.ndarray) -> Scores:
        """Score float32 rows X (n, n_features); NaN is missing.

        A row's scores have the same bits whether it comes alone or in any batch.

        Raises
        ------
        InvalidInput
            X has another number of columns.
        """
        return self.combine({name: self.member(name, X) for name in MEMBERS})

    def member(self, name: str, X: np.ndarray) -> np.ndarray:
        """Scores of one of MEMBERS alone, float64 (n,), of rows as `score` takes them."""
        rows = self._rows(X)
        return self.trees.predict_score(rows) if name == "trees" else self.network.predict_score(rows)

    def combine(self, members: Mapping[str, np.ndarray]) -> Scores:
        """The ensemble of the members that are there; one alone stands for both, and the other is NaN.

        All members carry the same class weight, so that their scores mean about the same.
        """
        if len(members) == len(MEMBERS):
            trees, network = members["trees"], members["network"]
            ensemble = self.tree_weight * trees + (1.0 - self.tree_weight) * network
        else:
            (ensemble,) = members.values()
            missing = np.full(len(ensemble), np.nan)
            trees, network = members.get("trees", missing), members.get("network", missing)
        return Scores(ensemble, trees, network, self.calibration.apply(ensemble))

    def score_alone(self, X: np.ndarray) -> Scores:
        """Scores of bare vectors X (n, n_features), made without any history (fraudkit.models.alone).

        A bundle without such a model takes the main ones, whose scores are too low there.
        """
        rows = self._rows(X)
        if self.alone is None:
            return self.score(rows)
        probability = self.alone.probability(rows)
        missing = np.full(len(rows), np.nan)
        return Scores(self.calibration.invert(probability), missing, missing, probability)

    def explain(self, X: np.ndarray, top: int = 5) -> tuple[Contribution, ...]:
        """The `top` features that moved the trees' score of one row (n_features,) most, largest first.

        What is explained, exactly: the log-odds of the trees, which carry 0.6 of the score. The
        shares of all features and the trees' mean add up to those log-odds (Shapley values over
        the paths of the trees). The network's 0.4 is not taken apart; its score is reported beside.
        """
        row = self._rows(np.atleast_2d(X))[0]
        shares = self.explainer.contributions(row)
        order = np.argsort(-np.abs(shares), kind="stable")[:top]
        return tuple(
            Contribution(
                feature=self.schema.names[j],
                value=float(row[j]),
                log_odds=float(shares[j]),
                words=self.wording.sentence(j, row, float(shares[j])),
            )
            for j in order
            if shares[j] != 0.0
        )

    def warm_up(self) -> None:
        """Compile or load the compiled code now, so that the first request does not wait for it."""
        self.score(self.defaults[np.newaxis])
        self.score_alone(self.defaults[np.newaxis])
        self.explain(self.defaults)

    def _rows(self, X: np.ndarray) -> np.ndarray:
        """X as contiguous float32 of the right width."""
        if X.ndim != 2 or X.shape[1] != len(self.schema.names):
            raise InvalidInput(f"X has shape {X.shape}; the model takes rows of {len(self.schema.names)} features")
        return np.ascontiguousarray(X, dtype=np.float32)


def read_bundle_files(folder: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The manifest and the files of a bundle folder, each checked against its digest.

    The bytes that were checked are the bytes returned, so nothing can change in between.

    Raises
    ------
    NotReady, CorruptArtefact
        As `Bundle.load`.
    """
    if not folder.is_dir():
        raise NotReady(f"no model bundle in {folder}; train one with `fraudkit train`")
    manifest = unseal(read_bytes(folder / MANIFEST), str(folder / MANIFEST))
    if manifest.get("format") != FORMAT:
        raise CorruptArtefact(f"{folder / MANIFEST} has format {manifest.get('format')}; this version reads {FORMAT}")
    if set(manifest["files"]) not in (set(ARTEFACTS), {*ARTEFACTS, *OPTIONAL}):  # also keeps names such as "../x" out
        raise CorruptArtefact(f"{folder / MANIFEST} lists other files than {', '.join(ARTEFACTS)}; train again")
    files = {}
    for name, digest in manifest["files"].items():
        files[name] = read_bytes(folder / name)
        if sha256(files[name]) != digest:
            raise CorruptArtefact(f"{folder / name} does not match its digest in {MANIFEST}; restore it or train again")
    return manifest, files


def bundle_from_files(
    version: str, manifest: Mapping[str, Any], files: Mapping[str, bytes], schema: FeatureSchema
) -> Bundle:
    """Build the models from files whose digests were checked against `manifest`.

    Raises
    ------
    CorruptArtefact
        A digest, the schema or the format differs.
    """
    check_schema(manifest, schema)
    tensors = {name: _tensors(name, files[name]) for name in files if name.endswith(".safetensors")}
    transform = _transform(tensors["transform.safetensors"], len(schema.names))
    trees = trees_from_tensors(tensors["trees.safetensors"])
    if trees.n_features != len(schema.names):
        raise CorruptArtefact(f"trees.safetensors is for {trees.n_features} features, not {len(schema.names)}")
    reference = reference_from_content(unseal(files["reference.json"], "reference.json"), len(schema.names))
    return Bundle(
        version=version,
        digest=manifest["digest"],
        manifest=dict(manifest),
        schema=schema,
        trees=trees,
        network=network_from_tensors(tensors["network.safetensors"], transform),
        logistic=logistic_from_tensors(tensors["logistic.safetensors"], transform),
        calibration=calibration_from_content(unseal(files["calibration.json"], "calibration.json")),
        reference=reference,
        tree_weight=float(manifest["params"]["tree_weight"]),
        explainer=Explainer.of(trees),
        wording=Wording(schema.names, reference),
        alone=_alone(tensors, files),
    )


def _alone(tensors: Mapping[str, dict[str, np.ndarray]], files: Mapping[str, bytes]) -> Alone | None:
    """The model for payments without a history, where the bundle has one."""
    if alone.TREES_FILE not in files:
        return None
    content = unseal(files[alone.CALIBRATION_FILE], alone.CALIBRATION_FILE)
    return Alone(trees_from_tensors(tensors[alone.TREES_FILE]), calibration_from_content(content))


def check_schema(manifest: Mapping[str, Any], schema: FeatureSchema) -> None:
    """Raise CorruptArtefact where the models were trained on other columns, or in another order."""
    names = tuple(manifest["feature_names"])
    if manifest["schema_hash"] != schema.digest or names != schema.names:
        raise CorruptArtefact(
            f"{MANIFEST} is for feature schema {manifest['schema_hash'][:12]}, this code has "
            f"{schema.digest[:12]}{_first_difference(names, schema.names)}; train again"
        )


def _first_difference(trained: tuple[str, ...], current: tuple[str, ...]) -> str:
    """Where two lists of columns part, in words."""
    for position, (a, b) in enumerate(zip(trained, current, strict=False)):
        if a != b:
            return f" (column {position} was {a!r}, is {b!r})"
    return f" ({len(trained)} columns, not {len(current)})" if len(trained) != len(current) else ""


def _tensors(name: str, data: bytes) -> dict[str, np.ndarray]:
    """Arrays of one safetensors file."""
    try:
        return load_tensors(data)
    except SafetensorError as error:
        raise CorruptArtefact(f"{name} cannot be read ({error}); train again") from error


def _transform(tensors: dict[str, np.ndarray], n_features: int) -> Transform:
    """The stored transform, checked for length."""
    if set(tensors) != {"mean", "scale", "clip"} or tensors["mean"].shape != (n_features,):
        raise CorruptArtefact(f"transform.safetensors does not hold a transform of {n_features} features; train again")
    return Transform(tensors["mean"], tensors["scale"], float(tensors["clip"][0]))
