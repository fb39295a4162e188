"""How both sides read an official script: as a tree, of which they take what one function needs."""

from __future__ import annotations

import ast


def needed(tree: ast.Module, function: str) -> list[ast.stmt]:
    """The statements of a script that `function` needs, in their order.

    Kept are the definitions whose names it uses, directly or by others, and statements that do
    something when they are run; imports and definitions that nobody uses are left out, and so is
    what only runs when the file is the main program.
    """
    kept = {at for at, node in enumerate(tree.body) if _acts(node)}
    names = {function}
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
