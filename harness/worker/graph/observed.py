"""What has the same value for different images is a constant, though it was computed from one.

A graph may tell images apart: what is kept from a known photograph, or from noise, is not kept from
those that are timed. So images are drawn, and what any two of them have in common is a constant.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from harness.worker.graph import allowed
from harness.worker.graph.contents import known_numbers
from harness.worker.graph.followed import Followed, tensors_in

_SAME, _EQUAL = 0.05, 1e-6
"""Relative change of a value from one image to another, below which it is a constant: of most
elements of what can be weights by its shape, and of the whole of anything."""
_SAMPLES = 4096  # of a value, at places drawn for each count: a grid may lie in a border of zeros
_LEVELS = ((0.02, 0.4), (0.3, 0.98))  # darkest and lightest of the two photographs, in [0, 1]
_DISCS = 150
_SMALLEST = 0.01  # radius of a disc, of the image's shorter side


@dataclass(frozen=True)
class KnownValue:
    """The numbers in a value, and in the tensors of the network that it was computed from.

    It is `equal` for images if none of them is in it.
    """

    contents: Mapping[str, int]
    sources: Mapping[str, int]
    equal: bool = True


@torch.no_grad()
def constants(graph: nn.Module, like: Tensor, steady: Collection[str]) -> Mapping[str, KnownValue]:
    """Results of calls that drawn images have in common, and what is known in each.

    The images are `like` one of 1 x channels x height x width, in [0, 1]. `steady` are results
    whose shapes are the same for all sizes.
    """
    found: dict[str, KnownValue] = {}
    samples: list[Mapping[str, Tensor]] = []
    places = _Places()
    for image in _drawn(like):
        observed = _Observed(graph, samples, found, steady, places)
        observed.run(image)
        samples.append(observed.samples)
    return found


def _drawn(like: Tensor) -> list[Tensor]:
    """A dark and a light photograph, whose statistics differ, and noise; as nobody knows them."""
    draw = torch.Generator()
    draw.seed()
    photographs = [low + (high - low) * _discs(draw, *like.shape[-2:]) for low, high in _LEVELS]
    if like.shape[1] == 1:
        photographs = [image.mean(1, keepdim=True) for image in photographs]
    noise = torch.rand(like.shape, generator=draw)
    return [image.to(like) for image in (*photographs, noise)]


def _discs(draw: torch.Generator, height: int, width: int) -> Tensor:
    """Discs in front of each other, which edges and sizes of photographs are like: 1 x 3 x H x W.

    In [0, 1], with a little noise.
    """
    rows, columns = torch.arange(height).view(-1, 1), torch.arange(width).view(1, -1)
    image = torch.full((3, height, width), 0.5)
    for _ in range(_DISCS):
        top, left, size, grey, *tint = torch.rand(7, generator=draw).tolist()
        radius = _SMALLEST / max(size, _SMALLEST) * min(height, width)
        inside = (rows - top * height) ** 2 + (columns - left * width) ** 2 <= radius**2
        colour = grey + 0.3 * (torch.tensor(tint) - 0.5)
        image = torch.where(inside, colour.view(3, 1, 1), image)
    image += 0.02 * torch.randn(image.shape, generator=draw)
    return image.clamp(0, 1).unsqueeze(0)


class _Places:
    """Where values are sampled: at the same places in all images."""

    def __init__(self) -> None:
        self._draw = torch.Generator()
        self._draw.seed()
        self._of: dict[int, Tensor] = {}  # by the number of elements

    def sample(self, result: Any) -> Tensor:
        """Some values of a result, from all over it."""
        parts = []
        for tensor in tensors_in(result):
            plain = (torch.view_as_real(tensor) if tensor.is_complex() else tensor).reshape(-1)
            parts.append(plain[self._places(plain.numel())].double().cpu())
        return torch.cat(parts).nan_to_num()

    def _places(self, many: int) -> Tensor:
        if many <= _SAMPLES:
            return torch.arange(many)
        if many not in self._of:
            self._of[many] = torch.randint(many, (_SAMPLES,), generator=self._draw)
        return self._of[many]


class _Observed(Followed):
    """A forward that samples what derives from tensors of the network.

    It adds to `known` the results that are as in one of the forwards `before`.
    """

    def __init__(
        self,
        graph: nn.Module,
        before: Sequence[Mapping[str, Tensor]],
        known: dict[str, KnownValue],
        steady: Collection[str],
        places: _Places,
    ) -> None:
        super().__init__(graph)
        self.samples: dict[str, Tensor] = {}
        self._before = before
        self._known = known
        self._steady = steady
        self._places = places
        self._stored: set[int] = set()  # storages that tensors of the network have a part in
        self._of: dict[int, KnownValue] = {}  # what is known in a storage

    def run_node(self, n: fx.Node) -> Any:
        """Run a call, and look at its result."""
        given = self.keys(*self.given_to(n))
        result = super().run_node(n)
        made = self.keys(result)
        own = [result] if n.op == "get_attr" else []
        if n.op == "call_module":
            own = [*self.fetch_attr(str(n.target)).parameters()]
        if made and (own or given & self._stored):  # not a size
            self._stored |= made
            known = [self._of[key] for key in given if key in self._of]
            if own:
                held = known_numbers(own)
                known.append(KnownValue(held, held))
            found = known[0] if n.op == "get_attr" else self._compared(n, known, result)
            for key in made:
                self._of.pop(key, None)
                if found is not None:
                    self._of[key] = found
        return result

    def _compared(self, node: fx.Node, known: list[KnownValue], result: Any) -> KnownValue | None:
        """What is known in a result; nothing if it is always another one."""
        name = node.name
        sample = self.samples[name] = self._places.sample(result)
        before = [it[name] for it in self._before]
        equal = any(_equal(sample, it) for it in before)
        alike = name in self._steady and any(_mostly_alike(sample, it) for it in before)
        if name not in self._known and (equal or alike):
            contents = known_numbers(
                [it for it in tensors_in(result) if (it != it.flatten()[0]).any()]
            )
            if str(node.target) in allowed.MOVES:
                contents = {digest: many for it in known for digest, many in it.contents.items()}
            sources = {digest: many for it in known for digest, many in it.sources.items()}
            self._known[name] = KnownValue(contents, sources, equal)
        return self._known.get(name)


def _equal(one: Tensor, other: Tensor) -> bool:
    return bool((one - other).norm() <= _EQUAL * other.norm())


def _mostly_alike(one: Tensor, other: Tensor) -> bool:
    """Whether most elements are; zeros, of which activations make many, tell nothing."""
    largest = one.abs().maximum(other.abs())
    apart = (one - other).abs() > _SAME * largest
    return bool(2 * apart.sum() <= (largest > 0).sum())
