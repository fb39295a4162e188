from tiny import TARGETS, Tiny, attempt

attempt(lambda: open(__file__, "a").write("# other code now\n"))

Network = Tiny
