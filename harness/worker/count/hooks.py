"""The counting rules of NTIRE 2022, by forward hooks on modules (convention `ntire2022`).

Source of the rules: `utils/model_summary.py` of the official NTIRE 2022 ESR repository, which took
them from AIM 2020 (Zhang et al., "AIM 2020 Challenge on Efficient Super-Resolution"):

- Conv2d and ConvTranspose2d: kernel height x kernel width x input channels x output channels /
  groups per **output** pixel, without bias. For a transposed convolution of stride s that is s x s
  times the multiply-adds that happen; `matmul_macs` has the true figure.
- Linear: input features x output features per token.
- ReLU, PReLU, ELU, LeakyReLU, ReLU6: 1 per output element.
- BatchNorm2d: 2 per output element, 1 without affine parameters.
- Activations: elements of all outputs of Conv2d and ConvTranspose2d; convs: their calls.

A subclass of a listed module counts as that module. One point differs from the official script: it
reads the first two axes of nn.Linear's input as (batch, features), which misreads an input of more
axes (BSRN: 2.02 G instead of the printed 9.50 G). Here every token counts, and `official_macs`
keeps the script's own total.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import prod
from typing import Any

from torch import Tensor, nn

from harness.worker.count.breakdown import Breakdown

_CONVS = (nn.Conv2d, nn.ConvTranspose2d)
_ACTIVATIONS = (nn.ReLU, nn.PReLU, nn.ELU, nn.LeakyReLU, nn.ReLU6)


@dataclass
class HookTally:
    """What was seen so far; `called` holds the ids of the modules that ran."""

    macs: int = 0
    matmul_macs: int = 0
    official_macs: int = 0
    activations: int = 0
    convs: int = 0
    uncounted: Counter[str] = field(default_factory=Counter)
    called: set[int] = field(default_factory=set)
    operators: Breakdown = field(default_factory=Breakdown)  # by the type of the module
    modules: Breakdown = field(default_factory=Breakdown)


@contextmanager
def counting(model: nn.Module, tally: HookTally) -> Iterator[None]:
    """Hook every module of `model`, add to the tally while it runs, and remove the hooks."""
    names = {id(module): name for name, module in model.named_modules()}

    def hook(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], out: Any) -> None:
        before = tally.macs
        _record(tally, module, next(iter((*args, *kwargs.values())), None), out)
        if tally.macs > before:
            kind = type(module).__name__
            tally.operators.add(kind, tally.macs - before)
            tally.modules.add(names[id(module)] or kind, tally.macs - before)

    handles = []
    try:
        for module in model.modules():
            handles.append(module.register_forward_hook(hook, with_kwargs=True))  # noqa: PERF401
        yield
    finally:
        for handle in handles:
            handle.remove()


def never_called(model: nn.Module, tally: HookTally, read: Collection[str] = ()) -> tuple[str, ...]:
    """Names of the modules that hold parameters of their own and did not run.

    One whose parameters were all `read`, by name, did run: attention calls its layers by their
    weights.
    """
    return tuple(
        name or type(model).__name__
        for name, module in model.named_modules()
        if id(module) not in tally.called
        and (own := [it for it, _ in module.named_parameters(name, recurse=False)])
        and not set(own) <= set(read)
    )


def _record(tally: HookTally, module: nn.Module, first: Any, out: Any) -> None:
    tally.called.add(id(module))
    if not isinstance(out, Tensor):
        return
    if isinstance(module, _CONVS):
        _record_conv(tally, module, first, out)
    elif isinstance(module, nn.Linear):
        _record_linear(tally, module, first, out)
    elif isinstance(module, _ACTIVATIONS):
        _add(tally, out.numel())
    elif isinstance(module, nn.BatchNorm2d):
        _add(tally, out.numel() * (2 if module.affine else 1))
    elif _owns_parameters(module) and not any(module.children()):
        tally.uncounted[type(module).__name__] += 1


def _record_conv(
    tally: HookTally, module: nn.Conv2d | nn.ConvTranspose2d, image: Tensor, out: Tensor
) -> None:
    kernel = prod(module.kernel_size) * module.in_channels * module.out_channels // module.groups
    batch = 1 if out.dim() == 3 else out.shape[0]
    used_at = image if isinstance(module, nn.ConvTranspose2d) else out
    _add(tally, kernel * batch * prod(out.shape[-2:]))
    tally.matmul_macs += kernel * batch * prod(used_at.shape[-2:])
    tally.activations += out.numel()
    tally.convs += 1


def _record_linear(tally: HookTally, module: nn.Linear, tokens: Tensor, out: Tensor) -> None:
    macs = out.numel() * module.in_features
    tally.macs += macs
    tally.matmul_macs += macs
    if tokens.dim() == 1:
        tally.official_macs += macs
    else:
        tally.official_macs += tokens.shape[0] * tokens.shape[1] * out.shape[1]


def _add(tally: HookTally, macs: int) -> None:
    tally.macs += macs
    tally.official_macs += macs


def _owns_parameters(module: nn.Module) -> bool:
    return next(module.parameters(recurse=False), None) is not None
