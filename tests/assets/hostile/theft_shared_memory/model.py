from tiny import TARGETS, Tiny, attempt

attempt(lambda: open(TARGETS["shared"], "rb").read())

Network = Tiny
