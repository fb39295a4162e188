import os

from tiny import TARGETS, Tiny, attempt, say

for _ in range(32):  # a real one would not stop
    os.write(1, b"x" * (1 << 20))
    os.write(2, b"y" * (1 << 20))

Network = Tiny
