"""What no single area's tests look after: how the whole package is written.

Style is ruff's, types are mypy's, the docstrings' examples are run by `pytest --doctest-modules
fraudkit` (make unit). Here is what the project holds beyond them.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "fraudkit"
MODULES = [path.relative_to(ROOT).as_posix() for path in sorted(PACKAGE.rglob("*.py"))]
WRITTEN = [
    path.relative_to(ROOT).as_posix()
    for folder in ("fraudkit", "tests", "benchmarks", "deploy")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
MAX_LINES = 450
# What may be longer, and why.
LONGER = {"fraudkit/features/kernel.py": 680}  # one function over 143 numbers, compiled in one piece

# Modules that can turn data into running code when they read it.
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "torch.load", "pandas.read_pickle"}
# The one module that runs text as code, in a locked process that it is there for.
RUNS_TEXT = {"fraudkit/workbook/runner.py": {"exec", "compile"}}
# The names of numpy.random that do not touch its global state.
GENERATORS = {"default_rng", "Generator", "SeedSequence", "BitGenerator", "PCG64", "PCG64DXSM", "Philox", "SFC64"}


def dotted(node: ast.expr) -> str:
    """`a.b.c` of an attribute chain, or an empty string."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    return ""


def aliases(tree: ast.Module) -> dict[str, str]:
    """Local name -> what it stands for, of every import in the file."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update({alias.asname: alias.name for alias in node.names if alias.asname})
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
    return names


def unsafe(source: str) -> list[str]:
    """Imports and calls that must not stand in the package, each with its line."""
    tree = ast.parse(source)
    known = aliases(tree)
    forked = "fork_rng(" in source  # torch draws from one generator only; inside a fork it is put back
    found = ["torch.manual_seed outside fork_rng"] if "torch.manual_seed(" in source and not forked else []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            found += [f"{node.lineno}: import {name}" for name in names if name.partition(".")[0] in FORBIDDEN_MODULES]
        elif isinstance(node, ast.Call):
            found += [f"{node.lineno}: {reason}" for reason in unsafe_call(node, known)]
    return found


def unsafe_call(node: ast.Call, known: dict[str, str]) -> Iterator[str]:
    """What is wrong with one call."""
    head, _, rest = dotted(node.func).partition(".")
    name = known.get(head, head) + (f".{rest}" if rest else "")
    if name in FORBIDDEN_CALLS:
        yield name
    for keyword in node.keywords:
        value = keyword.value.value if isinstance(keyword.value, ast.Constant) else True
        if keyword.arg in ("shell", "allow_pickle") and value:
            yield f"{keyword.arg}=True"
    if name.startswith("numpy.random.") and name.split(".")[2] not in GENERATORS:
        yield f"{name} draws from numpy's global state"
    if name.startswith("random."):
        yield f"{name} uses a global generator"


def undocumented(source: str) -> list[str]:
    """`module`, and the public functions and classes of its top level that have no docstring."""
    tree = ast.parse(source)
    missing = [] if ast.get_docstring(tree) else ["module"]
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        if not ast.get_docstring(node) and not is_route(node):
            missing.append(node.name)
    return missing


def is_route(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    """Whether a function says what it does in its route's `summary`, which the API reference shows."""
    keywords = [keyword.arg for call in node.decorator_list if isinstance(call, ast.Call) for keyword in call.keywords]
    return "summary" in keywords


def unfinished(source: str) -> list[str]:
    """Comments that put work off, and bodies that do nothing."""
    found = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and re.search(r"\b(TODO|FIXME|XXX|HACK)\b", token.string):
            found.append(f"{token.start[0]}: {token.string}")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Raise) and node.exc is not None:
            raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            if dotted(raised) == "NotImplementedError":
                found.append(f"{node.lineno}: raise NotImplementedError")
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            found.append(f"{node.lineno}: bare except")
    return found


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("path", MODULES)
def test_nothing_runs_code_that_came_as_data(path: str):
    found = [entry for entry in unsafe(read(path)) if entry.partition(": ")[2] not in RUNS_TEXT.get(path, set())]
    assert found == []


@pytest.mark.parametrize("path", MODULES)
def test_what_is_public_has_a_docstring(path: str):
    assert undocumented(read(path)) == []


@pytest.mark.parametrize("path", MODULES)
def test_no_file_outgrows_its_subject(path: str):
    assert len(read(path).splitlines()) <= LONGER.get(path, MAX_LINES)


@pytest.mark.parametrize("path", WRITTEN)
def test_nothing_is_put_off(path: str):
    assert unfinished(read(path)) == []


@pytest.mark.parametrize("area", sorted({path.split("/")[1] for path in MODULES if path.count("/") > 1}))
def test_every_area_has_tests_that_import_it(area: str):
    """tests/AREA mirrors fraudkit/AREA, and each of its files has to do with that area."""
    files = sorted((ROOT / "tests" / area).glob("test_*.py"))
    assert files
    for file in files:
        source = file.read_text(encoding="utf-8")
        assert f"fraudkit.{area}" in source or f'"{area}"' in source, f"{file.name} does not touch {area}"


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from joblib import load",
        "eval('1')",
        "exec(text)",
        "import subprocess\nsubprocess.run(c, shell=True)",
        "import numpy as np\nnp.load(p, allow_pickle=True)",
        "import numpy as np\nnp.random.seed(1)",
        "import numpy as np\ndef f():\n    return np.random.rand(3)",
        "from numpy.random import normal\nnormal()",
        "import random\nrandom.random()",
        "from random import choice as pick\npick([1])",
        "import torch\ntorch.load(p)",
        "import torch\ntorch.manual_seed(1)",
        "from os import system\nsystem('ls')",
    ],
)
def test_an_unsafe_line_is_found(source: str):
    assert len(unsafe(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "import numpy as np\nrng = np.random.default_rng(7)\nrng.random(3)",
        "import subprocess\nsubprocess.run(c, shell=False)",
        "import re\nre.compile('a')",
        "model.eval()",
    ],
)
def test_a_safe_line_is_left_alone(source: str):
    assert unsafe(source) == []


def test_a_missing_docstring_is_found():
    assert undocumented("def f(): ...\nclass C: ...\ndef _g(): ...") == ["module", "f", "C"]


def test_a_route_s_summary_is_its_docstring():
    assert undocumented("'text'\n@app.get('/', summary='the page')\ndef page(): ...") == []
    assert undocumented("'text'\n@app.get('/')\ndef page(): ...") == ["page"]


def test_unfinished_work_is_found():
    comment = "# TO" + "DO later\n"
    assert len(unfinished(comment + "def f():\n    raise NotImplementedError\ntry:\n    f()\nexcept:\n    pass\n")) == 3
