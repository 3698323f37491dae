"""benchmarks/handbook.md: figures published for the Fraud-Detection-Handbook's table, and this project's beside them.

    fraudkit benchmark TABLE --schema benchmarks/schemas/handbook.toml --tune --out FOLDS
    fraudkit benchmark TABLE --schema benchmarks/schemas/handbook_single.toml --out SINGLE
    python -m benchmarks.handbook FOLDS SINGLE     # write handbook.json and handbook.md from the two reports
    python -m benchmarks.handbook --check          # exit 1 if the page is not what handbook.json says

Nothing is measured here, and no row of the table is kept: handbook.json holds settings and figures alone.
"""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from pathlib import Path
from typing import Any

from fraudkit.benchmark.report import REPORT_FORMAT

RECORD = Path(__file__).with_name("handbook.json")
PAGE = Path(__file__).with_name("handbook.md")
METRICS = ("roc_auc", "average_precision", "card_precision")
WORDS = ("ROC AUC", "average precision", "card precision@100")
TUNED = "xgboost"  # the model the settings were chosen for; the one to compare, whichever is ahead on the test weeks

# The book's own tables, test folds' mean, in the order of METRICS.
PUBLISHED_FOLDS = {
    "logistic regression": (0.868, 0.623, 0.297),
    "random forest": (0.870, 0.678, 0.299),
    "XGBoost": (0.872, 0.687, 0.303),
    "XGBoost, best of the grid on the test folds": (0.871, 0.694, 0.304),
    "balanced bagging": (0.879, 0.680, 0.305),
    "feed-forward network": (0.876, 0.675, 0.303),
    "LSTM with attention": (0.874, 0.667, 0.295),
}
PUBLISHED_SINGLE = {
    "logistic regression": (0.871, 0.606, 0.291),
    "random forest": (0.867, 0.658, 0.287),
    "XGBoost": (0.862, 0.639, 0.273),
}
KEPT = ("title", "settings", "folds", "summary", "tuning", "machine", "seconds")
KEPT_OF_DATA = ("rows", "frauds", "users", "merchants", "first", "last", "rules")

TITLE = """# The Fraud-Detection-Handbook's table

<!-- made by `python -m benchmarks.handbook` from handbook.json; do not edit -->"""

PROTOCOL = (
    "The book simulates card transactions and publishes what its models reach on them. Its protocol: seven days of "
    "training, seven of label delay, seven of testing; cards known to be compromised leave the test rows; analysts "
    "look at 100 cards a day."
)

SEEN = (
    "This choice used the validation folds alone. While the benchmark was built the test weeks had been scored twice "
    "before: with 21 days of history (XGBoost .880, .748, .310), and with 49 before transactions of one second were "
    "put in order of their ids (.884, .749, .310)."
)


def keep(report: dict[str, Any]) -> dict[str, Any]:
    """What of a report goes into the record."""
    data = {name: report["data"][name] for name in KEPT_OF_DATA}
    return {**{name: report[name] for name in KEPT}, "data": data}


def read_report(folder: Path, kind: str) -> dict[str, Any]:
    """The report in `folder`, which has to be of a run under a protocol of this kind."""
    path = folder / "report.json"
    try:
        report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SystemExit(
            f"error: {path} cannot be read ({error}); give the folder of `fraudkit benchmark --out`"
        ) from error
    if report.get("format") != REPORT_FORMAT:
        raise SystemExit(
            f"error: {path} has format {report.get('format')}, not {REPORT_FORMAT}; run the benchmark again"
        )
    found = report["settings"]["protocol"]["kind"]
    if found != kind:
        raise SystemExit(f"error: {path} is of a {found} protocol, {kind} is needed here; see --help for the order")
    if kind == "prequential" and not report["tuning"]:
        raise SystemExit(f"error: {path} shows no choice of settings; run the benchmark with --tune")
    return report


def decimals(value: float, places: int = 3) -> str:
    """A share without its leading zero.

    >>> decimals(0.8844), decimals(1.0), decimals(-0.0123)
    ('.884', '1.000', '-.012')
    """
    return f"{value:.{places}f}".replace("0.", ".", 1)


def comparison(published: dict[str, tuple[float, float, float]], run: dict[str, Any]) -> str:
    """Published rows and ours, as a Markdown table."""
    lines = ["| model | " + " | ".join(WORDS) + " |", "|---|---:|---:|---:|"]
    for model, values in published.items():
        lines.append(f"| published: {model} | " + " | ".join(map(decimals, values)) + " |")
    several = len(run["folds"]) > 1
    for model, figures in run["summary"].items():
        cells = [
            decimals(figures[name]["mean"]) + (f" ± {decimals(figures[name]['std'])}" if several else "")
            for name in METRICS
        ]
        lines.append(f"| fraudkit: {model.replace('_', ' ')} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def gains(run: dict[str, Any]) -> str:
    """The tuned model against the best published row of each column, one line a metric."""
    lines = []
    for position, name in enumerate(METRICS):
        best = max(values[position] for values in PUBLISHED_FOLDS.values())
        figures = run["summary"][TUNED][name]
        of_folds = ", ".join(decimals(fold["models"][TUNED][name]) for fold in run["folds"])
        lines.append(
            f"- {WORDS[position]}: best published {decimals(best)}, XGBoost here {decimals(figures['mean'])} "
            f"({figures['mean'] - best:+.3f}; deviation between weeks {figures['std']:.3f}; weeks {of_folds})"
        )
    return "\n".join(lines)


def choice(run: dict[str, Any]) -> str:
    """The settings that were tried on the validation folds, best first."""
    tried = sorted(run["tuning"], key=lambda item: -item["merit"])
    names = list(tried[0]["values"])
    lines = ["| " + " | ".join((*names, *WORDS, "mean of the three")) + " |", "|" + "---:|" * (len(names) + 4)]
    for item in tried:
        cells = [str(item["values"][name]) for name in names]
        cells += [decimals(item["summary"][name]["mean"], 4) for name in METRICS]
        lines.append("| " + " | ".join((*cells, decimals(item["merit"], 4))) + " |")
    return "\n".join(lines)


def conditions(run: dict[str, Any]) -> str:
    """What was trained, how long it took, on what."""
    models, machine, rules = run["settings"]["models"], run["machine"], run["data"]["rules"]
    can = len(rules["can_fire"])
    share = models.get("forest_share", 1.0)
    drawn = "" if share == 1.0 else f" that draw {share:.0%} of the rows each"
    return (
        f"XGBoost: {models['trees']} trees of depth {models['depth']}; random forest: {models['forest_trees']} trees"
        f"{drawn}; network: at most {models['epochs']} epochs; ensemble: {models['tree_weight']:g} of XGBoost, the "
        f"rest network; rules: the {can} of {can + len(rules['cannot_fire'])} that this table can carry. "
        f"{run['seconds']:.0f} s on {machine['cores']} cores shared with other work ({machine['system']}, "
        f"Python {machine['python']}, XGBoost {machine['xgboost-cpu']}, scikit-learn {machine['scikit-learn']}, "
        f"torch {machine['torch']})."
    )


def starts(days: list[str]) -> str:
    """Dates in one line: the first whole, the others without the year."""
    return ", ".join([days[0], *(day[5:] for day in days[1:])])


def prose(text: str) -> str:
    """A paragraph in lines of this project's width."""
    return textwrap.fill(text, 120, break_on_hyphens=False)


def render(record: dict[str, Any]) -> str:
    """The whole page."""
    folds, single = record["folds"], record["single"]
    protocol = folds["settings"]["protocol"]
    history, short = protocol["history_days"], single["settings"]["protocol"]["history_days"]
    data = folds["data"]
    parts = [
        TITLE,
        prose(
            f"{PROTOCOL} {data['rows']:,} transactions with {data['frauds']:,} frauds; the data are not in this "
            "repository."
        ),
        "## Four weeks",
        prose(
            f"Training weeks from {starts(protocol['test_starts'])}; mean over the four test weeks, ± standard "
            "deviation where it is ours."
        ),
        comparison(PUBLISHED_FOLDS, folds),
        gains(folds),
        prose(
            f"Our rows train on {history} days before the seven as well, which the published ones do not. The test "
            "rows are the same: cards leave by the frauds of the seven training days alone."
        ),
        prose(conditions(folds)),
        "## How the history was chosen",
        prose(
            f"With XGBoost on four validation folds (training weeks from {starts(protocol['validation_starts'])}), all "
            "tested before the first reported test day:"
        ),
        choice(folds),
        prose(SEEN),
        "## One week, like for like",
        prose(
            f"Training week {single['settings']['protocol']['train_start']} with {short} days of history: the training "
            "and test rows of the published figures, under this project's features and settings. One test week, hence "
            "no spread."
        ),
        comparison(PUBLISHED_SINGLE, single),
        prose(conditions(single)),
        "## Commands",
        "    fraudkit benchmark TABLE --schema benchmarks/schemas/handbook.toml --tune --out FOLDS\n"
        "    fraudkit benchmark TABLE --schema benchmarks/schemas/handbook_single.toml --out SINGLE\n"
        "    python -m benchmarks.handbook FOLDS SINGLE",
    ]
    return "\n\n".join(parts) + "\n"


def main(arguments: list[str] | None = None) -> None:
    """Write or check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folds", type=Path, nargs="?", help="--out of the run with handbook.toml")
    parser.add_argument("single", type=Path, nargs="?", help="--out of the run with handbook_single.toml")
    parser.add_argument("--check", action="store_true", help="exit 1 if handbook.md is stale")
    options = parser.parse_args(arguments)
    if options.check:
        current = render(json.loads(RECORD.read_text(encoding="utf-8")))
        if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != current:
            print("error: benchmarks/handbook.md is not what handbook.json says; make both again", file=sys.stderr)
            sys.exit(1)
        return
    if options.single is None:
        parser.error("give the folders of both runs, or --check")
    record = {
        "folds": keep(read_report(options.folds, "prequential")),
        "single": keep(read_report(options.single, "single")),
    }
    RECORD.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    PAGE.write_text(render(record), encoding="utf-8")


if __name__ == "__main__":
    main()
