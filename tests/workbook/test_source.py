"""Slicing an answer out of a notebook's cells: what it needs, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.source import NotDefined, NotPython, notebook_cells, slice_source

STUB = 'def f(x):\n    """What f does."""\n    # YOUR CODE HERE\n    raise NotImplementedError'


def value_of(cells: list[str], name: str = "f", argument: object = 2) -> object:
    """What the sliced text gives when it is run."""
    namespace: dict[str, object] = {}
    exec(slice_source(cells, name), namespace)
    return namespace[name](argument)  # type: ignore[operator]


@pytest.mark.parametrize(
    "cells",
    [
        ["import math", "def helper(x):\n    return math.sqrt(x)", "def f(x):\n    return helper(x * 2)"],
        ["from math import sqrt as root\nSCALE = 2; OTHER = 3", "def f(x):\n    return root(x * SCALE)"],
        ["def f(x):\n    return later(x)", "def later(x):\n    return 2"],
        ["f = lambda x: x"],
        ["def f(x):\n    return 7", "def f(x):\n    return 2"],
        ["def f(x):\n    return 2", STUB],
        [STUB, "def f(x):\n    return 2"],
        ["table = {}", "table['a'] = 2", "def f(x):\n    return table['a']"],
        ["table = []", "table.append(2)", "def f(x):\n    return table[0]"],
        ["total = 1", "total += 1", "def f(x):\n    return total"],
        ["for k in range(3):\n    last = k", "def f(x):\n    return last"],
        ["try:\n    import nothing_of_the_kind as m\nexcept ImportError:\n    m = 2", "def f(x):\n    return m"],
        ["class Base:\n    two = 2", "class Kind(Base):\n    pass", "def f(x):\n    return Kind().two"],
        ["import functools", "@functools.cache\ndef f(x):\n    return 2"],
        ["%matplotlib inline\nK = 2", "%%bash\necho", "def f(x):\n    return K"],
        ["this is no python (", "def f(x):\n    return 2"],
        ["f.cache = 1", "def f(x):\n    return 2"],
        ["from math import *", "def f(x):\n    return floor(2.5)"],
    ],
)
def test_the_answer_brings_what_it_needs(cells: list[str]):
    assert value_of(cells) == pytest.approx(2)


@pytest.mark.parametrize(
    "unrelated",
    [
        "raise SystemExit",
        "print(f(2))",
        "boom = 1 / 0",
        "import numpy as np\nnp.testing.assert_allclose(f(2), 3)",
        "%time f(2)",
    ],
)
def test_what_it_does_not_need_is_left_out(unrelated: str):
    assert value_of(["def f(x):\n    return 2", unrelated]) == 2


def test_a_function_s_own_variables_are_not_looked_for_outside():
    body = "def f(x):\n    y = x\n    for z in [y]:\n        w = z\n    return sum(v for v in [w])"
    assert value_of([body, "y = 1 / 0", "z = 1 / 0\nw = 1 / 0", "v = 1 / 0"]) == 2


def test_a_function_nobody_wrote_is_told():
    with pytest.raises(NotDefined, match="f is not defined"):
        slice_source(["def g(x):\n    return 1"], "f")


def test_an_answer_that_is_no_python_is_told_with_its_line():
    with pytest.raises(NotPython, match="line 2"):
        slice_source(["def f(x):\n    return ("], "f")


def test_a_stub_alone_is_kept_for_the_judge_to_see():
    assert "NotImplementedError" in slice_source([STUB], "f")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"cells": [1]}', b"\xff\xfe", b'{"cells": [{"cell_type": "code"}]}']
)
def test_a_damaged_notebook_is_one_sentence(tmp_path: Path, content: bytes):
    path = tmp_path / "a.ipynb"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=r"a\.ipynb is no notebook"):
        notebook_cells(path)


def test_only_code_cells_count(tmp_path: Path):
    path = tmp_path / "a.ipynb"
    cells = [{"cell_type": "markdown", "source": "x"}, {"cell_type": "code", "source": ["a = 1\n", "b = 2"]}]
    path.write_text(json.dumps({"cells": cells}))
    assert notebook_cells(path) == ["a = 1\nb = 2"]
