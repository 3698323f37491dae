"""Conditions, rules and rule sets: validation, evaluation against plain Python, round trips."""

from __future__ import annotations

import doctest
import importlib
import json
import operator
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from fraudkit.core.errors import InvalidInput
from fraudkit.features.catalog import FEATURE_NAMES, INDEX, N_FEATURES
from fraudkit.rules.catalog import RULES
from fraudkit.rules.commands import app
from fraudkit.rules.condition import OPERATORS, AllOf, AnyOf, Compare, Condition
from fraudkit.rules.report import report
from fraudkit.rules.rule import Rule, RuleSet

PYTHON = dict(
    zip(OPERATORS, (operator.gt, operator.ge, operator.lt, operator.le, operator.eq, operator.ne), strict=True)
)


def row(**values: float) -> np.ndarray:
    X = np.zeros((1, N_FEATURES), dtype=np.float32)
    for name, value in values.items():
        X[0, INDEX[name]] = value
    return X


def fired(X: np.ndarray) -> set[str]:
    return {hit.rule_id for hit in RULES.hits(RULES.evaluate(X)[0])}


@pytest.mark.parametrize("module", ["condition", "rule", "policy", "cost_policy"])
def test_examples(module: str) -> None:
    result = doctest.testmod(importlib.import_module(f"fraudkit.rules.{module}"))
    assert result.attempted and not result.failed


def test_the_specified_four_come_first_and_decline() -> None:
    first = [(r.id, r.reason, r.confidence) for r in RULES.rules[:4]]
    assert first == [
        ("impossible_travel", "Impossible travel detected", 0.99),
        ("amount_anomaly", "Amount anomaly", 0.95),
        ("excessive_velocity", "Excessive velocity", 0.90),
        ("high_risk_pattern", "High-risk pattern", 0.85),
    ]
    assert [r.decisive for r in RULES] == [True] * 4 + [False] * (len(RULES) - 4)


@pytest.mark.parametrize(
    ("at", "beyond", "rule_id"),
    [
        ({"impossible_travel": 0}, {"impossible_travel": 1}, "impossible_travel"),
        ({"amount_deviation": 10}, {"amount_deviation": 10.001}, "amount_anomaly"),
        ({"user_txn_count_1h": 20}, {"user_txn_count_1h": 21}, "excessive_velocity"),
        ({"high_risk_country": 1}, {"high_risk_country": 1, "new_device": 1}, "high_risk_pattern"),
    ],
)
def test_a_specified_rule_fires_beyond_its_threshold_and_not_at_it(at: dict, beyond: dict, rule_id: str) -> None:
    assert rule_id not in fired(row(**at))
    assert rule_id in fired(row(**beyond))
    assert RULES.decisive(RULES.evaluate(row(**beyond))).tolist() == [True]


def test_threshold_is_compared_in_the_features_precision() -> None:
    rules = RuleSet((Rule("a", 1, "r", 0.5, False, Compare("ip_reputation", ">", 0.6)),))
    assert not rules.evaluate(row(ip_reputation=0.6)).any()


leaf = st.builds(Compare, st.sampled_from(FEATURE_NAMES[:6]), st.sampled_from(OPERATORS), st.integers(-2, 2).map(float))
conditions = st.recursive(
    leaf,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: AllOf(tuple(parts))),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: AnyOf(tuple(parts))),
    ),
    max_leaves=7,
)


def plain(condition: Condition, x: np.ndarray) -> bool:
    if isinstance(condition, Compare):
        value = float(x[INDEX[condition.feature]])
        return not np.isnan(value) and PYTHON[condition.operator](value, condition.threshold)
    parts = [plain(part, x) for part in condition.conditions]
    return all(parts) if isinstance(condition, AllOf) else any(parts)


@settings(max_examples=60, deadline=None)
@given(st.lists(conditions, min_size=1, max_size=4), st.integers(0, 2**32 - 1))
def test_compiled_rules_agree_with_plain_python(some: list[Condition], seed: int) -> None:
    rules = RuleSet(tuple(Rule(f"r{k}", 1, "r", 0.5, False, c) for k, c in enumerate(some)))
    rng = np.random.default_rng(seed)
    X = rng.integers(-2, 3, (8, N_FEATURES)).astype(np.float32)
    X[rng.random(X.shape) < 0.2] = np.nan
    assert rules.evaluate(X).tolist() == [[plain(c, x) for c in some] for x in X]
    assert RuleSet.from_json(rules.to_json()) == rules


def test_score_is_noisy_or_and_digest_follows_the_content() -> None:
    none = np.zeros((1, len(RULES)), dtype=bool)
    two = none.copy()
    two[0, :2] = True
    assert str(RULES.score(none)[0]) == "0.0"
    assert RULES.score(two)[0] == pytest.approx(1 - 0.01 * 0.05)
    changed = json.loads(RULES.to_json())
    changed["rules"][2]["condition"]["threshold"] = 21
    assert RuleSet.from_json(json.dumps(changed)).digest() != RULES.digest()


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: Compare("amount", ">", 1), "'amount'"),
        (lambda: Compare("amount_usd", "=>", 1), "'=>'"),
        (lambda: Compare("amount_usd", ">", float("nan")), "nan"),
        (lambda: Compare("amount_usd", ">", "1"), "'1'"),  # type: ignore[arg-type]
        (lambda: AllOf(()), '"all"'),
        (lambda: Rule("A b", 1, "r", 0.5, False, Compare("amount_usd", ">", 1)), "'A b'"),
        (lambda: Rule("a", 1, "r", 1.0, False, Compare("amount_usd", ">", 1)), "1.0"),
        (lambda: RuleSet(RULES.rules[:1] * 2), "impossible_travel"),
        (lambda: RuleSet.from_json("{"), "not JSON"),
        (lambda: RuleSet.from_json('{"rules": [{"id": "x"}]}'), "'id': 'x'"),
        (lambda: RULES["nothing"], "'nothing'"),
        (lambda: RULES.evaluate(np.zeros((1, 3), np.float32)), "(1, 3)"),
    ],
)
def test_what_is_wrong_is_named(make, named: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InvalidInput) as error:
        make()
    assert named in str(error.value)


def test_one_row_takes_microseconds() -> None:
    X = row(amount_usd=10)
    RULES.evaluate(X)
    best = min(_timed(X) for _ in range(20))
    assert best < 20e-6


def _timed(X: np.ndarray) -> float:
    start = time.perf_counter()
    for _ in range(200):
        RULES.evaluate(X)
    return (time.perf_counter() - start) / 200


def test_report_counts_by_hand() -> None:
    rules = RuleSet(RULES.rules[:2])
    figures = report(rules, np.array([[1, 0], [1, 1], [0, 0], [1, 0]], dtype=bool), np.array([1, 1, 1, 0]))
    first, second = figures
    assert (first.fired, first.frauds, first.only) == (3, 2, 1)
    assert (first.precision, first.recall, first.alert_share) == (2 / 3, 2 / 3, 0.75)
    assert (second.fired, second.frauds, second.only, second.precision) == (1, 1, 0, 1.0)


def test_commands_print_the_set() -> None:
    listed = CliRunner().invoke(app, ["list", "--json"])
    assert RuleSet.from_json(listed.stdout).digest() == RULES.digest()
    shown = CliRunner().invoke(app, ["show", "high_risk_pattern"])
    assert "high_risk_country == 1 and new_device == 1" in shown.stdout
