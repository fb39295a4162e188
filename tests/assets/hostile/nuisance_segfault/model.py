import ctypes

from tiny import Tiny


class Network(Tiny):
    def forward(self, image):
        ctypes.string_at(0)
