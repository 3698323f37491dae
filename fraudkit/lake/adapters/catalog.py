"""Which adapters there are, and which of them a file is for, told by its header."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from fraudkit.core.errors import InvalidInput
from fraudkit.lake.adapters import handbook, ieee_cis, paysim, sparkov, ulb
from fraudkit.lake.adapters.adapted import AdaptedTable
from fraudkit.lake.adapters.reading import header, read_table


class Adapter(NamedTuple):
    """A public data set: the columns that give it away, and how a file of it is loaded."""

    header: frozenset[str]
    load: Callable[[Path], AdaptedTable]
    about: str


ADAPTERS: dict[str, Adapter] = {
    ulb.NAME: Adapter(ulb.HEADER, lambda path: ulb.adapt(read_table(path)), "ULB creditcard.csv"),
    handbook.NAME: Adapter(
        handbook.HEADER, lambda path: handbook.adapt(read_table(path)), "Fraud-Detection-Handbook transactions"
    ),
    sparkov.NAME: Adapter(
        sparkov.HEADER, lambda path: sparkov.adapt(read_table(path)), "Sparkov fraudTrain.csv or fraudTest.csv"
    ),
    ieee_cis.NAME: Adapter(ieee_cis.HEADER, ieee_cis.adapt_file, "IEEE-CIS train_transaction.csv"),
    paysim.NAME: Adapter(paysim.HEADER, lambda path: paysim.adapt(read_table(path)), "PaySim"),
}


def detect(path: Path) -> str:
    """Name of the adapter whose columns `path` has.

    Raises
    ------
    InvalidInput
        It is none of them, or cannot be read.
    """
    names = set(header(path))
    for name, adapter in ADAPTERS.items():
        if adapter.header <= names:
            return name
    raise InvalidInput(
        f"{path} has the columns {', '.join(sorted(names)[:20])} of no known data set ({', '.join(ADAPTERS)}); "
        "name its columns in a TOML file and give that with --schema"
    )


def load(path: Path, source: str = "auto") -> AdaptedTable:
    """Read `path` by the adapter called `source`, or by the one its header fits."""
    name = detect(path) if source == "auto" else source
    if name not in ADAPTERS:
        raise InvalidInput(f"there is no format {name!r}; choose auto, {', '.join(ADAPTERS)}")
    return ADAPTERS[name].load(path)
