"""Workers in a sandbox of bubblewrap: namespaces of their own, and next to nothing to see."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from harness.entries import folder_policy
from harness.sandbox import python_home, seccomp, shipped_images
from harness.sandbox.confinement import Confined, Hold, NotConfined
from harness.sandbox.limits import Limits
from harness.sandbox.watch import Watch

NAME = "bubblewrap"
SCRATCH = "/tmp"  # noqa: S108 - inside: a file system of the worker's own
CODE = "/harness"  # inside: the parent of our package, which is a part of the whole one
HIDDEN_CAP = 1000  # of what no digest covers: bubblewrap takes some thousand arguments
DEVICES = ("null", "zero", "full", "random", "urandom")
IMAGES_CAP = 1000  # covers of images that packages bring, for the same reason
GPU_DEVICES = "nvidia*"
FIRST = "/proc/1"  # inside: bubblewrap's own, whose memory a process of the same user could write
# Of the file systems that a GPU's driver needs: where hosts are known to mount something later,
# which would then be writable in here (`binfmt_misc` is a way to run programs as root).
MOUNTED_ON = (
    *("/proc/fs", "/proc/sys/fs/binfmt_misc", "/proc/xen"),
    *("/sys/firmware/efi", "/sys/fs", "/sys/kernel"),
)
NOBODY = "65534"


@dataclass(frozen=True)
class Bubblewrap:
    """A confinement by bubblewrap.

    `gpu` brings what NVIDIA's driver needs: its devices, /sys, and /proc folders of one's own
    processes that can be written to. `hidden` are folders that are covered wherever they lie in
    what is shown: those of HR images and of what other processes left.
    """

    gpu: bool = False
    limits: Limits = field(default_factory=Limits)
    hidden: tuple[Path, ...] = ()
    name: str = NAME

    def wrap(self, command: list[str], *, readable: tuple[Path, ...]) -> Confined:
        """`command`, whose first part is this Python, in a sandbox that shows `readable`.

        NotConfined where the program is missing or `readable` would show too much.
        """
        program = executable()
        if program is None:
            raise NotConfined("bubblewrap is not installed")
        # a worker in here could write no figures of coverage
        coverage = [name for name in os.environ if name.startswith("COVERAGE_")]
        arguments = [
            *_namespaces(program),
            *(part for name in coverage for part in ("--unsetenv", name)),
            *_system(gpu=self.gpu),
            *("--perms", "1777", "--size", str(self.limits.scratch_bytes), "--tmpfs", SCRATCH),
            *_python(),
            *_entry(readable),
            *_without_images(readable),
            *_hidden(self.hidden, readable),
        ]
        arguments += [*_sealed(arguments, proc=not self.gpu), "--chdir", SCRATCH]
        filters = _filter(gpu=self.gpu)
        arguments += [part for it in filters for part in ("--seccomp", str(it))]
        environment = {
            "HOME": SCRATCH,
            "TMPDIR": SCRATCH,
            "PATH": str(Path(sys.executable).parent),
            "PYTHONPATH": CODE,
            "USER": "worker",
        }
        return Confined([program, *arguments, "--", *command], filters, environment)

    def hold(self, pid: int) -> Hold:
        """Limits and a watch on what bubblewrap started."""
        return Watch(pid, self.limits, limit_data=not self.gpu)


def executable() -> str | None:
    """Where bubblewrap is."""
    return shutil.which("bwrap")


def version(program: str) -> str:
    """As the program tells it, without its name."""
    return _said(program, "--version").strip().removeprefix("bubblewrap ")[:40]


@functools.cache
def _said(program: str, option: str) -> str:
    return subprocess.run([program, option], capture_output=True, text=True, check=False).stdout


def _namespaces(program: str) -> list[str]:
    arguments = ["--unshare-user", "--uid", NOBODY, "--gid", NOBODY]
    arguments += ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
    arguments += ["--unshare-cgroup-try", "--hostname", "worker", "--cap-drop", "ALL"]
    arguments += ["--die-with-parent", "--new-session"]
    if "--disable-userns" in _said(program, "--help"):
        arguments.append("--disable-userns")
    return arguments


def _system(*, gpu: bool) -> Iterator[str]:
    yield from ("--proc", "/proc", "--dir", "/dev")
    for name in DEVICES:
        yield from _device(Path("/dev") / name)
    for device in sorted(Path("/dev").glob(GPU_DEVICES)) if gpu else ():
        yield from _device(device)
    for name, target in (("stdin", "0"), ("stdout", "1"), ("stderr", "2")):
        yield from ("--symlink", f"/proc/self/fd/{target}", f"/dev/{name}")
    yield from ("--symlink", "/proc/self/fd", "/dev/fd", "--symlink", SCRATCH, "/dev/shm")  # noqa: S108
    for path in python_home.system():
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), str(path))
        else:
            yield from _shown(path)
    if gpu:
        yield from _for_a_driver()


def _device(path: Path) -> Iterator[str]:
    """A device, or those in a folder; the folder is not the host's, where files could be made."""
    if not path.is_dir():
        yield from ("--dev-bind", str(path), str(path))
        return
    yield from ("--dir", str(path))
    for device in sorted(path.iterdir()):
        yield from _device(device)


def _for_a_driver() -> Iterator[str]:
    """/sys, and what is the kernel's in /proc, read-only, where the rest of it can't be.

    CUDA does not start (error 304) where it can't name its threads by /proc/PID/task/TID/comm. The
    kernel's files there belong to root, whose workers could write them or change their modes.
    """
    yield from _shown(Path("/sys"))
    for path in _of_the_kernel(Path("/proc")):
        # the host's locks tell of its processes
        source = os.devnull if path.name == "locks" else str(path)
        yield from ("--ro-bind", source, str(path))
    yield from _covered(Path(FIRST))  # there whatever the host's /proc shows of it
    for folder in map(Path, MOUNTED_ON):
        if folder.is_dir():
            yield from _covered(folder)


def _of_the_kernel(proc: Path) -> list[Path]:
    """What is in there of no process; links lead into those."""
    return sorted(
        path for path in proc.iterdir() if not path.name.isdecimal() and not path.is_symlink()
    )


def _python() -> Iterator[str]:
    """The interpreter with its libraries, and of our own package what a worker needs."""
    called = Path(sys.executable)
    real = called.resolve()
    libraries = python_home.libraries()
    # the last is what makes a virtual environment one
    for path in (*libraries, real, Path(sys.prefix) / "pyvenv.cfg"):
        if path.exists() and not any(path.is_relative_to(root) for root in python_home.SYSTEM):
            yield from _shown(path)
    if called != real:
        yield from ("--symlink", str(real), str(called))
    for folder in python_home.unused():
        yield from _covered(folder)
    package = python_home.PACKAGE
    for installed in python_home.copies():
        if _within(installed, libraries):
            yield from _covered(installed)
    for part in python_home.PACKAGE_PARTS:
        yield from ("--ro-bind", str(package / part), f"{CODE}/{package.name}/{part}")


def _without_images(readable: tuple[Path, ...]) -> Iterator[str]:
    """Covers what packages bring, a checkout's own environment included; not an entry's own files
    where it is a part of a package, as our references are.
    """
    libraries = python_home.libraries()
    parts = [path for path in python_home.outermost(readable) if _within(path, libraries)]
    covers = [path for path in shipped_images.covers() if not _within(path, parts)]
    if len(covers) > IMAGES_CAP:
        raise NotConfined(f"the installed packages bring images in over {IMAGES_CAP} places")
    for path in covers:
        yield from _covered(path) if path.is_dir() else _emptied(path)


def _hidden(folders: tuple[Path, ...], readable: tuple[Path, ...]) -> Iterator[str]:
    """Covers what of the folders can be seen, but not what is `readable` in one of them."""
    shown = python_home.outermost(readable)
    every = (*shown, *python_home.libraries(), *python_home.system())
    for folder in sorted({path.resolve() for path in folders}):
        if folder in shown:
            raise NotConfined(
                f"{folder} holds HR images or reports: move the entry into a folder of its own"
            )
        if folder.is_dir() and _within(folder, every):
            yield from _covered(folder)
            for path in sorted({path.resolve() for path in readable}):
                if folder in path.parents:
                    yield from _shown(path)


def _entry(readable: tuple[Path, ...]) -> Iterator[str]:
    """What may be read of an entry: nothing that its digest does not cover, neither the home folder
    nor our own code.
    """
    for path in python_home.outermost(readable):
        for kept in (Path.home().resolve(), python_home.PACKAGE, Path("/proc")):
            if kept.is_relative_to(path):
                raise NotConfined(f"{path} holds {kept}: move the entry into a folder of its own")
        yield from _shown(path)
        hidden = 0
        for folder, folders, files in os.walk(path):
            for name in folder_policy.IGNORED.intersection(folders):
                folders.remove(name)
                hidden += 1
                yield from _covered(Path(folder) / name)
            for name in folder_policy.IGNORED.intersection(files):
                hidden += 1
                yield from _emptied(Path(folder) / name)
        if hidden > HIDDEN_CAP:
            names = ", ".join(sorted(folder_policy.IGNORED))
            raise NotConfined(f"{path} holds more than {HIDDEN_CAP} of {names}")


def _filter(*, gpu: bool) -> tuple[int, ...]:
    """A descriptor of the filter of system calls, if there is one for this machine."""
    program = seccomp.program(memory_files=gpu, root=os.geteuid() == 0)
    if not program:
        return ()
    descriptor = os.memfd_create("filter", os.MFD_CLOEXEC)
    os.write(descriptor, program)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return (descriptor,)


def _within(path: Path, folders: Iterable[Path]) -> bool:
    return any(folder in path.parents for folder in folders)


def _shown(path: Path) -> tuple[str, ...]:
    return ("--ro-bind", str(path), str(path))


def _emptied(file: Path) -> tuple[str, ...]:
    return ("--ro-bind", os.devnull, str(file))


def _covered(folder: Path) -> tuple[str, ...]:
    """An empty folder over what lies there; sealed when all that belongs below is bound."""
    return ("--tmpfs", str(folder))


def _sealed(arguments: list[str], *, proc: bool) -> Iterator[str]:
    """Nothing can be written but the scratch folder.

    /proc is sealed too: bubblewrap leaves root's kernel settings writable to a worker of root's.
    """
    made = [arguments[at + 1] for at, it in enumerate(arguments) if it == "--tmpfs"]
    for folder in (*made, *(["/proc"] if proc else []), "/"):
        if folder != SCRATCH:
            yield from ("--remount-ro", folder)
