import torch
from tiny import Tiny


class Network(Tiny):
    def forward(self, image):
        _, _, height, width = image.shape
        return torch.full((1, 3, 4 * height, 4 * width), 0.5)
