import torch
from tiny import Tiny


class Network(Tiny):
    def forward(self, image):
        torch.set_autocast_enabled("cpu", True)
        torch.set_flush_denormal(True)
        return super().forward(image)
