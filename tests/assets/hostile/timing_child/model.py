import os

from tiny import Tiny, at_collect, work


class Network(Tiny):
    def forward(self, image):
        out = super().forward(image)
        if not (child := os.fork()):
            work()
            os._exit(0)
        at_collect(lambda: os.waitpid(child, 0))
        return out
