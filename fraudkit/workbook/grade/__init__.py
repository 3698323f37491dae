"""Grading a class: notebooks in, a gradebook and a page for each learner out.

`grade` is loaded when it is asked for, so that importing this package stays cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fraudkit.workbook.grade.marks import GradeResult
    from fraudkit.workbook.grade.session import grade

__all__ = ["GradeResult", "grade"]


def __getattr__(name: str) -> Any:
    """Load `grade` and `GradeResult` at their first use."""
    if name == "grade":
        from fraudkit.workbook.grade.session import grade

        return grade
    if name == "GradeResult":
        from fraudkit.workbook.grade.marks import GradeResult

        return GradeResult
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
