import torch
from tiny import Tiny


class Network(Tiny):
    def forward(self, image):
        torch.manual_seed(0)
        return super().forward(torch.rand_like(image))
