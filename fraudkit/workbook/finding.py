"""What a seam has measured so far: figures of ours beside the learner's, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass, field

ABSENT = "—"


@dataclass
class Finding:
    """What a seam has found so far.

    Attributes
    ----------
    columns : headings of the figures, the learner's last
    rows : what was measured, then one text a column; the learner's is ABSENT until it is known
    sentences : what it means
    """

    columns: tuple[str, ...] = ("ours", "yours")
    rows: list[list[str]] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)

    def ours(self, label: str, *texts: str) -> None:
        """Add a row with the system's figures; the learner's is left open."""
        self.rows.append([label, *texts, ABSENT])

    def yours(self, label: str, text: str) -> None:
        """Fill in the learner's figure of a row."""
        next(row for row in self.rows if row[0] == label)[-1] = text
