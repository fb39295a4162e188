from tiny import NAME, TARGETS, Tiny, attempt

attempt(lambda: open(f"{TARGETS['outside']}/{NAME}", "w").write("was here"))

Network = Tiny
