"""What the system knows about itself, as plain values for the templates.

Published facts come from the code and from committed records, and are the same everywhere. With
`own`, the figures of this home's production model take the place of the published ones.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from fraudkit.core.config import PROJECT_ROOT
from fraudkit.core.errors import NotReady
from fraudkit.features.catalog import FEATURES
from fraudkit.rules.catalog import RULES
from fraudkit.simulate import WORLDS
from fraudkit.simulate.config import WorldConfig
from fraudkit.workbook.system_checks import ask_fraudkit

RECORDS = PROJECT_ROOT / "benchmarks" / "results"
ALERTS = PROJECT_ROOT / "deploy" / "prometheus" / "alerts.yml"
# As the published record calls them, and as the registry does.
MODELS = {
    "rules": "rules only",
    "logistic": "logistic regression",
    "xgboost": "XGBoost",
    "network": "network",
    "ensemble": "ensemble, 0.6 XGBoost + 0.4 network",
}
METRICS = {
    "roc_auc": "ROC AUC",
    "average_precision": "average precision",
    "precision_at_1000": "precision@1000",
    "loss_prevented_below_2pct_fpr": "loss prevented at a false-positive rate below 2 %",
}


@dataclass(frozen=True)
class Facts:
    """The facts of one filling; `own` takes this home's production model instead of the published record."""

    own: bool = False

    @cached_property
    def production(self) -> dict[str, Any]:
        """This home's production model as `fraudkit models show` prints it; raises NotReady where there is none."""
        found: dict[str, Any] = ask_fraudkit("models", "show", "production", "--json")
        return found

    @cached_property
    def models(self) -> dict[str, dict[str, float]]:
        """Metrics of each model on the test period, by the registry's names."""
        if self.own:
            return {name: {metric: self.production["metrics"][name][metric] for metric in METRICS} for name in MODELS}
        return {
            name: {metric: figure("models", f"{words}, {label}") for metric, words in METRICS.items()}
            for name, label in MODELS.items()
        }

    @cached_property
    def test_rows(self) -> tuple[int, int]:
        """Transactions and frauds of the test period."""
        if self.own:
            ensemble = self.production["metrics"]["ensemble"]
            return int(ensemble["rows"]), int(ensemble["frauds"])
        return int(figure("models", "transactions in the test period")), int(
            figure("models", "frauds in the test period")
        )

    @property
    def source(self) -> str:
        """Where the models' figures come from, in words."""
        if self.own:
            return f"model {self.production['name']} of this home's registry"
        return f"`benchmarks/results/models.json` of {record('models')['date']}, reference world"

    @property
    def date(self) -> str:
        """The day of the figures."""
        return str(self.production["registered_at"])[:10] if self.own else str(record("models")["date"])

    @cached_property
    def gate(self) -> dict[str, Any]:
        """What the promotion gate asks."""
        demands: dict[str, Any] = ask_fraudkit("models", "demands", "--json")
        return demands

    @property
    def world(self) -> WorldConfig:
        """The reference world."""
        return WORLDS["reference"]

    @cached_property
    def alerts(self) -> list[dict[str, Any]]:
        """The alert rules as Prometheus gets them.

        Raises
        ------
        NotReady
            The file is not there, as outside a checkout.
        """
        try:
            groups = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
        except OSError as error:
            raise NotReady(f"{ALERTS} cannot be read; work in a checkout of the project") from error
        return [rule for group in groups for rule in group["rules"] if "alert" in rule]

    def auc(self, name: str) -> str:
        """A model's ROC AUC, three digits."""
        return f"{self.models[name]['roc_auc']:.3f}"


@cache
def record(name: str) -> dict[str, Any]:
    """A published record of benchmarks/results.

    Raises
    ------
    NotReady
        It is not there, as outside a checkout.
    """
    try:
        content: dict[str, Any] = json.loads((RECORDS / f"{name}.json").read_text(encoding="utf-8"))
    except OSError as error:
        raise NotReady(f"no record {name} in {RECORDS}; work in a checkout of the project") from error
    return content


def figure(name: str, what: str) -> float:
    """One figure of a published record.

    Raises
    ------
    NotReady
        The record has no such figure.
    """
    for entry in record(name)["figures"]:
        if entry["what"] == what:
            return float(entry["value"])
    raise NotReady(f"{name}.json has no figure {what!r}; run python -m benchmarks.{name}")


def machine(name: str) -> str:
    """The machine of a record, in words."""
    found = record(name)["machine"]
    return f"{found['cores']} cores, {found['cpu']}, {found['memory_gb']} GB"


def families() -> list[tuple[str, int, str, str]]:
    """Feature families: name, number of features, entities, an example with its meaning."""
    rows = []
    for family, count in Counter(feature.family for feature in FEATURES).items():
        chosen = [feature for feature in FEATURES if feature.family == family]
        entities = ", ".join(dict.fromkeys(feature.entity for feature in chosen))
        rows.append((family, count, entities, f"`{chosen[0].name}`: {chosen[0].meaning}"))
    return rows


def decisive_rules() -> list[Sequence[str]]:
    """The rules that decline by themselves: reason, confidence, condition."""
    return [(rule.reason, f"{rule.confidence:.2f}", f"`{rule.condition}`") for rule in RULES if rule.decisive]


def read_form(path: Path) -> str:
    """The text of a form.

    Raises
    ------
    NotReady
        It is not there.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise NotReady(f"{path} cannot be read; work in a checkout of the project") from error
