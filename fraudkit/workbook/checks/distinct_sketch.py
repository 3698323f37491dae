"""HyperLogLog: ranks from 1, maxima, the harmonic mean, and linear counting where registers are empty."""

from __future__ import annotations

import hashlib
import math
import re

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant, Step
from fraudkit.workbook.shrink import calls


def from_binary_text(bits, steps=()):
    """The oracle: keeps every different item, and reads the hashes as text of zeros and ones."""
    items: set[str] = set()
    merged: list[list[int]] = [[0] * 2**bits]
    answers = []
    for step in steps:
        if step.method == "update":
            items |= set(step.args[0])
        if step.method == "merge":
            merged.append([int(value) for value in step.args[0]])
        if step.method in ("update", "merge"):
            answers.append(None)
            continue
        registers = _registers(items, merged, bits)
        answers.append(registers if step.method == "registers" else _estimate(registers))
    return answers


def _registers(items, merged, bits):
    best = [max(column) for column in zip(*merged, strict=True)]
    for item in items:
        text = "".join(f"{byte:08b}" for byte in hashlib.blake2b(item.encode(), digest_size=8).digest())
        place, rest = int(text[:bits], 2), text[bits:] + "1"
        best[place] = max(best[place], rest.index("1") + 1)
    return best


def _estimate(registers):
    m = len(registers)
    a = 0.673 if m == 16 else 0.697 if m == 32 else 0.709 if m == 64 else 0.7213 * m / (m + 1.079)
    harmonic = m / math.fsum(0.5**rank for rank in registers)
    empty = sum(rank == 0 for rank in registers)
    raw = a * m * harmonic
    return -m * math.log(empty / m) if empty and raw <= 2.5 * m else raw


def agree(got, expected, case):
    """What update and merge return does not matter."""
    if isinstance(got, list | tuple) and len(got) == len(expected):
        got = [None if right is None else mine for mine, right in zip(got, expected, strict=True)]
    return close(rtol=1e-9)(got, expected, case)


ASK = (Step("registers"), Step("estimate"))


def _cards(start: int, stop: int) -> list[str]:
    return [f"card-{n}" for n in range(start, stop)]


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first, then random ones."""
    full = [int(value) for value in rng.integers(1, 6, 16)]
    found = [
        Case("one card", (4,), steps=(Step("update", (["card-1"],)), *ASK)),
        Case("nothing yet", (4,), steps=ASK, why="all registers are empty: the estimate is 0"),
        Case(
            "the same card again",
            (4,),
            steps=(Step("update", (["card-1", "card-1"],)), *ASK, Step("update", (["card-1"],)), *ASK),
            why="a repeat changes nothing",
        ),
        Case(
            "few cards",
            (5,),
            steps=(Step("update", (_cards(0, 12),)), *ASK),
            why="many registers are empty: count those, m · ln(m / V)",
        ),
        Case(
            "many cards",
            (4,),
            steps=(Step("update", (_cards(0, 400),)), *ASK),
            why="no register is empty: the harmonic mean",
        ),
        Case("128 registers", (7,), steps=(Step("update", (_cards(0, 900),)), *ASK)),
        Case("64 registers", (6,), steps=(Step("update", (_cards(50, 500),)), *ASK)),
        Case(
            "small and no register empty",
            (4,),
            steps=(Step("merge", ([1] * 16,)), Step("estimate")),
            why="with V = 0 there is no ln(m / 0)",
        ),
        Case(
            "many cards, one register still empty",
            (4,),
            steps=(Step("merge", ([6] * 15 + [0],)), Step("estimate")),
            why="empty registers count only where the harmonic mean is small",
        ),
        Case(
            "another machine's registers",
            (4,),
            steps=(Step("update", (_cards(0, 30),)), Step("merge", (full,)), *ASK),
            why="a register keeps the largest rank, from wherever",
        ),
        Case("merged with nothing", (4,), steps=(Step("update", (_cards(0, 30),)), Step("merge", ([0] * 16,)), *ASK)),
        Case("registers of another sketch", (4,), steps=(Step("merge", ([1] * 32,)),), raises="ValueError"),
        Case("three bits", (3,), steps=ASK, raises="ValueError"),
        Case("seventeen bits", (17,), steps=ASK, raises="ValueError"),
    ]
    for n, bits in ((60, 5), (700, 5), (300, 8)):
        items = [f"c{number}" for number in rng.integers(0, n, 2 * n)]
        found.append(
            Case(f"{2 * n} payments", (bits,), steps=(Step("update", (items[:n],)), Step("update", (items[n:],)), *ASK))
        )
    return found


class ArrayOfRanks:
    """Accepted: registers in NumPy, ranks by shifting."""

    def __init__(self, bits):
        """m registers of one byte."""
        if bits < 4 or bits > 16:
            raise ValueError("between 4 and 16 bits")
        self.p, self.m = bits, 1 << bits
        self.cells = np.zeros(self.m, dtype=np.uint8)

    def update(self, items):
        """Shift left until the first 1 is in front."""
        mask = (1 << 64) - 1
        for item in items:
            value = int(hashlib.blake2b(item.encode(), digest_size=8).hexdigest(), 16)
            cell, rest, rank = value >> (64 - self.p), (value << self.p) & mask, 1
            while rank <= 64 - self.p and not rest >> 63:
                rest, rank = (rest << 1) & mask, rank + 1
            if rank > self.cells[cell]:
                self.cells[cell] = rank
        return self

    def registers(self):
        """A copy."""
        return self.cells.copy()

    def merge(self, registers):
        """Element by element."""
        other = np.asarray(registers)
        if other.shape != self.cells.shape:
            raise ValueError(other.shape)
        self.cells = np.maximum(self.cells, other).astype(np.uint8)

    def estimate(self):
        """By counts of equal ranks."""
        counts = np.bincount(self.cells)
        total = float(counts @ np.exp2(-np.arange(len(counts), dtype=float)))
        factor = {4: 0.673, 5: 0.697, 6: 0.709}.get(self.p) or 0.7213 / (1 + 1.079 / self.m)
        found = factor * self.m * self.m / total
        if counts[0] and found <= 5 * self.m / 2:
            found = self.m * (math.log(self.m) - math.log(counts[0]))
        return float(found)


class TextOfBits:
    """Accepted: a dictionary of the registers that are not empty, and the hash as text."""

    def __init__(self, bits):
        """Nothing seen."""
        if bits not in range(4, 17):
            raise ValueError(f"{bits} bits")
        self.bits, self.top = bits, {}

    def update(self, items):
        """The first 1 found by a regular expression."""
        for item in set(items):
            digest = hashlib.blake2b(item.encode(), digest_size=8).digest()
            text = bin(int.from_bytes(b"\x01" + digest, "big"))[3:]
            zeros = len(re.findall("^0*", text[self.bits :])[0])
            key = int(text[: self.bits], 2)
            self.top[key] = max(self.top.get(key, 0), zeros + 1)

    def registers(self):
        """All of them, also the empty ones."""
        return [self.top.get(key, 0) for key in range(2**self.bits)]

    def merge(self, registers):
        """Registers that are larger there."""
        if len(registers) != 2**self.bits:
            raise ValueError("not of this size")
        for key, rank in enumerate(registers):
            if rank > self.top.get(key, 0):
                self.top[key] = int(rank)

    def estimate(self):
        """Empty registers weigh one each."""
        m = 2**self.bits
        empty = m - sum(rank > 0 for rank in self.top.values())
        a = {16: 0.673, 32: 0.697, 64: 0.709}[m] if m < 128 else 0.7213 / (1 + 1.079 / m)
        e = a * m * m / (empty + sum(1 / 2**rank for rank in self.top.values() if rank))
        return e if e > 2.5 * m or empty == 0 else m * math.log(m / empty)


EXERCISE = Exercise(
    id="distinct_sketch",
    title="How many different cards",
    minutes=25,
    difficulty="hard",
    feeds="05",
    week="9-10",
    hints=(
        "Of how many different random numbers does one begin with ten zeros? And what do repeats change?",
        "The high bits choose the register. In the rest, `int.bit_length` tells where the first 1 stands.",
        "Estimate with the harmonic mean; where it is small and registers are empty, m · ln(m / V). Merge by maximum.",
    ),
    cases=cases,
    expect=from_binary_text,
    agree=agree,
    mutants=(
        Mutant(
            "ranks-from-0",
            "The rank is the number of zeros. It is the place of the first 1, counted from 1; 0 means an empty register.",
            swaps=(("rest_bits - rest.bit_length() + 1", "rest_bits - rest.bit_length()"),),
        ),
        Mutant(
            "last-rank-kept",
            "The register keeps the last rank, not the largest, so the order of the payments matters.",
            swaps=(("max(self.ranks[register], rank)", "rank"),),
        ),
        Mutant(
            "low-bits-choose",
            "The register was chosen by the low bits of the hash. It is the high ones here; all machines must agree.",
            swaps=(
                (
                    "number >> rest_bits, number & ((1 << rest_bits) - 1)",
                    "number & (2**self.bits - 1), number >> self.bits",
                ),
            ),
        ),
        Mutant(
            "geometric-mean",
            "The ranks were averaged and then raised: one lucky register counts too much. Take the harmonic mean.",
            swaps=(("a * m**2 / sum(2.0**-rank for rank in self.ranks)", "a * m * 2.0 ** (sum(self.ranks) / m)"),),
        ),
        Mutant(
            "no-linear-counting",
            "For few items the raw estimate is far off. Where registers are empty, count those.",
            swaps=(("if raw <= 2.5 * m and empty:", "if False:"),),
        ),
        Mutant(
            "always-linear-counting",
            "Linear counting was used whenever a register is empty, also where the raw estimate is large.",
            swaps=(("if raw <= 2.5 * m and empty:", "if empty:"),),
        ),
        Mutant(
            "empty-not-asked",
            "No register was empty, and m / 0 was computed.",
            swaps=(("if raw <= 2.5 * m and empty:", "if raw <= 2.5 * m:"),),
        ),
        Mutant(
            "bias-left",
            "The constant a is missing: the raw mean is biased upwards.",
            swaps=(("a * m**2 /", "m**2 /"),),
        ),
        Mutant(
            "merged-by-sum",
            "Registers were added when merging. A card that both machines saw must count once: take the maximum.",
            swaps=(("max(int(mine), int(other))", "int(mine) + int(other)"),),
        ),
        Mutant(
            "bits-not-checked",
            "Any number of bits was taken.",
            swaps=(("if not 4 <= bits <= 16:", "if False:"),),
        ),
    ),
    accepted=(ArrayOfRanks, TextOfBits),
    shrink=calls(),
    preload=("numpy", "hashlib", "math", "re"),
    function="DistinctSketch",
)
