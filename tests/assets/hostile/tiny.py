"""What every hostile entry shares: a tiny model, its targets, and a way to tell what it got.

`targets.json` stands for what a stranger could find out by looking around: paths, ports, process
ids. It and this file are laid beside each entry's model.py.
"""

import hashlib
import json
import os
import sys
import time
from pathlib import Path

import torch
from torch import nn

TARGETS = json.loads((Path(__file__).parent / "targets.json").read_text(encoding="utf-8"))
NAME = Path(__file__).parent.name


class Tiny(nn.Module):
    def forward(self, image):
        return nn.functional.interpolate(image, scale_factor=4, mode="bilinear")


_clock = time.perf_counter


def work(seconds=0.06):
    """Stands for the layers of a network that takes its time."""
    until = _clock() + seconds
    while _clock() < until:
        pass


class Heavy(Tiny):
    def forward(self, image):
        work()
        return super().forward(image)


_pending, _modes = [], []


def at_collect(then):
    """Call `then` at the first function of torch that the worker uses after the forward."""
    from torch.overrides import TorchFunctionMode

    class Late(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            while func is torch.Tensor.cpu and _pending:
                _pending.pop()()
            return func(*args, **(kwargs or {}))

    _pending.append(then)
    if not _modes:
        _modes.append(Late())
        _modes[0].__enter__()


def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\n").encode(errors="replace"))


def attempt(*tricks):
    """Try each; what comes out is printed, what stops it too."""
    for trick in tricks:
        try:
            got = trick()
            if isinstance(got, bytes):
                got = f"{got[:60]!r} {hashlib.sha256(got).hexdigest()}"
            say("GOT", got)
        except BaseException as error:
            say("MET", type(error).__name__, str(error)[:120])


def libc(name, *arguments):
    import ctypes

    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def in_child(work):
    """Run in a forked child; its text, or its error."""
    read, write = os.pipe()
    if not os.fork():
        try:
            text = f"GOT {work()}"
        except BaseException as error:
            text = f"MET {type(error).__name__} {error}"
        os.write(write, text.encode())
        os._exit(0)
    os.close(write)
    text = os.read(read, 4096).decode()
    os.wait()
    if not text.startswith("GOT "):
        raise RuntimeError(text)
    return text[4:]


def wire():
    """The socket to the trusted side: found among what the garbage collector knows."""
    import gc

    from harness.wire.channel import Channel

    return next(it for it in gc.get_objects() if isinstance(it, Channel))


def frame(document, payload=b""):
    import struct

    header = document if isinstance(document, bytes) else json.dumps(document).encode()
    return struct.pack(">IQ", len(header), len(payload)) + header + payload
