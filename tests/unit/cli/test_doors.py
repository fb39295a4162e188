"""Strange code is started in one place, always with a confinement that was chosen."""

from __future__ import annotations

import ast
import dataclasses
import inspect
from pathlib import Path

from harness.cli.app import app
from harness.gate.pair import CheckPair
from harness.measure.session import Task
from harness.measure.worker_process import WorkerProcess

PACKAGE = Path(__file__).resolve().parents[3] / "harness"
# who starts processes: workers, the sandbox's own trial, and programs that run no code of entries
STARTERS = {
    "engines/device_queues.py",  # `esr work`
    "engines/ray_cluster.py",
    "engines/slurm.py",  # squeue, scancel
    "gate/repository.py",  # git
    "measure/worker_process.py",
    "entries/packages/uv_process.py",  # uv, and no line of a package
    "sandbox/bubblewrap.py",  # its version
    "sandbox/trial.py",
}
LISTS_ONLY = {"entries"}  # and runs nothing
TAKES_CODE = {"entries", "checkout", "ntire"}  # names of arguments


def _modules(*, but: str = "worker") -> dict[str, ast.Module]:
    """Of the trusted side; a worker is confined already."""
    paths = {path.relative_to(PACKAGE).as_posix(): path for path in PACKAGE.rglob("*.py")}
    return {
        name: ast.parse(path.read_text(encoding="utf-8"))
        for name, path in paths.items()
        if not name.startswith((f"{but}/", "entries/templates/"))
    }


def test_processes_are_started_by_known_modules_alone() -> None:
    found = set()
    for name, module in _modules().items():
        imported = {
            alias.name if isinstance(node, ast.Import) else node.module
            for node in ast.walk(module)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        if imported & {"subprocess", "multiprocessing", "concurrent.futures.process", "pty"}:
            found.add(name)
    assert found == STARTERS


def test_a_worker_is_started_by_one_function() -> None:
    calls = {
        name
        for name, module in _modules().items()
        for node in ast.walk(module)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "WorkerProcess"
    }
    assert calls == {"measure/tasks.py"}


def test_nothing_that_starts_a_worker_has_a_confinement_by_default() -> None:
    started = inspect.signature(WorkerProcess).parameters["confinement"]
    assert started.default is inspect.Parameter.empty
    for kind in (Task, CheckPair):
        (confinement,) = (it for it in dataclasses.fields(kind) if it.name == "confinement")
        assert confinement.default is confinement.default_factory is dataclasses.MISSING


def test_a_command_that_takes_code_lets_one_choose_the_sandbox() -> None:
    options = {
        command.name: set(inspect.signature(command.callback).parameters)
        for command in app.registered_commands
        if command.callback is not None
    }
    takes = {name for name, has in options.items() if has & TAKES_CODE} - LISTS_ONLY
    assert takes == {"run", "inspect", "check", "adopt"}
    assert {name for name in takes if "sandbox" not in options[name]} == set()
