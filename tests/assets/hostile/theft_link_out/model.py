from tiny import TARGETS, Tiny, attempt

attempt(lambda: open(TARGETS["folder"] + "/weights.bin", "rb").read())

Network = Tiny
