import sys

from tiny import Tiny

sys.setrecursionlimit(10**9)


class Deep:
    def __eq__(self, other):
        return [self] == [Deep()]


class Network(Tiny):
    def forward(self, image):
        return Deep() == Deep()
