from __future__ import annotations

import struct

import pytest

from harness.sandbox import seccomp

ALLOWED, REFUSED, IGNORED, KILLED = 0x7FFF0000, 0x00050001, 0x00050000, 0x80000000
X86, ARM, I386 = 0xC000003E, 0xC00000B7, 0x40000003


def _run(program: bytes, *, number: int, architecture: int) -> int:
    """What the kernel would return: the four instructions that the filter uses."""
    lines = list(struct.iter_unpack("=HBBI", program))
    data = {0: number, 4: architecture}
    at = held = 0
    while True:
        code, then, other, value = lines[at]
        at += 1
        if code == 0x20:
            held = data[value]
        elif code == 0x15:
            at += then if held == value else other
        elif code == 0x35:
            at += then if held >= value else other
        else:
            assert code == 0x06
            return value


@pytest.mark.parametrize(
    ("machine", "architecture", "number", "expected"),
    [
        ("x86_64", X86, 0, ALLOWED),  # read
        ("x86_64", X86, 56, ALLOWED),  # clone
        ("x86_64", X86, 101, REFUSED),  # ptrace
        ("x86_64", X86, 29, REFUSED),  # shmget, the smallest
        ("x86_64", X86, 467, REFUSED),  # open_tree_attr, the largest
        ("x86_64", X86, 468, ALLOWED),
        ("x86_64", X86, 0x40000000, REFUSED),  # read, in the other convention
        ("x86_64", I386, 0, KILLED),
        ("aarch64", ARM, 63, ALLOWED),  # read
        ("aarch64", ARM, 117, REFUSED),  # ptrace
        ("aarch64", ARM, 101, ALLOWED),  # nanosleep: ptrace elsewhere
        ("aarch64", X86, 63, KILLED),
    ],
)
def test_a_call_is_allowed_refused_or_deadly(
    machine: str, architecture: int, number: int, expected: int
) -> None:
    program = seccomp.program(memory_files=False, root=False, machine=machine)
    assert _run(program, number=number, architecture=architecture) == expected


@pytest.mark.parametrize(
    ("machine", "architecture", "number", "expected"),
    [
        ("x86_64", X86, 90, IGNORED),  # chmod, the smallest
        ("x86_64", X86, 132, IGNORED),  # utime
        ("x86_64", X86, 452, IGNORED),  # fchmodat2, the largest
        ("x86_64", X86, 188, REFUSED),  # setxattr
        ("x86_64", X86, 260, REFUSED),  # fchownat
        ("x86_64", X86, 469, REFUSED),  # file_setattr, the largest
        ("x86_64", X86, 0, ALLOWED),
        ("aarch64", ARM, 52, IGNORED),  # fchmod
        ("aarch64", ARM, 88, IGNORED),  # utimensat
        ("aarch64", ARM, 5, REFUSED),  # setxattr
        ("aarch64", ARM, 90, ALLOWED),  # capget: chmod elsewhere
    ],
)
def test_roots_workers_may_not_say_who_may_use_what_is_root_s(
    machine: str, architecture: int, number: int, expected: int
) -> None:
    program = seccomp.program(memory_files=False, root=True, machine=machine)
    assert _run(program, number=number, architecture=architecture) == expected
    others = seccomp.program(memory_files=False, root=False, machine=machine)
    assert _run(others, number=number, architecture=architecture) == ALLOWED


@pytest.mark.parametrize(("allowed", "expected"), [(True, ALLOWED), (False, REFUSED)])
def test_memory_files_are_cudas_alone(allowed: bool, expected: int) -> None:
    program = seccomp.program(memory_files=allowed, root=False, machine="x86_64")
    assert _run(program, number=319, architecture=X86) == expected


def test_no_filter_is_guessed_for_another_machine() -> None:
    assert seccomp.program(memory_files=False, root=True, machine="riscv64") == b""
