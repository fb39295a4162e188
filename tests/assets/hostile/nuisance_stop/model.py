import os
import signal

from tiny import Tiny


class Network(Tiny):
    def forward(self, image):
        os.kill(os.getpid(), signal.SIGSTOP)
        return super().forward(image)
