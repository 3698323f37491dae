"""The feature schema: which columns a model was trained on, in which order.

The system's own schema is the catalog's. A user's own table has another, with fewer columns. A
bundle stores names and digest and refuses to score under a different schema.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fraudkit.core.files import sha256
from fraudkit.models.files import canonical_json


@dataclass(frozen=True, slots=True)
class FeatureSchema:
    """Column names in order, and the digest that changes when any of them does."""

    names: tuple[str, ...]
    digest: str


def catalog_schema() -> FeatureSchema:
    """The schema of the system's 143 features."""
    from fraudkit.features import catalog  # here, because a model of a user's own table needs no catalog

    return FeatureSchema(tuple(catalog.FEATURE_NAMES), catalog.schema_hash())


def table_schema(names: Sequence[str]) -> FeatureSchema:
    """The schema of a user's own table.

    >>> table_schema(["a", "b"]).digest == table_schema(["b", "a"]).digest
    False
    """
    return FeatureSchema(tuple(names), sha256(canonical_json(list(names))))
