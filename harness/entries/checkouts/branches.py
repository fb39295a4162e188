"""What an official script says of its entries, read and never run.

The scripts of all years hold one function `select_model(args, device)`, a chain of
`if model_id == 0: ... elif model_id == 1: ...`. Each branch imports a network, names a checkpoint
and sets `name, data_range`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.core.outcome import BadInput
from harness.wire.official_script import ids_of, is_id, needed, own_forward

FUNCTION = "select_model"
_WORDS = 6  # of a comment that names a team
_TEAM_CAP = 80  # characters
_NO_TEAM = ("load", "build", "model", "!")


@dataclass(frozen=True)
class Branch:
    """One id of the script. What is not plainly written there is "" or None."""

    id: int
    statements: tuple[ast.stmt, ...]
    name: str = ""
    team: str = ""
    data_range: float | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing is built there: `pass`, or an exception."""
        return all(isinstance(it, ast.Pass | ast.Raise | ast.Expr) for it in self.statements)


@dataclass(frozen=True)
class Script:
    """The branches by id, in the script's order, and what every id shares."""

    branches: dict[int, Branch]
    shared: tuple[ast.stmt, ...]
    tree: ast.Module


def read_script(source: str) -> Script:
    """The branches of a script's select_model; BadInput where there is no such function."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise BadInput(f"can't be parsed: {error}") from None
    function = _function(tree)
    names = _id_names(function)
    found: dict[int, list[ast.stmt]] = {}
    teams: dict[int, str] = {}
    lines = source.splitlines()
    for numbers, body, header in _tested(function, names):
        for number in numbers:
            found.setdefault(number, []).extend(body)
            teams.setdefault(number, _team(lines[header : body[0].lineno - 1]))
    branches = {
        number: _branch(number, tuple(body), teams[number], names) for number, body in found.items()
    }
    inside = {id(it) for branch in branches.values() for it in branch.statements}
    shared = (
        node
        for node in (*tree.body, *function.body)
        if node is not function and not any(id(it) in inside for it in ast.walk(node))
    )
    return Script(branches, tuple(shared), tree)


def alone(script: Script, branch: Branch) -> str:
    """The source of select_model for one id: its branch in the place of the chain, and what the
    function needs of the rest of the script. The function still takes (args, device).
    """
    function = _function(script.tree)
    own = {id(it) for it in branch.statements}
    others = {id(it) for one in script.branches.values() for it in one.statements} - own
    body: list[ast.stmt] = []
    placed = False
    for node in function.body:
        inside = {id(it) for it in ast.walk(node)}
        if not inside & (own | others):
            body.append(node)
        elif not placed:
            body += branch.statements
            placed = True
    single = ast.FunctionDef(**{**vars(function), "body": body})
    kept = [single if node is function else node for node in script.tree.body]
    own_way = own_forward(script.tree, branch.id, FUNCTION)
    names = (FUNCTION, own_way.function) if own_way and own_way.function else (FUNCTION,)
    needing = ast.Module(list(needed(ast.Module(kept, []), *names)), [])
    return ast.unparse(ast.fix_missing_locations(needing))


def _function(tree: ast.Module) -> ast.FunctionDef:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == FUNCTION:
            return node
    raise BadInput(f"has no function {FUNCTION}")


def _id_names(function: ast.FunctionDef) -> set[str]:
    """Variables that hold the id: `model_id`, and whatever is assigned from it."""
    names = {"model_id"}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and is_id(node.value, names):
            names |= {it.id for it in node.targets if isinstance(it, ast.Name)}
    return names


def _tested(
    function: ast.FunctionDef, names: set[str]
) -> Iterator[tuple[list[int], list[ast.stmt], int]]:
    """Ids, statements and the header's line of every branch that may be chosen by id."""
    for node in ast.walk(function):
        if isinstance(node, ast.If):
            yield ids_of(node.test, names), node.body, node.test.end_lineno or node.lineno
        elif isinstance(node, ast.Match) and is_id(node.subject, names):
            for case in node.cases:
                yield ids_of(case.pattern, names), case.body, case.pattern.end_lineno


def _branch(number: int, body: tuple[ast.stmt, ...], team: str, names: set[str]) -> Branch:
    name, data_range = "", None
    for target, value in _assignments(body):
        if target == "name":
            name = _text(value, number, names) or name
        elif target == "data_range" and isinstance(value, ast.Constant):
            data_range = value.value if isinstance(value.value, float) else data_range
    return Branch(number, body, name, team, data_range)


def _assignments(body: Sequence[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    assigned = [node for node in body if isinstance(node, ast.Assign)]
    for target, given in ((target, node.value) for node in assigned for target in node.targets):
        match target, given:
            case ast.Name(name), _:
                yield name, given
            case ast.Tuple(targets), ast.Tuple(values):
                for one, value in zip(targets, values, strict=False):
                    if isinstance(one, ast.Name):
                        yield one.id, value


def _text(value: ast.expr, number: int, names: set[str]) -> str:
    """A text, or an f-string of nothing but the id."""
    if isinstance(value, ast.Constant):
        return value.value if isinstance(value.value, str) else ""
    if not isinstance(value, ast.JoinedStr):
        return ""
    parts = []
    for part in value.values:
        if isinstance(part, ast.FormattedValue):
            if not is_id(part.value, names):
                return ""
            spec = _text(part.format_spec, number, names) if part.format_spec else ""
            try:
                parts.append(format(number, spec) if len(spec) < 4 else str(number))
            except ValueError:
                parts.append(str(number))
        else:
            parts.append(_text(part, number, names))
    return "".join(parts)


def _team(lines: Sequence[str]) -> str:
    """The comment between a branch's header and its first statement, if it can be a name."""
    first = next((line.strip() for line in lines if line.strip()), "")
    if not first.startswith("#"):
        return ""
    text = "".join(char for char in first.lstrip("# ") if char.isprintable()).strip()
    unlike = text.lower().startswith(_NO_TEAM) or len(text.split()) > _WORDS
    return "" if unlike else text[:_TEAM_CAP]
