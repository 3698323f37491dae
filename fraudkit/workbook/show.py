"""Values as a learner wants to read them: whole when small, their shape and first values when not."""

from __future__ import annotations

from typing import Any

import numpy as np

from fraudkit.workbook.exercise import Case

FULL_SIZE = 24
MAX_CHARS = 400


def show_value(value: Any) -> str:
    """A value in at most a few lines.

    >>> show_value([0.1, 1])
    '[0.1, 1]'
    """
    return _clipped(_text(value))


def show_call(name: str, case: Case) -> str:
    """The call of a case, as the learner would write it."""
    arguments = [_text(argument) for argument in case.args]
    arguments += [f"{key}={_text(value)}" for key, value in case.kwargs.items()]
    lines = [_call(name, arguments)]
    lines += [_call(f".{step.method}", [_text(argument) for argument in step.args]) for step in case.steps]
    return _clipped("\n".join(lines), MAX_CHARS * 2)


def _call(name: str, arguments: list[str]) -> str:
    flat = f"{name}({', '.join(arguments)})"
    return flat if len(flat) <= 90 else f"{name}(\n    " + ",\n    ".join(arguments) + ",\n)"


def _text(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, list | tuple) and len(value) > FULL_SIZE:
        return f"{type(value).__name__} of {len(value)}: [{', '.join(_text(item) for item in value[:5])}, …]"
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    if isinstance(value, tuple):
        return f"({', '.join(map(_text, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {_text(item)}" for key, item in value.items()) + "}"
    return repr(value)


def _array(value: np.ndarray) -> str:
    kind = "" if value.dtype.kind in "iufbU" and value.dtype.itemsize in (1, 8) else f", dtype={value.dtype}"
    if value.size <= FULL_SIZE:
        text = np.array2string(value, separator=", ", precision=8, max_line_width=88)
        return f"array({text}{kind})"
    first = ", ".join(_text(item) for item in value.ravel()[:5].tolist())
    return f"array of shape {value.shape}{kind}, beginning {first}, …"


def _clipped(text: str, limit: int = MAX_CHARS) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
