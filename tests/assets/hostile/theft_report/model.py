from tiny import TARGETS, Tiny, attempt

attempt(lambda: open(TARGETS["report"], "rb").read())

Network = Tiny
