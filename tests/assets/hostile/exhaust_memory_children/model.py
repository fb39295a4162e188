import os
import time

from tiny import TARGETS, Tiny, attempt, say


class Network(Tiny):
    def forward(self, image):
        attempt(self.hoard)
        return super().forward(image)

    def hoard(self):
        children = []
        for _ in range(2):
            child = os.fork()
            if not child:
                children = None
                break
            children.append(child)
        held = bytearray(TARGETS["bounds"]["memory"] // 3)
        held[::4096] = b"x" * len(held[::4096])
        time.sleep(1.5)
        if children is None:
            os._exit(0)
        if all(os.waitpid(child, 0)[1] == 0 for child in children):
            say("REACHED", 3 * len(held))
