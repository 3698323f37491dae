"""The capacity plan as a page: inputs with their commands, the table of loads, and what gives way first."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from benchmarks.capacity_plan import BUDGET, LOADS, PEAK, Assumptions, Manifests, limits, plan, pod_rate, pods
from benchmarks.record import RESULTS, Record, number, read_record
from benchmarks.report import machine_line
from fraudkit.audit.expire import LABELLED_DAYS, SAMPLE

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "deploy" / "CAPACITY.md"
KUBERNETES = ROOT / "deploy" / "kubernetes"
PUBLISHED = {
    "service": ("open loop, served", "open loop, p99"),
    "store": ("memory a card holder, mean", "memory a card holder, largest"),
    "replay": ("replay, transactions a second",),
}


def read_inputs() -> list[Record]:
    """The records that the plan rests on; of the published ones only the figures it uses are read."""
    return [read_record(RESULTS / f"{name}.json") for name in (*PUBLISHED, "capacity")]


def values(records: list[Record]) -> dict[str, float]:
    """Figure -> value."""
    return {figure.what: figure.value for record in records for figure in record.figures}


def objects(name: str) -> dict[str, Any]:
    """The objects of one manifest by kind; of two of a kind the last."""
    text = (KUBERNETES / name).read_text(encoding="utf-8")
    return {found["kind"]: found for found in yaml.safe_load_all(text)}


def gigabytes(quantity: str) -> float:
    """A quantity such as 4Gi or 3gb in GB of 10^9 bytes."""
    found = re.fullmatch(r"([\d.]+)(Gi|gb)", quantity)
    assert found, quantity
    return float(found[1]) * 1.073741824


def read_manifests() -> Manifests:
    """The sizes in deploy/kubernetes."""
    scaler = objects("scaling.yaml")["HorizontalPodAutoscaler"]["spec"]
    pod = objects("service.yaml")["Deployment"]["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]
    valkey = objects("valkey.yaml")
    conf = valkey["ConfigMap"]["data"]["valkey.conf"]
    primary = valkey["StatefulSet"]["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]
    job = objects("retraining.yaml")["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    memory = re.search(r"^maxmemory (\S+)$", conf, re.MULTILINE)
    assert memory
    return Manifests(
        most_pods=scaler["maxReplicas"],
        target_rate=float(scaler["metrics"][1]["pods"]["target"]["averageValue"]),
        pod_cores=float(pod["cpu"]),
        pod_gb=gigabytes(pod["memory"]),
        primaries=valkey["StatefulSet"]["spec"]["replicas"] // 2,
        primary_gb=gigabytes(memory[1]),
        primary_pod_gb=gigabytes(primary["memory"]),
        training_gb=gigabytes(job["resources"]["limits"]["memory"]),
    )


def render(records: list[Record], given: Assumptions) -> str:
    """The whole page."""
    figures, has = values(records), read_manifests()
    columns = {tps: plan(tps, figures, given, has) for tps in LOADS}
    broken = limits(figures, given, has)
    now, later = columns[10_000], columns[100_000]
    needed = pods(PEAK, figures, given, has.target_rate)
    parts = [
        "# Capacity\n\n<!-- made by `python -m benchmarks.capacity --write`; do not edit -->",
        f"One pod is trusted with {pod_rate(figures, given):,.0f} decisions a second, so {PEAK:,} with a zone lost "
        f"take {needed} pods; the autoscaler may make {has.most_pods}. Today's 10,000 a second cost "
        f"${now['$ a month']:,.0f} a month at the prices assumed below, of the specification's ${BUDGET:,.0f}; "
        f"100,000 cost ${later['$ a month']:,.0f}. What gives way first, at {broken[0][0]:,.0f} a second: "
        f"{broken[0][1]}. "
        "Nothing here was tried on more than one machine: it is arithmetic on measured costs.",
        "## What each load takes\n\n" + loads(columns),
        "A column is a load held around the clock. The specification also speaks of 10 million payments a day, which "
        "is 116 a second: at that volume divide the lines a day, of days and of training by 86. Its peak is twice the "
        "sustained load, so the columns for machines are to be read at the peak, those for days at the mean.",
        "## What gives way first\n\n" + breaks(broken),
        NOTES.format(
            hot=given.hot_days,
            kept=given.kept_days,
            sample=SAMPLE,
            labelled=LABELLED_DAYS,
            sample_gb=SAMPLE * LABELLED_DAYS * figures["a decision in PostgreSQL, indexes included"] * given.room / 1e9,
        ),
        "## Inputs\n\n### Assumed\n\n" + assumed(given),
        f"Rates are planned with {given.margin:.0%} of what was measured, memory and disk with {given.room:g} times.",
        "### Measured\n\n" + measured(records),
        *(f"`{record.command}`: {machine_line(record)}" for record in records),
        *(f"- {note}" for note in records[-1].notes),
    ]
    return "\n\n".join(parts) + "\n"


NOTES = """**A zone lost, one more away.** Pods are counted so that the zones that are left carry the whole load with a
pod missing. A lost zone takes a third of the Valkey primaries; their replicas stand in other zones and take over, as
long as most primaries live. PostgreSQL's standby is for whoever runs it; while it fails over, journals take decisions.

**What no size mends.** The parts that follow decisions are one process each. Every pod's secondary store, by default
a file on its own volume, holds every card holder and is fed with every decision; a new pod begins at the first decision
there is. Above the load in the table use `FRAUDKIT_SECONDARY=dynamodb://TABLE` and plan for sharded followers.
Training takes the rows that fit: all frauds and a sample.

**What goes.** `fraudkit log expire`, nightly in `kubernetes/archive.yaml`, removes decisions after {hot:g} days, once
they are archived and in every pod's secondary store; the last line of the table is what goes without it. Of each day
{sample:,} decisions stay until their labels have matured, {sample_gb:.1f} GB in all, and the archive keeps {labelled:g}
days for the same labels: {kept:g}, as the table counts, are what goes with `--without-labels`. The job is one process;
how many decisions a second it removes was not measured here."""


def loads(columns: dict[int, dict[str, float]]) -> str:
    """Lines by loads."""
    lines = ["| decisions a second | " + " | ".join(f"{tps:,} ({when})" for tps, when in LOADS.items()) + " |"]
    lines.append("|---|" + "---:|" * len(columns))
    for name in next(iter(columns.values())):
        lines.append(f"| {name} | " + " | ".join(number(column[name]) for column in columns.values()) + " |")
    return "\n".join(lines)


def breaks(found: list[tuple[float, str, str]]) -> str:
    """Limits, the lowest first."""
    lines = ["| at decisions a second | part | then |", "|---:|---|---|"]
    return "\n".join([*lines, *(f"| {at:,.0f} | {part} | {then} |" for at, part, then in found)])


def assumed(given: Assumptions) -> str:
    """Every assumption and the option that changes it."""
    lines = ["| assumption | value | option |", "|---|---:|---|"]
    for name, value in asdict(given).items():
        lines.append(f"| {name.replace('_', ' ')} | {value:,g} | `--{name.replace('_', '-')}` |")
    return "\n".join(lines)


def measured(records: list[Record]) -> str:
    """Every figure with its command."""
    lines = ["| what | measured | command |", "|---|---:|---|"]
    for record in records:
        for figure in record.figures:
            if figure.what in PUBLISHED.get(record.name, (figure.what,)):
                lines.append(f"| {figure.what} | {number(figure.value)} {figure.unit} | `{record.command}` |")
    return "\n".join(lines)
