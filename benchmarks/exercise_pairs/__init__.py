"""Every exercise beside a library's call, or the reason why no library has it.

`PAIRS` holds the comparisons by the exercise's id; `UNPAIRED` names the other exercises.
"""

from __future__ import annotations

from benchmarks.exercise_pairs import (  # noqa: F401  each enters its pairs
    graphs,
    mathematics,
    metrics_and_data,
    models,
    networks,
    problems,
    tables_and_streams,
)
from benchmarks.exercise_pairs.pair import PAIRS, Pair, difference, lines_of

OUR_RULE = "a rule of the fraud system, in no library"
NOT_USED = "only in a library that this project does not use"
IN_TORCH = "itself a few calls of torch"
INSIDE = "in libraries only within a trainer or a loop of their own"

UNPAIRED: dict[str, str] = {
    "cost_threshold": OUR_RULE,
    "clean_transactions": OUR_RULE,
    "time_split": OUR_RULE,
    "grouped_time_folds": OUR_RULE,
    "reason_codes": OUR_RULE,
    "first_bad_mark": OUR_RULE,
    "open_authorisations": OUR_RULE,
    "review_starts": OUR_RULE,
    "longest_stretch": OUR_RULE,
    "dead_leaves": OUR_RULE,
    "structurings": OUR_RULE,
    "shortest_cover": OUR_RULE,
    "peeking_error_rate": OUR_RULE,
    "ratio_interval": NOT_USED,
    "shapley_values": NOT_USED,
    "page_hinkley": NOT_USED,
    "name_distance": NOT_USED,
    "positional_encoding": NOT_USED,
    "token_bucket": NOT_USED,
    "sliding_limit": NOT_USED,
    "fit_classifier": IN_TORCH,
    "merchant_embedding": IN_TORCH,
    "early_stopping": INSIDE,
    "reservoir": INSIDE,
}

__all__ = ["PAIRS", "UNPAIRED", "Pair", "difference", "lines_of"]
