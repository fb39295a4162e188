import threading
import time

from tiny import TARGETS, Tiny, attempt, say


class Network(Tiny):
    def forward(self, image):
        attempt(self.multiply)
        return super().forward(image)

    def multiply(self):
        threads = [
            threading.Thread(target=time.sleep, args=(1.5,))
            for _ in range(TARGETS["bounds"]["tasks"])
        ]
        for thread in threads:
            thread.start()
        time.sleep(1)
        say("REACHED", len(threads))
