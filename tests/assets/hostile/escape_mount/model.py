from tiny import TARGETS, Tiny, attempt, libc

attempt(lambda: libc("mount", b"none", TARGETS["mountpoint"].encode(), b"tmpfs", 0, None))

Network = Tiny
