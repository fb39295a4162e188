import mmap
import time

from tiny import TARGETS, Tiny, attempt, say


class Network(Tiny):
    def forward(self, image):
        attempt(self.hoard)
        return super().forward(image)

    def hoard(self):
        held = mmap.mmap(-1, TARGETS["bounds"]["memory"])
        for at in range(0, len(held), 4096):
            held[at] = 1
        time.sleep(1)
        say("REACHED", len(held))
