import time

from tiny import TARGETS, Tiny, attempt, say


class Network(Tiny):
    def forward(self, image):
        attempt(self.hoard)
        return super().forward(image)

    def hoard(self):
        held = bytearray(TARGETS["bounds"]["memory"])
        held[::4096] = b"x" * len(held[::4096])
        time.sleep(1)
        say("REACHED", len(held))
