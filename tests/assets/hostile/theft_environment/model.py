import os

from tiny import TARGETS, Tiny, attempt

attempt(lambda: [it for it in os.environ.items() if "TOKEN" in it[0]])

Network = Tiny
