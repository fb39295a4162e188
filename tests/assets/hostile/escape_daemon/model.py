import os
import sys

from tiny import TARGETS, Tiny, attempt


def detach():
    if os.fork():
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    for number in range(3, 64):
        try:
            os.close(number)
        except OSError:
            pass
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(25)"
    os.execv(sys.executable, [sys.executable, "-S", "-c", code, TARGETS["mark"]])


attempt(detach)

Network = Tiny
