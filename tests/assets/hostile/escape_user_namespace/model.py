from tiny import TARGETS, Tiny, attempt, in_child, libc


def unshare():
    libc("unshare", 0x10000000)
    return TARGETS["userns"]


attempt(lambda: in_child(unshare))

Network = Tiny
