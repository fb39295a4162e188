import os
import time

from tiny import TARGETS, Tiny, attempt, say


class Network(Tiny):
    def forward(self, image):
        attempt(self.multiply)
        return super().forward(image)

    def multiply(self):
        children = []
        for _ in range(TARGETS["bounds"]["tasks"]):  # a real one would not stop
            child = os.fork()
            if not child:
                time.sleep(1.5)
                os._exit(0)
            children.append(child)
        if all(os.waitpid(child, 0)[1] == 0 for child in children):
            say("REACHED", len(children))
