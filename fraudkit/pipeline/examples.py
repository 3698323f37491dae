"""What a daily run learns from: payments of the lake, and payments that the service decided.

The rule. A payment of the lake enters by its position, with its replayed features. A decision of the archive enters
with the vector that was served, where `fraudkit.audit.served` lets it and no payment of the lake has its id. Both
count on the day they became known, with their label as known at the run's moment, where that label is settled. What
was chosen is frozen in the run's folder, so that steps that come later see the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from fraudkit.audit.archive import FOLDER as ARCHIVE_FOLDER
from fraudkit.audit.archive import Archive
from fraudkit.audit.served import Served, served
from fraudkit.core.config import Settings
from fraudkit.core.errors import NotReady
from fraudkit.core.files import replace_file
from fraudkit.core.label import LABEL_COLUMNS
from fraudkit.evaluate.splits import settled_rows
from fraudkit.features.catalog import N_FEATURES
from fraudkit.monitor.snapshot import read_feedback
from fraudkit.pipeline.training import bare_features
from fraudkit.pipeline.windows import Windows
from fraudkit.pipeline.workspace import Workspace

FILE = "examples.parquet"
_PAYMENT = ["user_id", "event_time", "known_at", "amount_usd"]
_COLUMNS = ["part", "position", *_PAYMENT, "y", "vector", "bare"]


@dataclass(frozen=True)
class Examples:
    """Payments with settled labels.

    Attributes
    ----------
    X, bare : float32 (n, 143), with histories and without
    y : bool (n,)
    payments : user_id, event_time, known_at, amount_usd
    """

    X: np.ndarray
    bare: np.ndarray
    y: np.ndarray
    payments: pd.DataFrame


@dataclass(frozen=True)
class Sources:
    """Where examples come from."""

    workspace: Workspace
    served: Served
    feedback: pd.DataFrame

    @classmethod
    def of(cls, workspace: Workspace, settings: Settings) -> Sources:
        """The world, and the archive and feedback of this home where there are any."""
        try:
            feedback = read_feedback(settings.run / "decisions.db")
        except NotReady:
            feedback = pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in LABEL_COLUMNS.items()})
        archived = served(Archive(settings.home / ARCHIVE_FOLDER), set(feedback["transaction_id"]))
        return cls(workspace, archived, feedback)

    def last_moment(self, days_needed: int) -> pd.Timestamp:
        """The end of the data: the world's, or the archive's where that is later and spans a whole run by itself."""
        end = pd.Timestamp(self.workspace.config.end)
        if self.served.days < days_needed or self.served.table.empty:
            return end
        return max(end, self.served.table["known_at"].max().ceil("D"))

    def table(self, windows: Windows) -> pd.DataFrame:
        """One row an example, those of the lake first in each part."""
        chosen = []
        for part, (start, end) in windows.parts().items():
            chosen.append(self._of_lake(start, end, windows.as_of).assign(part=part))
            chosen.append(self._of_archive(start, end, windows.as_of).assign(part=part))
        return pd.concat([table for table in chosen if len(table)] or chosen[:1], ignore_index=True)[_COLUMNS]

    def _of_lake(self, start: pd.Timestamp, end: pd.Timestamp, as_of: pd.Timestamp) -> pd.DataFrame:
        rows, y = settled_rows(self.workspace.transactions, self.workspace.labels, start, end, as_of)
        payments = self.workspace.payments.iloc[rows][_PAYMENT].astype({"user_id": "object"})
        return payments.assign(position=rows, y=y, vector=None, bare=None)

    def _of_archive(self, start: pd.Timestamp, end: pd.Timestamp, as_of: pd.Timestamp) -> pd.DataFrame:
        rows, y = settled_rows(self.served.table, self.feedback, start, end, as_of)
        new = ~self.served.table["transaction_id"].iloc[rows].isin(self.workspace.transactions["transaction_id"])
        rows, y = rows[new.to_numpy(bool)], y[new.to_numpy(bool)]
        return self.served.table.iloc[rows][_PAYMENT].assign(
            position=-1,
            y=y,
            vector=[self.served.X[row].tobytes() for row in rows],
            bare=[self.served.bare[row].tobytes() for row in rows],
        )


def write_examples(table: pd.DataFrame, folder: Path) -> None:
    """Freeze what `Sources.table` chose."""
    replace_file(folder / FILE, table.to_parquet(index=False))


def read_examples(folder: Path, part: str, workspace: Workspace) -> Examples:
    """One part as it was frozen, with the features of the lake's payments looked up."""
    table = pd.read_parquet(folder / FILE)
    table = table[table["part"] == part]
    of_lake = table["position"].to_numpy() >= 0
    positions = table["position"].to_numpy()[of_lake]
    archived = table[~of_lake]
    return Examples(
        X=np.concatenate([workspace.features()[positions], _matrix(archived["vector"])]),
        bare=np.concatenate([bare_features(workspace, positions), _matrix(archived["bare"])]),
        y=table["y"].to_numpy(bool),
        payments=table[_PAYMENT],
    )


def _matrix(blobs: pd.Series) -> np.ndarray:
    return np.frombuffer(b"".join(blobs), dtype="<f4").reshape(len(blobs), N_FEATURES)
