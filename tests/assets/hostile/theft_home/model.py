from tiny import TARGETS, Tiny, attempt

attempt(lambda: open(TARGETS["home"], "rb").read())

Network = Tiny
