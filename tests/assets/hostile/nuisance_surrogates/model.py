from tiny import Tiny


class Network(Tiny):
    def forward(self, image):
        raise OSError("\ud800" * 2_000_000)
