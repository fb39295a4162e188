"""A forward of a graph without values, that looks at each call."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, fx, nn

from harness.worker.graph import allowed
from harness.worker.graph.followed import Followed, tensors_in
from harness.worker.graph.operator_cost import cost

_EPS = 1e-5  # of norms, unless they say otherwise
_SLOPES = ("negative_slope", "alpha")  # of activations
_PLAIN = (-1, 0, 1)  # numbers that every code has
_TYPES = ("number", "float", "Tensor")  # of arguments that are no size
_VALUED = {*_TYPES, *(f"Optional[{name}]" for name in _TYPES)}
_AXES = {"scales": (-1,), "scales_h": (-2,), "scales_w": (-1,), "scale_factors": (-2, -1)}
_SCALING = (nn.BatchNorm2d, nn.PReLU, nn.LeakyReLU, nn.ELU)
_PRODUCTS = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)


class Walked(Followed):
    """`constants` are results that images have in common, and whether they are wholly equal."""

    def __init__(self, graph: nn.Module, constants: Mapping[str, bool]) -> None:
        super().__init__(graph)
        self.numbers = 0  # in calls
        self.met: set[str] = set()  # the constants among them that the image meets
        self.products = 0  # with what the network knows
        self.shapes: dict[str, tuple[torch.Size, ...]] = {}
        self.arithmetic = 0  # all that is done element by element
        self._constants = constants
        self._constant_at: dict[int, str] = {}  # by storage
        self._of_image: set[int] = set()

    def run_node(self, n: fx.Node) -> Any:
        """Run a call, and note what the image meets in it."""
        before = tensors_in(self.given_to(n))
        given = self.keys(*before)
        result = super().run_node(n)
        tensors, made = tensors_in(result), self.keys(result)
        self.shapes[n.name] = tuple(it.shape for it in tensors)
        met = n.op == "placeholder" or bool(given & self._of_image)
        self._follow(n, met and str(n.target) not in allowed.SHAPED, given, made)
        if n.op == "call_function" and str(n.target).startswith("aten."):
            constants = bool(given - self._of_image or given & self._constant_at.keys())
            self._look(n, met and bool(made), constants, (before, tensors))
        elif met and n.op == "call_module":
            self._pass_layer(n, max(it.numel() for it in (*before, *tensors)))
        return result

    def _follow(self, node: fx.Node, met: bool, given: set[int], made: set[int]) -> None:
        """Note whether a result is a constant, comes of the image, or both.

        What most elements make a constant may have the image in the others.
        """
        if node.name in self._constants:
            self._constant_at.update(dict.fromkeys(made, node.name))
        elif met:
            images = given & self._of_image
            known = [key for key in given & self._constant_at.keys() if images - {key}]
            self.met.update(self._constant_at[key] for key in known)
        if self._constants.get(node.name):
            self._of_image -= made
        elif met:
            self._of_image |= made

    def _look(
        self, node: fx.Node, met: bool, constants: bool, tensors: tuple[list[Tensor], list[Tensor]]
    ) -> None:
        """At a call of an ATen operator that was given `constants` or not, and `met` the image."""
        name = str(node.target)
        args, kwargs = self.fetch_args_kwargs_from_env(node)
        given = allowed.bound(name, args, kwargs)
        scalars = sum(1 for _ in _scalars(name, given, *tensors))
        self.numbers += scalars
        if not met:
            return
        many = cost(name, given, *tensors)
        first = next(iter(given.values()))
        table = name in allowed.LOOKUPS and not self.keys(first) & self._of_image
        if table or name not in allowed.FREE | allowed.MULTIPLIED:
            self.arithmetic += many
            self.products += many * bool(constants or scalars)
        elif scalars and name not in allowed.MOVES:
            self.products += many

    def _pass_layer(self, node: fx.Node, values: int) -> None:
        """Through a layer that the image comes to."""
        layer = self.fetch_attr(str(node.target))
        self.numbers += sum(name in vars(layer) for name in _SLOPES)
        self.numbers += vars(layer).get("eps", _EPS) != _EPS
        if isinstance(layer, _SCALING):
            self.arithmetic += values
            self.products += values * (not self._completes(node))

    def _completes(self, node: fx.Node) -> bool:
        """Whether a layer alone takes what a convolution made, which has cost more than it does.

        A batch norm could be part of that convolution, and an activation may follow it.
        """
        (first,) = node.all_input_nodes
        if first.op != "call_module" or len(first.users) > 1:
            return False
        layer = self.fetch_attr(str(first.target))
        if isinstance(layer, nn.BatchNorm2d):
            return not isinstance(self.fetch_attr(str(node.target)), nn.BatchNorm2d) and (
                self._completes(first)
            )
        return isinstance(layer, _PRODUCTS)


def _scalars(
    name: str, given: Mapping[str, Any], before: list[Tensor], made: list[Tensor]
) -> Iterator[float]:
    """Numbers in a call that are no sizes, and that not every code has."""
    for argument in allowed.resolve(name)._schema.arguments:  # noqa: SLF001 - see `allowed.bound`
        value = given[argument.name]
        if argument.name in _AXES and value is not None:
            yield from _own_scales(_AXES[argument.name], value, before[0], made[0])
        elif (
            str(argument.type) in _VALUED
            and isinstance(value, int | float)
            and value not in (*_PLAIN, argument.default_value)
        ):
            yield value


def _own_scales(axes: tuple[int, ...], value: Any, before: Tensor, made: Tensor) -> Iterator[float]:
    """Scales that the sizes do not tell: they move the places that values are taken from."""
    scales = value if isinstance(value, Sequence) else (value,)
    for axis, scale in zip(axes[-len(scales) :], scales, strict=True):
        side, larger = before.shape[axis], made.shape[axis]
        shrinks = 1e-6 < scale < 1 and math.isclose(1 / scale, round(1 / scale))
        if not math.isclose(scale, larger / side) and not (shrinks and int(side * scale) == larger):
            yield scale
