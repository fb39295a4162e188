"""Try to get out of a sandbox: run as `python -c SOURCE NAME,NAME,... TARGETS`, never imported.

The trial passes this file's text to a process that it puts in the place of a submission, to see
what holds on a machine: so the sandbox that is tried shows what a worker's shows, and no more.
TARGETS is a JSON object of what was laid out: canary files, a server, a process to be killed. One
JSON object a line goes to standard output: the attempt, what it got, "" for nothing, and the error
that it met. The standard library alone: nothing else of the harness is in reach, and the trial is
to start fast.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import resource
import signal
import socket
import stat
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

CLONE_NEWUSER = 0x10000000
PTRACE_ATTACH = 16
MNT_DETACH = 2
PIDFD_GETFD = 438
CANARIES = ("weights", "report", "home")
HOLD_S = 1.0  # to stay over a limit: longer than a watch needs to see it
STAY_S = 60.0  # of a process that should not outlive its sandbox
MIB = 2**20
Targets = dict[str, Any]


def main() -> None:
    """Every attempt that is named, in that order: a canary to be read, or the function below."""
    targets: Targets = json.loads(sys.argv[2])
    for name in sys.argv[1].split(","):
        got = why = ""
        try:
            got = read_file(targets[name]) if name in CANARIES else globals()[name](targets)
        except (OSError, MemoryError, ValueError, RuntimeError) as error:
            why = getattr(error, "strerror", None) or type(error).__name__
        _tell({"attempt": name, "got": got[:200], "why": why[:200]})


def read_file(path: str) -> str:
    """The canary in a file of the trusted side; "" where it is covered by an empty one."""
    began = Path(path).read_bytes()[:40] if path else b""
    return f"{path}: {began!r}" if began else ""


def truth(targets: Targets) -> str:
    """An HR image: one that was laid out, and those that come with installed packages."""
    for path in (targets["truth"], *targets["images"]):
        with contextlib.suppress(OSError):
            if found := read_file(path):
                return found
    return ""


def environment(targets: Targets) -> str:
    """A secret of the trusted side's environment, in our own or that of a process we can see."""
    secret: str = targets["secret"]
    if secret in os.environ.values():
        return "in os.environ"
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if secret.encode() in path.read_bytes():
                return f"in {path}"
    return ""


def network(targets: Targets) -> str:
    """A server on the machine, by TCP and by an abstract socket; any route out of it."""
    for family, address in (
        (socket.AF_INET, ("127.0.0.1", targets["port"])),
        (socket.AF_UNIX, f"\0{targets['abstract']}"),
    ):
        with socket.socket(family) as client, contextlib.suppress(OSError):
            client.settimeout(2.0)
            client.connect(address)
            return f"connected to {address!r}"
    others = [name for _, name in socket.if_nameindex() if name != "lo"]
    return f"sees the interface {others[0]}" if others else ""


def write(targets: Targets) -> str:
    """A file anywhere but in the scratch folder."""
    code = os.environ["PYTHONPATH"]
    for folder in (*targets["folders"], "/", "/dev", f"{code}/harness", f"{code}/harness/worker"):
        path = Path(folder) / targets["mark"]
        with contextlib.suppress(OSError):
            path.write_text("was here", encoding="ascii")
            return f"wrote {path}"
    return ""


def processes(targets: Targets) -> str:
    """A process of the trusted side, known by a mark among its arguments.

    They hold it backwards: our own, and those of the program that started us, hold the targets.
    """
    mark = targets["mark"][::-1].encode()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if mark in path.read_bytes():
                return f"sees process {path.parent.name}"
    return ""


def kill(targets: Targets) -> str:
    """End a process of the trusted side."""
    os.kill(targets["victim"], signal.SIGKILL)
    return f"killed process {targets['victim']}"


def trace(targets: Targets) -> str:
    """Take over another process; a sandbox's first one has the rights of its worker."""
    with contextlib.suppress(OSError), open("/proc/1/mem", "r+b"):  # noqa: PTH123
        return "may write the memory of process 1"
    with contextlib.suppress(OSError):
        _borrow(1)
        return "holds a descriptor of process 1"
    _call("ptrace", PTRACE_ATTACH, targets["traced"], None, None)
    return f"attached to process {targets['traced']}"


def _borrow(pid: int) -> None:
    """Take its standard input, and give it back."""
    process = os.pidfd_open(pid)
    try:
        os.close(_call("syscall", PIDFD_GETFD, process, 0, 0))
    finally:
        os.close(process)


def capabilities(_: Targets) -> str:
    """A right that a plain process does not have."""
    held = int(_status("CapEff"), 16) | int(_status("CapPrm"), 16) | int(_status("CapBnd"), 16)
    return f"holds {held:#x}" if held else ""


def namespace(_: Targets) -> str:
    """A user namespace, in which one is root and more of the kernel is in reach."""
    _call("unshare", CLONE_NEWUSER)
    return "unshared its user namespace"


def privileges(_: Targets) -> str:
    """Programs with the set-user-id bit."""
    return "may gain privileges by exec" if _status("NoNewPrivs") != "1" else ""


def mounts(targets: Targets) -> str:
    """Mount something, or leave the root; in a folder of our own, and taken back at once."""
    if _wait([_fork(lambda: os.chroot(targets["folders"][0]))]):
        return "changed its root"
    with tempfile.TemporaryDirectory() as folder:
        _call("mount", b"none", folder.encode(), b"tmpfs", 0, None)
        _call("umount2", folder.encode(), MNT_DETACH)
    return "mounted a file system"


def settings(_: Targets) -> str:
    """The kernel's settings; opened for writing, never written."""
    mounted = "sys/fs/binfmt_misc/register"
    for name in ("sys/kernel/core_pattern", "sys/vm/drop_caches", "sysrq-trigger", mounted):
        path = f"/proc/{name}"
        with contextlib.suppress(OSError), open(path, "r+b"):  # noqa: PTH123
            return f"may write {path}"
    return ""


def modes(_: Targets) -> str:
    """Who may use a device of the machine's; in ways that change nothing, or are put back."""
    path = Path("/dev/full")
    before = path.stat()
    with contextlib.suppress(OSError):
        path.chmod(before.st_mode ^ stat.S_ISVTX)
        if path.stat().st_mode != before.st_mode:
            path.chmod(before.st_mode)
            return f"changed the mode of {path}"
    with contextlib.suppress(OSError):
        os.setxattr(path, "system.posix_acl_access", _access_list(before.st_mode))
        return f"set the access list of {path}"
    with contextlib.suppress(OSError):
        os.chown(path, -1, os.getgid())
        return f"gave {path} to its group"
    with contextlib.suppress(OSError):
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns - 1))
        if path.stat().st_mtime_ns != before.st_mtime_ns:
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
            return f"changed the time of {path}"
    return ""


def _access_list(mode: int) -> bytes:
    """The POSIX ACL that says what the mode does: acl(5), in the kernel's posix_acl_xattr.h."""
    whole = struct.pack("<I", 2)
    for tag, shift in ((0x01, 6), (0x04, 3), (0x20, 0)):
        whole += struct.pack("<HHI", tag, mode >> shift & 7, 0xFFFFFFFF)
    return whole


def descriptors(_: Targets) -> str:
    """Descriptors that somebody left open."""
    for number in range(3, 256):
        with contextlib.suppress(OSError):
            os.fstat(number)
            return f"holds number {number}"
    return ""


def limits(_: Targets) -> str:
    """Limits that can be raised again, or were never set."""
    for kind in (resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE, resource.RLIMIT_CORE):
        hard = resource.getrlimit(kind)[1]
        if hard == resource.RLIM_INFINITY:
            return f"limit {kind} is not set"
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(kind, (hard + 1, hard + 1))
            return f"raised limit {kind}"
    return ""


def memory(targets: Targets) -> str:
    """More memory than the limit, and time to be seen with it."""
    size = targets["memory_bytes"] * 3 // 2
    _fill(size)
    return f"held {size // MIB} MiB"


def memory_files(targets: Targets) -> str:
    """The same in files of memory, which no process is charged with."""
    part, held = bytes(16 * MIB), 0
    while held < targets["memory_bytes"] * 3 // 2:
        held += os.write(os.memfd_create("held"), part)
    time.sleep(HOLD_S)
    return f"held {held // MIB} MiB"


def children_memory(targets: Targets) -> str:
    """The same in three processes, each below the limit."""
    size = targets["memory_bytes"] // 2
    fine = _wait(_fork(lambda: _fill(size)) for _ in range(3))
    return f"three processes held {3 * size // MIB} MiB" if fine == 3 else ""


def tasks(targets: Targets) -> str:
    """More processes than the limit."""
    wanted = targets["tasks"] * 3 // 2
    fine = _wait(_fork(lambda: time.sleep(HOLD_S)) for _ in range(wanted))
    return f"had {wanted} processes" if fine == wanted else ""


def file_size(targets: Targets) -> str:
    """A file above the limit, sparse."""
    with tempfile.TemporaryFile() as file:
        file.truncate(2 * targets["scratch_bytes"])
        return f"made a file of {os.fstat(file.fileno()).st_size // MIB} MiB"


def scratch(targets: Targets) -> str:
    """More in the scratch folder than fits, by way of small files."""
    written, part = 0, bytes(targets["scratch_bytes"] // 4)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(6):
            written += (Path(folder) / f"part{number}").write_bytes(part)
    return f"wrote {written // MIB} MiB"


def open_files(targets: Targets) -> str:
    """More descriptors than the limit."""
    wanted = targets["open_files"] + 64
    opened = [os.open("/dev/null", os.O_RDONLY) for _ in range(wanted)]
    return f"opened {len(opened)}"


def survive(_: Targets) -> str:
    """A process that left the group, and stays when its sandbox has gone."""

    def detach() -> None:
        os.setsid()
        if pid := os.fork():
            _tell({"stays": pid})
            return
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(STAY_S)

    _wait([_fork(detach)])
    return ""  # whether it stays is for the trusted side to see


def cuda(_: Targets) -> str:
    """No escape, but what a sandbox must leave whole: the driver of a GPU."""
    try:
        trouble = ctypes.CDLL("libcuda.so.1").cuInit(0)
    except OSError as error:
        raise OSError(errno.ENOENT, str(error)) from None
    if trouble:
        raise OSError(errno.EIO, f"cuInit returns {trouble}")
    return "CUDA starts"


def _tell(document: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


def _fork(work: Callable[[], None]) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    with contextlib.suppress(BaseException):
        work()
        status = 0
    os._exit(status)


def _wait(pids: Any) -> int:
    """How many of the children ended well; all are started first."""
    started = []
    with contextlib.suppress(OSError):
        for pid in pids:
            started.append(pid)  # noqa: PERF402 - what was started before a failure counts too
    return sum(os.waitpid(pid, 0)[1] == 0 for pid in started)


def _fill(size: int) -> None:
    held = bytearray(size)
    held[::4096] = b"x" * len(range(0, size, 4096))
    time.sleep(HOLD_S)


def _status(name: str) -> str:
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    said = dict(line.partition(":")[::2] for line in lines)
    return said.get(name, "").strip()


def _call(name: str, *arguments: object) -> int:
    returned: int = getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments)
    if returned < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return returned
