"""What an answer's structure looks like: numbers that stay when names, comments and layout change.

The source is parsed and put into a normal form (no docstrings, annotations or names of its own;
`a > b` is `b < a`, `x.sum()` is `np.sum(x)`, `x += 1` is `x = x + 1`, statements that do not depend
on each other in one order), written as a row of tokens, and every few tokens in a row are hashed.
The text is read, never run.
"""

from __future__ import annotations

import ast
import builtins
import zlib
from collections.abc import Iterator

GRAM = 5  # tokens hashed together; a line of numpy has about ten
WINDOW = 3  # of so many hashes in a row the smallest is kept
MAX_RUN = 60  # assignments in a row that are sorted; sorting takes the cube of it
BUILTINS = frozenset(dir(builtins))
SWAPPED = {ast.Gt: "<", ast.GtE: "<=", ast.Lt: "<", ast.LtE: "<="}
COMMUTATIVE = (ast.Add, ast.Mult, ast.BitAnd, ast.BitOr, ast.BitXor)


def fingerprints(source: str) -> tuple[int, ...]:
    """The fingerprints of a source text, each once, in ascending order; empty when it cannot be parsed.

    >>> mine, copied = "def f(x): return x.sum() / len(x)", "def f(rows): return rows.sum() / len(rows)  # mean"
    >>> fingerprints(mine) == fingerprints(copied)
    True
    """
    try:
        tree = ast.parse(source)
        modules = _modules(tree)
        found: set[int] = set()
        for statement in tree.body:  # one at a time, so that the order of helpers does not matter
            if not isinstance(statement, ast.Import | ast.ImportFrom):
                found.update(_winnowed(_Writer(modules).statement(statement)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    return tuple(sorted(found))


def _modules(tree: ast.Module) -> dict[str, str]:
    """Local name of every import -> what it stands for, so that `import numpy as xx` hides nothing."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update({alias.asname or alias.name.partition(".")[0]: "module" for alias in node.names})
        elif isinstance(node, ast.ImportFrom):
            names.update({alias.asname or alias.name: f"call:{alias.name}" for alias in node.names})
    return names


def _winnowed(tokens: list[str]) -> Iterator[int]:
    """Hashes of the rows of GRAM tokens, the smallest of every WINDOW in a row."""
    if len(tokens) < GRAM:
        yield _hash(tokens)
        return
    hashes = [_hash(tokens[start : start + GRAM]) for start in range(len(tokens) - GRAM + 1)]
    for start in range(max(1, len(hashes) - WINDOW + 1)):
        yield min(hashes[start : start + WINDOW])


def _hash(tokens: list[str]) -> int:
    """The same number in every process, unlike hash()."""
    return zlib.crc32("\0".join(tokens).encode("utf-8", "replace"))


class _Writer:
    """Writes statements as tokens; every name of the answer's own is alike."""

    def __init__(self, modules: dict[str, str]) -> None:
        self.modules = modules

    def statement(self, node: ast.stmt) -> list[str]:
        """The tokens of one statement with everything in it."""
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                tokens = ["def"] + [self.name(argument.arg) for argument in arguments]
                return tokens + self.block(node.body)
            case ast.ClassDef():
                return ["class", *self.block(node.body)]
            case ast.Return():
                return ["return", *(self.expression(node.value) if node.value else [])]
            case ast.AnnAssign():
                return self.assign([node.target], node.value) if node.value else []
            case ast.Assign():
                return self.assign(node.targets, node.value)
            case ast.AugAssign():
                value = ast.BinOp(node.target, node.op, node.value)
                return self.assign([node.target], value)
            case ast.For() | ast.AsyncFor():
                head = ["for", *self.expression(node.iter), *self.expression(node.target)]
                return head + self.block(node.body) + self.other(node.orelse)
            case ast.While():
                return ["while", *self.expression(node.test), *self.block(node.body), *self.other(node.orelse)]
            case ast.If():
                return ["if", *self.expression(node.test), *self.block(node.body), *self.other(node.orelse)]
            case ast.Raise():  # the message is prose
                raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
                return ["raise", *(self.expression(raised) if raised else [])]
            case ast.Expr():
                return self.expression(node.value)
            case ast.Pass() | ast.Import() | ast.ImportFrom() | ast.Global() | ast.Nonlocal():
                return []
        return [type(node).__name__, *self.children(node)]

    def block(self, body: list[ast.stmt]) -> list[str]:
        """The tokens of a body, without texts that do nothing, independent statements in a fixed order."""
        useful = [node for node in body if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))]
        written = _in_fixed_order([(node, self.statement(node)) for node in useful])
        return ["{", *(token for tokens in written for token in (*tokens, ";")), "}"]

    def other(self, body: list[ast.stmt]) -> list[str]:
        """An else branch, if there is one."""
        return ["else", *self.block(body)] if body else []

    def assign(self, targets: list[ast.expr], value: ast.expr) -> list[str]:
        """Value before target, in the order in which they are evaluated; several at once as one after the other."""
        target = targets[0]
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
            parts = zip(target.elts, value.elts, strict=True)
            return [token for left, right in parts for token in (*self.assign([left], right), ";")][:-1]
        written = [token for one in targets for token in self.expression(one)]
        return ["=", *self.expression(value), *written]

    def expression(self, node: ast.expr) -> list[str]:
        """The tokens of an expression."""
        match node:
            case ast.Name():
                return [self.name(node.id)]
            case ast.Constant():
                return [_constant(node.value)]
            case ast.Attribute():
                if isinstance(node.value, ast.Name) and self.modules.get(node.value.id) == "module":
                    return [f"call:{node.attr}"]
                if isinstance(node.value, ast.Name) and node.value.id == "self":
                    return ["self", "name"]
                return [f".{node.attr}", *self.expression(node.value)]
            case ast.Call():
                return self.call(node)
            case ast.Compare() if len(node.ops) == 1:
                return self.compare(node)
            case ast.BinOp() if isinstance(node.op, COMMUTATIVE):
                return [type(node.op).__name__, *self.sorted([node.left, node.right])]
            case ast.BoolOp():
                return [type(node.op).__name__, *self.sorted(node.values)]
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=value)):
                return [f"-{_constant(value)}"]
            case ast.JoinedStr():
                return ["text"]
        return [type(node).__name__, *self.children(node)]

    def call(self, node: ast.Call) -> list[str]:
        """A call: its name first, then what it works on, whether written as a method or as a function."""
        arguments: list[ast.expr] = list(node.args)
        head = []
        if isinstance(node.func, ast.Attribute) and not (
            isinstance(node.func.value, ast.Name) and self.modules.get(node.func.value.id) == "module"
        ):
            head = [f"call:{node.func.attr}"]
            arguments = [node.func.value, *arguments]
        elif isinstance(node.func, ast.Name) and node.func.id in BUILTINS:
            head = [f"call:{node.func.id}"]
        else:
            head = self.expression(node.func)
        tokens = [*head, "("]
        for argument in arguments:
            tokens += self.expression(argument)
        for keyword in sorted(node.keywords, key=lambda keyword: keyword.arg or ""):
            tokens += [f"{keyword.arg}=", *self.expression(keyword.value)]
        return [*tokens, ")"]

    def compare(self, node: ast.Compare) -> list[str]:
        """One comparison; greater is written as less, and the sides of == in a fixed order."""
        left, right, operator = node.left, node.comparators[0], node.ops[0]
        if isinstance(operator, ast.Gt | ast.GtE):
            left, right = right, left
        sign = SWAPPED.get(type(operator), type(operator).__name__)
        if isinstance(operator, ast.Eq | ast.NotEq):
            return [sign, *self.sorted([left, right])]
        return [sign, *self.expression(left), *self.expression(right)]

    def sorted(self, operands: list[ast.expr]) -> list[str]:
        """Operands whose order does not matter, in a fixed order."""
        return [token for tokens in sorted(self.expression(operand) for operand in operands) for token in tokens]

    def children(self, node: ast.AST) -> list[str]:
        """The tokens of everything in a node of a kind that needs nothing special."""
        tokens: list[str] = []
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt):
                tokens += self.statement(child)
            elif isinstance(child, ast.expr):
                tokens += self.expression(child)
            elif isinstance(child, ast.operator | ast.unaryop | ast.cmpop):
                tokens.append(type(child).__name__)
            elif not isinstance(child, ast.expr_context):
                tokens += self.children(child)
        return tokens

    def name(self, name: str) -> str:
        """A built-in name or an import as what it is; any other name is just a name."""
        if name in self.modules:
            return self.modules[name]
        return f"call:{name}" if name in BUILTINS else "name"


def _constant(value: object) -> str:
    """A constant, coarse: small numbers by themselves, others by their kind."""
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float) and value in (0, 1, 2, 0.5):
        return f"{value:g}"
    return "number" if isinstance(value, int | float | complex) else "text"


def _in_fixed_order(body: list[tuple[ast.stmt, list[str]]]) -> list[list[str]]:
    """Tokens of simple assignments that do not need each other sorted; everything else stays where it is."""
    result: list[list[str]] = []
    run: list[tuple[ast.stmt, list[str]]] = []
    for node, tokens in body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and _plain_target(node):
            run.append((node, tokens))
        else:
            result += [*_sorted_run(run), tokens]
            run = []
    return result + _sorted_run(run)


def _plain_target(node: ast.Assign | ast.AnnAssign) -> bool:
    """Whether an assignment binds names only."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return all(isinstance(inner, ast.Name | ast.Tuple | ast.expr_context) for one in targets for inner in ast.walk(one))


def _sorted_run(run: list[tuple[ast.stmt, list[str]]]) -> list[list[str]]:
    """Assignments in a fixed order that keeps each after what it needs."""
    if len(run) > MAX_RUN:
        return [tokens for _, tokens in run]
    left = [(tokens, *_names(node)) for node, tokens in run]
    result = []
    while left:
        free = [
            entry
            for index, entry in enumerate(left)
            if not any(before[1] & (entry[1] | entry[2]) or before[2] & entry[1] for before in left[:index])
        ]
        chosen = min(free, key=lambda entry: entry[0])
        left.remove(chosen)
        result.append(chosen[0])
    return result


def _names(node: ast.stmt) -> tuple[set[str], set[str]]:
    """Names that a statement binds and names that it reads."""
    names = [inner for inner in ast.walk(node) if isinstance(inner, ast.Name)]
    return (
        {name.id for name in names if isinstance(name.ctx, ast.Store)},
        {name.id for name in names if isinstance(name.ctx, ast.Load)},
    )
