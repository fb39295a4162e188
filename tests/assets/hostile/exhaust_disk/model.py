import os
import tempfile

from tiny import TARGETS, Tiny, attempt, say


def fill():
    with tempfile.TemporaryDirectory() as folder:
        for number in range(TARGETS["bounds"]["disk"] >> 23):
            with open(f"{folder}/{number}", "wb") as file:
                file.write(bytes(8 << 20))
        say("REACHED", TARGETS["bounds"]["disk"])


attempt(fill)

Network = Tiny
