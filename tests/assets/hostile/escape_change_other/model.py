from tiny import TARGETS, Tiny, attempt

attempt(lambda: open(TARGETS["other"], "a").write("x = 1\n"))

Network = Tiny
