"""The workbook wing: what turns the system into something to learn from. It may import the system
up to evaluate; the system never imports it.

A notebook begins with `from fraudkit.workbook import check, hint, plug, solution`. These doors are
loaded when they are asked for, so that importing the package costs nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fraudkit.workbook.check import check, hint, plug, solution
    from fraudkit.workbook.checklist import checklist
    from fraudkit.workbook.mock.panel import mock
    from fraudkit.workbook.picture import progress_picture
    from fraudkit.workbook.quiz.panel import quiz
    from fraudkit.workbook.readiness import readiness
    from fraudkit.workbook.stories.panel import stories

__all__ = ["check", "checklist", "hint", "mock", "plug", "progress_picture", "quiz", "readiness", "solution", "stories"]

_DOORS = dict.fromkeys(("check", "hint", "plug", "solution"), "check") | {
    "checklist": "checklist",
    "mock": "mock.panel",
    "progress_picture": "picture",
    "quiz": "quiz.panel",
    "readiness": "readiness",
    "stories": "stories.panel",
}


def __getattr__(name: str) -> Any:
    if name not in _DOORS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_DOORS[name]}"), name)


class _Doors(ModuleType):
    """This package. `check` and `plug` are doors and modules too; importing the module must not hide the door."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _DOORS and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Doors
