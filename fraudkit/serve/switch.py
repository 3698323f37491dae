"""Another version takes over while the service runs: a promotion or a rollback in the registry.

The new model is read, checked and warmed up off the path of payments; then one assignment puts it in
place. A batch under way keeps the model it began with. A version that cannot be used is told in the log
and the old one goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from fraudkit.core.errors import CorruptArtefact
from fraudkit.features.catalog import schema_hash
from fraudkit.models.bundle import Bundle
from fraudkit.registry.registry import ALIASES, Registry
from fraudkit.serve.scorer import Scorer
from fraudkit.serve.serving import Serving


class AliasWatch:
    """Notices when an alias of the registry comes to mean another version."""

    def __init__(self, registry: Registry, alias: str) -> None:
        self._registry = registry
        self._alias = alias
        self._stamp: tuple[int, int] | None = None

    def changed(self) -> Bundle | None:
        """The version that the alias means, loaded and warmed up, where the registry changed since the last call.

        Raises
        ------
        NotReady
            The alias means none.
        CorruptArtefact
            The version is damaged or was trained on another feature schema. It is not looked at again before
            the registry changes.
        """
        stamp = self._stamp_of_aliases()
        if stamp == self._stamp:
            return None
        self._stamp = stamp
        bundle = Bundle.load(self._registry.path(self._alias))
        if bundle.schema_hash != schema_hash():
            raise CorruptArtefact(f"{self._alias} {bundle.version} was trained on another feature schema; train again")
        bundle.warm_up()
        return bundle

    def _stamp_of_aliases(self) -> tuple[int, int]:
        try:
            found = (self._registry.folder / "aliases.json").stat()
        except OSError:
            return (0, 0)
        return found.st_mtime_ns, found.st_ino  # a replaced file is another file, whatever its time


class ModelSwitch:
    """Keeps a scorer on the version that an alias means.

    Parameters
    ----------
    told : called with the name of a version that took over
    """

    def __init__(self, scorer: Scorer, registry: Registry, alias: str, told: Callable[[str], None]) -> None:
        self._scorer = scorer
        self._watch = AliasWatch(registry, alias)
        self._told = told

    def run(self) -> None:
        """Switch where the alias means another version than the one that serves.

        Raises
        ------
        NotReady, CorruptArtefact
            The version cannot be used; the old one goes on.
        """
        bundle = self._watch.changed()
        serving = self._scorer.serving
        if bundle is None or bundle.digest == serving.context.model_digest:
            return
        context = replace(serving.context, model_version=bundle.version, model_digest=bundle.digest)
        self._scorer.serving = Serving(bundle, context, self._scorer.decisions.context_id(context))
        self._told(bundle.version)


def is_alias(name: str) -> bool:
    """Whether a model's name is one that may come to mean another version."""
    return name in ALIASES
