from tiny import Tiny


class Network(Tiny):
    def forward(self, image):
        out = super().forward(image)
        image.zero_()
        return out
