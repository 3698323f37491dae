"""The model registry: a folder of versions, and two names, `candidate` and `production`.

    v0001/            a bundle's files, and record.json with its metrics and training facts
    gates/v0001.json  the last gate report of that version
    aliases.json      which version each name stands for, replaced in one step
    backtests.jsonl   how production did on the payments of each day once their labels had matured
    history.jsonl     every registration, refusal, promotion, rollback and retirement, only ever appended to

Versions never change once they are there. Writers take a lock; readers need none. The registry
trusts the folder's file permissions: digests find damage, not malice.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fraudkit.core.clock import Clock, SystemClock, from_epoch_ms
from fraudkit.core.errors import CorruptArtefact, GateRefused, InvalidInput, NotReady
from fraudkit.core.files import locked, replace_file, write_folder
from fraudkit.models.bundle import MANIFEST, read_bundle_files
from fraudkit.models.files import read_bytes, seal, unseal
from fraudkit.registry.gate import GateReport

ALIASES = ("candidate", "production")
RECORD = "record.json"


@dataclass(frozen=True, slots=True)
class Version:
    """One registered version: `metrics` and `training` as handed to `register`, `digest` of the bundle's manifest."""

    name: str
    digest: str
    schema_hash: str
    registered_at: str
    metrics: dict[str, Any]
    training: dict[str, Any]
    aliases: tuple[str, ...]


class Registry:
    """A registry in `folder`, which is made when something is first registered."""

    def __init__(self, folder: Path | str, clock: Clock | None = None) -> None:
        self.folder = Path(folder)
        self._clock = clock or SystemClock()

    def register(self, bundle_folder: Path | str, metrics: Mapping[str, Any], training: Mapping[str, Any]) -> str:
        """Copy a bundle in as the next version and name it `candidate`.

        Parameters
        ----------
        bundle_folder : as `TrainedBundle.save` wrote it
        metrics, training : JSON values: how it did on which period, what it was trained on

        Returns
        -------
        the version's name, such as "v0001"

        Raises
        ------
        NotReady, CorruptArtefact
            There is no whole bundle in `bundle_folder`.
        """
        manifest, files = read_bundle_files(Path(bundle_folder))
        with self._lock():
            names = self._names()
            name = f"v{int(names[-1][1:]) + 1 if names else 1:04d}"
            record = {
                "version": name,
                "bundle": manifest["digest"],
                "schema_hash": manifest["schema_hash"],
                "registered_at": self._now(),
                "metrics": dict(metrics),
                "training": dict(training),
            }
            write_folder(self.folder / name, {RECORD: seal(record), **files, MANIFEST: seal(manifest)})
            aliases = self._aliases()
            self._log("register", name, None)
            self._write_aliases({**aliases, "candidate": name})
        return name

    def path(self, name: str) -> Path:
        """Folder of a version or of what an alias stands for.

        Raises
        ------
        NotReady
            There is no such version, or the alias stands for none yet.
        """
        return self.folder / self.resolve(name)

    def resolve(self, name: str) -> str:
        """The version that `name` (a version or an alias) stands for; NotReady where there is none."""
        version = self._aliases()[name] if name in ALIASES else name
        if version is None:
            raise NotReady(f"no model is {name} yet; run `fraudkit train`, then `fraudkit models promote`")
        if version not in self._names():
            known = ", ".join(self._names()) or "none"
            raise NotReady(f"no model version {version!r} in {self.folder}; there are: {known}")
        return version

    def versions(self) -> list[Version]:
        """All versions, oldest first."""
        return [self.version(name) for name in self._names()]

    def version(self, name: str) -> Version:
        """One version by its name or an alias."""
        name = self.resolve(name)
        path = self.folder / name / RECORD
        record = unseal(read_bytes(path), str(path))
        if record["version"] != name:
            raise CorruptArtefact(f"{path} is the record of {record['version']}; restore the registry")
        aliases = self._aliases()
        return Version(
            name=name,
            digest=record["bundle"],
            schema_hash=record["schema_hash"],
            registered_at=record["registered_at"],
            metrics=record["metrics"],
            training=record["training"],
            aliases=tuple(alias for alias in ALIASES if aliases[alias] == name),
        )

    def promote(self, name: str, report: GateReport) -> None:
        """Make a version production if the gate's report lets it; the report is stored either way.

        Raises
        ------
        GateRefused
            The gate refused, or its report is about another candidate or another production model.
        CorruptArtefact
            A file of the version changed since it was registered.
        """
        name = self.resolve(name)
        manifest, _ = read_bundle_files(self.folder / name)
        with self._lock():
            aliases = self._aliases()
            self._store_report(name, report)
            reasons = [*report.reasons, *self._stale(manifest["digest"], aliases["production"], report)]
            if reasons or not report.passed:
                self._log("refuse", name, aliases["production"])
                raise GateRefused(f"{name} is not promoted: " + "; ".join(reasons))
            previous = [*aliases["previous"], aliases["production"]] if aliases["production"] else []
            self._log("promote", name, aliases["production"])
            self._write_aliases({**aliases, "production": name, "previous": previous})

    def record_gate(self, name: str, report: GateReport) -> None:
        """Store a gate report without acting on it, so that `promote` can be decided by a person later."""
        name = self.resolve(name)
        with self._lock():
            self._store_report(name, report)

    def rollback(self) -> str:
        """Make the version that was production before the present one production again; returns its name.

        Raises
        ------
        NotReady
            There is none before.
        """
        with self._lock():
            aliases = self._aliases()
            if not aliases["previous"]:
                raise NotReady("no earlier production version to roll back to; promote another version instead")
            name = aliases["previous"][-1]
            read_bundle_files(self.folder / name)  # a damaged version must not go into production
            self._log("rollback", name, aliases["production"])
            self._write_aliases({**aliases, "production": name, "previous": aliases["previous"][:-1]})
        return name

    def retire(self) -> str:
        """Take the production version out of production, so that the next one is judged as a first model.

        For the day when the feature schema changes: old and new models cannot score the same vectors,
        so the gate has nothing to compare. Returns the retired version's name.

        Raises
        ------
        NotReady
            Nothing is in production.
        """
        with self._lock():
            aliases = self._aliases()
            name = aliases["production"]
            if name is None:
                raise NotReady("nothing is in production; there is nothing to retire")
            self._log("retire", name, name)
            self._write_aliases({**aliases, "production": None, "previous": [*aliases["previous"], name]})
        return name

    def report(self, name: str) -> dict[str, Any] | None:
        """The last gate report of a version, as plain data; None where the gate has not seen it."""
        path = self.folder / "gates" / f"{self.resolve(name)}.json"
        return unseal(read_bytes(path), str(path)) if path.exists() else None

    def add_backtest(self, entry: Mapping[str, Any]) -> None:
        """Keep how a version did on a day; a day that was measured before with the same version stays as it is."""
        with self._lock():
            key = (entry["day"], entry["version"])
            if key not in {(kept["day"], kept["version"]) for kept in self.backtests()}:
                self._append("backtests.jsonl", entry)

    def backtests(self) -> list[dict[str, Any]]:
        """All backtests in the order they were made: day, version, and figures as `fraudkit.pipeline.backtest` has."""
        return self._lines("backtests.jsonl")

    def history(self) -> list[dict[str, Any]]:
        """All entries, oldest first: at, action, version, production before."""
        return self._lines("history.jsonl")

    def _lines(self, name: str) -> list[dict[str, Any]]:
        path = self.folder / name
        if not path.exists():
            return []
        try:
            return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        except ValueError as error:
            raise CorruptArtefact(f"{path} has an unreadable line ({error}); restore it") from error

    def _stale(self, digest: str, production: str | None, report: GateReport) -> list[str]:
        """Whether the report is about these two models."""
        current = self.version(production).digest if production else None
        reasons = []
        if report.candidate_digest != digest:
            reasons.append("the gate's report is about another candidate; run the gate on this version")
        if report.production_digest != current:
            reasons.append("production has changed since the gate's report; run `fraudkit train` again")
        return reasons

    def _names(self) -> list[str]:
        """Version names, oldest first; a version is there once its folder has its final name."""
        found = [path.name for path in self.folder.glob("v[0-9]*") if path.name[1:].isdigit()]
        return sorted(found, key=lambda name: int(name[1:]))

    def _aliases(self) -> dict[str, Any]:
        """What aliases.json holds; `previous` are the former production versions, the latest last."""
        path = self.folder / "aliases.json"
        if not path.exists():
            return {"candidate": None, "production": None, "previous": []}
        content = unseal(read_bytes(path), str(path))
        return {key: content[key] for key in (*ALIASES, "previous")}

    def _write_aliases(self, aliases: dict[str, Any]) -> None:
        replace_file(self.folder / "aliases.json", seal(aliases))

    def _store_report(self, name: str, report: GateReport) -> None:
        folder = self.folder / "gates"
        folder.mkdir(exist_ok=True)
        replace_file(folder / f"{name}.json", seal(report.content()))

    def _log(self, action: str, name: str, production: str | None) -> None:
        """Append to the history, before the change takes effect: nothing happens that is not on record."""
        self._append(
            "history.jsonl", {"at": self._now(), "action": action, "version": name, "production_before": production}
        )

    def _append(self, file_name: str, entry: Mapping[str, Any]) -> None:
        with (self.folder / file_name).open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, sort_keys=True) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def _now(self) -> str:
        return from_epoch_ms(self._clock.now_ms()).isoformat()

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Only one writer at a time, across processes; the system releases it if the writer dies."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidInput(f"registry folder {self.folder} cannot be made ({error.strerror})") from error
        with locked(self.folder / ".lock"):
            yield
