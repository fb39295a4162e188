"""Which files of a checkout decide what one id is: their digest is the entry's.

An official repository grows by an entry a day, so the digest of all of it would have every entry
measured anew each time. What counts are the id's own branch, the modules that it imports, by way
of each other, and the files that any of them names. Where imports can't be followed by reading
(`sys.path` or `importlib` are used, or a file of that name lies elsewhere), all code counts.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from harness.documents import plain_file
from harness.entries.catalogue import file_digest
from harness.entries.checkouts.branches import Branch, Script

_IGNORED = frozenset({"__pycache__", ".git"})
_DYNAMIC = frozenset({"importlib", "__import__", "exec", "eval", "runpy"})
_CODE_CAP = 4 * 1024 * 1024  # bytes of a module that is worth parsing
_NAME_CAP = 300  # characters of a text that could be a file's name


@dataclass(frozen=True)
class Links:
    """What code speaks of: files of the checkout, and whether that is certainly all of them."""

    files: frozenset[str]
    sure: bool


@dataclass(frozen=True)
class Tree:
    """The files of a checkout, by path relative to it; links and devices are not among them.

    What is read of a file is kept: most entries of a checkout share some.
    """

    root: Path
    files: frozenset[str]
    by_name: dict[str, list[str]]  # the last part of the path
    _digests: dict[str, str] = field(default_factory=dict)
    _links: dict[str, Links] = field(default_factory=dict)

    def digest(self, file: str) -> str:
        """sha256 of a file."""
        if file not in self._digests:
            self._digests[file] = file_digest(self.root / file)
        return self._digests[file]

    def links(self, file: str) -> Links:
        """What a module of the checkout speaks of; nothing where it can't be parsed."""
        if file not in self._links:
            path, code = self.root / file, ast.Module([], [])
            broken = (OSError, SyntaxError, ValueError, RecursionError, MemoryError)
            with contextlib.suppress(*broken):
                if file.endswith(".py") and path.stat().st_size <= _CODE_CAP:
                    code = ast.parse(plain_file.read(path, _CODE_CAP))
            self._links[file] = links(self, file, code.body)
        return self._links[file]


def tree(root: Path) -> Tree:
    """What a checkout holds."""
    found = set()
    for folder, names, files in os.walk(root):
        names[:] = [name for name in names if name not in _IGNORED]
        place = Path(folder)
        found |= {
            (place / name).relative_to(root).as_posix()
            for name in files
            if plain_file.kind(place / name) == plain_file.PLAIN
        }
    by_name: dict[str, list[str]] = {}
    for file in sorted(found):
        by_name.setdefault(PurePosixPath(file).name, []).append(file)
    return Tree(root, frozenset(found), by_name)


def digest(checkout: Tree, script: Script, branch: Branch) -> str:
    """sha256 of everything that decides what the branch's model is."""
    total = hashlib.sha256(str(branch.id).encode())
    own = (*script.shared, *branch.statements)
    for node in own:
        total.update(ast.dump(node).encode(errors="surrogatepass"))
    for file in sorted(deciding(checkout, own)):
        total.update(f"{file}\0{checkout.digest(file)}\n".encode(errors="surrogateescape"))
    return total.hexdigest()


def deciding(checkout: Tree, statements: Sequence[ast.stmt]) -> frozenset[str]:
    """The files that statements of the checkout's script import or name, directly or by others."""
    first = links(checkout, "", statements)
    known: set[str] = set()
    sure = first.sure
    waiting = list(first.files)
    while waiting:
        file = waiting.pop()
        if file in known:
            continue
        known.add(file)
        more = checkout.links(file)
        sure = sure and more.sure
        waiting += more.files
    code = () if sure else (file for file in checkout.files if file.endswith(".py"))
    return frozenset(known.union(code))


def links(checkout: Tree, place: str, statements: Sequence[ast.stmt]) -> Links:
    """What the statements of the module at `place` import and name, by themselves."""
    found: set[str] = set()
    sure = True
    for node in (it for statement in statements for it in ast.walk(statement)):
        if isinstance(node, ast.Import):
            wanted = [[alias.name] for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(place, node)
            wanted = [[base, *(f"{base}.{alias.name}" for alias in node.names)]]
        else:
            sure = sure and not _is_dynamic(node)
            found |= _named(checkout, place, node)
            continue
        for names in wanted:
            files = set().union(*(_modules(checkout, name) for name in names))
            sure = sure and (bool(files) or not _elsewhere(checkout, names[0]))
            found |= files
    return Links(frozenset(found), sure)


def _modules(checkout: Tree, name: str) -> set[str]:
    """The files that `import name` runs: the module and the packages around it."""
    parts = name.split(".")
    if not all(parts):
        return set()
    packages = ("/".join(parts[: end + 1]) for end in range(len(parts)))
    inits = {f"{package}/__init__.py" for package in packages}
    return {f"{'/'.join(parts)}.py", *inits} & checkout.files


def _absolute(place: str, node: ast.ImportFrom) -> str:
    """The full name of the module that `from ... import` speaks of."""
    if not node.level:
        return node.module or ""
    package = PurePosixPath(place).parts[: -node.level]
    return ".".join([*package, *([node.module] if node.module else [])])


def _elsewhere(checkout: Tree, name: str) -> bool:
    """Whether a name that is no module from the root is one from another folder."""
    top = name.partition(".")[0]
    package = (file for file in checkout.by_name.get("__init__.py", ()) if f"/{top}/" in file)
    return not top or f"{top}.py" in checkout.by_name or any(package)


def _is_dynamic(node: ast.AST) -> bool:
    match node:
        case ast.Name(name):
            return name in _DYNAMIC
        case ast.Attribute(ast.Name("sys"), "path"):
            return True
    return False


def _named(checkout: Tree, place: str, node: ast.AST) -> set[str]:
    """The files that a text is the name of, or the last parts of the name."""
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return set()
    text = node.value.removeprefix("./")
    if "." not in text or len(text) > _NAME_CAP:
        return set()
    same_name = checkout.by_name.get(text.rpartition("/")[2], ())
    found = {file for file in same_name if file == text or file.endswith(f"/{text}")}
    beside = (PurePosixPath(place).parent / text).as_posix()
    return found | ({beside} & checkout.files)
