"""Pairs of pandas and NumPy work, streams, drift and sketches."""

from __future__ import annotations

import io
import re
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import scipy.stats
from scipy.spatial.distance import cdist
from sklearn.metrics.pairwise import haversine_distances

from benchmarks.exercise_pairs.pair import Calls, Rng, pair


@pair("pandas rolling count by card", 20_000)
def window_count(ours: Any, rng: Rng, n: int) -> Calls:
    times, card = np.cumsum(rng.integers(1, 5, n)), rng.integers(0, 50, n)
    stream = pd.Series(1.0, index=pd.to_datetime(times, unit="s")).groupby(card)
    return (
        lambda: ours(times, card, 600),
        lambda: stream.rolling("600s").count().swaplevel().sort_index().to_numpy() - 1,
    )


@pair("sklearn haversine_distances", 1_000, tolerance=1e-6, note="scikit-learn makes all n² distances")
def impossible_travel(ours: Any, rng: Rng, n: int) -> Calls:
    latitude, longitude = rng.uniform(-80, 80, n), rng.uniform(-179, 179, n)
    hours, places = np.arange(n) * 3600.0, np.radians(np.column_stack([latitude, longitude]))
    return (
        lambda: ours(hours, np.zeros(n, dtype=int), latitude, longitude)[0][1:],
        lambda: np.diag(haversine_distances(places), 1) * 6371.0,
    )


@pair("numpy mean and var", 20_000, tolerance=1e-6, note="a stream in constant memory: the loop is the answer")
def welford(ours: Any, rng: Rng, n: int) -> Calls:
    amounts = rng.lognormal(3, 1, n)
    stream = amounts.tolist()

    def streamed() -> tuple[float, float]:
        summary = ours()
        for amount in stream:
            summary.update(amount)
        return summary.mean(), summary.variance()

    return streamed, lambda: (np.mean(amounts), np.var(amounts, ddof=1))


@pair("scipy.stats.ks_2samp and kstwobign", 20_000)
def ks_test(ours: Any, rng: Rng, n: int) -> Calls:
    reference, current = rng.lognormal(3, 1, n), rng.lognormal(3.01, 1, n)

    def tested() -> tuple[float, float]:
        distance = scipy.stats.ks_2samp(reference, current, method="asymp").statistic
        return distance, scipy.stats.kstwobign.sf(np.sqrt(n / 2) * distance)

    return lambda: ours(reference, current), tested


@pair("scipy.stats.entropy of numpy.histogram", 20_000, note="both ways, summed")
def psi(ours: Any, rng: Rng, n: int) -> Calls:
    reference, current = rng.lognormal(3, 1, n), rng.lognormal(3.1, 1, n)

    def theirs() -> float:
        edges = np.r_[-np.inf, np.quantile(reference, np.arange(1, 10) / 10), np.inf]
        a, b = (np.histogram(sample, edges)[0] for sample in (reference, current))
        return scipy.stats.entropy(a, b) + scipy.stats.entropy(b, a)

    return lambda: ours(reference, current), theirs


@pair("duckdb window functions", 20_000, note="ours is itself pandas")
def card_features(ours: Any, rng: Rng, n: int) -> Calls:
    table = pd.DataFrame(
        {"row": np.arange(n), "card": rng.integers(0, 200, n), "time": rng.permutation(n), "amount": rng.random(n)}
    )
    query = """
        select count(*) over w as count, avg(amount) over w as mean_amount,
               (time - max(time) over w)::double as seconds_since_last
        from given
        window w as (partition by card order by time rows between unbounded preceding and 1 preceding)
        order by row
    """
    card, time, amount = (table[name].to_numpy() for name in ("card", "time", "amount"))

    def theirs() -> dict[str, np.ndarray]:
        found = _ask(query, given=table)
        return {name: found[name].to_numpy(dtype=float) for name in found}

    return lambda: ours(card, time, amount), theirs


def _ask(query: str, **tables: pd.DataFrame) -> pd.DataFrame:
    """A query's answer, on one thread."""
    with duckdb.connect(config={"threads": 1}) as connection:
        for name, table in tables.items():
            connection.register(name, table)
        return connection.execute(query).df()


@pair("duckdb arg_max and left join", 20_000, note="ours is itself pandas")
def join_merchants(ours: Any, rng: Rng, n: int) -> Calls:
    names = np.array([f"m{i}" for i in range(300)], dtype=object)
    payments = pd.DataFrame({"row": np.arange(n), "merchant": rng.choice(names, n)})
    table = pd.DataFrame(
        {
            "merchant": rng.choice(names[:250], 1000),
            "category": rng.choice(np.array(["fuel", "travel", "grocery"], dtype=object), 1000),
            "updated": rng.permutation(1000),
        }
    )
    query = """
        select coalesce(category, 'unknown') as category
        from payments left join
             (select merchant, arg_max(category, updated) as category from known group by merchant) using (merchant)
        order by row
    """
    columns = [payments["merchant"].tolist(), *(table[name].tolist() for name in table)]
    return lambda: ours(*columns), lambda: _ask(query, payments=payments, known=table)["category"].tolist()


@pair("duckdb group by", 20_000, tolerance=1e-6, note="ours is itself pandas")
def hourly_pivot(ours: Any, rng: Rng, n: int) -> Calls:
    time, amount = rng.integers(0, 10**6, n), rng.random(n)
    category = rng.choice(np.array(["fuel", "travel", "grocery"], dtype=object), n)
    table = pd.DataFrame({"time": time, "category": category, "amount": amount})
    hours = ", ".join(f"coalesce(sum(amount) filter (time // 3600 % 24 = {hour}), 0)" for hour in range(24))

    def theirs() -> tuple[list[str], np.ndarray]:
        found = _ask(f"select category, {hours} from given group by category order by category", given=table)
        return found["category"].tolist(), found.iloc[:, 1:].to_numpy(dtype=float)

    return lambda: ours(time, category, amount), theirs


@pair("duckdb asof join", 20_000, note="ours is itself pandas")
def score_as_of(ours: Any, rng: Rng, n: int) -> Calls:
    payments = pd.DataFrame({"row": np.arange(n), "card": rng.integers(0, 100, n), "time": rng.permutation(n)})
    m = n // 4
    reports = pd.DataFrame({"card": rng.integers(0, 100, m), "known": rng.permutation(n)[:m], "risk": rng.random(m)})
    query = f"""
        select case when payments.time - known <= {n // 10} then risk end as risk
        from payments asof left join reports
             on payments.card = reports.card and payments.time > reports.known
        order by row
    """
    columns = [payments["card"], payments["time"], reports["card"], reports["known"], reports["risk"]]
    return (
        lambda: ours(*(column.to_numpy() for column in columns), n // 10),
        lambda: _ask(query, payments=payments, reports=reports)["risk"].to_numpy(dtype=float),
    )


@pair("scipy cdist", 1_000, note="all n² differences by broadcasting: that is the exercise")
def speed_matrix(ours: Any, rng: Rng, n: int) -> Calls:
    places, times = rng.normal(0, 100, (n, 2)), rng.permutation(n) * 60.0

    def theirs() -> np.ndarray:
        hours = cdist(times[:, None], times[:, None], "cityblock") / 3600
        np.fill_diagonal(hours, 1.0)
        return cdist(places, places) / hours

    return lambda: ours(places, times), theirs


@pair("pandas DataFrame.eval, a rule at a time", 5_000)
def rule_table(ours: Any, rng: Rng, n: int) -> Calls:
    X, column, threshold = rng.normal(size=(n, 5)), rng.integers(0, 5, 30), rng.normal(size=30)
    operator = rng.choice(np.array([">", ">=", "<", "<=", "==", "!="]), 30)
    table = pd.DataFrame(X, columns=[f"c{j}" for j in range(5)])
    rules = [f"c{j} {sign} {value}" for j, sign, value in zip(column, operator, threshold.tolist(), strict=True)]
    return (
        lambda: ours(X, column, operator, threshold),
        lambda: np.column_stack([table.eval(rule, engine="python").to_numpy() for rule in rules]),
    )


@pair("pandas read_csv and groupby", 5_000, note="ours takes the text in pieces, and counts in cents")
def csv_totals(ours: Any, rng: Rng, n: int) -> Calls:
    merchants, cents = rng.integers(0, 50, n), rng.integers(1, 10**5, n)
    rows = [f'"m, {m}",{c / 100:.2f}\n' for m, c in zip(merchants.tolist(), cents.tolist(), strict=True)]
    text = "merchant,amount\n" + "".join(rows)

    def fed() -> dict[str, int]:
        totals = ours()
        for piece in re.findall("(?s).{1,4096}", text):
            totals.feed(piece)
        totals.close()
        return totals.totals()

    def theirs() -> dict[str, int]:
        table = pd.read_csv(io.StringIO(text))
        return (table["amount"] * 100).round().astype(int).groupby(table["merchant"]).sum().to_dict()

    return fed, theirs


@pair("pandas quantile and clip", 20_000)
def quantile_clipper(ours: Any, rng: Rng, n: int) -> Calls:
    X = rng.standard_t(3, size=(n, 6))
    table = pd.DataFrame(X)
    return (
        lambda: ours(0.01, 0.99).fit(X).transform(X),
        lambda: table.clip(table.quantile(0.01), table.quantile(0.99), axis=1).to_numpy(),
    )


@pair(
    "pandas value_counts",
    2_000,
    tolerance=0.05,
    note="a stream hashed item by item in Python; overcount as a share of all",
)
def count_min(ours: Any, rng: Rng, n: int) -> Calls:
    items = [f"card {i}" for i in rng.zipf(1.6, n).clip(max=500).tolist()]
    names = sorted(set(items))

    def sketched() -> float:
        sketch = ours(4, n // 4)
        for item in items:
            sketch.add(item)
        return sum(sketch.estimate(name) for name in names) / n

    return sketched, lambda: pd.Series(items).value_counts().sum() / n


@pair(
    "pandas nunique",
    20_000,
    tolerance=0.05,
    note="a stream hashed item by item in Python; as a share of the exact count",
)
def distinct_sketch(ours: Any, rng: Rng, n: int) -> Calls:
    items = [f"card {i}" for i in rng.integers(0, n, n).tolist()]
    exact = len(set(items))

    def sketched() -> float:
        sketch = ours(12)
        sketch.update(items)
        return sketch.estimate() / exact

    return sketched, lambda: pd.Series(items).nunique() / exact


@pair("scipy.stats.false_discovery_control", 20_000)
def false_discoveries(ours: Any, rng: Rng, n: int) -> Calls:
    p = rng.random(n) ** 3
    return lambda: ours(p, 0.05)[1], lambda: scipy.stats.false_discovery_control(p)
