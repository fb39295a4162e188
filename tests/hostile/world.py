"""A small world to be hostile in: things worth stealing, victims, and eyes for what happens.

Ways to see a success (`success` in index.toml):
log:NAME      the canary NAME stands in the entry's log: it was read, or an act was reported
psnr          the output is better than any model could make it
server        the server was talked to by this entry
outside       a file of the entry's name appeared outside its folders
changed:NAME  files of another entry, of its own or of the reports are not what they were
victim:NAME   a process that was laid out for it is gone
survivor      a process of the entry runs on when its worker has ended
mounted       the mount point that was laid out for it is one
reached       the log says that it got all of the amount that is above the limit
log_size      its log is larger than logs may grow
accepted      the round counts as one that went through
figures       a figure of the round is the forged one
unflagged    the round went through and no audit doubts it
faster       so it did, and a forward that is ranked took less than its work
harm          the round went through or failed in another way than a value, or too late
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import shared_memory
from pathlib import Path
from typing import Any

import psutil
import torch
from fakes.audited import flagged
from fakes.challenges import write_set5

from harness.core.outcome import Failed
from harness.core.record import RoundFigures
from harness.sandbox.limits import MIB, Limits

from .corpus import Hostile

SECRET = "ESR_TRIAL_TOKEN"  # noqa: S105 - the name of a variable
CANARIES = ("weights", "report", "home", "secret", "shared", "open", "argument")
VICTIMS = ("killed", "traced")
REPORTS = ("poison", "setns", "userns", "kernel")  # told by an entry when its act came off
# CUDA's libraries are held in memory wherever torch has them
MEMORY = (1536 if torch.version.cuda else 768) * MIB
LIMITS = Limits(
    memory_bytes=MEMORY, reserve_bytes=0, tasks=64, scratch_bytes=64 * MIB, open_files=256
)
# above the limits, and small enough to harm no machine where nothing limits them
BOUNDS = {"memory": MEMORY + 256 * MIB, "tasks": 80, "disk": 96 * MIB, "files": 320}
LOG_CAP = 2 * MIB
PSNR_CAP_DB = 60.0
INSTANT_S = 1e-8
WORK_S = 0.05  # what no forward of a network that takes its time (`tiny.py`) takes less than
LATE_S = 60.0
Outcome = RoundFigures | Failed


@dataclass(frozen=True)
class Act:
    """What an entry did, as far as it shows; `name` is what it was after."""

    entry: Hostile
    outcome: Outcome
    took_s: float
    name: str

    @property
    def figures(self) -> RoundFigures | None:
        """Of a round that went through."""
        return self.outcome if isinstance(self.outcome, RoundFigures) else None


@dataclass
class World:
    """Where a corpus is run: `root` holds all of it."""

    root: Path
    canaries: dict[str, str]
    targets: dict[str, Any]
    victims: dict[str, subprocess.Popen[bytes]]
    callers: list[str] = field(default_factory=list)
    folders: dict[str, Path] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)

    def succeeded(self, entry: Hostile, outcome: Outcome, took_s: float) -> bool:
        """Whether the entry got what it tried to get."""
        kind, _, name = entry.success.partition(":")
        return SEEN[kind](self, Act(entry, outcome, took_s, name))

    def log_path(self, name: str) -> Path:
        """Where an entry's output goes."""
        return self.root / "logs" / f"{name}.log"

    def log(self, name: str) -> str:
        """What an entry printed."""
        with contextlib.suppress(OSError):
            return self.log_path(name).read_text(encoding="utf-8", errors="replace")
        return ""

    def remember(self, name: str, folder: Path) -> None:
        """What a folder holds now, to see a change later."""
        self.folders[name], self.digests[name] = folder, _digest(folder)

    def changed(self, name: str) -> bool:
        """Whether a folder that was remembered holds something else by now."""
        return _digest(self.folders[name]) != self.digests[name]

    def end_survivors(self) -> bool:
        """Whether processes with the mark were left behind; they are no more."""
        found = [it for it in psutil.process_iter() if self.targets["mark"] in _arguments(it)]
        for process in found:
            process.kill()
        return bool(found)

    def unmount(self) -> bool:
        """Whether something was mounted where nothing should be; it is no more."""
        point = self.targets["mountpoint"]
        if not os.path.ismount(point):
            return False
        subprocess.run(["umount", point], check=True)
        return True


@contextmanager
def laid_out(root: Path) -> Iterator[World]:
    """A world below `root`, with its processes and variables; all of it is gone afterwards."""
    canaries = {name: f"canary-{secrets.token_hex(8)}" for name in (*CANARIES, *REPORTS)}
    for name in ("other", "reports", "home", "outside", "scratch", "mountpoint", "entries"):
        (root / name).mkdir(parents=True)
    write_set5(root / "data", size=192, detail=12.0)  # enough of both to tell outputs apart
    truth = root / "data" / "Set5" / "HR" / "baby.png"
    canaries["truth"] = hashlib.sha256(truth.read_bytes()).hexdigest()
    (root / "other" / "weights.bin").write_text(canaries["weights"], encoding="ascii")
    (root / "other" / "model.py").write_text("x = 0\n", encoding="ascii")
    (root / "reports" / "round-0.json").write_text(canaries["report"], encoding="ascii")
    (root / "home" / "notes.txt").write_text(canaries["home"], encoding="ascii")
    (root / "open.txt").write_text(canaries["open"], encoding="ascii")
    with contextlib.ExitStack() as stack:
        shared = shared_memory.SharedMemory(create=True, size=100)
        stack.callback(shared.unlink)
        stack.callback(shared.close)
        shared.buf[:23] = canaries["shared"].encode()
        left_open = os.open(root / "open.txt", os.O_RDONLY)
        stack.callback(os.close, left_open)
        secret = stack.enter_context(_variables(canaries["secret"], root / "scratch"))
        victims = {
            name: stack.enter_context(_victim(canaries["argument"]))
            for name in ("killed", "traced")
        }
        world = World(root, canaries, {}, victims)
        world.targets = {
            "truth": str(truth),
            "weights": str(root / "other" / "weights.bin"),
            "other": str(root / "other" / "model.py"),
            "report": str(root / "reports" / "round-0.json"),
            "records": str(root / "reports"),
            "home": str(root / "home" / "notes.txt"),
            "outside": str(root / "outside"),
            "mountpoint": str(root / "mountpoint"),
            "shared": f"/dev/shm/{shared.name.lstrip('/')}",  # noqa: S108 - where Linux keeps it
            "harness": secret,
            "victims": {name: victim.pid for name, victim in victims.items()},
            "mark": f"mark-{secrets.token_hex(8)}",
            "bounds": BOUNDS,
            **{name: canaries[name] for name in REPORTS},
            **stack.enter_context(_servers(world)),
        }
        for name in ("other", "reports"):
            world.remember(name, root / name)
        stack.callback(world.end_survivors)
        stack.callback(world.unmount)
        yield world


@contextmanager
def _variables(token: str, scratch: Path) -> Iterator[int]:
    """A token in the environment, also of a process that stands for the harness; its id.

    The real one's memory holds the token too, but a test's process may be that of other tests.
    """
    was = {name: os.environ.get(name) for name in (SECRET, "TMPDIR")}
    os.environ |= {SECRET: token, "TMPDIR": str(scratch)}
    try:
        with _victim("nothing") as process:
            yield process.pid
    finally:
        for name, value in was.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


@contextmanager
def _victim(password: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", "import sys; sys.stdin.read()", f"--password={password}"],
        stdin=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@contextmanager
def _servers(world: World) -> Iterator[dict[str, Any]]:
    """Two servers that write down who calls."""
    name = f"esr-{secrets.token_hex(8)}"
    hidden = socket.socket(socket.AF_UNIX)
    hidden.bind(f"\0{name}")
    hidden.listen()
    with hidden, socket.create_server(("127.0.0.1", 0)) as server:
        for end in (hidden, server):
            threading.Thread(target=_answer, args=(end, world.callers), daemon=True).start()
        yield {"port": server.getsockname()[1], "abstract": name}
        for end in (hidden, server):
            end.shutdown(socket.SHUT_RDWR)


def _answer(server: socket.socket, callers: list[str]) -> None:
    with contextlib.suppress(OSError):
        while True:
            client, _ = server.accept()
            with client, contextlib.suppress(OSError):
                client.settimeout(2.0)
                callers.append(client.recv(100).decode(errors="replace"))


def _gone(victim: subprocess.Popen[bytes]) -> bool:
    """Ended, or about to end, by now."""
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        if victim.poll() is not None:
            return victim.returncode in (-signal.SIGKILL, -signal.SIGTERM)
        time.sleep(0.02)
    return False


def _perfect(figures: RoundFigures | None) -> bool:
    return any((it.psnr_db or 0) > PSNR_CAP_DB for it in figures.scores) if figures else False


def _instant(figures: RoundFigures | None) -> bool:
    return any(it.seconds < INSTANT_S for it in figures.samples) if figures else False


def _faster(figures: RoundFigures | None) -> bool:
    return any(it.seconds < WORK_S for it in figures.samples) if figures else False


def _digest(folder: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.parent.name != "__pycache__":
            total.update(f"{path} {path.stat().st_size}".encode(errors="surrogateescape"))
            total.update(path.read_bytes() if path.stat().st_size < MIB else b"")
    return total.hexdigest()


def _arguments(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


SEEN: dict[str, Callable[[World, Act], bool]] = {
    "log": lambda world, act: world.canaries[act.name] in world.log(act.entry.id),
    "psnr": lambda _, act: _perfect(act.figures),
    "server": lambda world, act: act.entry.id in world.callers,
    "outside": lambda world, act: (world.root / "outside" / act.entry.id).exists(),
    "changed": lambda world, act: world.changed(act.entry.id if act.name == "own" else act.name),
    "victim": lambda world, act: _gone(world.victims[act.name]),
    "survivor": lambda world, _: world.end_survivors(),
    "mounted": lambda world, _: world.unmount(),
    "reached": lambda world, act: "REACHED" in world.log(act.entry.id),
    "log_size": lambda world, act: world.log_path(act.entry.id).stat().st_size > LOG_CAP,
    "accepted": lambda _, act: act.figures is not None,
    "figures": lambda _, act: _perfect(act.figures) or _instant(act.figures),
    "unflagged": lambda _, act: act.figures is not None and not flagged(act.figures.audits),
    "faster": lambda world, act: SEEN["unflagged"](world, act) and _faster(act.figures),
    "harm": lambda _, act: act.took_s > LATE_S,
}
