"""Global settings that a submission could turn: put into a known state, observed, put back."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeVar

import numpy as np
import torch

T = TypeVar("T")
OMP_THREADS = "OMP_NUM_THREADS"
CUDA_VISIBLE = "CUDA_VISIBLE_DEVICES"  # "" hides every GPU, not being set hides none
_PARTS = {"cudnn": ("conv", "rnn"), "mkldnn": ("conv", "matmul", "rnn")}


@dataclass(frozen=True)
class GlobalSettings:
    """What is the same for every entry while it is measured."""

    default_dtype: str
    default_device: str
    threads: int
    grad_enabled: bool
    autocast_cpu: bool
    autocast_cuda: bool
    deterministic_algorithms: bool
    float32_matmul_precision: str  # "mixed" when set by torch's older and newer call at once
    cudnn_enabled: bool
    cudnn_benchmark: bool
    cudnn_deterministic: bool
    cudnn_tf32: bool | Literal["mixed"]
    mkldnn_enabled: bool
    flush_denormal: bool
    interop_threads: int  # observed only: torch sets it once, before its first parallel work
    seed: int  # of torch's generator
    omp_threads: str | None  # environment variables; None where one is not set
    cuda_visible: str | None
    precisions: dict[str, str]  # of the backends' operators, from torch 2.9 on


def apply(*, threads: int, seed: int) -> None:
    """The known state: float32 without TF32, `threads` threads, no autotuning, seeded RNGs."""
    torch.set_default_dtype(torch.float32)
    torch.set_default_device(None)
    torch.set_num_threads(threads)
    torch.set_grad_enabled(True)
    torch.set_autocast_enabled("cpu", False)
    torch.set_autocast_enabled("cuda", False)
    if torch.are_deterministic_algorithms_enabled():  # the setter alone imports for two seconds
        torch.use_deterministic_algorithms(False)
    _reset_precisions()
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.enabled = True
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.mkldnn.enabled = True  # type: ignore[assignment]
    torch.set_flush_denormal(False)
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - submissions use the legacy global generator


def put_back(before: GlobalSettings, *, threads: int, seed: int) -> None:
    """The known state again, and the environment variables of `before`."""
    for name, value in ((OMP_THREADS, before.omp_threads), (CUDA_VISIBLE, before.cuda_visible)):
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    apply(threads=threads, seed=seed)


def read() -> GlobalSettings:
    """The state now."""
    denormal = torch.tensor([2e-310], dtype=torch.float64, device="cpu")  # vanishes when flushed
    return GlobalSettings(
        default_dtype=str(torch.get_default_dtype()),
        default_device=_default_device(),
        threads=torch.get_num_threads(),
        grad_enabled=torch.is_grad_enabled(),
        autocast_cpu=torch.is_autocast_enabled("cpu"),
        autocast_cuda=torch.is_autocast_enabled("cuda"),
        deterministic_algorithms=torch.are_deterministic_algorithms_enabled(),
        float32_matmul_precision=_unmixed(torch.get_float32_matmul_precision),
        cudnn_enabled=torch.backends.cudnn.enabled,
        cudnn_benchmark=torch.backends.cudnn.benchmark,
        cudnn_deterministic=torch.backends.cudnn.deterministic,
        cudnn_tf32=_unmixed(lambda: torch.backends.cudnn.allow_tf32),
        mkldnn_enabled=bool(torch.backends.mkldnn.enabled),
        flush_denormal=(denormal / 2).item() == 0.0,  # torch has no getter
        interop_threads=torch.get_num_interop_threads(),
        seed=torch.initial_seed(),
        omp_threads=os.environ.get(OMP_THREADS),
        cuda_visible=os.environ.get(CUDA_VISIBLE),
        precisions={name: part.fp32_precision for name, part in _operators().items()},
    )


def policy(settings: GlobalSettings) -> dict[str, str]:
    """The settings by name as text, for the record."""
    return {name: _shown(value) for name, value in _flat(settings).items()}


def differences(before: GlobalSettings, after: GlobalSettings) -> tuple[str, ...]:
    """`name: before -> after` for each setting that is no longer what it was."""
    old, new = _flat(before), _flat(after)
    return tuple(
        f"{name}: {_shown(old[name])} -> {_shown(new[name])}"
        for name in old
        if old[name] != new[name]
    )


def _flat(settings: GlobalSettings) -> dict[str, object]:
    own: dict[str, object] = {
        item.name: getattr(settings, item.name) for item in fields(GlobalSettings)
    }
    del own["precisions"]
    return own | settings.precisions


def _shown(value: object) -> str:
    return "unset" if value is None else str(value)


def _unmixed(ask: Callable[[], T]) -> T | Literal["mixed"]:
    """Torch refuses to tell a precision that was set by `fp32_precision` as well."""
    try:
        return ask()
    except RuntimeError:
        return "mixed"


def _reset_precisions() -> None:
    """Take back `fp32_precision`, which torch 2.9 added and the older calls do not reach."""
    backends: tuple[Any, ...] = (torch.backends, torch.backends.cudnn, torch.backends.mkldnn)
    for backend in backends:
        if hasattr(backend, "fp32_precision"):
            backend.fp32_precision = "none"  # what the older calls say
    for operator in _operators().values():
        operator.fp32_precision = "ieee"  # whatever the backend above it says


def _operators() -> dict[str, Any]:
    """What has an `fp32_precision` of its own, by name; nothing before torch 2.9."""
    parts = {
        f"{backend}.{operator}.fp32_precision": getattr(
            getattr(torch.backends, backend), operator, None
        )
        for backend, operators in _PARTS.items()
        for operator in operators
    }
    return {name: part for name, part in parts.items() if hasattr(part, "fp32_precision")}


def _default_device() -> str:
    """As torch says; torch 2.6 fails to, once it has been set to none."""
    try:
        return str(torch.get_default_device())
    except AttributeError:
        return "cpu"
