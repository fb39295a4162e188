"""How large the harness is, and how far its knowledge is spread: figures of its own source.

    python tests/benchmarks/structure.py [CHECKOUT ...]

Prints a Markdown table with a column for each checkout (default: this one). Only source is read;
for the frames between `evaluate` and the model one LR image is really run, by that checkout's code.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parents[2]
COUNTERS = ("ntire2022", "fvcore", "ptflops", "dispatch")
SHORT = 4  # lines of a function's body, its docstring left out
_PROBE = """
import json, sys, tempfile, traceback
from pathlib import Path
import harness
from harness.wire.channel import Channel
depths, send = [], Channel.send

def watched(self, message, *rest, **named):
    if type(message).__name__ == "Forward":
        names = [it.f_globals.get("__name__", "") for it, _ in traceback.walk_stack(None)]
        depths.append(sum(name.startswith("harness.") for name in names))
    return send(self, message, *rest, **named)

Channel.send = watched
entry, reports = Path(sys.argv[1]), Path(sys.argv[2])
harness.evaluate([entry], reports=reports, references=False, rounds=1, threads=1, sandbox="none")
logs = "".join(it.read_text() for it in reports.rglob("round-0.log"))
inside = [int(line.split()[1]) for line in logs.splitlines() if line.startswith("frames ")]
print(json.dumps([min(depths), min(inside)]))
"""
_FRAMES = """
        import traceback
        stack = [it.f_globals.get("__name__", "") for it, _ in traceback.walk_stack(None)]
        print("frames", sum(name.startswith("harness.") for name in stack), flush=True)
"""


def shared_names(package: Path) -> dict[str, dict[str, list[str]]]:
    """Types, and modules, that bear one name: where each of them stands, by kind and name."""
    types: dict[str, list[str]] = {}
    modules: dict[str, list[str]] = {}
    for path in sorted(package.rglob("*.py")):
        where = path.relative_to(package).as_posix()
        if path.name == "__init__.py":
            modules.setdefault(path.parent.name, []).append(where)
        elif path.name != "__main__.py":
            modules.setdefault(path.stem, []).append(where)
        for name in _types(_tree(path)):
            types.setdefault(name, []).append(where)
    found = {"types": types, "modules": modules}
    return {
        kind: {name: places for name, places in named.items() if len(places) > 1}
        for kind, named in found.items()
    }


def figures(checkout: Path) -> dict[str, str]:
    """What the table tells of one checkout."""
    package = checkout / "harness"
    paths = sorted(package.rglob("*.py"))
    shared = shared_names(package)
    trusted, inside = _frames(checkout)
    return {
        "rooms (folders of the package's first level)": str(len(_rooms(package))),
        "names at the first level, modules included": str(len(_first_level(package))),
        "Python files": str(len(paths)),
        "lines": f"{sum(len(path.read_text().splitlines()) for path in paths):,}",
        f"private functions used once, of {SHORT} lines or fewer": str(len(once_used(package))),
        "type names that stand twice or more": str(len(shared["types"])),
        "module names that stand twice or more": str(len(shared["modules"])),
        "files that name the metric `energy`": str(_naming(paths, ["energy"])),
        **{f"files that name the counter `{it}`": str(_naming(paths, [it])) for it in COUNTERS},
        "frames from `evaluate` to the request for a forward": str(trusted),
        "frames from the worker's start to the model's forward": str(inside),
    }


def once_used(package: Path) -> list[str]:
    """Private functions and methods that one place of their own file names, with short bodies."""
    found = []
    for path in sorted(package.rglob("*.py")):
        tree = _tree(path)
        used = Counter(_used(tree))
        found += [
            f"{path.relative_to(package)}:{node.lineno} {node.name}"
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef) and _is_short(node) and used[node.name] == 1
        ]
    return found


def _is_short(node: ast.FunctionDef) -> bool:
    if not node.name.startswith("_") or node.name.startswith("__"):
        return False
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return bool(body) and (body[-1].end_lineno or 0) - body[0].lineno < SHORT


def _used(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr


def _types(tree: ast.Module) -> Iterator[str]:
    """Classes, and aliases of types: capitalised names that are no constants."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if len(name) > 1 and name[0].isupper() and not name.isupper():
                yield name


def _naming(paths: Iterable[Path], words: list[str]) -> int:
    """Files with a text constant, a name or an attribute of exactly that word."""
    return sum(any(word in words for word in _words(_tree(path))) for path in paths)


def _words(tree: ast.Module) -> Iterator[str]:
    yield from _used(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value.partition(":")[0]
            yield from node.value.removeprefix("macs_").split() if len(node.value) < 40 else ()
        elif isinstance(node, ast.keyword | ast.arg) and node.arg:
            yield node.arg
        elif isinstance(node, ast.FunctionDef):
            yield node.name


def _rooms(package: Path) -> list[str]:
    return [it.name for it in package.iterdir() if (it / "__init__.py").is_file()]


def _first_level(package: Path) -> set[str]:
    modules = {it.stem for it in package.glob("*.py") if it.name != "__init__.py"}
    return modules | set(_rooms(package))


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _frames(checkout: Path) -> tuple[int, int]:
    """Frames of the harness's own functions, of the trusted side's and of the worker's process."""
    with tempfile.TemporaryDirectory() as scratch:
        entry = Path(scratch) / "linear_x4"
        entry.mkdir()
        for file in (checkout / "submissions" / "linear_x4").iterdir():
            if file.is_file():
                (entry / file.name).write_bytes(file.read_bytes())
        model = (entry / "model.py").read_text()
        at = '"""Super-resolve a batch."""'
        (entry / "model.py").write_text(model.replace(at, at + _FRAMES))
        probed = subprocess.run(
            [sys.executable, "-c", _PROBE, str(entry), str(Path(scratch) / "reports")],
            cwd=checkout,
            env={"PYTHONPATH": str(checkout), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=True,
        )
    trusted, inside = json.loads(probed.stdout.splitlines()[-1])
    return trusted, inside


def main(checkouts: list[Path]) -> None:
    """Print the table."""
    columns = [figures(it) for it in checkouts]
    print("| what |", " | ".join(it.name for it in checkouts), "|")
    print("| --- |", " | ".join("---:" for _ in checkouts), "|")
    for what in columns[0]:
        print(f"| {what} |", " | ".join(it[what] for it in columns), "|")


if __name__ == "__main__":
    main([Path(it).resolve() for it in sys.argv[1:]] or [HERE])
