"""Imports go one way, between areas and between modules.

Read from the source by `ast`, so that an import inside a function counts as much as one at the top:
a lazy import is cheap at start, but it is a dependency all the same.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# What each area may import, besides itself.
_DATA = {"core"}
_MODELS = _DATA | {"simulate", "lake", "features"}
_EVALUATE = _MODELS | {"rules", "models"}
ALLOWED: dict[str, set[str]] = {
    "core": set(),
    "simulate": _DATA,
    "lake": _DATA,
    "features": _DATA,
    "rules": _MODELS,
    "models": _MODELS,
    "evaluate": _EVALUATE,
    "registry": _EVALUATE | {"evaluate"},
    "benchmark": _EVALUATE | {"evaluate", "registry"},
    "monitor": {"core", "features", "rules", "models", "evaluate", "registry", "lake"},
    "pipeline": _EVALUATE | {"evaluate", "registry", "benchmark", "audit", "monitor"},
    "audit": {"core", "features", "rules", "models", "registry", "serve"},
    "serve": {"core", "features", "rules", "models", "registry"},
    "faults": {"core", "features", "rules", "models", "registry", "serve"},
    "workbook": _EVALUATE | {"evaluate"},
}
# The command line's own modules tie areas together, and nothing may import them.
DOORS = {"cli", "doctor", "__main__"}
# A `commands` module is a part of the command line too, except where an area is fenced off for a reason.
FENCED = {"serve", "workbook"}

Graph = dict[str, set[str]]


def module_names(root: Path, package: str) -> dict[str, Path]:
    """Dotted name -> file of every module of `package` below `root`."""
    names = {}
    for path in sorted((root / package).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return names


def import_graph(root: Path, package: str = "fraudkit", *, typing: bool = True) -> Graph:
    """Module -> modules of the same package that it imports, at the top or inside a function.

    With `typing` also what it names under `if TYPE_CHECKING:` and never loads.
    """
    modules = module_names(root, package)
    return {name: imports_of(name, path, modules, typing) - {name} for name, path in modules.items()}


def imports_of(name: str, path: Path, modules: Mapping[str, Path], typing: bool) -> set[str]:
    """The members of `modules` that the file at `path` imports."""
    found: set[str] = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    unloaded = set() if typing else {id(inner) for block in typing_blocks(tree) for inner in ast.walk(block)}
    for node in ast.walk(tree):
        if id(node) in unloaded:
            continue
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom):
            base = absolute(node, name, path)
            for alias in node.names:  # `from package import module` means the module, else the package itself
                target = f"{base}.{alias.name}"
                found.update({target} if target in modules else {base} & set(modules))
    return found


def typing_blocks(tree: ast.Module) -> list[ast.If]:
    """The `if TYPE_CHECKING:` blocks of a module."""
    return [
        node
        for node in tree.body
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    ]


def absolute(node: ast.ImportFrom, name: str, path: Path) -> str:
    """The dotted name that a `from` import starts at, relative ones resolved."""
    if node.level == 0:
        return node.module or ""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for _ in range(node.level - 1):
        package = package.rpartition(".")[0]
    return f"{package}.{node.module}" if node.module else package


def area_of(module: str) -> str:
    """`fraudkit.features.kernel` -> `features`; the package itself -> ``."""
    return [*module.split("."), ""][1]


def is_door(module: str) -> bool:
    """Whether a module belongs to the command line."""
    return area_of(module) in DOORS or (module.endswith(".commands") and area_of(module) not in FENCED)


def violations(graph: Graph) -> list[str]:
    """Imports that go the wrong way, each as a sentence."""
    wrong = []
    for module, targets in graph.items():
        for target in sorted(targets):
            here, there = area_of(module), area_of(target)
            if (is_door(target) or target.endswith(".commands")) and not is_door(module) and module != "fraudkit":
                wrong.append(f"{module} imports {target}, a part of the command line")
            elif here not in ("", there) and there and not is_door(module) and there not in ALLOWED.get(here, set()):
                wrong.append(f"{module} imports {target}: {here} may not import {there}")
    return wrong


def cycles(graph: Graph) -> list[list[str]]:
    """Import cycles between modules, each once."""
    found: dict[frozenset[str], list[str]] = {}
    done: set[str] = set()

    def visit(module: str, trail: list[str]) -> None:
        if module in trail:
            loop = trail[trail.index(module) :]
            found.setdefault(frozenset(loop), loop)
            return
        if module in done:
            return
        for target in sorted(graph[module]):
            visit(target, [*trail, module])
        done.add(module)

    for module in sorted(graph):
        visit(module, [])
    return list(found.values())


def plant(root: Path, files: Mapping[str, str]) -> Graph:
    """Write a small package below `root` and read its graph."""
    for name, source in files.items():
        path = root / "fraudkit" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / "__init__.py").touch()
        path.write_text(source, encoding="utf-8")
    return import_graph(root)


GRAPH = import_graph(ROOT)


def test_every_area_has_a_layer():
    areas = {area_of(module) for module in GRAPH} - {""}
    assert areas - DOORS - set(ALLOWED) == set()


def test_no_import_goes_the_wrong_way():
    assert violations(GRAPH) == []


def test_there_are_no_import_cycles():
    assert cycles(import_graph(ROOT, typing=False)) == []


def test_no_import_is_relative():
    relative = [
        name
        for name, path in module_names(ROOT, "fraudkit").items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


def loaded_by(module: str) -> set[str]:
    """Top-level packages in memory after a fresh process imported `module`."""
    code = f"import json, sys, {module}; print(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    return set(json.loads(printed.stdout))


def test_the_command_line_starts_light():
    heavy = {"numpy", "pandas", "torch", "xgboost", "sklearn", "numba", "duckdb", "fastapi", "matplotlib"}
    assert loaded_by("fraudkit.cli") & heavy == set()


@pytest.mark.parametrize("module", [name for name in GRAPH if area_of(name) == "serve"])
def test_no_part_of_the_service_reaches_training_or_the_simulator(module: str):
    reached: set[str] = set()
    waiting = [module]
    while waiting:
        current = waiting.pop()
        if current not in reached and not (area_of(current) != "serve" and current.endswith(".commands")):
            reached.add(current)
            waiting.extend(top_level_imports(current))
    assert {area_of(name) for name in reached} & {"simulate", "lake", "pipeline", "benchmark", "workbook"} == set()


def top_level_imports(module: str) -> set[str]:
    """What importing `module` imports at once."""
    modules = module_names(ROOT, "fraudkit")
    tree = ast.parse(modules[module].read_text(encoding="utf-8"))
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and (node.module or "") in modules:
            base = node.module or ""
            targets = {f"{base}.{alias.name}" for alias in node.names} & set(modules)
            found.update({base} | targets)
    return found


WRONG_WAYS = {
    "core imports upwards": {"core/clock.py": "from fraudkit.features import catalog", "features/catalog.py": ""},
    "models import evaluate": {"models/a.py": "import fraudkit.evaluate.b", "evaluate/b.py": ""},
    "serve imports the simulator, lazily": {
        "serve/app.py": "def f():\n    from fraudkit.simulate.world import simulate",
        "simulate/world.py": "",
    },
    "serve's commands are fenced too": {
        "serve/commands.py": "from fraudkit.pipeline import setup",
        "pipeline/setup.py": "",
    },
    "the system imports the workbook": {"pipeline/a.py": "from fraudkit.workbook import walk", "workbook/walk.py": ""},
    "simulate imports its neighbour": {"simulate/a.py": "import fraudkit.lake.b", "lake/b.py": ""},
    "a relative import hides nothing": {"lake/a.py": "from ..models import b", "models/b.py": ""},
    "a module imports the command line": {
        "lake/a.py": "from fraudkit.lake.commands import app",
        "lake/commands.py": "",
    },
}


@pytest.mark.parametrize("files", WRONG_WAYS.values(), ids=WRONG_WAYS)
def test_an_import_the_wrong_way_is_found(files: dict[str, str], tmp_path: Path):
    assert len(violations(plant(tmp_path, files))) == 1


def test_a_command_module_may_tie_areas_together(tmp_path: Path):
    files = {"simulate/commands.py": "import fraudkit.lake.b\nfrom fraudkit.core import c", "lake/b.py": ""}
    assert violations(plant(tmp_path, files | {"core/c.py": ""})) == []


def test_a_name_for_the_type_checker_closes_no_cycle(tmp_path: Path):
    typed = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from fraudkit.core.a import x"
    files = {"core/a.py": "import fraudkit.core.b", "core/b.py": typed}
    assert len(cycles(plant(tmp_path, files))) == 1
    assert cycles(import_graph(tmp_path, typing=False)) == []


def test_a_cycle_is_found_once_and_named(tmp_path: Path):
    files = {
        "core/a.py": "from fraudkit.core import b",
        "core/b.py": "def f():\n    import fraudkit.core.c",
        "core/c.py": "from fraudkit.core.a import x",
        "core/d.py": "import fraudkit.core.a",
    }
    found = cycles(plant(tmp_path, files))
    assert [set(loop) for loop in found] == [{"fraudkit.core.a", "fraudkit.core.b", "fraudkit.core.c"}]
