"""How both sides read an official script: as a tree, of which they take what one function needs."""

from __future__ import annotations

import ast
import contextlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

IDS = ("model_id",)
"""What scripts call the id of an entry."""
_LARGEST_ID = 999_999


@dataclass(frozen=True)
class OwnForward:
    """What a script does for one id alone, at `line`, outside of select_model.

    `function` is a function of the script that takes its image through the model; `arguments` are
    texts of code, with the names image, model and tile. "" where something else is done, which is
    not followed.
    """

    line: int
    function: str = ""
    arguments: tuple[str, ...] = ()


def own_forward(tree: ast.Module, number: int, but: str) -> OwnForward | None:
    """What the script does for an id alone, in any function `but` one; the first such place."""
    functions = {it.name: it for it in tree.body if isinstance(it, ast.FunctionDef)}
    for name, function in functions.items():
        for node in ast.walk(function) if name != but else ():
            if isinstance(node, ast.If | ast.IfExp) and number in ids_of(node.test, IDS):
                body = node.body if isinstance(node, ast.If) else [node.body]
                calls = _calls(body, functions, _numbers(function))
                return next(calls, OwnForward(node.lineno))
    return None


def needed(tree: ast.Module, *functions: str) -> list[ast.stmt]:
    """The statements of a script that `functions` need, in their order.

    Kept are the definitions whose names it uses, directly or by others, and statements that do
    something when they are run; imports and definitions that nobody uses are left out, and so is
    what only runs when the file is the main program.
    """
    kept = {at for at, node in enumerate(tree.body) if _acts(node)}
    names = set(functions)
    while True:
        for at in kept:
            names |= _used(tree.body[at])
        more = {at for at, node in enumerate(tree.body) if names & _bound(node)} - kept
        if not more:
            return [tree.body[at] for at in sorted(kept)]
        kept |= more


def _acts(node: ast.stmt) -> bool:
    """Whether a statement is there for what it does, not for a name that it binds."""
    if isinstance(node, ast.If):
        return "__name__" not in _used(node)
    if isinstance(node, ast.Expr):
        return not isinstance(node.value, ast.Constant)
    if isinstance(node, ast.ImportFrom) and any(name.name == "*" for name in node.names):
        return True
    return not _bound(node)


def _bound(node: ast.stmt) -> set[str]:
    """The names that a statement of a module binds."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(name.asname or name.name).partition(".")[0] for name in node.names}
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = [name for it in targets for name in ast.walk(it) if isinstance(name, ast.Name)]
        plain = all(isinstance(it, ast.Name | ast.Tuple) for it in targets)
        return {name.id for name in names} if plain else set()
    if isinstance(node, ast.Try):
        return set().union(*(_bound(it) for it in node.body)) if node.body else set()
    return set()


def _used(node: ast.stmt) -> set[str]:
    return {it.id for it in ast.walk(node) if isinstance(it, ast.Name)}


def is_id(node: ast.expr, names: Collection[str]) -> bool:
    """Whether an expression is the id of an entry: one of the variables `names`, or of `args`."""
    match node:
        case ast.Call(ast.Name("int"), [inner]):
            return is_id(inner, names)
        case ast.Attribute(attr=name) | ast.Name(name):
            return name in names
    return False


def ids_of(test: ast.AST, names: Collection[str]) -> list[int]:
    """The ids for which a test or a pattern holds: `id == 3`, `id in (3, 4)`, any of several."""
    nodes: list[ast.expr] = []
    match test:
        case ast.BoolOp(ast.Or(), parts) | ast.MatchOr(parts):
            return [number for part in parts for number in ids_of(part, names)]
        case ast.Compare(left, [ast.Eq()], [right]) if is_id(left, names):
            nodes = [right]
        case ast.Compare(left, [ast.Eq()], [right]) if is_id(right, names):
            nodes = [left]
        case ast.Compare(left, [ast.In()], [right]) if is_id(left, names):
            nodes = getattr(right, "elts", [])
        case ast.MatchValue(value):
            nodes = [value]
    return _constants(nodes)


def _constants(nodes: Sequence[ast.expr]) -> list[int]:
    """Whole numbers, with a sign or without; the text of one counts as well."""
    numbers = []
    for node in nodes:
        with contextlib.suppress(ValueError, TypeError, RecursionError, MemoryError):
            value = ast.literal_eval(node)
            if isinstance(value, int | str) and abs(int(value)) <= _LARGEST_ID:
                numbers.append(int(value))
    return numbers


def _calls(
    body: Sequence[ast.AST], functions: Collection[str], numbers: Mapping[str, str]
) -> Iterator[OwnForward]:
    """Of a body that is one call of a function of the script, with an image and the model."""
    match body:
        case [ast.With(body=inner)]:
            yield from _calls(inner, functions, numbers)
        case [ast.Assign(value=ast.Call(ast.Name(name), given, named)) as node]:
            values = [*given, *(it.value for it in named)]
            texts = [_argument(it, numbers) for it in values]
            unknown = [it for it, text in zip(values, texts, strict=True) if not text]
            known = name in functions and "model" in texts and all(it.arg for it in named)
            if known and len(unknown) == 1 and isinstance(unknown[0], ast.Name):
                places = ["" for _ in given] + [f"{it.arg}=" for it in named]
                # what is neither the model nor a number is the image
                passed = (at + (text or "image") for at, text in zip(places, texts, strict=True))
                yield OwnForward(node.lineno, name, tuple(passed))


def _argument(node: ast.expr, numbers: Mapping[str, str]) -> str:
    """The text of an argument that both sides know, "" of any other."""
    match node:
        case ast.Name("model" | "tile" as name):
            return name
        case ast.Name(name):
            return numbers.get(name, "")
        case ast.Constant(int() | float() | None as value):
            return repr(value)
    return ""


def _numbers(function: ast.FunctionDef) -> dict[str, str]:
    """Variables of a function that are one number and nothing else, as `sf = 4`."""
    names = (node for node in ast.walk(function) if isinstance(node, ast.Name))
    stored = Counter(node.id for node in names if isinstance(node.ctx, ast.Store))
    found = {}
    for node in ast.walk(function):
        match node:
            case ast.Assign([ast.Name(name)], ast.Constant(int() | float() as value)):
                if stored[name] == 1:
                    found[name] = repr(value)
    return found
