import os
import signal

from tiny import TARGETS, Tiny, attempt

attempt(lambda: os.kill(TARGETS["victims"]["killed"], signal.SIGKILL))

Network = Tiny
