import glob

from tiny import TARGETS, Tiny, attempt


def look():
    for path in glob.glob("/proc/[0-9]*/environ"):
        try:
            for part in open(path, "rb").read().split(b"\0"):
                if b"ESR_TRIAL_TOKEN" in part:
                    return part
        except OSError:
            pass
    raise LookupError("no such variable in any process that is seen")


attempt(look)

Network = Tiny
