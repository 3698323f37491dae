"""A learner's answer as text: the statements of a notebook that one function needs, and no others.

The text is only read, never run. A statement belongs to the answer when it binds or changes a name
that the function needs, directly or through other such statements; of a name that is bound again,
the last binding counts, as it would in the kernel.
"""

from __future__ import annotations

import ast
import re
import symtable
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fraudkit.core.errors import InvalidInput

MAGIC = re.compile(r"^\s*[%!?]|\?\s*$")


@dataclass(frozen=True)
class Statement:
    """One top-level statement: the names it binds, those it changes, those it reads, and its text."""

    text: str
    binds: frozenset[str]
    changes: frozenset[str]
    reads: frozenset[str]
    is_stub: bool


class NotDefined(InvalidInput):
    """No cell defines the function that is asked for."""


class NotPython(InvalidInput):
    """The cell that should define the function cannot be parsed."""


def without_magics(cell: str) -> str:
    """A cell with IPython's own lines (`%time`, `!ls`, `name?`) left blank; a cell magic blanks the whole cell.

    >>> without_magics("%matplotlib inline\\nx = 1")
    '\\nx = 1'
    """
    if cell.lstrip().startswith("%%"):
        return ""
    try:
        ast.parse(cell)
    except SyntaxError:
        return "\n".join("" if MAGIC.search(line) else line for line in cell.split("\n"))
    return cell


def slice_source(cells: Sequence[str], name: str) -> str:
    """What has to be run to have `name`: its definition and what that needs, in the cells' order.

    A cell that cannot be parsed is left out, unless it is the one that should define `name`. A
    definition that is still the untouched stub counts only where there is no other.

    Raises
    ------
    NotDefined
        No cell binds `name`.
    NotPython
        The only cell that defines it is no Python; the message gives the line and the reason.
    """
    statements: list[Statement] = []
    broken: SyntaxError | None = None
    for cell in cells:
        try:
            statements += list(_statements(without_magics(cell)))
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            if re.search(rf"^\s*(?:def|class)\s+{re.escape(name)}\b", cell, re.MULTILINE):
                broken = error if isinstance(error, SyntaxError) else SyntaxError(str(error))
    written = [s for s in statements if not (name in s.binds and s.is_stub)]
    if any(name in s.binds for s in written):
        statements = written
    if not any(name in s.binds for s in statements):
        if broken is not None:
            raise NotPython(f"the cell that defines {name} is no Python: {broken.msg} (line {broken.lineno})")
        raise NotDefined(f"{name} is not defined; run the cell with your answer first")
    return "\n".join(statement.text for statement in _needed(statements, name)) + "\n"


def is_stub(node: ast.stmt) -> bool:
    """Whether a definition still only raises NotImplementedError, wherever in it the answer belongs."""
    if isinstance(node, ast.ClassDef):
        methods = [inner for inner in node.body if isinstance(inner, ast.FunctionDef)]
        return bool(methods) and all(is_stub(method) for method in methods if method.name != "__init__")
    if not isinstance(node, ast.FunctionDef):
        return False
    body = [inner for inner in node.body if not _is_text(inner)]
    return len(body) == 1 and isinstance(body[0], ast.Raise) and "NotImplementedError" in ast.dump(body[0])


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _statements(cell: str) -> Iterator[Statement]:
    """The top-level statements of one cell."""
    lines = cell.split("\n")
    for node in ast.parse(cell).body:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        binds, reads = _names(node)
        yield Statement(
            text="\n".join(lines[first - 1 : node.end_lineno]) if _has_own_lines(cell, node) else ast.unparse(node),
            binds=frozenset(binds),
            changes=frozenset(_changed_names(node)),
            reads=frozenset(reads),
            is_stub=is_stub(node),
        )


def _names(node: ast.stmt) -> tuple[set[str], set[str]]:
    """Names that a statement binds at the top level, and names that it needs from there.

    A function's own variables are neither: the compiler's symbol table tells them apart.
    """
    if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
        return {"*"}, set()
    table = symtable.symtable(ast.unparse(node), "<statement>", "exec")
    binds = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}
    reads = {s.get_name() for s in table.get_symbols() if s.is_referenced()}
    inner = table.get_children()
    while inner:
        scope = inner.pop()
        inner += scope.get_children()
        reads |= {s.get_name() for s in scope.get_symbols() if s.is_global()}
        binds |= {s.get_name() for s in scope.get_symbols() if s.is_declared_global() and s.is_assigned()}
    return binds, reads


def _has_own_lines(cell: str, node: ast.stmt) -> bool:
    """Whether no other statement shares a line with this one, as after a semicolon."""
    line = cell.split("\n")[(node.end_lineno or 1) - 1].encode()
    before = cell.split("\n")[node.lineno - 1].encode()[: node.col_offset]
    after = line[node.end_col_offset or 0 :].split(b"#")[0].strip()
    return not after and not before.strip()


def _changed_names(node: ast.stmt) -> set[str]:
    """Names whose objects a statement may change in place."""
    changes: set[str] = set()
    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
        return changes
    for inner in ast.walk(node):
        if isinstance(inner, ast.Attribute | ast.Subscript) and isinstance(inner.ctx, ast.Store):
            changes |= _root(inner)
        elif isinstance(inner, ast.AugAssign):
            changes |= _root(inner.target)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute):
        changes |= _root(node.value.func)  # table.append(3), but not print(table)
    return changes


def _root(node: ast.expr) -> set[str]:
    """The name that a chain such as `cache.table[0]` starts with."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return {node.id} if isinstance(node, ast.Name) else set()


def _needed(statements: list[Statement], name: str) -> list[Statement]:
    """The statements that `name` needs, in their order."""
    last = {bound: index for index, s in enumerate(statements) for bound in s.binds}
    modules = {bound for s in statements if s.text.startswith(("import ", "from ")) for bound in s.binds}
    kept: set[int] = set()
    todo, known = [name], {"*"}
    if "*" in last:
        kept.update(index for index, s in enumerate(statements) if "*" in s.binds)
    while todo:
        wanted = todo.pop()
        if wanted in known:
            continue
        known.add(wanted)
        for index, statement in enumerate(statements):
            bound = last.get(wanted, -1)
            if index not in kept and (index == bound or (index > bound and wanted in statement.changes - modules)):
                kept.add(index)
                todo += sorted(statement.reads | statement.binds)
    for index in sorted(kept, reverse=True):  # `total += 1` builds on what stood before
        for changed in statements[index].changes & statements[index].binds:
            kept.update(i for i, s in enumerate(statements[:index]) if changed in s.binds)
    return [statements[index] for index in sorted(kept)]


def notebook_cells(path: Path) -> list[str]:
    """The sources of a notebook's code cells, in order.

    Raises
    ------
    InvalidInput
        The file is no notebook.
    """
    import json

    try:
        document = json.loads(path.read_bytes())
        cells = [cell for cell in document["cells"] if cell.get("cell_type") == "code"]
        return ["".join(cell["source"]) for cell in cells]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidInput(
            f"{path.name} is no notebook ({type(error).__name__}); save it again in JupyterLab"
        ) from error
