"""A left join on a key that repeats: one row a payment, the latest word, missing keys match nothing."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import first_of, lists, rows


def searched(merchant, table_merchant, table_category, table_updated):
    """The oracle: for each payment, all rows of the table that fit, and the best of them."""
    answers = []
    for name in merchant:
        fitting = [
            (table_updated[i], i) for i in range(len(table_merchant)) if name is not None and table_merchant[i] == name
        ]
        answers.append(table_category[max(fitting)[1]] if fitting else "unknown")
    return answers


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first, then random tables."""
    found = [
        Case(
            "a merchant that stands there twice",
            (["m2", "m1", "m2"], ["m1", "m2", "m2"], ["food", "fuel", "travel"], [10, 10, 20]),
            why="three payments in, three categories out",
        ),
        Case(
            "a merchant nobody knows", (["m1", "m9", "m1"], ["m1"], ["food"], [5]), why="the payment stays, as unknown"
        ),
        Case(
            "the latest row comes first",
            (["m1"], ["m1", "m1"], ["games", "food"], [30, 20]),
            why="latest by its time, not by its place",
        ),
        Case(
            "two rows of the same second",
            (["m1", "m2"], ["m1", "m2", "m1"], ["food", "fuel", "games"], [7, 7, 7]),
            why="of equals the one further down",
        ),
        Case(
            "ids missing on both sides",
            (["m1", None, "m2"], [None, "m1", "m2"], ["games", "food", "fuel"], [1, 2, 3]),
            why="None is no id, so it matches nothing, not even None",
        ),
        Case(
            "payments not sorted by merchant",
            (["z", "a", "m", "a"], ["a", "m", "z"], ["food", "fuel", "games"], [1, 1, 1]),
            why="the answer is in the order of the payments",
        ),
        Case("an empty table", (["m1", "m2"], [], [], [])),
        Case("no payments", ([], ["m1"], ["food"], [1])),
        Case("columns of different lengths", (["m1"], ["m1", "m2"], ["food"], [1, 2]), raises="ValueError"),
    ]
    kinds = ("food", "fuel", "games", "travel", "health")
    for n, m in ((12, 8), (80, 60)):
        shops: list[str | None] = [f"m{i}" for i in range(m // 2 + 2)]
        names = [shops[i] for i in rng.integers(0, m // 2, m)]
        paid = [shops[i] for i in rng.integers(0, m // 2 + 2, n)]
        paid[n // 2], names[m // 2] = None, None
        table = (names, [kinds[i] for i in rng.integers(0, 5, m)], rng.integers(0, m, m).tolist())
        found.append(Case(f"{n} payments, {m} rows of merchants", (paid, *table)))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """A case of size n: n payments, n rows, n / 2 merchants."""
    names = [f"m{i}" for i in rng.integers(0, n // 2, n)]
    paid = [f"m{i}" for i in rng.integers(0, n // 2, n)]
    return Case(f"{n} payments", (paid, names, ["food"] * n, rng.integers(0, n, n).tolist()))


def latest_in_a_dict(merchant, table_merchant, table_category, table_updated):
    """Accepted: a dictionary of the latest row of each merchant."""
    if len({len(table_merchant), len(table_category), len(table_updated)}) > 1:
        raise ValueError("a column is shorter than the others")
    latest = {}
    for name, category, updated in zip(table_merchant, table_category, table_updated, strict=True):
        if name is not None and (name not in latest or updated >= latest[name][0]):
            latest[name] = (updated, category)
    return [latest[name][1] if name in latest else "unknown" for name in merchant]


def sorted_rows(merchant, table_merchant, table_category, table_updated):
    """Accepted: rows in order of time, each overwriting the one before; get() for the rest."""
    size = len(table_merchant)
    if len(table_category) != size or len(table_updated) != size:
        raise ValueError(f"{size} merchants, {len(table_category)} categories, {len(table_updated)} times")
    order = np.argsort(np.asarray(table_updated, dtype=float), kind="stable")
    lookup = {table_merchant[i]: table_category[i] for i in order.tolist()}
    lookup.pop(None, None)
    return [lookup.get(name, "unknown") for name in merchant]


EXERCISE = Exercise(
    id="join_merchants",
    title="A join that keeps every row",
    minutes=15,
    difficulty="medium",
    feeds="04",
    week="9-10",
    hints=(
        "How many rows does a join make of a payment whose merchant stands in the table twice? Make the right side unique first.",
        "Sort the table by `updated`, stably, and keep the last row of each merchant.",
        "Join from the left, and look at what pandas does with a missing key on both sides.",
    ),
    cases=cases,
    expect=searched,
    agree=exact,
    mutants=(
        Mutant(
            "rows-exploded",
            "A payment came out once for every row of its merchant. Make the right side unique before the join.",
            swaps=(
                ('    table = table.drop_duplicates("merchant", keep="last")\n', ""),
                (', validate="many_to_one"', ""),
            ),
        ),
        Mutant(
            "unknown-dropped",
            "Payments of unknown merchants are gone: an inner join keeps only what matches. Join from the left.",
            swaps=(('how="left"', 'how="inner"'),),
        ),
        Mutant(
            "missing-matches-missing",
            "A payment without an id was given the category of a row without an id. pandas matches missing keys; drop them first.",
            swaps=(('table[table["merchant"].notna()].sort_values', "table.sort_values"),),
        ),
        Mutant(
            "by-place",
            "The last row in the table was taken, not the latest by its time.",
            swaps=(('.sort_values("updated", kind="stable")', ""),),
        ),
        Mutant(
            "oldest-kept",
            "The oldest row of a merchant was kept. The latest word counts.",
            swaps=(('keep="last"', 'keep="first"'),),
        ),
        Mutant(
            "ties-turned",
            "Of two rows of the same second the upper one was taken. The one further down counts.",
            swaps=(
                (
                    'table[table["merchant"].notna()].sort_values("updated", kind="stable")',
                    'table[table["merchant"].notna()].iloc[::-1].sort_values("updated", kind="stable")',
                ),
            ),
        ),
        Mutant(
            "sorted-by-merchant",
            "The answer is in the order of the merchants. Each payment wants its own category at its own place.",
            swaps=(("return joined[", 'joined = joined.sort_values("merchant", kind="stable")\n    return joined['),),
        ),
        Mutant(
            "none-for-unknown",
            'Unknown merchants were left missing. Say "unknown", so that a model sees a category.',
            swaps=(
                (
                    'joined["category"].fillna("unknown").tolist()',
                    '[c if isinstance(c, str) else None for c in joined["category"]]',
                ),
            ),
        ),
        Mutant(
            "table-searched",
            "The categories are right, but the whole table is searched for every payment.",
            swaps=(
                (
                    '    joined = payments.merge(table, on="merchant", how="left", validate="many_to_one")\n',
                    '    names, kinds = table["merchant"].tolist(), table["category"].tolist()\n'
                    "    found = [[k for m, k in zip(names, kinds) if m == name] for name in payments['merchant']]\n"
                    '    joined = pd.DataFrame({"category": pd.Series([(f or [None])[0] for f in found], dtype=object)})\n',
                ),
            ),
        ),
    ),
    accepted=(latest_in_a_dict, sorted_rows),
    growth=Growth(
        large, n=3_000, says="Make one lookup of the table, by a join or a dictionary, and ask it once a payment."
    ),
    shrink=first_of(lists(0, noun="payments"), rows(1, 2, 3, noun="rows")),
    preload=("numpy", "pandas"),
)
