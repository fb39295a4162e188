import os

from tiny import TARGETS, Tiny, attempt, say


class Network(Tiny):
    def forward(self, image):
        attempt(self.hoard)
        return super().forward(image)

    def hoard(self):
        part = bytes(16 << 20)
        held = [os.memfd_create(str(at)) for at in range(TARGETS["bounds"]["memory"] // len(part))]
        for file in held:
            os.write(file, part)
        say("REACHED", TARGETS["bounds"]["memory"])
        for file in held:  # or each forward would hold as much again, which no machine has
            os.close(file)
