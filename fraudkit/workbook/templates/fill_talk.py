"""Incident response, ML system design and interview preparation, filled in from the fraud system."""

from __future__ import annotations

from fraudkit.core.label import MATURITY_DAYS
from fraudkit.features.catalog import FEATURES
from fraudkit.models.params import TrainingParams
from fraudkit.rules.cost_policy import Costs
from fraudkit.rules.policy import DEFAULT_POLICY
from fraudkit.workbook.plan.items import Evidence, read_plan
from fraudkit.workbook.progress import ProgressFile
from fraudkit.workbook.templates.facts import Facts, decisive_rules, families, figure
from fraudkit.workbook.templates.form import Fill, Value, box_name
from fraudkit.workbook.templates.incident import Incident, recorded_incident


def incident_response(facts: Facts, incident: Incident | None = None) -> Fill:
    """The rehearsed connection leak, or another incident of the same kind."""
    found = incident or recorded_incident()
    s, day = found.slots, found.day
    values: dict[str, Value] = {
        "incident_title": "reputation look-ups ran out of connections",
        "incident_id": f"INC-{day[:4]}-001",
        "status": "Resolved" if s["fixed"] != "not yet" else "Identified",
        "severity": "High",
        "detected": f"{day} {s['detected']} UTC",
        "resolved": f"{day} {s['fixed']} UTC",
        "duration": f"{s['duration']} minutes, from first harm to the end of harm",
        "summary": "Payments with an address waited for a connection that never came free and were decided without "
        "the reputation of their address.",
        "impact": f"{s['affected']} of {s['decided']} payments decided meanwhile ({s['affected_share']}), worth "
        f"{s['affected_usd']}",
        "root_cause_in_brief": f"the look-up released at {s['released']} kept a connection for every address without a "
        "rating",
        "resolution_in_brief": f"a larger pool ended the harm at {s['ended']}; mended since {s['fixed']}",
        "time": [(at, what, "recorded", f"system ({source})") for at, what, source in found.timeline],
        "users_affected": f"{s['affected']} payments, counted in the decision database",
        "user_duration": f"{s['duration']} minutes",
        "impact_type": "late answers, decided without a part",
        "user_severity": "Medium: every payment had an answer",
        "impact_metric": [
            ("Payments decided with all parts", "all", f"{s['decided']} decided", f"{s['affected']} without a part"),
            ("Worth of the affected payments", "none", s["affected_usd"], f"{s['stopped_usd']} of it flagged late"),
            ("Replies other than 200", "none", "none", "none: the service degrades"),
        ],
        "service": "fraud scoring service",
        "affected_components": "address reputation client and its connection pool",
        "downstream_services": "payment gateway (late answers)",
        "data_loss": "none; every payment has its decision in the database",
        "model_impact": "scores of the affected payments saw the default reputation",
        "alert_name": s["first_alert"],
        "alert_condition": "degraded share > 1% for 5 minutes",
        "alert_triggered": f"{day} {s['detected']} UTC",
        "alert_severity": "page",
        "alert_channel": "on-call",
        "detection_worked": f"the alert on the degraded share fired {s['detection']} minutes after the first harm",
        "detection_to_improve": f"the pool had been filling for {s['latent']} minutes; an alert on its use fires first",
        "symptom": [
            "degraded share up from zero, always the same part (/metrics)",
            "one stage waits as long as the pool lets it; the stage that asks the same store does not (/metrics)",
            "'No connection available' in the log",
        ],
        "hypothesis": [
            ("a recent deployment", "releases in the decision database", f"one {s['latent']} minutes before: open"),
            ("traffic", "payments a minute", "refuted"),
            ("the store", "stage that uses it too", "refuted"),
            ("the pool", "connections out with nothing in flight", "confirmed"),
        ],
        "primary_cause": "on the error path the look-up raises before it gives its connection back",
        "contributing_factor": [
            "the pool's use was exported and nobody was alerted by it",
            "errors of the look-up are rare, so the leak is slow",
            "the service answers 200 without a part, so alerts on errors stay silent",
        ],
        "not_caught_because": [
            "tests replace the pool by a stand-in that cannot run out",
            "the fault needs hours of traffic to show",
        ],
        "first_why": "were payments decided without the reputation?",
        "first_answer": "No connection came free in the time that a payment waits",
        "second_why": "did no connection come free?",
        "second_answer": "All had been taken and never given back",
        "third_why": "were they not given back?",
        "third_answer": "The release stood after the line that raises",
        "fourth_why": "did the review not see it?",
        "fourth_answer": "Nobody is asked to follow a resource along the error path",
        "fifth_why": "did no test fail?",
        "fifth_answer": "No test asks for unrated addresses more often than the pool has connections",
        "mitigation": f"Larger pool; the last harmed payment was at {s['ended']}. It bought time and healed nothing.",
        "permanent_fix": f"The connection is given back in a `finally` clause; in service since {s['fixed']}.",
        "technical_change": [
            "alert: pool in use above 70 % for 10 minutes",
            "test: as many failing look-ups as the pool has connections, then one more",
        ],
        "process_change": ["review asks of each resource: where is it given back when the next line raises?"],
        "went_well": ["no payment was left without an answer", "the timeline came from records, not memory"],
        "did_not_go_well": ["the release was found late: it lay hours back"],
        "done_differently": ["page on the degraded share, not on HTTP errors alone"],
        "internal_time": [
            (s["detected"], "incident channel", "degraded answers, looking at the reputation look-up"),
            (s["ended"], "incident channel", "harm ended by a larger pool; cause not mended yet"),
            (s["fixed"], "incident channel", "corrected look-up in service; verification runs"),
        ],
        "external_time": [(s["detected"], "payment gateway's operators", "answers may be late; none is lost")],
        "meeting_date": "the next working day",
        "attendees": "fraud platform, fraud science, gateway",
        "agenda": "timeline, cause, actions with owners and dates, what else could leak",
        "metric_time": [
            (s["started"], "first payment without a part", "1"),
            (s["ended"], "payments without a part", s["affected"]),
        ],
        "log_line": ["failure reputation_lookup LookupError: the address was never rated",
                     "failure ip_reputation ConnectionError: No connection available."],
        "related_incident": "none known",
        "cost_type": [
            ("Worth of payments decided without a part", s["affected_usd"], "sum of their amounts"),
            ("of which flagged, too late", s["stopped_usd"], "REVIEW and DECLINE among them"),
            ("**Total cost**", "see chapter 14", "fraud not stopped, engineering, support"),
        ],
        "prevention_roi": "chapter 14 computes it for this bank and for the issuer's rate",
        "incident_lead": f"on-call engineer, {day}",
        "reviewed_by": "fraud platform lead",
        "approved_by": "head of fraud engineering",
    }  # fmt: skip
    boxes = {
        "automated_alert": (True, s["first_alert"]),
        "deploy_permanent_fix": (True, f"**Owner:** on-call engineer, **Done:** {day}"),
        "add_connection_pool_monitoring": (True, f"**Owner:** service owner, **Done:** {day}"),
        "update_alert_thresholds": (False, "**Owner:** monitoring lead, **Due:** within 24 hours"),
        "implement_connection_leak_detection_tests": (False, "**Owner:** service owner, **Due:** within 1 week"),
    }
    verified = ("connection_pool_usage_returned_to_normal_20_connections", "connection_pool_metrics_stable")
    return Fill(values, boxes | dict.fromkeys(verified, (True, "verified in chapter 14")))


DIAGRAM = """payment gateway
   | transaction
   v
feature store  <-- read and append in one step -->  feature kernel (143 numbers)
   | vector                                              | same kernel offline: training
   v                                                     v
rules (typed, with digest)   +   ensemble (trees 0.6, network 0.4), calibrated
   | hits                        | score
   v                             v
policy: DECLINE / REVIEW / APPROVE / APPROVE_FALLBACK, with reasons
   |
   v  after the answer
decision log -> metrics, feedback, drift -> daily retraining -> gate -> registry"""


def ml_system_design(facts: Facts) -> Fill:
    """The system as it stands."""
    policy, params, costs, both = DEFAULT_POLICY, TrainingParams(), Costs(), facts.models["ensemble"]
    p99, batch, auc = figure("service", "open loop, p99"), figure("service", "batch door"), both["roc_auc"]
    loss = both["loss_prevented_below_2pct_fpr"]
    values: dict[str, Value] = {
        "system_name": "real-time fraud detection",
        "system": "scores card payments while they wait",
        "designer": "fraud engineering lead",
        "date": facts.date,
        "context": "interview-preparation workbook",
        "business_problem": "A card issuer loses $15 million a year to fraud, and stops 5 % of honest payments.",
        "problem_type": "binary classification with ranking by score",
        "input": ["the payment", "the holder's, device's and address's recent events", "merchant risk by known labels"],
        "output": ["fraud score and probability in 0..1", "the reasons of a flagged payment"],
        "business_success": f"40 % less loss at a false-positive rate below 2 %; measured: {loss:.0%} prevented",
        "ml_success": f"ROC AUC > 0.90, precision@1000 > 0.80; measured: {auc:.3f} and {both['precision_at_1000']:.3f}",
        "requirement": [
            ("Latency", "p99 < 50ms", f"{p99:.1f} ms in an open loop on one core"),
            ("Throughput", "10,000 TPS sustained, 20,000 peak", f"{batch:,.0f} a second, batch door, two cores"),
            ("Availability", "99.99% (43 min/month)", "99.99 % of a month are 4.3 minutes; 43 would be 99.9 %"),
            ("Scalability", "3x in a year", "stateless service, store sharded by user; chapter 12"),
            ("Accuracy", "AUC-ROC > 0.90", f"{auc:.3f}"),
            ("Interpretability", "why flagged", "exact Shapley values, reasons in words"),
            ("Fairness", "no demographic bias", "false-positive rates by group, chapter 02"),
        ],
        "constraint": [
            "PCI-DSS: card numbers end at the door",
            "no raw card numbers: refused or masked, verified by `fraudkit checklist constraints --verify`",
            "$50K a month: no GPU in the path of a payment",
            "existing gateway: one HTTP call, retries are idempotent",
            "50+ countries: rates and places in one table",
        ],
        "diagram": DIAGRAM,
        "component": [
            ("feature store", "histories, read and appended in one step", "Valkey, keys tagged by user"),
            ("feature kernel", "143 numbers from a history", "one numba function, online and offline"),
            ("rules", "obvious patterns, with reasons", f"{len(decisive_rules())} decline by themselves"),
            ("models", "score and explanation", "XGBoost and a network as data files"),
            ("policy", "score and rules to an action", f"{policy.decline_above:g} and {policy.review_above:g}"),
            ("decision log", "replay, audit, feedback", "SQLite, PostgreSQL beyond one machine"),
        ],
        "source": [
            ("Transaction DB", "structured", "10M/day specified", "real time", "arrival checks, quarantine"),
            ("User DB", "structured", "50M users specified", "daily", "high"),
            ("Historical fraud", "labels", "500K specified", "as they arrive", f"mature after {MATURITY_DAYS} days"),
            ("IP reputation", "external", "a call a payment", "real time", "may be missing"),
        ],
        "storage": [
            "lake: Parquet by day, years",
            f"store: 30 days of history, {figure('store', 'memory a card holder, mean'):,.0f} bytes a holder",
        ],
        "family": [(name, str(count), entities, example) for name, count, entities, example in families()],
        "feature_pipeline": f"{len(FEATURES)} features from one kernel for replay and service, compared bit for bit.",
        "rule": decisive_rules(),
        "second_stage": f"Ensemble of at most {params.n_estimators} trees of depth {params.max_depth} "
        f"({params.tree_weight:g}) and a network 143-256-128-64 ({1 - params.tree_weight:g}), then calibrated.",
        "training_pipeline": f"Daily, 90 days of training, a gap of {MATURITY_DAYS} days, and a gate: gain above "
        f"{facts.gate['min_auc_gain']:g} with an interval above 0.",
        "api_service": "`POST /score_transaction`, `/score_transactions`, `/feedback`; idempotent by id and content; "
        "answers degraded rather than not at all.",
        "infrastructure": "Stateless replicas at 70 % utilisation, scaled by request rate; a region keeps its holders.",
        "monitoring": "decisions by action, latency, score distribution, feature statistics (Prometheus).",
        "feedback": "review, chargeback and report with source and time; retraining by mature labels only.",
        "approach": [
            ("Simple rules only", "microseconds", f"{facts.auc('rules')} AUC", "kept as first stage"),
            ("Trees alone", _us("our walk, one row"), f"{facts.auc('xgboost')} AUC", "stands in"),
            ("Network alone", _us("our network, one row"), f"{facts.auc('network')} AUC", "stands in"),
            ("Ensemble (XGBoost + NN)", "sum of both", f"{auc:.3f} AUC", "**selected**"),
        ],
        "batch_or_real_time": "Hybrid: merchant risk in daily tiles, histories in real time; measured in chapter 11.",
        "model_complexity": "Trees carry most; the network steadies the average. Chapter 11 measures time and AUC.",
        "false_positives_or_negatives": f"${costs.false_positive:g} against ${costs.false_negative:g}; decline above "
        f"{policy.decline_above:g}, review above {policy.review_above:g}, cost-optimal policy beside it.",
        "case": [
            ("Cold start", "no history", "declared defaults, device and place carry more"),
            ("Data quality", "missing or impossible fields", "refused with a reason, or a declared default"),
            ("Model staleness", "fraud changes", "daily retraining, gate, rollback"),
            ("Store failure", "no history", f"second store, then review above {policy.degraded_review_above:g}"),
        ],
        "scaling_metric": [
            ("TPS", "10,000", "30,000", "100,000", "replicas, then regions"),
            ("Latency SLA", "50ms", "50ms", "50ms", "batching under load, explanations for flagged only"),
            ("Storage", "100GB", "300GB", "1TB", "shard by user"),
        ],
        "operational_metrics": "rate, p50, p95, p99, errors, degraded share, availability",
        "model_metrics": "score distribution, drift, online AUC on mature labels, fairness",
        "business_metrics": "loss prevented, false-positive rate, review queue, complaints",
        "alert": [
            (
                rule["alert"],
                rule["annotations"].get("specified") or rule["annotations"]["summary"],
                rule["annotations"]["action"],
            )
            for rule in facts.alerts
        ],
        "weekly": "review flagged transactions, update rules",
        "monthly": "retrain with the latest fraud patterns",
        "quarterly": "deep dive on false positives and negatives",
        "annually": "redesign features, try new models",
    }
    return Fill(values, _design_boxes(facts, p99, batch))


def _us(what: str) -> str:
    return f"{figure('model_runtime', what):.0f} µs"


def _design_boxes(facts: Facts, p99: float, batch: float) -> dict[str, tuple[bool, str]]:
    """The summary checklist, ticked where a record or a chapter shows it."""
    auc = facts.models["ensemble"]["roc_auc"]
    tps, speed = f"{batch:,.0f} a second on two cores", f"p99 {p99:.1f} ms"
    boxes = {
        "real_time_scoring_50ms_latency": (p99 < 50, speed),
        "handle_10_000_transactions_per_second": (batch >= 10_000, tps),
        "latency_50ms": (p99 < 50, speed),
        "throughput_10k_tps": (batch >= 10_000, tps),
        "accuracy_auc_0_90": (auc > 0.90, f"{auc:.3f}"),
    }
    shown = {
        "provide_fraud_probability_score": "chapter 07",
        "provide_explanation_for_decision": "chapter 07",
        "support_manual_review_workflow": "chapter 09",
        "interpretable_predictions": "chapter 07",
        "scalable_to_3x_traffic": "chapter 12",
        "feature_engineering_batch_real_time": "chapter 05",
        "two_stage_scoring_rules_ml": "chapter 06",
        "ensemble_model_xgboost_nn": "chapter 07",
        "real_time_serving_fastapi": "chapter 09",
        "monitoring_feedback_loop": "chapter 10",
        "latency_vs_accuracy": "chapter 11",
        "batch_vs_real_time_features": "chapter 11",
        "model_complexity": "chapter 11",
        "false_positives_vs_negatives": "chapter 11",
        "horizontal_scaling_plan": "chapter 12",
        "feature_store_sharding": "chapter 12",
        "caching_strategy": "chapter 12",
        "regional_deployment": "chapter 12",
        "operational_metrics": "chapter 13",
        "model_performance_metrics": "chapter 13",
        "business_kpis": "chapter 13",
        "alerting_strategy": "chapter 13",
    }
    return boxes | {name: (True, chapter) for name, chapter in shown.items()}


def interview_preparation(facts: Facts) -> Fill:
    """The plan's boxes with what trains them here; ticked by this home's progress where `facts.own`."""
    plan = read_plan()
    progress = ProgressFile().read() if facts.own else None
    boxes: dict[str, tuple[bool, str]] = {}
    for item in plan.items:
        evidence = [found for found in item.evidence if found.kind in ("exercise", "drill")]
        if not evidence:
            continue
        met = [
            progress is not None and sum(progress.record(name).passed for name in found.ids) >= found.need
            for found in evidence
            if found.kind == "exercise"
        ]
        passed = any(met) and (all(met) or not item.every)
        boxes[box_name(item.text)] = (passed, "; ".join(_where(found) for found in evidence))
    values: dict[str, Value] = {"target_role": "ML Engineer", "timeline": "12 weeks"}
    for week in plan.weeks:
        key = box_name(f"status of week {week.id}")
        texts = [boxes.get(box_name(item.text)) for item in plan.items if item.week == week.id and item.evidence]
        known = [box for box in texts if box is not None]
        values[key] = f"{sum(ticked for ticked, _ in known)} of {len(known)} shown by exercises"
        values[box_name(f"notes of week {week.id}")] = "chapter 15 counts every box"
    return Fill(values, boxes)


def _where(evidence: Evidence) -> str:
    """What trains a box: exercises or drills by name."""
    names = ", ".join(f"`{name}`" for name in evidence.ids)
    needed = f"{evidence.need} of " if evidence.need < len(evidence.ids) else ""
    return f"{evidence.kind}s {needed}{names}" if len(evidence.ids) > 1 else f"{evidence.kind} {names}"
