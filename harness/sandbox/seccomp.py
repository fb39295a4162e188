"""A filter of system calls for bubblewrap: what no model needs, and what limits can't count.

Assembled here, as seccomp(2) and the kernel's filter.h describe it: a classic BPF program that
compares the architecture and the number of a call. The kernel remembers which numbers are always
allowed, so that they cost nothing. libseccomp would need a library of its own on every machine.
"""

from __future__ import annotations

import errno
import platform
import struct

# number on x86_64, on aarch64; None where there is no such call
_DENIED: dict[str, tuple[int | None, int | None]] = {
    # other processes, name spaces, mounts
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "open_tree": (428, 428),
    "open_tree_attr": (467, 467),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsmount": (432, 432),
    "mount_setattr": (442, 442),
    "open_by_handle_at": (304, 265),
    # parts of the kernel that a stranger's program should not reach
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "kexec_load": (246, 104),
    "syslog": (103, 116),
    "modify_ldt": (154, None),
    # memory that belongs to no process, and so escapes every limit on processes
    "shmget": (29, 194),
    "mq_open": (240, 180),
    "memfd_secret": (447, 447),
}
# A worker of root's owns the machine's devices, its own standard input among them, and could change
# who may use them.
_DENIED_TO_ROOT: dict[str, tuple[int | None, int | None]] = {
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "setxattrat": (463, 463),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "removexattrat": (466, 466),
    "file_setattr": (469, 469),
}
# The same, answered with success and not done: whatever copies a file asks for it.
_IGNORED_OF_ROOT: dict[str, tuple[int | None, int | None]] = {
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
}
_MEMORY_FILES: dict[str, tuple[int | None, int | None]] = {"memfd_create": (319, 279)}
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_X32 = 0x40000000  # numbers of x86_64's other calling convention

_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER_AT, _ARCHITECTURE_AT = 0, 4  # in struct seccomp_data
_ALLOW, _REFUSE, _IGNORE, _KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x00050000, 0x80000000


def program(*, memory_files: bool, root: bool, machine: str = "") -> bytes:
    """The filter for this machine, b"" for one whose numbers are not known here.

    `memory_files` allows memfd_create, which CUDA may use; `root` is who starts the worker.
    """
    known = _ARCHITECTURES.get(machine or platform.machine())
    if known is None:
        return b""
    column, architecture = known
    denied = _DENIED | ({} if memory_files else _MEMORY_FILES) | (_DENIED_TO_ROOT if root else {})
    refused = _numbers(denied, column)
    ignored = _numbers(_IGNORED_OF_ROOT if root else {}, column)
    rest = len(refused) + len(ignored)
    # each comparison jumps over what is left of them to its answer behind the allowance
    lines = (
        _line(_LOAD, _ARCHITECTURE_AT),
        _line(_EQUAL, architecture, then=1),
        _line(_RETURN, _KILL),
        _line(_LOAD, _NUMBER_AT),
        _line(_AT_LEAST, _X32, then=rest + 1),
        *(_line(_EQUAL, it, then=rest - at) for at, it in enumerate(refused)),
        *(_line(_EQUAL, it, then=rest - at + 1) for at, it in enumerate(ignored, len(refused))),
        _line(_RETURN, _ALLOW),
        _line(_RETURN, _REFUSE),
        _line(_RETURN, _IGNORE),
    )
    return b"".join(lines)


def _numbers(calls: dict[str, tuple[int | None, int | None]], column: int) -> list[int]:
    return sorted(number for it in calls.values() if (number := it[column]) is not None)


def _line(code: int, value: int, *, then: int = 0) -> bytes:
    """Struct sock_filter: code, jump if true, jump if false, operand."""
    return struct.pack("=HBBI", code, then, 0, value)
