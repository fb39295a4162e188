from tiny import TARGETS, Tiny, attempt, say


class Network(Tiny):
    def forward(self, image):
        while True:
            pass
