"""Every part of the service off, slow and lying, alone and in pairs, while payments arrive on their own schedule.

    python -m tests.chaos.matrix                                            # all of it, about a quarter of an hour
    python -m tests.chaos.matrix --only trees=lying,database=lying --repeat 5

For each combination: no answer but 200, or a 503 that says when to come again; every decision names exactly the parts
it had to do without; nothing above the cap is approved without a score; and the time of the 99th percentile beside the
50 ms of a payment. With 120 payments that is nearly the slowest one, and a machine that other work shares stands still
for longer than that now and then. So a slow combination is run once more, and is over budget where it is slow again or
where neither a process that only sleeps nor this one was held up for what was too much; the report gives both figures
and takes the slowest payments apart. What a label is measured against: tests/chaos/outcome.py.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import combinations, product
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from rich.table import Table

from fraudkit.core.config import settings
from fraudkit.core.console import output, progress_bar
from fraudkit.registry.registry import Registry
from fraudkit.serve.contracts import EXAMPLE_REQUEST
from fraudkit.serve.parts import BUDGETS_S
from tests.chaos.outcome import Combination, Outcome, Payment, in_words
from tests.chaos.service import LIES, MODES, PARTS
from tests.chaos.spans import Seen, Span, longest_ms, sleeping, touching, watched_machine
from tests.serve.process import environment

BUDGET_MS = 50.0
LETTERS = str.maketrans("0123456789", "ghijklmnop")  # digits in a row could pass for a card number
NETWORK_MS = 10.0  # what the driver's own process adds on a busy machine is not the service's


def combinations_of(pairs: bool) -> list[Combination]:
    """Every part alone in every way it can fail, and every pair of them."""
    singles = [(part, mode) for part, mode in product(PARTS, MODES) if mode != "lying" or part in LIES]
    found: list[Combination] = [{}, *({part: mode} for part, mode in singles)]
    if pairs:
        found += [dict(pair) for pair in combinations(singles, 2) if pair[0][0] != pair[1][0]]
    return found


def combination(text: str) -> Combination:
    """A combination from the command line.

    >>> combination("trees=off,log=slow")
    {'trees': 'off', 'log': 'slow'}
    """
    found = {part: mode for part, _, mode in (fault.partition("=") for fault in text.split(","))}
    for part, mode in found.items():
        if part not in PARTS or mode not in MODES or (mode == "lying" and part not in LIES):
            raise argparse.ArgumentTypeError(
                f"{part}={mode} cannot be; a part is one of {', '.join(PARTS)}, a mode one of {', '.join(MODES)}, "
                "and a log cannot lie"
            )
    return found


@contextmanager
def chaotic(home: Path, model: str, patience: float) -> Iterator[Chaotic]:
    """The service with its faults, in its own process."""
    slow_s = 3 * max(BUDGETS_S.values()) * patience
    with (home / "stderr.txt").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.service", model, str(slow_s)],
            env=environment(home, FRAUDKIT_PATIENCE=str(patience)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            yield Chaotic(process, home)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            assert process.stdout is not None
            process.stdout.close()


class Chaotic:
    """A running service whose parts can be made faulty."""

    def __init__(self, process: subprocess.Popen[str], home: Path) -> None:
        self._process = process
        self._home = home
        self.url = self._line("ready on ")

    def _line(self, begins: str) -> str:
        """The rest of the next line that begins so."""
        assert self._process.stdout is not None
        line = ""
        while not line.startswith(begins):
            line = self._process.stdout.readline()
            assert line, (self._home / "stderr.txt").read_text()
        return line.removeprefix(begins).strip()

    def set(self, faults: Combination) -> Seen:
        """Make exactly these parts faulty; what the service saw of itself until now, when they are."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(faults) + "\n")
        self._process.stdin.flush()
        return Seen.from_json(self._line("set "))


async def drive(url: str, rate: float, seconds: float, rng: np.random.Generator) -> tuple[list[Payment], list[Span]]:
    """Payments at the moments of a Poisson process, whether the service keeps up or not; and this process's pauses."""
    gaps = rng.exponential(1 / rate, size=max(1, round(rate * seconds)))
    limits = httpx.Limits(max_connections=64)
    async with httpx.AsyncClient(base_url=url, timeout=30, limits=limits) as client, sleeping("harness") as pauses:
        started = time.perf_counter()
        tasks = []
        for number, due in enumerate(np.cumsum(gaps).tolist()):
            await asyncio.sleep(max(0.0, started + due - time.perf_counter()))
            tasks.append(asyncio.create_task(_pay(client, number, started + due, rng)))
        payments = await asyncio.gather(*tasks)
    return payments, pauses


async def _pay(client: httpx.AsyncClient, number: int, due_s: float, rng: np.random.Generator) -> Payment:
    amount = float(np.round(rng.lognormal(4.0, 1.5), 2)) + 1.0
    body = {
        **EXAMPLE_REQUEST,
        "transaction_id": f"chaos-{rng.bytes(8).hex().translate(LETTERS)}-{number}",
        "user_id": f"u{int(rng.integers(40)):06d}",
        "amount": amount,
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    sent_s = time.perf_counter()
    reply = await client.post("/score_transaction", json=body)
    moments = (due_s, sent_s, time.perf_counter())
    if reply.status_code == 200:
        return Payment(number, amount, *moments, 200, reply.json())
    comes_again = reply.status_code == 503 and "retry-after" in reply.headers
    refusal = "" if comes_again else f"{reply.status_code} {reply.text[:200]}"
    return Payment(number, amount, *moments, reply.status_code, refusal=refusal)


class Matrix:
    """Runs combinations on one service.

    Parameters
    ----------
    limit_ms : a combination whose 99th percentile is above it is run once more
    machine : the pauses of the machine, as they come
    """

    def __init__(
        self, service: Chaotic, rate: float, seconds: float, patience: float, limit_ms: float, machine: list[Span]
    ) -> None:
        self._service = service
        self._rate, self._seconds, self._patience = rate, seconds, patience
        self._limit_ms = limit_ms
        self._machine = machine

    def warm(self, seed: int) -> None:
        """A moment of healthy traffic."""
        asyncio.run(drive(self._service.url, self._rate, 2.0, np.random.default_rng(seed)))

    def run(self, faults: Sequence[Combination], seed: int) -> list[Outcome]:
        """Each combination in turn, with a healthy moment between two; a slow one twice."""
        outcomes = []
        with progress_bar("combinations") as progress:
            for number, chosen in enumerate(faults):
                outcome = self._one(
                    chosen, np.random.default_rng([seed, number + 1])
                )  # [seed, 0] is [seed]: the warm-up
                if outcome.p99_ms > self._limit_ms:
                    outcome.again = self._one(chosen, np.random.default_rng([seed, number + 1, 1]))
                outcomes.append(outcome)
                progress((number + 1) / len(faults), in_words(chosen))
        return outcomes

    def _one(self, faults: Combination, rng: np.random.Generator) -> Outcome:
        gc.collect()
        gc.freeze()  # or a full collection over all outcomes so far would hold this process up
        self._service.set(faults)
        payments, pauses = asyncio.run(drive(self._service.url, self._rate, self._seconds, rng))
        seen = self._service.set({})
        end_s = max(payment.answered_s for payment in payments)
        return Outcome(
            faults, payments, seen, pauses + touching(self._machine, payments[0].due_s, end_s), self._patience
        )


def report(outcomes: Sequence[Outcome], limit_ms: float) -> dict[str, Any]:
    """What a run came to."""
    slow = [o for o in outcomes if o.p99_ms > limit_ms]
    runs = [*outcomes, *(o.again for o in outcomes if o.again is not None)]
    statuses: Counter[int] = sum((run.statuses for run in runs), Counter())
    return {
        "combinations": len(outcomes),
        "replies": statuses,
        "problems": [problem for o in outcomes for problem in o.problems()],
        "late": [late for o in outcomes for late in o.late()],
        "p99_ms_median": round(float(np.median([o.p99_ms for o in outcomes])), 1),
        "p99_ms_worst": round(max(o.p99_ms for o in outcomes), 1),
        "slow": [
            {
                "faults": in_words(o.faults),
                "p99_ms": round(o.p99_ms, 1),
                "p99_without_pauses_ms": round(o.p99_without_pauses_ms, 1),
                "again_p99_ms": None if o.again is None else round(o.again.p99_ms, 1),
                "over_budget": o.is_over(limit_ms),
                "slowest": o.slowest(limit_ms),
            }
            for o in slow
        ],
        "over_budget": [in_words(o.faults) for o in slow if o.is_over(limit_ms)],
        "machine_pause_ms_longest": round(max(longest_ms(run.pauses) for run in runs), 1),
        "load": [round(load, 1) for load in os.getloadavg()],
    }


def show(result: dict[str, Any]) -> None:
    """The report as tables."""
    output.print({name: value for name, value in result.items() if name not in ("problems", "late", "slow")})
    for name in ("problems", "late"):
        if rows := result[name]:
            table = Table("faults", "payment", "expected", "found", "ms", "calls", "pauses", title=name)
            for row in rows:
                table.add_row(
                    row["faults"], str(row["payment"]), ", ".join(row["expected"]),
                    row.get("problem", ", ".join(row["found"])), f"{row['ms']}", ", ".join(row["calls"]), _pauses(row),
                )  # fmt: skip
            output.print(table)
    if result["slow"]:
        table = Table("faults", "p99", "less pauses", "again", "over", "slowest", "in the service", "stages", "pauses")
        for row in result["slow"]:
            worst = row["slowest"][0]
            table.add_row(
                row["faults"], f"{row['p99_ms']}", f"{row['p99_without_pauses_ms']}", f"{row['again_p99_ms']}",
                "yes" if row["over_budget"] else "no", f"{worst['ms']}", f"{worst['service_ms']}",
                ", ".join(worst["stages"]), _pauses(worst),
            )  # fmt: skip
        output.print(table)


def _pauses(row: dict[str, Any]) -> str:
    return ", ".join(f"{who} {row[f'{who}_pause_ms']:.0f}" for who in ("machine", "harness", "service"))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--singles", action="store_true", help="without the pairs")
    parser.add_argument(
        "--only",
        type=combination,
        action="append",
        metavar="PART=MODE[,PART=MODE]",
        help="this combination alone; repeatable",
    )
    parser.add_argument("--repeat", type=int, default=1, help="run every combination so many times")
    parser.add_argument("--rate", type=float, default=60.0, help="payments a second")
    parser.add_argument("--seconds", type=float, default=2.0, help="of each combination")
    parser.add_argument("--patience", type=float, default=1.0, help="multiplies the parts' times")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    model = str(Registry(settings().registry).path("production"))
    limit_ms = BUDGET_MS * chosen.patience + NETWORK_MS
    faults = (chosen.only or combinations_of(not chosen.singles)) * chosen.repeat
    with (
        tempfile.TemporaryDirectory(prefix="fk-chaos-") as folder,
        watched_machine() as machine,
        chaotic(Path(folder), model, chosen.patience) as up,
    ):
        matrix = Matrix(up, chosen.rate, chosen.seconds, chosen.patience, limit_ms, machine)
        matrix.warm(chosen.seed)
        outcomes = matrix.run(faults, chosen.seed)
    result = report(outcomes, limit_ms)
    if chosen.json:
        print(json.dumps(result))
    else:
        show(result)
    raise SystemExit(1 if result["problems"] or result["over_budget"] else 0)


if __name__ == "__main__":
    main()
