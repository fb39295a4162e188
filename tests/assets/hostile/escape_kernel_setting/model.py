from tiny import TARGETS, Tiny, attempt


def open_setting():
    open("/proc/sys/kernel/core_pattern", "r+b").close()
    return TARGETS["kernel"]


attempt(open_setting)

Network = Tiny
