"""Project initiation, data analysis and feature engineering, filled in from the fraud system."""

from __future__ import annotations

from fraudkit.core.label import MATURITY_DAYS
from fraudkit.features.catalog import FEATURES, schema_hash
from fraudkit.simulate.labels import CHARGEBACK_DAYS, REPORT_DAYS, REVIEW_HOURS
from fraudkit.workbook.templates.facts import Facts, families, figure
from fraudkit.workbook.templates.form import Fill, Value

LOSS_USD_YEAR, LOSS_CUT, MAX_FPR = 15_000_000, 0.40, 0.02
DECLARED = ("user_txn_count_1h", "amount_deviation", "impossible_travel", "ip_reputation")


def project_initiation(facts: Facts) -> Fill:
    """The case for the fraud system."""
    ensemble, rules = facts.models["ensemble"], facts.models["rules"]
    loss, precision = ensemble["loss_prevented_below_2pct_fpr"], ensemble["precision_at_1000"]
    values: dict[str, Value] = {
        "project_name": "real-time card fraud",
        "sponsor": "head of card payments",
        "owner": "fraud engineering lead",
        "date": facts.date,
        "decision_asked_for": "go, with the stop rule below",
        "cost_of_the_problem": f"${LOSS_USD_YEAR / 1e6:.0f} million a year of fraud losses, and 5 % of honest payments "
        "stopped (the specification)",
        "today": f"two simple limits at the issuer. Rules alone reach ROC AUC {rules['roc_auc']:.3f} and prevent "
        f"{rules['loss_prevented_below_2pct_fpr']:.0%} of the loss at a false-positive rate below 2 %",
        "why_learning": f"an ensemble prevents {loss:.0%} of the loss at the same false-positive rate",
        "unit": "one card payment",
        "moment": "authorisation, while the payment waits; nothing that became known later",
        "output": "fraud score and calibrated probability, each in 0..1, with reasons",
        "action": "decline, review by a person, or approve; the policy decides, not the model",
        "label": "chargeback (30 to 120 days), review (hours), user report (days)",
        "target": [
            ("Loss", "share of fraud amount stopped, test period", f"{LOSS_CUT:.0%}", f"{loss:.0%}"),
            ("Friction", "false-positive rate at that point", f"< {MAX_FPR:.0%}", "held: the point is chosen by it"),
            ("Ranking", "ROC AUC, test period", "> 0.90", f"{ensemble['roc_auc']:.3f}"),
            ("Top of the list", "precision@1000, test period", "> 0.80", f"{precision:.2f}"),
        ],
        "stop_rule": "no gain over the rules outside its interval after one quarter of matured labels",
        "requirement": [
            ("Latency", "p99 < 50 ms", f"open loop: {figure('service', 'open loop, p99'):.1f} ms (service.json)"),
            (
                "Throughput",
                "10,000 a second",
                f"batch door: {figure('service', 'batch door'):,.0f} a second on 2 cores (service.json)",
            ),
            ("Availability", "99.99 %", "fault injection in chapters 12 and 14"),
            ("Card data", "no raw card number kept", "`fraudkit checklist constraints --verify`"),
            ("Countries", "more than 50", "`fraudkit checklist constraints --verify`"),
            ("Cost", "$50,000 a month", "sizing in chapter 02"),
        ],
        "in_scope": "scoring of card payments at authorisation, review queue, feedback, daily retraining",
        "out_of_scope": "account takeover at login, merchant acquiring risk, blocking of cards",
        "depends_on": "payment gateway, chargeback feed, address reputation source, review team",
        "data_source": [
            ("Payments", "card platform", f"{facts.world.days} days", "none", "through the lake, no card numbers"),
            ("Chargebacks", "disputes", "as payments", "30 to 120 days", "daily file"),
            ("Reviews and reports", "fraud operations", "as payments", "hours to weeks", "`/feedback`"),
        ],
        "risk": [
            ("Labels are selective", "declined payments never get a chargeback", "a random sample is let through"),
            ("Fraud adapts", "online AUC of matured labels falls", "daily retraining behind a gate"),
            ("Features differ online", "parity test finds a bit", "one kernel for both"),
            ("A part is away", "degraded replies rise", "stricter policy without history, alert on the share"),
        ],
        "milestone": [
            ("Baseline measured", "rules and logistic regression on the test period", "to be set by the sponsor"),
            ("Shadow", "decisions logged beside the control in force, parity clean", "to be set by the sponsor"),
            ("First share of traffic", "A/B plan signed, rollback rehearsed", "to be set by the sponsor"),
        ],
    }
    done = (
        "a_baseline_without_machine_learning_was_measured",
        "labels_exist_and_their_delay_is_known",
        "the_stop_rule_is_written_down",
    )
    return Fill(values, dict.fromkeys(done, (True, "")))


def data_analysis(facts: Facts) -> Fill:
    """The reference world as a data set."""
    world, (rows, frauds) = facts.world, facts.test_rows
    values: dict[str, Value] = {
        "dataset": "payments of the reference world",
        "analyst": "data scientist, fraud",
        "date": facts.date,
        "snapshot": "`fraudkit simulate --world reference`, seed 7; MANIFEST.json holds the digests",
        "question": "can fraud be told at authorisation, and from which period may be learned?",
        "table": [
            (
                "transactions",
                "one payment",
                f"{figure('replay', 'transactions'):,.0f}",
                f"{world.days} days from {world.start:%Y-%m-%d}",
                "transaction_id",
            ),
            ("labels", "one word about a payment", "several a fraud, few else", "as they arrive", "none: appended"),
            ("users", "one card holder", f"{world.users:,}", "state at the start", "user_id"),
        ],
        "who_is_missing": "payments that never reached authorisation; what the control declined has no chargeback",
        "event_time": "`event_time`, UTC, milliseconds",
        "known_at": f"`known_at`; {world.late_share:.1%} of card-present rows arrive hours to days late",
        "seasonality": "hour of day by the payment's place, weekday; drawn in chapter 01",
        "label_source": [
            ("chargeback", "the holder disputes", _days(CHARGEBACK_DAYS), "most of approved fraud", "highest"),
            ("manual_review", "an analyst's verdict", _hours(REVIEW_HOURS), "flagged ones, few others", "middle"),
            ("user_report", "the holder calls", _days(REPORT_DAYS), "a third of approved fraud", "lowest"),
        ],
        "base_rate": f"{frauds / rows:.2%} of payments in the test period ({frauds:,} of {rows:,})",
        "maturity": f"{MATURITY_DAYS} days; the last chargebacks arrive then",
        "selective_labels": "declined payments: no chargeback; approved small sums: often unnoticed",
        "check": [
            ("duplicate_exact", "the same row sent twice", "dropped, counted"),
            ("duplicate_conflicting", "one id, two contents", "quarantined with the reason"),
            ("clock_future", "event_time after known_at", "quarantined"),
            ("currency_unknown, country_unknown", "codes without a rate or a place", "quarantined"),
            ("amount_negative, amount_not_finite", "impossible amounts", "quarantined"),
            ("card_number", "text with the form of a card number", "masked and quarantined"),
        ],
        "column": [
            ("amount", "currency of the payment", "above 0, to $1 million", "refused", "heavy tail: use logs"),
            ("latitude, longitude", "degrees", "-90..90, -180..180", "country's centre", "missing is odd"),
            ("ip_reputation", "score", "0..1", f"{world.reputation_missing:.0%} of look-ups fail", "default 0"),
            ("device_id", "none", "64 characters", "terminals have none", "first use is a signal"),
        ],
        "suspect": [
            ("merchant fraud rate", "only with the labels' delay", "chapter 05", "tiles by known_at"),
            ("label table joined by id", "no", "contains the future", "never a feature"),
            ("known_at itself", "at arrival", "late rows differ", "not a feature"),
        ],
        "split_kind": "by time, with a gap; cards are kept together when resampling",
        "split_periods": f"train {world.train_start:%Y-%m-%d} to {world.valid_start:%Y-%m-%d}, validation to "
        f"{world.valid_end:%Y-%m-%d}, test {world.test_start:%Y-%m-%d} to {world.end:%Y-%m-%d}",
        "split_gap": f"{world.label_delay_days} days",
    }
    ticked = (
        "both_times_are_there_in_utc",
        "duplicates_impossible_values_and_late_rows_were_counted",
        "train_and_test_are_cut_as_production_will_meet_the_data",
        "personal_and_card_data_were_found_and_dealt_with",
    )
    return Fill(values, dict.fromkeys(ticked, (True, "")))


def feature_engineering(facts: Facts) -> Fill:
    """The catalog as it stands."""
    chosen = [feature for feature in FEATURES if feature.name in DECLARED]
    mean, largest = (figure("store", f"memory a card holder, {what}") for what in ("mean", "largest"))
    values: dict[str, Value] = {
        "feature_set": "the catalog",
        "owner": "feature owner, fraud engineering",
        "date": facts.date,
        "schema": f"`{schema_hash()[:16]}`",
        "number_of_features": str(len(FEATURES)),
        "family": [(name, str(count), entities, example) for name, count, entities, example in families()],
        "feature": [
            (f"`{f.name}`", f.entity, f.window or "none", f.measure, f.unit or "none", f"{f.default:g}", f.meaning)
            for f in chosen
        ],
        "a_window_sees": "events known at the moment of the payment, by `known_at`; open at the old end",
        "the_row_itself": "counted where the catalog says `current`, and only there",
        "labels_in_features": "merchant tiles count a fraud from the day its label was known",
        "late_rows": "count from the moment they are known, never before",
        "implementations": "one: the kernel in `fraudkit/features/kernel.py`, for replay and service",
        "parity_test": "`fraudkit features parity --events 50000`: bit for bit, no tolerance",
        "what_is_stored_online": f"user, device, address: {mean:,.0f} bytes a holder on average, {largest:,.0f} at "
        "most, 30 days",
        "when_the_store_is_away": "declared defaults, a stricter policy, `degraded` in the reply",
        "cost_item": [
            ("read, append and compute, one payment", _us("store", "features alone, a transaction"), "5 ms"),
            ("the same in batches of 32", _us("store", "features in batches of 32, a transaction"), "none"),
            ("replay of all features", f"{figure('replay', 'replay, transactions a second'):,.0f} a second", "none"),
            ("memory a card holder, largest", f"{largest:,.0f} bytes", "2,500 bytes"),
        ],
        "group_left_out": [("each family", "chapter 05, small world", "chapter 05", "all of them, so far")],
        "reference_sample": "sample of the training period kept with each model bundle, with its digest",
        "drift_test": "two-sample KS with false-discovery control and an effect size (`fraudkit/monitor`)",
    }
    ticked = (
        "declared_once_with_window_unit_default_and_meaning",
        "one_implementation_for_training_and_serving_or_a_test_that_compares_bits",
        "no_raw_identifier_and_no_card_number_becomes_a_feature",
        "its_cost_in_milliseconds_and_bytes_is_known",
    )
    return Fill(values, dict.fromkeys(ticked, (True, "")))


def _us(record: str, what: str) -> str:
    return f"{figure(record, what):,.0f} µs"


def _days(bounds: tuple[float, float]) -> str:
    return f"{bounds[0]:g} to {bounds[1]:g} days"


def _hours(bounds: tuple[float, float]) -> str:
    return f"{bounds[0]:g} to {bounds[1]:g} hours"
