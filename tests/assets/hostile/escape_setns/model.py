import os

from tiny import TARGETS, Tiny, attempt, in_child, libc


def enter():
    for kind in ("net", "ipc", "uts"):
        descriptor = os.open(f"/proc/{TARGETS['harness']}/ns/{kind}", os.O_RDONLY)
        libc("setns", descriptor, 0)
    return TARGETS["setns"]


attempt(lambda: in_child(enter))

Network = Tiny
