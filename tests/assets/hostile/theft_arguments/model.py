import glob

from tiny import TARGETS, Tiny, attempt


def look():
    found = set()
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            parts = open(path, "rb").read().split(b"\0")
        except OSError:
            continue
        found.update(part for part in parts if part.startswith(b"--password="))
    if not found:
        raise LookupError("no such argument")
    return found


attempt(look)

Network = Tiny
