"""What a policy looks like through its own labels, with and without a random share of declines let pass.

python -m benchmarks.selective_labels [--quick]

The simulator knows what every payment was. The default policy decides the test period; labels are then hidden where it
declines. Beside each other: figures from what was approved or reviewed, the same with silence read as legitimate,
weighted estimates with a share of the declines let pass, and the truth. The draw is made with many keys on the
same payments, to count how often an interval holds the truth. It also allows for other payments than these, which the
truth does not, so it should be more often than 95 %.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.record import Figure, new_record, table, write_record
from fraudkit.core.console import progress_bar
from fraudkit.evaluate.bootstrap import Interval
from fraudkit.evaluate.selective import (
    Diagnosis,
    Estimates,
    Logged,
    naive_estimates,
    weighted_estimates,
)
from fraudkit.models.bundle import Bundle
from fraudkit.models.params import TrainingParams
from fraudkit.models.train import train_bundle
from fraudkit.pipeline.training import bare_features
from fraudkit.pipeline.workspace import Workspace, open_workspace
from fraudkit.rules.catalog import RULES
from fraudkit.rules.cost_policy import Costs
from fraudkit.rules.exploration import Exploration
from fraudkit.rules.policy import DEFAULT_POLICY

WORDS = {
    "base_rate": "share of fraud",
    "precision": "precision",
    "recall": "recall",
    "stopped_share": "share of the fraud's amount flagged",
    "missed_usd": "fraud not flagged",
}
SCALE, SHARE, CAP_USD, KEYS, RESAMPLES = 5.0, 0.05, 200.0, 200, 400


@dataclass(frozen=True)
class Decided:
    """The test period as the default policy decides it; arrays of shape (n,)."""

    transaction_id: np.ndarray
    user_id: np.ndarray
    amount_usd: np.ndarray
    fraud: np.ndarray
    declined: np.ndarray
    reviewed: np.ndarray
    eligible: np.ndarray

    def log(self, passed: np.ndarray, share: float) -> Logged:
        """What a log holds where `passed` of the declines were let pass, each with probability `share`."""
        chance = np.where(self.declined, np.where(self.eligible, share, 0.0), 1.0)
        return Logged(
            self.fraud, ~self.declined | passed, chance, self.declined | self.reviewed, self.amount_usd, self.user_id
        )


@dataclass(frozen=True)
class Draw:
    """One key: the estimates, whether they can be trusted, and what was paid for them."""

    estimates: Estimates
    diagnosis: Diagnosis
    passed: int
    lost_usd: float
    spared: int


def decide(workspace: Workspace, bundle: Bundle, cap_usd: float) -> Decided:
    """The default policy on the test period."""
    rows = workspace.split.test
    X = np.ascontiguousarray(workspace.features()[rows])
    fired = RULES.evaluate(X)
    action = DEFAULT_POLICY.decide_many(bundle.score(X).ensemble, RULES.decisive(fired))
    amount = workspace.amount_usd[rows]
    exploration = Exploration(0.0, cap_usd, "0" * 16)
    ids = [rule.id for rule in RULES]
    is_decisive = [rule.decisive for rule in RULES]
    eligible = action == "DECLINE"
    for row in np.flatnonzero(eligible):
        hits = [name for name, decisive, hit in zip(ids, is_decisive, fired[row], strict=True) if decisive and hit]
        eligible[row] = exploration.is_eligible(float(amount[row]), hits)
    payments = workspace.transactions.iloc[rows]
    user = pd.factorize(payments["user_id"].to_numpy(), sort=True)[0]
    declined, reviewed = action == "DECLINE", action == "REVIEW"
    names = payments["transaction_id"].to_numpy()
    return Decided(names, user, amount, workspace.y_true[rows], declined, reviewed, eligible)


def draw(decided: Decided, exploration: Exploration, rng: np.random.Generator, resamples: int) -> Draw:
    """Let a share pass with one key, and estimate."""
    passed = np.zeros(len(decided.fraud), dtype=bool)
    for row in np.flatnonzero(decided.eligible):
        passed[row] = exploration.lets_pass(decided.transaction_id[row])
    log = decided.log(passed, exploration.share)
    estimates, diagnosis = weighted_estimates(log, rng, resamples=resamples)
    return Draw(
        estimates,
        diagnosis,
        passed=int(passed.sum()),
        lost_usd=float(decided.amount_usd[passed & decided.fraud].sum()),
        spared=int((passed & ~decided.fraud).sum()),
    )


def true_values(decided: Decided) -> dict[str, float]:
    """What the estimates are of: everything that had a chance to be seen, with its true label."""
    reach = ~decided.declined | decided.eligible
    fraud, flag = decided.fraud[reach], (decided.declined | decided.reviewed)[reach]
    usd = decided.amount_usd[reach] * fraud
    return {
        "base_rate": float(fraud.mean()),
        "precision": float(fraud[flag].mean()),
        "recall": float(flag[fraud].mean()),
        "stopped_share": float(usd[flag].sum() / usd.sum()),
        "missed_usd": float(usd[~flag].sum() / len(usd)),
    }


def trained(workspace: Workspace, params: TrainingParams | None, seed: int) -> Bundle:
    """A model of the training period."""
    split, X = workspace.split, workspace.features()
    return train_bundle(
        X[split.train], split.y_train, X[split.valid], split.y_valid, np.random.default_rng(seed), params=params,
        bare=(bare_features(workspace, split.train), bare_features(workspace, split.valid)),
    ).bundle  # fmt: skip


def page(decided: Decided, draws: list[Draw], rng: np.random.Generator) -> list[str]:
    """The table: measure, approved and reviewed only, silence as legitimate, weighted (first key), truth, coverage."""
    nothing = decided.log(np.zeros(len(decided.fraud), dtype=bool), SHARE)
    seen = naive_estimates(nothing, rng, silence_is_legitimate=False)
    silent = naive_estimates(nothing, rng, silence_is_legitimate=True)
    truth = true_values(decided)
    lines = ["| | what was seen | silence is legitimate | weighted | truth | covered |", "|---|---|---|---|---|---|"]
    for name in WORDS:
        cells = [_cell(getattr(each, name)) for each in (seen, silent, draws[0].estimates)]
        lines.append(
            f"| {WORDS[name]} | {' | '.join(cells)} | {truth[name]:.4f} | {coverage(draws, name, truth[name]):.0%} |"
        )
    return lines


def coverage(draws: list[Draw], name: str, truth: float) -> float:
    """Share of keys whose interval holds the truth."""
    intervals = [getattr(each.estimates, name) for each in draws]
    return float(np.mean([i is not None and i.low <= truth <= i.high for i in intervals]))


def _cell(interval: Interval | None) -> str:
    return "-" if interval is None else f"{interval.estimate:.4f} ({interval.low:.4f} to {interval.high:.4f})"


def figures_of(decided: Decided, draws: list[Draw], rng: np.random.Generator) -> list[Figure]:
    """The record's figures."""
    truth = true_values(decided)
    nothing = decided.log(np.zeros(len(decided.fraud), dtype=bool), SHARE)
    figures = []
    for words, silence in (("seen labels only", False), ("silence read as legitimate", True)):
        naive = naive_estimates(nothing, rng, silence_is_legitimate=silence)
        for name in ("precision", "recall"):
            value = getattr(naive, name)
            figures.append(Figure(f"{name}: {words}", float("nan") if value is None else value.estimate, "share"))
    for name in WORDS:
        found = [getattr(each.estimates, name).estimate for each in draws]
        unit = "US dollars a payment" if name == "missed_usd" else "share"
        figures += [
            Figure(f"{WORDS[name]}: weighted, mean over keys", float(np.mean(found)), unit),
            Figure(f"{WORDS[name]}: truth", truth[name], unit),
            Figure(f"{WORDS[name]}: intervals of 95 % that hold the truth", coverage(draws, name, truth[name]),
                   "of the keys", at_least=0.9),
        ]  # fmt: skip
    paid = {name: float(np.mean([getattr(each, name) for each in draws])) for name in ("passed", "lost_usd", "spared")}
    figures += [
        Figure("declines that were let pass", paid["passed"], "in the test period"),
        Figure("cost: fraud among them", paid["lost_usd"], "US dollars"),
        Figure("gain: honest payments not declined", paid["spared"] * Costs().false_positive, "US dollars"),
        Figure("labels that the flagged are worth", float(np.mean([d.diagnosis.effective_flagged for d in draws])),
               "equally weighted labels"),
    ]  # fmt: skip
    return figures


def main() -> None:
    """Measure, print and, unless --quick, write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a toy size, nothing is written")
    quick = parser.parse_args().quick
    scale, keys, params = (0.5, 5, TrainingParams(n_estimators=40, max_epochs=2)) if quick else (SCALE, KEYS, None)
    rng = np.random.default_rng(7)
    with progress_bar("Selective labels") as progress:
        workspace = open_workspace("small", scale=scale, seed=8, progress=progress)
        workspace.features(progress)
        progress(0.0, "training")
        decided = decide(workspace, trained(workspace, params, 7), CAP_USD)
        draws = []
        for k in range(keys):
            draws.append(draw(decided, Exploration(SHARE, CAP_USD, f"key number {k:06d}"), rng, RESAMPLES))
            progress((k + 1) / keys, f"{k + 1} of {keys} keys")
    figures = figures_of(decided, draws, rng)
    reach, out = int(decided.eligible.sum()), draws[0].diagnosis
    notes = [
        f"{len(decided.fraud):,} payments of 60 days with {int(decided.fraud.sum()):,} frauds, "
        f"{int(decided.declined.sum()):,} declined, {int(decided.reviewed.sum()):,} reviewed",
        f"{reach:,} declines may be let pass (at most {CAP_USD:g} US dollars, no hard rule), {SHARE:.0%} of them are; "
        f"{out.out_of_reach:,} over {out.out_of_reach_usd:,.0f} US dollars may not, and no figure speaks of them",
        f"{keys} keys of the draw on the same payments; the label of a reviewed payment is always seen and right",
    ]
    title = "A policy seen through its own labels"
    versions = ("numpy", "xgboost-cpu", "torch")
    record = new_record("selective_labels", title, "python -m benchmarks.selective_labels", figures, notes, versions)
    print(*page(decided, draws, rng), "", table(record), *notes, sep="\n")
    if not quick:
        print(write_record(record))


if __name__ == "__main__":
    main()
