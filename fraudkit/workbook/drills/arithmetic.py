"""Capacity arithmetic written as text in a design's file, such as `posts_a_day / 86400`, computed when it is read.

A formula may use numbers, names computed before it, + - * / **, brackets, and ceil, floor, log2, log, exp, erf, comb,
sqrt, min and max.
It is walked, never run as code. Knows nothing of what the names mean.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from fraudkit.core.errors import InvalidInput

_BINARY: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_FUNCTIONS: dict[str, Callable[..., float]] = {
    "ceil": math.ceil,
    "floor": math.floor,
    "log2": math.log2,
    "log": math.log,
    "exp": math.exp,
    "erf": math.erf,
    "comb": lambda n, k: math.comb(int(n), int(k)),
    "sqrt": math.sqrt,
    "min": min,
    "max": max,
}
_SCALES = ((1e15, "quadrillion"), (1e12, "trillion"), (1e9, "billion"), (1e6, "million"))
SIGNIFICANT = 3


def compute(formula: str, names: Mapping[str, float]) -> float:
    """The value of a formula.

    Raises
    ------
    InvalidInput
        It holds something other than arithmetic, a name that is not known, or has no finite value.

    Examples
    --------
    >>> compute("ceil(requests / 86400)", {"requests": 1_000_000})
    12.0
    """
    try:
        value = float(_value(ast.parse(formula, mode="eval").body, names))
    except (SyntaxError, ArithmeticError, TypeError, ValueError) as error:
        raise InvalidInput(f"the formula {formula!r} has no value: {error}") from error
    if not math.isfinite(value):
        raise InvalidInput(f"the formula {formula!r} gives {value}")
    return value


def _value(node: ast.expr, names: Mapping[str, float]) -> Any:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return float(number)  # whole numbers could grow without end
        case ast.Name(id=name) if name in names:
            return names[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, names)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _BINARY[type(op)](_value(left, names), _value(right, names))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS:
            return _FUNCTIONS[name](*(_value(arg, names) for arg in args))
    raise ValueError(f"{ast.unparse(node)!r} is no known name, number or operation")


def words(value: float, unit: str = "") -> str:
    """A number as one says it at a whiteboard: three digits, and millions as a word.

    Examples
    --------
    >>> words(98_379.6, "a second"), words(3.2e9), words(0.0125, "s")
    ('98,400 a second', '3.2 billion', '0.0125 s')
    """
    rounded = float(f"{value:.{SIGNIFICANT - 1}e}")
    for scale, name in _SCALES:
        if abs(rounded) >= scale:
            text = f"{rounded / scale:.{SIGNIFICANT}g} {name}"
            break
    else:
        text = f"{rounded:,.0f}" if abs(rounded) >= 100 else f"{rounded:.{SIGNIFICANT}g}"
    return f"{text} {unit}".rstrip() if unit != "%" else f"{text} %"
