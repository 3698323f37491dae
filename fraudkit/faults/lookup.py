"""The function that asks for the reputation of an address: where its text comes from and how it is loaded.

The text is Python that someone may just have written, and it runs in the process that loads it. So
only the service of this area loads it, which listens on loopback, keeps its files in a folder of its
own and ends by itself; and only text that defines the one function and imports little is loaded.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fraudkit.core.errors import InvalidInput

NAME = "get_reputation"
ARGUMENTS = ("pool", "address")
VERSIONS = ("sound", "leaking", "fixed")
MAY_IMPORT = frozenset({"__future__", "contextlib", "logging", "math", "struct", "time", "typing", "redis"})
LONGEST = 20_000  # characters

Lookup = Callable[[Any, str], float]


def version_path(name: str) -> Path:
    """The file of a version that ships with the package.

    Raises
    ------
    InvalidInput
        There is none of this name.
    """
    if name not in VERSIONS:
        raise InvalidInput(f"lookup {name!r} is unknown; choose one of {', '.join(VERSIONS)}")
    return Path(__file__).with_name("lookups") / f"{name}.py"


def digest_of(path: Path) -> str:
    """SHA-256 of the file: what the decision database notes as the code that decided."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def load_lookup(path: Path) -> Lookup:
    """The function `get_reputation(pool, address)` of a file.

    Raises
    ------
    InvalidInput
        The file cannot be read, is not Python, defines no such function or imports more than it needs.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} cannot be read ({error}); give a Python file in UTF-8") from error
    _check(text, path.name)
    spec = importlib.util.spec_from_file_location("fraudkit_lookup", path)
    assert spec is not None and spec.loader is not None  # a file that ends in .py has both
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever stands at the top of a stranger's file
        raise InvalidInput(f"{path.name} fails when it is loaded: {type(error).__name__}: {error}") from error
    lookup: Lookup = getattr(module, NAME)
    return lookup


def _check(text: str, name: str) -> None:
    """Refuse what cannot be the function, with the reason."""
    if not name.endswith(".py"):
        raise InvalidInput(f"{name} does not end in .py; name the file fix.py, say")
    if len(text) > LONGEST:
        raise InvalidInput(f"{name} has {len(text):,} characters; the function needs far fewer than {LONGEST:,}")
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise InvalidInput(f"{name} is not Python: {error.msg} in line {error.lineno}") from error
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    wanted = f"def {NAME}({', '.join(ARGUMENTS)})"
    if NAME not in functions:
        raise InvalidInput(f"{name} defines no function {NAME}; begin it with `{wanted}:`")
    if tuple(argument.arg for argument in functions[NAME].args.args) != ARGUMENTS:
        raise InvalidInput(f"{NAME} in {name} takes other arguments than asked for; begin it with `{wanted}:`")
    foreign = sorted(_imports(tree) - MAY_IMPORT)
    if foreign:
        raise InvalidInput(f"{name} imports {', '.join(foreign)}; it may import {', '.join(sorted(MAY_IMPORT))}")


def _imports(tree: ast.Module) -> set[str]:
    """Top-level names of all modules that a file imports, at the top or inside a function."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add("a neighbouring file" if node.level else (node.module or "").partition(".")[0])
    return found
