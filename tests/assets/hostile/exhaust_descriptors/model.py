import os

from tiny import TARGETS, Tiny, attempt, say


def hoard():
    opened = []
    try:
        for _ in range(TARGETS["bounds"]["files"]):
            opened.append(os.open("/dev/null", os.O_RDONLY))
        say("REACHED", len(opened))
    finally:
        for number in opened:
            os.close(number)


attempt(hoard)

Network = Tiny
