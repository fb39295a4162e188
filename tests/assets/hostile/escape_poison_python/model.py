import os
import sysconfig

from tiny import TARGETS, Tiny, attempt


def poison():
    path = sysconfig.get_path("purelib") + f"/esr-trial-{TARGETS['mark']}.txt"
    open(path, "w").close()
    os.unlink(path)
    return TARGETS["poison"]


attempt(poison)

Network = Tiny
