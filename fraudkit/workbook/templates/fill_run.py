"""A/B test plan, production deployment, monitoring and alerting, filled in from the fraud system."""

from __future__ import annotations

from math import ceil, sqrt

import numpy as np

from fraudkit.features.catalog import schema_hash
from fraudkit.rules.catalog import RULES
from fraudkit.rules.policy import DEFAULT_POLICY
from fraudkit.workbook.templates.facts import Facts, figure, machine
from fraudkit.workbook.templates.form import Fill, Row, Value
from fraudkit.workbook.templates.sample_size import (
    bound_for_looks,
    design_effect,
    false_alarms_with_peeking,
    units_not_worse,
    units_per_arm,
)

ALPHA, POWER = 0.05, 0.80
EFFECT = 0.05  # relative fall of the missed share that is worth having
FPR, FPR_MARGIN = 0.02, 0.001
FRAUDS_PER_CARD, CORRELATION = 4.0, 0.3  # of a stolen card; how alike its payments' fates are: assumptions
PAYMENTS_A_DAY = 10_000_000  # the specification's volume
SHARE = 0.05  # of the traffic in each arm
LOOKS = 4
SEED = 7
MATURITY_KEY = "maturity_days"


def ab_test_plan(facts: Facts) -> Fill:
    """The ensemble against the trees alone, with its sample size computed."""
    missed = 1.0 - facts.models["xgboost"]["loss_prevented_below_2pct_fpr"]
    wanted = missed * (1 - EFFECT)
    rows, frauds = facts.test_rows
    plain = units_per_arm(missed, wanted, ALPHA, POWER)
    effect = design_effect(FRAUDS_PER_CARD, CORRELATION)
    needed = ceil(plain * effect)
    days = ceil(needed / (PAYMENTS_A_DAY * SHARE * frauds / rows))
    whole_weeks = 7 * max(2, ceil(days / 7))
    friction = units_not_worse(FPR, FPR_MARGIN, ALPHA, POWER)
    rng = np.random.default_rng(SEED)
    peeking, bound = false_alarms_with_peeking(LOOKS, rng, ALPHA), bound_for_looks(LOOKS, rng, ALPHA)
    bounds = ", ".join(f"{bound * sqrt(LOOKS / look):.2f}" for look in range(1, LOOKS + 1))
    maturity = facts.gate[MATURITY_KEY]
    values: dict[str, Value] = {
        "experiment": "ensemble against trees alone",
        "owner": "fraud product owner",
        "analyst": "experiment analyst, risk",
        "written": facts.date,
        "starts_and_ends": f"{whole_weeks} days of assignment, read {maturity} days after the last of them",
        "change": "scoring with the ensemble instead of the trees alone",
        "effect": f"lowers the share of fraud that is approved by {EFFECT:.0%} of its value",
        "reason": "the network sees other patterns than the trees",
        "null_hypothesis": "the share of fraud that is approved is the same in both arms",
        "decision_it_serves": "which score decides in production",
        "arm": [
            ("control", "trees alone, same thresholds by false-positive rate", f"{SHARE:.0%}"),
            ("treatment", "ensemble, same thresholds by false-positive rate", f"{SHARE:.0%}"),
            ("not in the test", "production as it is", f"{1 - 2 * SHARE:.0%}"),
        ],
        "unit": "card holder. Payments of one holder share history and fate; a thief tries again on the same card",
        "assignment": "SHA-256 of salt and user_id, modulo 10,000; fixed for the whole test",
        "left_out": "holders in their first 30 days are analysed apart: no history",
        "interference": "thieves move from cards that are declined to others; shared devices and addresses touch both "
        "arms, so effects may be diluted",
        "metric_kind": [
            ("primary", "missed share", "approved fraud over all fraud, by matured labels", f"{maturity} days"),
            ("secondary", "missed amount", "the same in dollars, with a bootstrap over cards", f"{maturity} days"),
            ("secondary", "precision of reviews", "confirmed over reviewed", "48 hours"),
            ("guardrail", "friction", "honest payments stopped over honest payments", f"{maturity} days"),
            ("guardrail", "latency", "p99 of an answer", "at once"),
        ],
        "quantity": [
            ("missed share, control", f"{missed:.1%}", facts.source),
            ("missed share, treatment", f"{wanted:.1%}", f"smallest effect worth having: {EFFECT:.0%} relative"),
            ("alpha, power", f"{ALPHA:g} two-sided, {POWER:g}", "convention, agreed with risk"),
            ("frauds an arm, independent", f"{plain:,}", "normal approximation for two shares"),
            (
                "design effect",
                f"{effect:.2f}",
                f"assumed: {FRAUDS_PER_CARD:g} frauds a stolen card, correlation {CORRELATION:g}; to be measured",
            ),
            ("frauds an arm, clustered", f"{needed:,}", "product of the two"),
            ("share of frauds among payments", f"{frauds / rows:.2%}", facts.source),
            ("days", f"{days}", f"{PAYMENTS_A_DAY:,} payments a day (specification), {SHARE:.0%} an arm"),
            (
                "honest payments an arm for friction",
                f"{friction:,}",
                f"not worse than {FPR:.1%} by {FPR_MARGIN:.1%} or more, one-sided",
            ),
        ],
        "duration": f"{whole_weeks} days: whole weeks, at least two; then {maturity} days until labels are mature",
        "smallest_effect": f"{EFFECT:.0%} of the missed share; below it the second model does not pay its upkeep",
        "guardrail": [
            ("friction", f"+{FPR_MARGIN:.1%} of honest payments", "weekly, reviews first", "fraud product owner"),
            ("p99 of an answer", "50 ms", "continuously", "on-call engineer"),
            ("degraded answers", "1 % for 5 minutes", "continuously", "on-call engineer"),
            ("review queue", "capacity of a day", "daily", "head of reviews"),
        ],
        "planned_looks": f"{LOOKS}, evenly spaced by matured frauds",
        "false_alarms_without_a_correction": f"{peeking:.0%} instead of {ALPHA:.0%}, simulated for {LOOKS} looks",
        "bounds": f"{bounds} (O'Brien and Fleming)",
        "stopping_rule": "harm by a guardrail: at once; success: at a planned look above its bound; futility: never",
        "test": "difference of shares, interval by a bootstrap over card holders",
        "sanity_checks": "two weeks of A/A; chi-squared test of the arm sizes, stop below p 0.001",
        "segments_named_in_advance": "new holders, online payments, payments above $200",
        "immature_labels": "left out; never counted as clean. Both arms are cut at the same age",
        "primary_result": [
            ("better", "held", "promote through the registry's gate"),
            ("no difference", "held", "keep the trees alone: one model less to run"),
            ("any", "broken", "roll back, write down why"),
        ],
        "rollback": "`fraudkit models rollback`; the next answers come from the version before",
    }
    done = (
        "hypothesis_metrics_sample_size_and_stopping_rule_were_written_before_the_start",
        "the_unit_of_analysis_is_the_unit_of_randomisation_or_the_clustering_is_accounted_for",
    )
    return Fill(values, dict.fromkeys(done, (True, "")))


def production_deployment(facts: Facts) -> Fill:
    """The scoring service with the ensemble."""
    p99, auc = figure("service", "open loop, p99"), facts.models["ensemble"]["roc_auc"]
    batch, wrong = figure("service", "batch door"), figure("service", "replies other than 200, and fallbacks")
    start = figure("service", "from start to the first answer")
    model = (facts.production["name"], f"`{facts.production['digest'][:16]}`") if facts.own else ("candidate", OPEN)
    values: dict[str, Value] = {
        "service_and_version": "fraud scoring service",
        "release_owner": "release manager, fraud platform",
        "on_call": "fraud platform on-call",
        "window": "a weekday morning with both teams present",
        "change": "the ensemble decides instead of the rules",
        "artefact": [
            ("model bundle", *model),
            ("feature schema", "catalog", f"`{schema_hash()[:16]}`"),
            ("rules", f"{len(RULES)} rules", f"`{RULES.digest()[:16]}`"),
            ("policy", f"version {DEFAULT_POLICY.version}", f"`{DEFAULT_POLICY.digest()[:16]}`"),
        ],
        "demand": [
            ("ROC AUC", "> 0.90", f"{auc:.3f} ({facts.source})", _kept(auc > 0.90)),
            ("p99 of an answer, open loop", "< 50 ms", f"{p99:.1f} ms (service.json)", _kept(p99 < 50)),
            ("batch door", "10,000 a second", f"{batch:,.0f} a second (service.json)", _kept(batch >= 10_000)),
            ("wrong or fallback replies in the load test", "0", f"{wrong:.0f} (service.json)", _kept(wrong == 0)),
            ("start to first answer", "< 3 s", f"{start:.1f} s (service.json)", _kept(start < 3)),
        ],
        "rate": "10,000 a second sustained, 20,000 at peak (specification)",
        "served_by_one_process": f"{figure('service', 'service, 32 connections'):,.0f} requests a second on one core; "
        f"{machine('service')}",
        "headroom": "70 % utilisation at peak, with one zone and one replica away",
        "dependency": [
            ("feature store", "second store, then scores without history and a stricter policy", "`degraded`"),
            ("address reputation", "default value", "`degraded`"),
            ("model", "other model, then rules; without a score: approve small sums, review the rest", "`decision`"),
            ("decision database", "no answer is sent that was not written", "error rate"),
        ],
        "step": [
            ("shadow", "all, decides nothing", "one week", "parity clean, p99 < 50 ms, decision shares as expected"),
            ("canary", "1 %", "one day", "guardrails held"),
            ("A/B test", "see its plan", "as planned", "its decision table"),
            ("all", "100 %", "one week", "no related alert"),
        ],
        "rollback_trigger": "p99 > 100 ms for 4 minutes, degraded > 1 % for 5 minutes, or decline share off",
        "rollback_command": "fraudkit models rollback",
        "rollback_time": f"one restart a replica, {start:.1f} s to the first answer",
        "not_reversible": "decisions already sent, and labels that they prevented",
        "last_rehearsed": "chapter 08, in a temporary registry",
    }
    done = {
        "no_raw_card_number_in_requests_kept_logs_or_decisions": "`fraudkit checklist constraints --verify`",
        "the_service_refuses_a_public_address_without_a_key": "FRAUDKIT_API_KEY",
        "limits_on_body_size_batch_size_and_time_are_set": "",
        "online_and_offline_features_were_compared_on_live_like_events": "`fraudkit features parity`",
    }  # the load test ran at half of one core's rate, not at peak, so that box stays open
    return Fill(values, {name: (True, note) for name, note in done.items()})


OPEN = "in the registry of the release"


def alert_rows(facts: Facts) -> list[Row]:
    """The alert rules: name, what was specified, for how long, severity, action."""
    return [
        (
            rule["alert"],
            rule["annotations"].get("specified") or rule["annotations"]["summary"],
            rule.get("for", "at once"),
            rule["labels"]["severity"],
            rule["annotations"]["action"],
        )
        for rule in facts.alerts
    ]


def monitoring_and_alerting(facts: Facts) -> Fill:
    """What is watched, and the alert rules that Prometheus gets."""
    values: dict[str, Value] = {
        "service": "fraud scoring service",
        "owner": "fraud platform on-call lead",
        "dashboard": "`deploy/grafana/fraud.json`",
        "reviewed": facts.date,
        "failure": [
            ("answers too late", "p99 of prediction_latency_seconds", "4 minutes"),
            ("answers without a part", "share of replies with `degraded`", "5 minutes"),
            ("a feature breaks", "KS test with effect size against the reference", "1 day"),
            ("fraud changes", "decision shares; later online AUC", "1 day; label delay"),
            ("the monitor stops", "age of its last run", "2 days"),
        ],
        "operational_metric": [
            ("rate", "decisions a second", "`fraud_predictions_total`", "10,000 a second"),
            ("latency", "p50, p95, p99 of an answer", "`prediction_latency_seconds`", "p99 < 50 ms"),
            ("errors", "replies other than 200", "gateway", "< 0.1 %"),
            ("availability", "good answers in time over all", "gateway", "99.99 %"),
        ],
        "model_metric": [
            ("score distribution", "`fraud_score` against the reference", "none", "at once"),
            ("feature drift", "per feature: statistic, q, PSI", "none", "1 day"),
            ("online AUC, precision, recall", "on mature labels, with intervals", "all sources", "120 days"),
            ("fairness", "false-positive rates by group, with intervals", "all sources", "120 days"),
        ],
        "business_metric": [
            ("loss prevented", "dollars", "head of card payments", "monthly"),
            ("false-positive rate", "share of honest payments", "fraud product owner", "weekly"),
            ("review queue", "cases", "head of reviews", "daily"),
            ("complaints", "calls", "customer service", "weekly"),
        ],
        "reference_sample": "kept with the model bundle, with its digest",
        "drift_statistic": "two-sample KS, false-discovery control over all features, and an effect size",
        "expected_false_alarms": "plain p < 0.01 over 143 features gives 1.4 features a run by arithmetic alone; "
        "`benchmarks/results/false_alarms.json` has the measured days a month",
        "alert": alert_rows(facts),
        "channel": "page: on-call; ticket: queue of the fraud platform",
        "silence": "on-call, at most 4 hours, written in the incident",
        "every": [
            ("week", "review flagged payments, update rules", "fraud operations"),
            ("month", "retrain with the latest patterns, through the gate", "model owner"),
            ("quarter", "deep dive on false positives and negatives", "fraud science"),
            ("year", "redesign features, try new models", "fraud engineering lead"),
        ],
    }
    done = (
        "each_alert_has_a_minimum_count_so_that_a_quiet_night_raises_none",
        "raising_and_clearing_have_different_conditions_so_that_none_flaps",
        "false_alarms_a_month_were_measured_not_guessed",
        "immature_labels_are_left_out_of_online_metrics",
        "the_monitoring_itself_is_monitored_no_data_is_an_alert",
        "a_drift_alert_says_which_feature_and_by_how_much",
    )
    return Fill(values, dict.fromkeys(done, (True, "")))


def _kept(holds: bool) -> str:
    return "yes" if holds else "no"
