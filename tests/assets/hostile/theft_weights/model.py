from tiny import TARGETS, Tiny, attempt

attempt(lambda: open(TARGETS["weights"], "rb").read())

Network = Tiny
