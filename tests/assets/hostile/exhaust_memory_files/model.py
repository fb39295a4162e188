import os

from tiny import TARGETS, Tiny, attempt, say


class Network(Tiny):
    def forward(self, image):
        attempt(self.hoard)
        return super().forward(image)

    def hoard(self):
        part = bytes(16 << 20)
        for number in range(TARGETS["bounds"]["memory"] // len(part)):
            os.write(os.memfd_create(str(number)), part)
        say("REACHED", TARGETS["bounds"]["memory"])
