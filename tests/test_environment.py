"""pyproject.toml, requirements.lock and environment.yml say the same, and say why.

The three are written for different tools: pip resolves the first into the second, conda reads the
third under its own names. A pin that is changed in one of them only is found here.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PIN = re.compile(
    r"""^\s*"?-?\s*"?(?P<name>[A-Za-z0-9_.\[\]-]+)==(?P<version>[^"\s,]+)"?,?\s*(?:#\s*(?P<reason>.*\S))?"""
)

# conda-forge's name of a package where it is not PyPI's.
CONDA_NAMES = {
    "python-duckdb": "duckdb",
    "jupyter_client": "jupyter-client",
    "matplotlib-base": "matplotlib",
    "pytorch": "torch",
    "python-confluent-kafka": "confluent-kafka",
    "redis-py": "redis",
    "uvicorn-standard": "uvicorn",
}
# Declared though nothing here imports them: programs that are started, plug-ins, and what another package picks up.
TOOLS = {
    "flask": "moto's server runs on it",
    "flask-cors": "moto's server runs on it",
    "hiredis": "redis uses it where it is there",
    "jupyterlab": "started by make lab",
    "mypy": "started by make types",
    "nbval": "plug-in of pytest",
    "pytest-timeout": "plug-in of pytest",
    "pytest-xdist": "plug-in of pytest",
    "ruff": "started by make lint",
    "setuptools": "pip builds this project with it",
    "uv": "started by make lock",
}
OWN = {"fraudkit", "benchmarks", "tests"}


def normalised(name: str) -> str:
    """PyPI's normal form of a distribution name, without extras.

    >>> normalised("uvicorn[standard]"), normalised("PyYAML"), normalised("prometheus_client")
    ('uvicorn', 'pyyaml', 'prometheus-client')
    """
    return re.sub(r"[-_.]+", "-", name.partition("[")[0]).lower()


def pins(path: Path) -> dict[str, tuple[str, str]]:
    """Name -> (version, reason) of every line of `path` that pins a package; conda's names become PyPI's."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        pin = PIN.match(line)
        if pin:
            name = normalised(pin["name"])
            found[CONDA_NAMES.get(name, name)] = (pin["version"], pin["reason"] or "")
    return found


DECLARED = pins(ROOT / "pyproject.toml")


def python_sources(*folders: str) -> Iterator[tuple[Path, str]]:
    """Python text of modules and of notebooks' code cells below `folders`."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path, path.read_text(encoding="utf-8")
        for path in sorted((ROOT / folder).rglob("*.ipynb")):
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
            yield path, re.sub(r"^\s*[%!].*$", "", code, flags=re.MULTILINE)


def imported_packages(source: str) -> set[str]:
    """Top-level names that `source` imports, wherever the import stands.

    >>> sorted(imported_packages("import numpy.random as r\\ndef f():\\n    from rich.table import Table"))
    ['numpy', 'rich']
    """
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "importorskip"
            and isinstance(node.args[0], ast.Constant)
        ):
            names.add(str(node.args[0].value).partition(".")[0])
    return names


def third_party(*folders: str) -> dict[str, Path]:
    """Distribution name -> a file that imports it."""
    carriers = packages_distributions()
    used: dict[str, Path] = {}
    for path, source in python_sources(*folders):
        for name in imported_packages(source) - sys.stdlib_module_names - OWN - local_modules(path):
            for distribution in carriers.get(name, [name]):
                used.setdefault(normalised(distribution), path)
    return used


def local_modules(path: Path) -> set[str]:
    """Names that mean a file beside `path`."""
    return {sibling.stem for sibling in path.parent.glob("*.py")} if path.suffix == ".py" else set()


def test_every_pin_is_read():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("[project]")[2]
    assert project.count("==") == len(DECLARED)


@pytest.mark.parametrize("name", DECLARED)
def test_every_pin_has_a_reason(name: str):
    assert DECLARED[name][1]


def test_the_lock_holds_every_declared_package_in_its_version():
    locked = {name: version for name, (version, _) in pins(ROOT / "requirements.lock").items()}
    assert {name: locked.get(name) for name in DECLARED} == {name: version for name, (version, _) in DECLARED.items()}


def test_the_lock_pins_everything_it_lists():
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    loose = [line for line in lines if line.strip() and not line.strip().startswith("#") and "==" not in line]
    assert loose == []


def test_environment_yml_says_the_same_as_pyproject():
    assert pins(ROOT / "environment.yml") == DECLARED


def test_environment_yml_is_well_formed():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    *conda, pip_section = environment["dependencies"]
    assert environment["channels"] == ["conda-forge", "nodefaults"]
    assert environment["name"] == "fraudkit"
    assert len([pin for pin in conda if "==" in pin]) + len(pip_section["pip"]) == len(DECLARED)
    assert "pip" in conda  # conda warns, and may fail, where a pip section stands without it


def test_python_is_the_same_everywhere():
    requires = re.search(r'requires-python = "(.*)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert requires
    assert f"python{requires[1]}" in yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]


def test_every_import_is_declared():
    used = third_party("fraudkit", "tests", "benchmarks", "notebooks")
    # Spark has an environment of its own, with its own pins.
    declared = DECLARED.keys() | pins_of_spark()
    undeclared = {name: str(path.relative_to(ROOT)) for name, path in used.items() if name not in declared}
    assert undeclared == {}


def pins_of_spark() -> set[str]:
    text = (ROOT / "deploy" / "spark" / "requirements.txt").read_text(encoding="utf-8")
    return set(re.findall(r"^(pyspark|py4j)==", text, flags=re.MULTILINE))


def test_everything_declared_is_used_or_a_tool():
    used = third_party("fraudkit", "tests", "benchmarks", "notebooks")
    assert sorted(set(DECLARED) - set(used)) == sorted(TOOLS)


def test_a_changed_pin_is_seen(tmp_path: Path):
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    changed = tmp_path / "environment.yml"
    changed.write_text(re.sub(r"numpy==\S+", "numpy==1.0", text), encoding="utf-8")
    assert pins(changed) != DECLARED
    changed.write_text(text.replace("arrays everywhere", "arrays"), encoding="utf-8")
    assert pins(changed) != DECLARED
