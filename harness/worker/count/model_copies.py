"""What the counters look at: a model and an image on one device, apart from the submitted model.

The meta device has shapes and no data, so a forward there takes a tenth of a second at most.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from harness.worker.count.fast_meta import FastMeta
from harness.worker.count.model_tensors import ModelTensor, attribute_tensors, model_tensors
from harness.worker.reasons import first_line


@dataclass(frozen=True)
class ModelCopy:
    """A model in evaluation mode and its input, 1 x channels x H x W, both on `device`."""

    model: nn.Module
    image: Tensor
    device: str  # meta | cpu

    def forward(self, *watchers: AbstractContextManager[object]) -> Any:
        """The model's output, run while the watchers are entered, the last one seeing operators
        first. Raises what the submission raises.
        """
        with self.shapes(), ExitStack() as stack:
            for watcher in watchers:
                stack.enter_context(watcher)
            return self.model(self.image)

    def shapes(self) -> AbstractContextManager[object]:
        """Entered around a forward, before any watcher: the fast answers of the meta device."""
        return FastMeta() if self.device == "meta" else nullcontext()

    def cropped(self, side: int) -> ModelCopy:
        """The same model with the top left corner of the image, `side` pixels at most."""
        return ModelCopy(self.model, self.image[..., :side, :side].contiguous(), self.device)


def on_cpu(model: nn.Module, image: Tensor) -> tuple[ModelCopy, bool]:
    """A copy of the model, and whether it is one: what can't be copied is used itself."""
    computed = (own.tensor for own in attribute_tensors(model) if not own.tensor.is_leaf)
    memo: dict[int, Any] = {id(tensor): tensor.detach().clone() for tensor in computed}
    try:
        copied = copy.deepcopy(model, memo).to("cpu")
        for own in attribute_tensors(copied):  # a tracer refuses gradients of what is no parameter
            own.tensor.requires_grad_(False)
        return ModelCopy(copied, image, "cpu"), True
    except Exception:  # noqa: BLE001 - whatever a submission's attributes raise when copied
        return ModelCopy(model, image, "cpu"), False


def on_meta(model: nn.Module, image: Tensor) -> ModelCopy:
    """A copy of the model without data. Raises whatever its attributes raise when copied.

    Tensors are replaced while the copy is made, so that a parameter that is used twice stays one
    parameter, and so that tensors kept in plain attributes follow.
    """
    memo: dict[int, Any] = {}
    for own in model_tensors(model):
        if id(own.tensor) not in memo:
            memo[id(own.tensor)] = _without_data(own)
    return ModelCopy(copy.deepcopy(model, memo), image.to("meta"), "meta")


def photograph(
    model: nn.Module,
    *,
    height: int,
    width: int,
    data_range: float,
    channels: int = 3,
    black: float = 0.0,
) -> Tensor:
    """A deterministic image like a photograph: smooth shading, texture, one edge.

    1 x channels x height x width in [black, data_range], in the model's own floating point type.
    Some models return NaN on noise.
    """
    rows = torch.linspace(0, 1, height).view(1, height, 1)
    cols = torch.linspace(0, 1, width).view(1, 1, width)
    tint = torch.tensor([0.0, 0.5, 1.0]).view(3, 1, 1)
    shading = 0.35 + 0.3 * rows * (1 - 0.4 * tint) + 0.1 * torch.cos(3 * cols + tint)
    texture = 0.06 * torch.sin(90 * cols + 40 * rows) * torch.cos(70 * rows - 25 * cols)
    edge = 0.15 * (cols + 0.3 * rows > 0.7)
    image = (shading + texture + edge).clamp(0, 1) * (data_range - black) + black
    image = image if channels == len(tint) else image.mean(0, keepdim=True)
    floating = (p.dtype for p in model.parameters() if p.is_floating_point())
    return image.unsqueeze(0).to(next(floating, torch.float32))


def photographs(
    model: nn.Module, *, data_range: float, channels: int, black: float
) -> Callable[[int, int], Tensor]:
    """`photograph` of a height and width."""

    def of(height: int, width: int) -> Tensor:
        size = {"height": height, "width": width, "channels": channels}
        return photograph(model, **size, data_range=data_range, black=black)

    return of


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode without gradients or compilation; the training flags are put back.

    PyTorch's fused attention layer is switched off: it is one operator that no counter looks into,
    and without it the same products run as operators of their own.
    """
    flags = [(module, module.training) for module in model.modules()]
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.no_grad(), _uncompiled():
            model.eval()
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)
        for module, training in flags:
            module.training = training


class StandsForParameters(nn.Module):
    """A module of ours with tensors that were computed of `params` elements of parameters."""

    params: int


def parameter_count(model: nn.Module, *, trainable_only: bool = False) -> int:
    """Elements of the unique parameters."""
    if isinstance(model, StandsForParameters):
        return model.params
    return sum(
        parameter.numel()
        for parameter in model.parameters()
        if parameter.requires_grad or not trainable_only
    )


def describe(error: BaseException, *, limit: int = 300) -> str:
    """One line: the type of the error and what it says first."""
    kind, said = type(error).__name__, first_line(error)
    text = kind if said == kind else f"{kind}: {said}"
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _uncompiled() -> AbstractContextManager[object]:
    """Let a model that asked for torch.compile run as it is written.

    Asking loads torch._dynamo, so that a model without it is spared the second that takes.
    """
    if "torch._dynamo" not in sys.modules:
        return nullcontext()
    stance: AbstractContextManager[object] = torch.compiler.set_stance("force_eager")
    return stance


def _without_data(own: ModelTensor) -> Tensor:
    empty = torch.empty_like(own.tensor, device="meta", requires_grad=False)
    if isinstance(own.tensor, nn.Parameter):  # what is not registered must not want a gradient
        registered = own.kind == "parameter"
        return nn.Parameter(empty, requires_grad=own.tensor.requires_grad and registered)
    return empty
