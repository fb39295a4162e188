from tiny import TARGETS, Tiny, attempt, libc


def take():
    libc("ptrace", 16, TARGETS["victims"]["traced"], None, None)
    libc("ptrace", 8, TARGETS["victims"]["traced"], None, None)  # PTRACE_KILL


attempt(take)

Network = Tiny
