import os
import tempfile

from tiny import TARGETS, Tiny, attempt, say


def grow():
    with tempfile.NamedTemporaryFile() as file:
        os.truncate(file.name, TARGETS["bounds"]["disk"])
        say("REACHED", os.path.getsize(file.name))


attempt(grow)

Network = Tiny
