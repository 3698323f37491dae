"""Bayes with several detectors: base rate, silence as evidence, thousands of factors, impossible observations."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def exact_shares(base_rate, recall, false_alarm, fired):
    """The oracle: both joint probabilities as exact fractions, which cannot underflow."""
    fraud = Fraction(float(base_rate))
    genuine = 1 - fraud
    for hit, alarm, rings in zip(recall, false_alarm, fired, strict=True):
        hit, alarm = Fraction(float(hit)), Fraction(float(alarm))
        fraud *= hit if rings else 1 - hit
        genuine *= alarm if rings else 1 - alarm
    return float(fraud / (fraud + genuine))


def cases(rng: np.random.Generator) -> list[Case]:
    """One detector, silence, none, certainty, many, impossible, then random ones."""
    many = 2000
    found = [
        Case("one alarm", (0.003, [0.9], [0.01], [True]), why="recall is not precision: the base rate stands between"),
        Case(
            "one alarm, one silence",
            (0.003, [0.9, 0.6], [0.01, 0.05], [True, False]),
            why="a detector that finds 60 % of frauds and stays silent speaks for a genuine payment",
        ),
        Case("silence alone", (0.2, np.array([0.8]), np.array([0.1]), np.array([False]))),
        Case(
            "no detectors", (0.25, np.array([]), np.array([]), np.array([])), why="the base rate is all that is known"
        ),
        Case("a detector that tells nothing", (0.1, [0.3, 0.5], [0.3, 0.1], [1, 0])),
        Case("frauds always ring, and it is silent", (0.003, [1.0], [0.2], [False]), why="the answer is 0, not NaN"),
        Case("genuine payments never ring, and it rings", (0.003, [0.4], [0.0], [True])),
        Case(
            "two thousand detectors",
            (
                0.01,
                np.linspace(0.3, 0.32, many),
                np.linspace(0.29, 0.318, many),
                np.arange(many) % 10 < 3,
            ),
            why="a product of two thousand shares underflows to 0 on both sides; add logarithms",
        ),
        Case("a base rate of 0", (0.0, [0.9], [0.1], [True]), raises="ValueError"),
        Case("a base rate of 1", (1.0, [0.9], [0.1], [True]), raises="ValueError"),
        Case(
            "impossible either way",
            (0.1, [1.0, 0.5], [0.2, 0.0], [False, True]),
            raises="ValueError",
            why="0 against 0 has no odds: a recall of 1 or an alarm rate of 0 is a false claim",
        ),
    ]
    for m in (3, 8):
        alarm = 0.02 + 0.2 * rng.random(m)
        recall = alarm + 0.5 * rng.random(m)
        found.append(Case(f"{m} detectors", (float(0.05 + 0.2 * rng.random()), recall, alarm, np.arange(m) % 3 == 0)))
    return found


def odds_as_logs(base_rate, recall, false_alarm, fired):
    """Accepted: log-odds, a detector at a time, certain ones handled apart."""
    if base_rate <= 0 or base_rate >= 1:
        raise ValueError(f"base rate {base_rate}")
    odds, excluded = np.log(base_rate) - np.log1p(-base_rate), set()
    for i in range(len(fired)):
        pair = (recall[i], false_alarm[i]) if fired[i] else (1 - recall[i], 1 - false_alarm[i])
        for kind, share in zip(("fraud", "genuine"), pair, strict=True):
            if share == 0:
                excluded.add(kind)
        if min(pair) > 0:
            odds += np.log(pair[0] / pair[1])
    if len(excluded) == 2:
        raise ValueError("impossible")
    if excluded:
        return 1.0 if "genuine" in excluded else 0.0
    return 1 / (1 + np.exp(-odds)) if odds > -700 else 0.0


def step_by_step(base_rate, recall, false_alarm, fired):
    """Accepted: the posterior after one detector is the base rate of the next."""
    fraud, genuine = float(base_rate), 1 - float(base_rate)
    if fraud <= 0 or genuine <= 0:
        raise ValueError("base rate")
    for hit, alarm, rings in zip(recall, false_alarm, fired, strict=True):
        fraud *= float(hit) if rings else 1.0 - float(hit)
        genuine *= float(alarm) if rings else 1.0 - float(alarm)
        whole = fraud + genuine
        if whole == 0:
            raise ValueError("neither can be")
        fraud, genuine = fraud / whole, genuine / whole
    return fraud


EXERCISE = Exercise(
    id="fraud_posterior",
    title="Bayes on the base rate of fraud",
    minutes=15,
    difficulty="easy",
    feeds="01",
    week="1-2",
    hints=(
        "Count in a hundred thousand payments: how many frauds fire, how many genuine payments do?",
        "Each detector multiplies both sides: by its rate where it fired, by one minus its rate where not.",
        "Add logarithms. At the end, exp(a) / (exp(a) + exp(b)) is exp(a - logaddexp(a, b)).",
    ),
    cases=cases,
    expect=exact_shares,
    agree=close(rtol=1e-7, atol=1e-12),
    mutants=(
        Mutant(
            "base-rate-ignored",
            "Fraud and genuine payments were taken to be equally common. Multiply by the base rate and its complement.",
            swaps=(("np.log(base_rate) + np.log(given_fraud)", "np.log(1 - base_rate) + np.log(given_fraud)"),),
        ),
        Mutant(
            "recall-for-precision",
            "That is the probability of this evidence given fraud, not of fraud given the evidence.",
            swaps=(("np.exp(fraud - np.logaddexp(fraud, genuine))", "np.exp(np.log(given_fraud).sum())"),),
        ),
        Mutant(
            "silence-ignored",
            "Detectors that stayed silent were left out. Silence of a good detector speaks for a genuine payment.",
            swaps=(
                ("recall, 1 - np.asarray(recall, dtype=float)", "recall, np.ones(len(fired))"),
                ("false_alarm, 1 - np.asarray(false_alarm, dtype=float)", "false_alarm, np.ones(len(fired))"),
            ),
        ),
        Mutant(
            "silence-as-alarm",
            "A silent detector was counted as if it had fired.",
            swaps=(
                ("recall, 1 - np.asarray(recall, dtype=float)", "recall, np.asarray(recall, dtype=float)"),
                ("false_alarm, 1 - np.asarray(false_alarm, dtype=float)", "false_alarm, np.asarray(false_alarm)"),
            ),
        ),
        Mutant(
            "genuine-not-weighed",
            "The genuine side lacks its prior, 1 - base_rate.",
            swaps=(("np.log(1 - base_rate) + np.log(given_genuine)", "np.log(given_genuine)"),),
        ),
        Mutant(
            "odds-for-probability",
            "Odds were returned. The probability is odds / (1 + odds).",
            swaps=(("np.logaddexp(fraud, genuine)", "genuine"),),
        ),
        Mutant(
            "product-underflows",
            "The shares were multiplied: two thousand of them underflow to 0 on both sides. Add logarithms.",
            swaps=(
                ("np.log(given_fraud).sum()", "np.log(np.prod(given_fraud))"),
                ("np.log(given_genuine).sum()", "np.log(np.prod(given_genuine))"),
            ),
        ),
        Mutant(
            "impossible-is-nan",
            "What can happen neither to frauds nor to genuine payments gave NaN. Raise ValueError.",
            swaps=(('raise ValueError("no payment can make the detectors answer so")', "return float('nan')"),),
        ),
        Mutant(
            "base-rate-not-checked",
            "A base rate of 0 or 1 was taken: no evidence could ever change it.",
            swaps=(
                ("if not 0 < base_rate < 1:", "if not 0 <= base_rate <= 1:"),
                ('errstate(divide="ignore")', 'errstate(all="ignore")'),
            ),
        ),
    ),
    accepted=(odds_as_logs, step_by_step),
)
