"""An embedding with hashed unknowns: a stable hash, three kinds of rows, repeated rows summed, row 0 fixed at zero."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from fraudkit.workbook.agree import difference
from fraudkit.workbook.exercise import Case, Exercise, Mutant, Step

# What optimisers and some derivatives import on first use, and the cache folder that asks for: before the doors lock.
TORCH = ("numpy", "torch", "torch._dynamo", "torch._inductor.runtime.cache_dir_utils")


def by_one_hot(known, buckets, table, steps=()):
    """The oracle: an embedding is a table of zeros and ones times the weights, and its gradient the transpose's product."""
    weights = np.array(table, dtype=float)
    answers: list[Any] = []
    for step in steps:
        hot = np.zeros((len(step.args[0]), len(weights)))
        for place, merchant in enumerate(step.args[0]):
            if merchant in known:
                hot[place, 1 + known.index(merchant)] = 1
            elif merchant:
                hot[place, len(weights) - buckets + zlib.crc32(merchant.encode("utf-8")) % buckets] = 1
        if step.method == "look_up":
            answers.append(hot @ weights)
        else:
            weights = weights - step.args[2] * hot.T @ np.asarray(step.args[1], dtype=float)
            answers.append(None)
    return answers


def agree(got: Any, expected: Any, case: Case) -> str:
    """Vectors within rounding, call by call."""
    if not isinstance(got, list) or len(got) != len(expected):
        return "the answers are not one for each call"
    for step, mine, right in zip(case.steps, got, expected, strict=True):
        if right is None:
            if mine is not None:
                return f"{step.method}: return the object itself"
        elif reason := difference(mine, right, 1e-9, 1e-11):
            return f"{step.method}: {reason}"
    return ""


def _case(name: str, known: Any, buckets: int, table: Any, *calls: Any, why: str = "", raises: str = "") -> Case:
    return Case(name, (known, buckets, table), steps=tuple(Step(c[0], c[1:]) for c in calls), why=why, raises=raises)


def cases(rng: np.random.Generator) -> list[Case]:
    """Known, unknown, missing, learning, repeated rows, bad tables, then random ones."""
    known = ["grocer", "kiosk", "airline"]
    table = np.array(
        [[9.0, 9.0], [1.0, 10.0], [2.0, 20.0], [3.0, 30.0], [4.0, 40.0], [5.0, 50.0], [6.0, 60.0], [7.0, 70.0]]
    )
    strangers = ["bakery", "florist", "garage", "casino", "café 1"]
    up = np.array([[1.0, -1.0], [0.5, 2.0], [0.25, 4.0]])
    found = [
        _case("known merchants", known, 4, table, ("look_up", ["kiosk", "airline", "grocer", "kiosk"])),
        _case(
            "unknown merchants",
            known,
            4,
            table,
            ("look_up", strangers),
            why="the buckets come after the known merchants, and the hash is crc32 of the UTF-8 bytes",
        ),
        _case(
            "no merchant",
            known,
            4,
            table,
            ("look_up", [None, "", "grocer"]),
            why="missing is something else than unknown: all zeros, whatever the table's first row says",
        ),
        _case(
            "learning",
            known,
            4,
            table,
            ("learn", ["grocer", "airline", "bakery"], up, 0.1),
            ("look_up", [*known, "bakery"]),
        ),
        _case(
            "a merchant several times",
            known,
            4,
            table,
            ("learn", ["kiosk", "kiosk", "grocer"], up, 0.5),
            ("look_up", known),
            why="each occurrence adds its gradient",
        ),
        _case(
            "missing learns nothing",
            known,
            4,
            table,
            ("learn", [None, "kiosk", ""], up, 0.5),
            ("look_up", [None, "kiosk"]),
            why="the vector of no merchant stays at zero",
        ),
        _case(
            "strangers that share a bucket",
            known,
            1,
            table[:5],
            ("learn", ["bakery", "florist", "kiosk"], up, 0.2),
            ("look_up", ["bakery", "garage", "kiosk"]),
            why="in one bucket all strangers are one merchant",
        ),
        _case("nobody is known", [], 3, [[0], [1], [2], [3]], ("look_up", ["bakery", None, "casino"])),
        _case(
            "two steps",
            known,
            4,
            table,
            ("learn", ["grocer", "kiosk", "grocer"], up, 1.0),
            ("look_up", known),
            ("learn", ["airline", "kiosk", "grocer"], up, -0.5),
            ("look_up", known),
        ),
        _case("an id twice", ["grocer", "kiosk", "grocer"], 4, table, ("look_up", ["kiosk"]), raises="ValueError"),
        _case(
            "no buckets", known, 0, table[:4], ("look_up", ["kiosk"]), raises="ValueError", why="a stranger has no row"
        ),
        _case("a row too few", known, 4, table[:7], ("look_up", ["kiosk"]), raises="ValueError"),
    ]
    for n, buckets in ((12, 5), (30, 8)):
        names = [f"m{number}" for number in rng.permutation(200)[: 2 * n]]
        weights = rng.normal(size=(1 + n + buckets, 3))
        seen = [str(name) for name in rng.choice([*names, ""], size=40)]
        calls = (("learn", seen, rng.normal(size=(40, 3)), 0.1), ("look_up", seen))
        found.append(_case(f"{n} known merchants, {buckets} buckets", names[:n], buckets, weights, *calls))
    return found


class ModuleEmbedding:
    """Accepted: a torch module with its optimiser's step written out."""

    def __init__(self, known, buckets, table):
        import torch

        if len(set(known)) != len(known) or buckets <= 0:
            raise ValueError("known merchants must differ, and there must be buckets")
        if np.shape(table)[0] - len(known) - buckets != 1:
            raise ValueError("the table does not fit")
        weights = torch.as_tensor(np.array(table, dtype=np.float64))
        weights[0].zero_()
        self.layer = torch.nn.Embedding.from_pretrained(weights, freeze=False, padding_idx=0)
        self.known, self.buckets = list(known), buckets

    def _vectors(self, merchants):
        import torch

        places = []
        for merchant in merchants:
            if merchant in self.known:
                places.append(1 + self.known.index(merchant))
            elif merchant is None or merchant == "":
                places.append(0)
            else:
                places.append(zlib.crc32(bytes(merchant, "utf-8")) % self.buckets - self.buckets)
        size = self.layer.num_embeddings
        return self.layer(torch.tensor([place % size for place in places], dtype=torch.int64))

    def look_up(self, merchants):
        return self._vectors(merchants).detach().numpy().copy()

    def learn(self, merchants, upstream, lr):
        import torch

        self.layer.weight.grad = None
        (self._vectors(merchants) * torch.as_tensor(np.array(upstream, dtype=float))).sum().backward()
        self.layer.weight.data.sub_(self.layer.weight.grad, alpha=lr)
        return self


class VectorsByName:
    """Accepted: no table, but a dict of vectors; the gradient goes to each occurrence in turn."""

    def __init__(self, known, buckets, table):
        keys = ["", *known, *range(buckets)]
        if not buckets > 0 or len(dict.fromkeys(keys)) < len(keys) or len(keys) != len(table):
            raise ValueError("these vectors do not fit")
        self.buckets = buckets
        self.vectors = {key: np.array(vector, dtype=float) for key, vector in zip(keys, table, strict=True)}
        self.vectors[""] = 0 * self.vectors[""]

    def _key(self, merchant):
        name = merchant or ""
        return name if name in self.vectors else zlib.crc32(name.encode()) % self.buckets

    def look_up(self, merchants):
        return np.stack([self.vectors[self._key(merchant)] for merchant in merchants])

    def learn(self, merchants, upstream, lr):
        for merchant, slope in zip(merchants, upstream, strict=True):
            if merchant:
                key = self._key(merchant)
                self.vectors[key] = self.vectors[key] - lr * np.asarray(slope)
        return self


EXERCISE = Exercise(
    id="merchant_embedding",
    title="An embedding for merchants, known and unknown",
    function="MerchantEmbedding",
    minutes=25,
    difficulty="medium",
    feeds="07",
    week="9-10",
    hints=(
        "Keep a dict from id to row, and one method that turns a list of ids into rows; the rest is indexing.",
        "Three cases: missing is row 0, known is in the dict, everything else is hashed behind the known ones.",
        "In torch, `functional.embedding(rows, table, padding_idx=0)` sums the gradients of repeated rows and leaves row 0 "
        "alone. In NumPy it is `np.add.at`.",
    ),
    cases=cases,
    expect=by_one_hot,
    agree=agree,
    preload=(*TORCH, "zlib"),
    mutants=(
        Mutant(
            "hash-of-python",
            "Python's hash of a text differs from process to process: the service would look up other rows than training "
            "did. Use zlib.crc32.",
            swaps=(("zlib.crc32(merchant.encode())", "hash(merchant)"),),
        ),
        Mutant(
            "unknown-is-missing",
            "Unknown merchants got the row of no merchant. That one is fixed at zero, and so nothing is learned about strangers.",
            swaps=(
                (
                    "self.row.get(merchant) or first + zlib.crc32(merchant.encode()) % self.buckets",
                    "self.row.get(merchant, 0)",
                ),
            ),
        ),
        Mutant(
            "buckets-over-known",
            "The buckets begin at row 1 and share the rows of known merchants. They come after them.",
            swaps=(("first = 1 + len(self.known)", "first = 1"),),
        ),
        Mutant(
            "known-from-row-0",
            "The known merchants begin at row 0, which belongs to no merchant.",
            swaps=(
                ("enumerate(known, start=1)", "enumerate(known, start=0)"),
                (
                    "self.row.get(merchant) or first + zlib",
                    "self.row[merchant] if merchant in self.row else first + zlib",
                ),
            ),
        ),
        Mutant(
            "missing-is-hashed",
            "A missing merchant was hashed like a stranger. It has row 0, which is all zeros.",
            swaps=(
                ("            if not merchant:\n                return 0\n", "            merchant = merchant or ''\n"),
            ),
        ),
        Mutant(
            "missing-from-the-table",
            "The vector of no merchant was read from the table as it came; it is all zeros whatever the table says.",
            swaps=(("        self.table[0] = 0.0\n", ""),),
        ),
        Mutant(
            "missing-learns",
            "The vector of no merchant moved with the gradient; it stays at zero (padding_idx).",
            swaps=((", padding_idx=0)", ")"),),
        ),
        Mutant(
            "repeated-row-once",
            "A merchant that occurs several times got one of its gradients. Each occurrence adds its own.",
            swaps=(
                (
                    "        self.table = self.table - lr * table.grad\n",
                    "        at = self.rows(merchants)\n        self.table[at] -= lr * torch.tensor(np.asarray(upstream), dtype=torch.float64)\n        self.table[0] = 0.0\n",
                ),
            ),
        ),
        Mutant(
            "callers-table-changed",
            "The table that was handed in was changed: as_tensor and from_numpy share its memory, torch.tensor copies.",
            swaps=(
                (
                    "torch.tensor(np.asarray(table), dtype=torch.float64)",
                    "torch.as_tensor(np.asarray(table), dtype=torch.float64)",
                ),
            ),
        ),
        Mutant(
            "uphill",
            "The vectors moved up the gradient. The loss falls against it: subtract.",
            swaps=(("self.table - lr * table.grad", "self.table + lr * table.grad"),),
        ),
    ),
    accepted=(ModuleEmbedding, VectorsByName),
)
