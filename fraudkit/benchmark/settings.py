"""The TOML file of a benchmark: what the columns are called, how time is cut, what is trained.

Every key is checked by name, so that a misspelt one is told instead of ignored. [columns], [time] and
[labels] mean what they mean to `fraudkit lake import`. Nothing here looks at the table.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from itertools import product
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from fraudkit.core.errors import InvalidInput
from fraudkit.lake.adapters import ColumnMapping

T = TypeVar("T")

KINDS = ("single", "prequential")
MODELS = ("rules", "logistic", "random_forest", "xgboost", "network", "ensemble")


@dataclass(frozen=True, slots=True)
class Protocol:
    """How time is cut; all lengths in days.

    Attributes
    ----------
    kind : "single" (one fold) or "prequential" (one fold for each start)
    train_start : first day of training of the single fold
    test_starts, validation_starts : first days of training of the prequential folds; with "single" only
        `validation_starts` may be given, for tuning
    train_days, valid_days, delay_days, test_days : consecutive periods; the delay's labels have not arrived
    history_days : rows trained on before `train_start`. They lengthen training and move nothing else
    label_delay_days : days from a transaction to its label, at most `delay_days`
    remove_compromised : whether cards known to be compromised leave the test rows
    card_budget : cards investigated a day
    """

    kind: str = "single"
    train_start: date | None = None
    test_starts: tuple[date, ...] = ()
    validation_starts: tuple[date, ...] = ()
    train_days: int = 7
    valid_days: int = 0
    delay_days: int = 7
    test_days: int = 7
    history_days: int = 0
    label_delay_days: int = 7
    remove_compromised: bool = True
    card_budget: int = 100


@dataclass(frozen=True, slots=True)
class FeatureChoice:
    """Which features are made.

    Attributes
    ----------
    catalog : names from the catalog; empty takes all that the table can carry
    delayed_days : windows of the merchant's label-delayed counts, in days; empty makes none
    """

    catalog: tuple[str, ...] = ()
    delayed_days: tuple[int, ...] = (1, 7, 14, 28)


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Which models are trained, and with what.

    Attributes
    ----------
    run : names out of MODELS; "ensemble" needs "xgboost" and "network"
    seed : of everything drawn by chance
    positive_weight : what a fraud weighs in the losses of logistic regression and network
    trees, depth, rate, subsample, colsample, min_child_weight, bins : of XGBoost. `bins` is high because
        coarse histograms were seen to cost average precision where amounts decide
    repeats : XGBoost models with different seeds that are averaged
    forest_trees, forest_share : of the random forest, and the share of the rows that each tree draws
    epochs : most passes of the network over its rows
    stopping_days : last training days on which the network's epochs are stopped, unless there are `valid_days`
    tree_weight : share of XGBoost in the ensemble, the network has the rest
    """

    run: tuple[str, ...] = MODELS
    seed: int = 7
    positive_weight: float = 10.0
    trees: int = 200
    depth: int = 5
    rate: float = 0.05
    subsample: float = 0.8
    colsample: float = 0.6
    min_child_weight: float = 5.0
    bins: int = 1024
    repeats: int = 1
    forest_trees: int = 100
    forest_share: float = 1.0
    epochs: int = 30
    stopping_days: int = 3
    tree_weight: float = 0.6


@dataclass(frozen=True, slots=True)
class Settings:
    """One benchmark.

    Attributes
    ----------
    columns : how to read the table; None where it is a public data set, known by its header
    grid : keys of [protocol] or [models] with the values that `--tune` tries
    """

    title: str
    columns: ColumnMapping | None = None
    protocol: Protocol = field(default_factory=Protocol)
    features: FeatureChoice = field(default_factory=FeatureChoice)
    models: ModelChoice = field(default_factory=ModelChoice)
    grid: tuple[tuple[str, tuple[Any, ...]], ...] = ()

    def candidates(self) -> list[dict[str, Any]]:
        """All combinations of the grid, in the file's order."""
        names = [name for name, _ in self.grid]
        return [dict(zip(names, values, strict=True)) for values in product(*(values for _, values in self.grid))]

    def changed(self, values: dict[str, Any]) -> Settings:
        """These settings with values of a grid's point."""
        names = {item.name for item in fields(Protocol)}
        protocol = {name: value for name, value in values.items() if name in names}
        models = {name: value for name, value in values.items() if name not in names}
        changed = replace(self, protocol=replace(self.protocol, **protocol), models=replace(self.models, **models))
        check_settings(changed)
        return changed


def read_settings(path: Path) -> Settings:
    """Read and check a benchmark's TOML file.

    Raises
    ------
    InvalidInput
        The file is missing or not TOML, a key is unknown or missing, or a value does not fit.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(f"schema {path} cannot be read ({error.strerror}); give the path of a TOML file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"schema {path} is not TOML: {error}") from error
    known = {"title", "columns", "time", "labels", "protocol", "features", "models", "tuning"}
    _refuse_unknown("the file", content, known)
    read = Settings(
        title=str(content.get("title", path.stem)),
        columns=ColumnMapping.from_dict(content) if "columns" in content else None,
        protocol=_section(Protocol, "protocol", content),
        features=_section(FeatureChoice, "features", content),
        models=_section(ModelChoice, "models", content),
        grid=_grid(content.get("tuning", {})),
    )
    _check_labels(content, read)
    check_settings(read)
    for values in read.candidates():
        read.changed(values)
    return read


def _check_labels(content: dict[str, Any], read: Settings) -> None:
    """What [time] and [labels] say must be of use, and agree with the protocol."""
    if read.columns is None:
        for name in ("time", "labels"):
            if name in content:
                raise InvalidInput(f"[{name}] goes with [columns]; name the table's columns or leave [{name}] out")
    elif "labels" in content and read.columns.label_delay_days != read.protocol.label_delay_days:
        raise InvalidInput(
            f"[labels] delay_days = {read.columns.label_delay_days} and [protocol] label_delay_days = "
            f"{read.protocol.label_delay_days} differ; make them one"
        )


def check_settings(settings: Settings) -> None:
    """Raise InvalidInput where values contradict one another."""
    protocol, models = settings.protocol, settings.models
    if protocol.kind not in KINDS:
        raise InvalidInput(f"[protocol] kind = {protocol.kind!r} is unknown; use one of {', '.join(KINDS)}")
    if protocol.kind == "single" and protocol.train_start is None:
        raise InvalidInput("[protocol] train_start is missing; give the first day of training, as 2018-07-25")
    if protocol.kind == "prequential" and not protocol.test_starts:
        raise InvalidInput("[protocol] test_starts is empty; list the first training day of each fold")
    if protocol.label_delay_days > protocol.delay_days:
        raise InvalidInput(
            f"[protocol] delay_days = {protocol.delay_days} is shorter than label_delay_days = "
            f"{protocol.label_delay_days}, so training labels would not have arrived; lengthen it"
        )
    for name, least in (("train_days", 1), ("test_days", 1), ("card_budget", 1)):
        if getattr(protocol, name) < least:
            raise InvalidInput(f"[protocol] {name} = {getattr(protocol, name)} is below {least}; raise it")
    for name in ("valid_days", "delay_days", "history_days", "label_delay_days"):
        if getattr(protocol, name) < 0:
            raise InvalidInput(f"[protocol] {name} = {getattr(protocol, name)} is negative; use 0 or more")
    if any(days < 1 for days in settings.features.delayed_days):
        raise InvalidInput("[features] delayed_days holds a window below one day; use whole days from 1")
    if not 0.0 < models.forest_share <= 1.0:
        raise InvalidInput(f"[models] forest_share = {models.forest_share} is out of range; choose above 0 up to 1")
    unknown = [name for name in models.run if name not in MODELS]
    if unknown or not models.run:
        raise InvalidInput(f"[models] run has {unknown or 'no model'}; choose from {', '.join(MODELS)}")
    if "ensemble" in models.run and not {"xgboost", "network"} <= set(models.run):
        raise InvalidInput('[models] run has "ensemble" without "xgboost" and "network"; add them')


def _refuse_unknown(where: str, content: dict[str, Any], known: set[str]) -> None:
    for key in content:
        if key not in known:
            raise InvalidInput(f"{where} has the unknown key {key!r}; known are {', '.join(sorted(known))}")


def _section(kind: type[T], name: str, content: dict[str, Any]) -> T:
    """One table of the file as its dataclass."""
    values = content.get(name, {})
    if not isinstance(values, dict):
        raise InvalidInput(f"{name} must be a table; write [{name}]")
    hints = get_type_hints(kind)
    _refuse_unknown(f"[{name}]", values, set(hints))
    ready = {key: _value(f"[{name}] {key}", hints[key], value) for key, value in values.items()}
    return kind(**ready)


def _value(where: str, hint: Any, value: Any) -> Any:
    """`value` as the type that a field declares, or InvalidInput."""
    inner = get_args(hint)
    if Ellipsis in inner:
        if not isinstance(value, list):
            raise InvalidInput(f"{where} = {value!r} must be a list")
        return tuple(_value(where, inner[0], item) for item in value)
    wanted = inner[0] if inner else hint
    if wanted is float and type(value) is int:
        return float(value)
    if wanted is date:
        return _day(where, value)
    if type(value) is not wanted:
        raise InvalidInput(f"{where} = {value!r} must be of type {wanted.__name__}")
    return value


def _day(where: str, value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise InvalidInput(f"{where} = {value!r} is not a day; write it as 2018-07-25") from None


def _grid(tuning: Any) -> tuple[tuple[str, tuple[Any, ...]], ...]:
    """[tuning.grid] with keys and types checked against the sections they change."""
    if not isinstance(tuning, dict):
        raise InvalidInput("tuning must be a table; write [tuning.grid]")
    _refuse_unknown("[tuning]", tuning, {"grid"})
    hints = {"history_days": int, **get_type_hints(ModelChoice)}
    del hints["run"], hints["seed"]
    grid = tuning.get("grid", {})
    if not isinstance(grid, dict):
        raise InvalidInput("[tuning] grid must be a table; write [tuning.grid]")
    _refuse_unknown("[tuning.grid]", grid, set(hints))
    out = []
    for key, values in grid.items():
        if not isinstance(values, list) or not values:
            raise InvalidInput(f"[tuning.grid] {key} = {values!r} must be a list of values to try")
        out.append((key, tuple(_value(f"[tuning.grid] {key}", hints[key], value) for value in values)))
    return tuple(out)
