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


@dataclass(frozen=True)
class Settings:
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
    omp_threads: str
    cuda_visible: str


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


def read() -> Settings:
    """The state now."""
    return Settings(
        default_dtype=str(torch.get_default_dtype()),
        default_device=str(torch.get_default_device()),
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
        flush_denormal=_flushes_denormals(),
        omp_threads=os.environ.get("OMP_NUM_THREADS", ""),
        cuda_visible=os.environ.get("CUDA_VISIBLE_DEVICES", ""),
    )


def differences(before: Settings, after: Settings) -> tuple[str, ...]:
    """`name: before -> after` for each setting that is no longer what it was."""
    return tuple(
        f"{item.name}: {getattr(before, item.name)} -> {getattr(after, item.name)}"
        for item in fields(Settings)
        if getattr(before, item.name) != getattr(after, item.name)
    )


def _unmixed(ask: Callable[[], T]) -> T | Literal["mixed"]:
    """Torch refuses to tell a precision that was set by `fp32_precision` as well."""
    try:
        return ask()
    except RuntimeError:
        return "mixed"


def _reset_precisions() -> None:
    """Take back `fp32_precision`, which torch 2.9 added and the older calls do not reach."""
    backends: tuple[Any, ...] = (torch.backends, torch.backends.cudnn)
    for backend in backends:
        if hasattr(backend, "fp32_precision"):
            backend.fp32_precision = "none"


def _flushes_denormals() -> bool:
    """Torch has no getter: a denormal that vanishes when it is halved tells."""
    return bool((torch.tensor([2e-310], dtype=torch.float64, device="cpu") / 2).item() == 0.0)
