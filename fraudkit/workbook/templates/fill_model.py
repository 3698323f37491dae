"""Model development, experiment tracking and model evaluation, filled in from the fraud system."""

from __future__ import annotations

from fraudkit.features.catalog import schema_hash
from fraudkit.models.params import TrainingParams
from fraudkit.rules.catalog import RULES
from fraudkit.rules.cost_policy import Costs
from fraudkit.rules.policy import DEFAULT_POLICY
from fraudkit.workbook.templates.facts import MODELS, Facts, figure, machine
from fraudkit.workbook.templates.form import Fill, Row, Value


def results(facts: Facts) -> list[Row]:
    """Every model's row of the table of results."""
    return [
        (
            MODELS[name],
            f"{found['roc_auc']:.3f}",
            f"{found['average_precision']:.3f}",
            f"{found['precision_at_1000']:.3f}",
            f"{found['loss_prevented_below_2pct_fpr']:.1%}",
        )
        for name, found in facts.models.items()
    ]


def _periods(facts: Facts) -> dict[str, Value]:
    """Training, validation, gap and test in words."""
    world, (rows, frauds) = facts.world, facts.test_rows
    if facts.own:
        recorded = "stands in `fraudkit models show production`"
        return {
            "training_period": recorded,
            "validation_period": recorded,
            "gap": recorded,
            "test_period": f"{rows:,} payments, {frauds:,} frauds; the dates are in the model's record",
        }
    return {
        "training_period": f"{world.train_start:%Y-%m-%d} to {world.valid_start:%Y-%m-%d}, labels as known at the end",
        "validation_period": f"to {world.valid_end:%Y-%m-%d}: early stopping and calibration",
        "gap": f"{world.label_delay_days} days, until the last chargebacks have arrived",
        "test_period": f"{world.test_start:%Y-%m-%d} to {world.end:%Y-%m-%d}, {rows:,} payments, {frauds:,} frauds; "
        "looked at once, to report",
    }


def model_development(facts: Facts) -> Fill:
    """The ensemble and its parts."""
    params = TrainingParams()
    values: dict[str, Value] = {
        "model": "ensemble of boosted trees and a network",
        "owner": "model owner, fraud science",
        "date": facts.date,
        "replaces": "rules alone",
        "metric_that_decides": "ROC AUC on the test period, by the gate; average precision beside it, because fraud "
        "is rare",
        "guardrail_metrics": "calibration error, p99 of one answer, false-positive rates by group",
        "target": "ROC AUC > 0.90, precision@1000 > 0.80",
        **_periods(facts),
        "deciding_metric": "ROC AUC",
        "baseline": [
            ("rules only", facts.auc("rules"), _ap(facts, "rules"), "no training, reasons for free"),
            ("logistic regression", facts.auc("logistic"), _ap(facts, "logistic"), "seconds of training"),
        ],
        "parameter": [
            ("trees", f"at most {params.n_estimators}, depth {params.max_depth}", "specification; early stopping"),
            ("learning rate", f"{params.learning_rate:g}", "specification; slower ones gained nothing"),
            ("network", f"143, 256, 128, 64, dropout {params.dropout:g}", "specification"),
            ("weight of trees and network", f"{params.tree_weight:g} and {1 - params.tree_weight:g}", "specification"),
            ("weight of a fraud", f"{params.positive_weight:g}", "fixed, so that a threshold keeps its meaning"),
        ],
        "class_imbalance": f"a fraud weighs {params.positive_weight:g} times; scores are not probabilities until "
        "calibrated",
        "calibration": "Platt's unless isotonic regression wins in cross-validation on at least 1,000 frauds"
        + ("" if facts.own else f"; error {figure('models', CALIBRATION):.4f}"),
        "randomness": "one seed; the same data and seed give the same digest",
        "result_model": results(facts),
        "source_of_the_figures": facts.source,
        "what_did_not_work": "on a public data set: 49 or 80 days of training instead of 21, more columns than 18, "
        "XGBoost's newer defaults (LOG.md has the figures)",
        "explanation_method": "exact Shapley values of the trees, per decision",
        "explanation_check": f"{figure('explain', 'distance of the sum from the margin'):.0e} log-odds",
        "gate_demand": gate_rows(facts),
    }
    ticked = (
        "the_simplest_baseline_was_measured_on_the_same_rows",
        "split_by_time_with_the_label_delay_as_a_gap",
        "confidence_intervals_resample_the_unit_that_repeats_cards_not_rows",
        "artefacts_are_data_with_digests_nothing_is_unpickled",
        "same_data_and_seed_give_the_same_digest",
        "latency_of_one_row_and_of_a_batch_was_measured_on_the_serving_code",
        "negative_results_are_written_down_with_their_figures",
    )
    return Fill(values, dict.fromkeys(ticked, (True, "")))


CALIBRATION = "expected calibration error, ensemble's probability"


def gate_rows(facts: Facts) -> list[Row]:
    """The gate's demands."""
    gate = facts.gate
    return [
        ("gain in ROC AUC over production", f"more than {gate['min_auc_gain']:g}"),
        (f"{gate['confidence']:.0%} interval of the gain", f"above 0, {gate['resamples']:,} resamples of cards"),
        ("ROC AUC of a first model", f"at least {gate['min_first_auc']:g}"),
        ("frauds in the test window", f"at least {gate['min_frauds']}"),
        ("age of the youngest test row when labels are read", f"at least {gate['maturity_days']} days"),
        ("feature schema", "the same as production's"),
    ]


def experiment_tracking(facts: Facts) -> Fill:
    """Does averaging trees and network beat the trees?"""
    trees, both = facts.models["xgboost"], facts.models["ensemble"]
    gain = both["roc_auc"] - trees["roc_auc"]
    enough = gain > facts.gate["min_auc_gain"]
    values: dict[str, Value] = {
        "experiment_title": "does averaging trees and network beat the trees?",
        "number": "E-0001",
        "author": "model owner, fraud science",
        "started": facts.date,
        "status": "concluded",
        "hypothesis": "errors of trees and network differ, so 0.6 and 0.4 of them rank better than the trees alone",
        "refuted_if": f"ROC AUC rises by no more than the gate's {facts.gate['min_auc_gain']:g}",
        "data_identity": facts.source,
        "features_identity": f"schema `{schema_hash()[:16]}`",
        "rules_identity": f"`{RULES.digest()[:16]}`, {len(RULES)} rules",
        "policy_identity": f"`{DEFAULT_POLICY.digest()[:16]}`",
        "code_identity": "the commit that holds the record",
        "environment_identity": f"requirements.lock; {machine('models')}",
        "seed": "7",
        "command": "`python -m benchmarks.models`" if not facts.own else "`fraudkit train`",
        "run": [
            (
                str(number),
                MODELS[name],
                facts.auc(name),
                _ap(facts, name),
                f"{facts.models[name]['precision_at_1000']:.3f}",
                f"`{facts.production['digest'][:16]}`" if facts.own else "in the registry of the run",
            )
            for number, name in enumerate(("xgboost", "network", "ensemble"), 1)
        ],
        "configurations_tried": "these three; the weights are the specification's and were not tuned",
        "difference": f"{gain:+.4f} ROC AUC, {both['average_precision'] - trees['average_precision']:+.4f} average "
        "precision; the gate resamples cards for the interval",
        "against_the_rule": "not refuted" if enough else "refuted: a gain, but not one that the gate would promote",
        "surprise": "the network alone comes close to the trees" if not facts.own else "none",
        "decision": "keep the ensemble: the network stands in when the trees fail, and it is the specification's",
        "cost_to_adopt": f"{figure('model_runtime', 'our network, one row'):.0f} µs more for one payment",
        "next_experiment": "weights chosen on validation",
    }
    ticked = (
        "refutation_rule_written_before_the_first_run",
        "one_change_a_run",
        "all_runs_are_listed_not_only_the_good_ones",
        "the_test_period_was_not_used_to_choose",
        "result_and_decision_are_told_apart",
    )
    return Fill(values, dict.fromkeys(ticked, (True, "")))


def model_evaluation(facts: Facts) -> Fill:
    """The ensemble against the requirements."""
    rows, frauds = facts.test_rows
    both, costs, policy = facts.models["ensemble"], Costs(), DEFAULT_POLICY
    auc, precision, p99 = both["roc_auc"], both["precision_at_1000"], figure("service", "open loop, p99")
    loss = both["loss_prevented_below_2pct_fpr"]
    values: dict[str, Value] = {
        "model": MODELS["ensemble"],
        "evaluated_by": "validation, not the model owner",
        "date": facts.date,
        "against": "rules alone and each part alone",
        "test_period": _periods(facts)["test_period"],
        "rows_and_positives": f"{rows:,} payments, {frauds:,} frauds",
        "labels": "what really happened, which only a simulator knows"
        if not facts.own
        else "as the model's record says",
        "source_of_the_figures": facts.source,
        "result_model": results(facts),
        "interval_of_the_difference": f"paired bootstrap over cards, {facts.gate['resamples']:,} resamples, in the "
        "gate's report",
        "policy_name": [
            (
                "default",
                f"{policy.decline_above:g}",
                f"{policy.review_above:g}",
                f"{policy.degraded_review_above:g}",
                f"${policy.fallback_cap_usd:g}",
            )
        ],
        "costs": f"${costs.false_positive:g} and ${costs.false_negative:g} (the specification)",
        "calibration_error": f"{figure('models', CALIBRATION):.4f}" if not facts.own else "in `fraudkit models show`",
        "calibration_weakness": "chapter 07 draws the curve",
        "review_capacity": "to be named by the head of the review team",
        "segment": [
            ("country, age band", "false-positive rates of honest payments", "set in advance", "`fraudkit evaluate`"),
        ],
        "robustness_case": [
            ("store away", "an answer, stricter, marked degraded", "chapter 12"),
            ("model away", "other model, then rules", "chapter 12"),
            ("connection leak", "noticed by an alert", "chapter 14"),
        ],
        "requirement": [
            ("ROC AUC", "> 0.90", f"{auc:.3f}", _kept(auc > 0.90)),
            ("precision@1000", "> 0.80", f"{precision:.3f}", _kept(precision > 0.80)),
            ("loss prevented, FPR < 2 %", "40 %", f"{loss:.1%}", _kept(loss > 0.40)),
            ("p99 of an answer", "< 50 ms", f"{p99:.1f} ms", _kept(p99 < 50)),
        ],
        "verdict": "promote" if auc > 0.90 and precision > 0.80 else "do not promote on these figures",
        "conditions": "A/B test with the guardrails of its plan",
        "limits": "a simulated world: behaviour carries over only as far as the simulation does",
    }
    ticked = (
        "accuracy_is_not_among_the_metrics",
        "every_figure_has_a_baseline_beside_it",
        "misses_are_reported_as_plainly_as_hits",
        "the_figures_can_be_produced_again_with_one_command",
    )
    return Fill(values, dict.fromkeys(ticked, (True, "")))


def _ap(facts: Facts, name: str) -> str:
    return f"{facts.models[name]['average_precision']:.3f}"


def _kept(holds: bool) -> str:
    return "yes" if holds else "no"
