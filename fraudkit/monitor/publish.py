"""The files under deploy/ that derive from the alerts.

python -m fraudkit.monitor.publish           # write them
python -m fraudkit.monitor.publish --check   # exit 1 if one is stale
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from fraudkit.core.config import PROJECT_ROOT
from fraudkit.monitor.grafana import dashboard_json
from fraudkit.monitor.prometheus import rules_yaml

FILES: dict[str, Callable[[], str]] = {
    "deploy/prometheus/alerts.yml": rules_yaml,
    "deploy/grafana/fraud.json": dashboard_json,
}


def stale(root: Path = PROJECT_ROOT) -> list[str]:
    """Names of the files that are missing or not as they should stand now."""
    return [
        name
        for name, made in FILES.items()
        if not (root / name).exists() or (root / name).read_text(encoding="utf-8") != made()
    ]


def publish(root: Path = PROJECT_ROOT) -> None:
    """Write all files below `root`."""
    for name, made in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(made(), encoding="utf-8")


def main(arguments: list[str]) -> None:
    """Write or check."""
    if "--check" not in arguments:
        publish()
    elif names := stale():
        print(f"error: {', '.join(names)} stale; run `python -m fraudkit.monitor.publish`", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
