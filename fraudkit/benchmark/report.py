"""The report of a benchmark: report.json for machines, report.md and report.html for people."""

from __future__ import annotations

import html
import json
import os
import platform
from dataclasses import asdict
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as Grid

from fraudkit.benchmark.run import Candidate, FoldResult, model_summary
from fraudkit.benchmark.settings import Settings
from fraudkit.benchmark.table import Table

REPORT_FORMAT = 1
LIBRARIES = ("numpy", "numba", "pandas", "scikit-learn", "xgboost-cpu", "torch")
HEADINGS = {
    "roc_auc": "ROC AUC",
    "average_precision": "average precision",
    "card_precision": "card precision",
    "precision_at_k": "precision at k",
    "cost": "cost",
    "cost_without": "cost, declining nothing",
}
STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse}td,th{padding:.3rem .8rem;border-bottom:1px solid #ccc;text-align:right}"
    "td:first-child,th:first-child{text-align:left}img{max-width:100%}"
)


def build_report(
    settings: Settings,
    data: dict[str, Any],
    table: Table,
    results: list[FoldResult],
    tried: list[Candidate],
    seconds: float,
) -> dict[str, Any]:
    """Everything of a run as JSON values."""
    return {
        "format": REPORT_FORMAT,
        "title": settings.title,
        "settings": _plain(asdict(settings)),
        "data": data,
        "folds": [_fold(table, result) for result in results],
        "summary": model_summary(results),
        "tuning": [asdict(candidate) for candidate in tried],
        "top_features": _top_features(results),
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            **{name: version(name) for name in LIBRARIES},
        },
        "seconds": round(seconds, 1),
    }


def _fold(table: Table, result: FoldResult) -> dict[str, Any]:
    fold = result.fold
    return {
        "train_start": fold.name,
        "train_rows": len(fold.train),
        "train_frauds": int(table.is_fraud[fold.train].sum()),
        "valid_rows": len(fold.valid),
        "test_rows": len(fold.test),
        "test_frauds": int(table.is_fraud[fold.test].sum()),
        "removed_rows": fold.removed,
        "models": result.figures,
    }


def _top_features(results: list[FoldResult], top: int = 15) -> list[dict[str, Any]]:
    """XGBoost's mean share of gain over folds, largest first."""
    names = results[0].importance
    mean = {name: sum(result.importance[name] for result in results) / len(results) for name in names}
    order = sorted(mean, key=lambda name: (-mean[name], name))[:top]
    return [{"feature": name, "gain_share": mean[name]} for name in order]


def _plain(value: Any) -> Any:
    """Dates as text, tuples as lists."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def summary_rows(report: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Heading and cells of the table of models."""
    budget = report["settings"]["protocol"]["card_budget"]
    words = {**HEADINGS, "card_precision": f"card precision@{budget}"}
    several = len(report["folds"]) > 1
    rows = []
    for model, figures in report["summary"].items():
        cells = [
            f"{figures[name]['mean']:.3f}" + (f" ± {figures[name]['std']:.3f}" if several else "")
            for name in list(HEADINGS)[:4]
        ]
        rows.append(
            [model.replace("_", " "), *cells, *(f"{figures[n]['mean']:,.0f}" for n in ("cost", "cost_without"))]
        )
    return ["model", *words.values()], rows


def _summary_title(report: dict[str, Any]) -> str:
    """What the figures of `summary_rows` are; a single fold has no spread."""
    return "test folds, mean ± standard deviation over folds" if len(report["folds"]) > 1 else "test fold"


def tuning_rows(report: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Heading and cells of the table of tried settings, best first."""
    tried = sorted(report["tuning"], key=lambda item: -item["merit"])
    names = list(tried[0]["values"])
    rows = [
        [
            *(str(item["values"][name]) for name in names),
            *(f"{item['summary'][name]['mean']:.4f}" for name in list(HEADINGS)[:3]),
        ]
        for item in tried
    ]
    return [*names, *list(HEADINGS.values())[:3]], rows


def show_report(report: dict[str, Any], console: Console) -> None:
    """Print the tables of models and of tried settings."""
    tables = [(_summary_title(report), summary_rows(report))]
    if report["tuning"]:
        tables.insert(0, ("tuning on the validation folds, best first", tuning_rows(report)))
    for title, (heading, rows) in tables:
        grid = Grid(title=title, title_justify="left")
        for position, name in enumerate(heading):
            grid.add_column(name, justify="right" if position else "left")
        for row in rows:
            grid.add_row(*row)
        console.print(grid)


def markdown(report: dict[str, Any]) -> str:
    """The report as Markdown."""
    data, machine = report["data"], report["machine"]
    lines = [
        f"# {report['title']}",
        "",
        f"{data['rows']:,} transactions, {data['frauds']:,} frauds, {data['first'][:10]} to {data['last'][:10]}. "
        f"{len(report['folds'])} fold(s), {report['settings']['protocol']['kind']} protocol. "
        f"{report['seconds']:.0f} s on {machine['cores']} cores ({machine['system']}, Python {machine['python']}, "
        f"XGBoost {machine['xgboost-cpu']}, scikit-learn {machine['scikit-learn']}).",
        "",
        *(f"- {note}" for note in data["notes"]),
        *([""] if data["notes"] else []),
        f"Models on the {_summary_title(report)}:",
        "",
        *_markdown_table(*summary_rows(report)),
        "",
        "Folds:",
        "",
        *_markdown_table(*_fold_rows(report)),
    ]
    if report["tuning"]:
        lines += ["", "Settings tried on the validation folds (XGBoost), best first:", ""]
        lines += _markdown_table(*tuning_rows(report))
    for picture, text in PICTURES.items():
        lines += ["", f"![{text}]({picture})"]
    return "\n".join(lines) + "\n"


# file -> what it shows
PICTURES = {
    "ranking.png": "ROC and precision-recall of every model on the first test fold",
    "scores_by_time.png": "Mean score of frauds and of legitimate transactions by test day",
    "top_features.png": "Features by XGBoost's share of gain",
}


def _fold_rows(report: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    keys = ("train_start", "train_rows", "train_frauds", "test_rows", "test_frauds", "removed_rows")
    rows = [[f"{fold[key]:,}" if isinstance(fold[key], int) else fold[key] for key in keys] for fold in report["folds"]]
    return [key.replace("_", " ") for key in keys], rows


def _markdown_table(heading: list[str], rows: list[list[str]]) -> list[str]:
    rule = ["---", *["---:"] * (len(heading) - 1)]
    return ["| " + " | ".join(cells) + " |" for cells in (heading, rule, *rows)]


def _html_table(heading: list[str], rows: list[list[str]]) -> str:
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in heading)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def html_page(report: dict[str, Any]) -> str:
    """The report as one page beside its pictures."""
    title, data = html.escape(report["title"]), report["data"]
    parts = [
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{title}</title><style>{STYLE}</style>",
        f"<h1>{title}</h1><p>{data['rows']:,} transactions, {data['frauds']:,} frauds, "
        f"{data['first'][:10]} to {data['last'][:10]}.</p>",
        *(f"<p>{html.escape(note)}</p>" for note in data["notes"]),
        f"<h2>Models on the {_summary_title(report)}</h2>" + _html_table(*summary_rows(report)),
        "<h2>Folds</h2>" + _html_table(*_fold_rows(report)),
    ]
    if report["tuning"]:
        parts.append("<h2>Settings tried on the validation folds</h2>" + _html_table(*tuning_rows(report)))
    parts += [f"<h2>{html.escape(text)}</h2><img src='{file}' alt='{text}'>" for file, text in PICTURES.items()]
    return "\n".join(parts) + "</html>\n"


def write_report(report: dict[str, Any], folder: Path) -> None:
    """Write report.json, report.md and report.html."""
    (folder / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    (folder / "report.md").write_text(markdown(report), encoding="utf-8")
    (folder / "report.html").write_text(html_page(report), encoding="utf-8")
