from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

from harness.worker import settings


@pytest.fixture(autouse=True)
def known_state() -> Iterator[None]:
    threads = torch.get_num_threads()
    settings.apply(threads=1, seed=0)
    yield
    settings.apply(threads=threads, seed=0)


def _flip_cudnn(name: str) -> Callable[[], None]:
    return lambda: setattr(torch.backends.cudnn, name, not getattr(torch.backends.cudnn, name))


FLIPS: list[tuple[str, Callable[[], object]]] = [
    (
        "default_dtype: torch.float32 -> torch.float64",
        lambda: torch.set_default_dtype(torch.double),
    ),
    ("default_device: cpu -> meta", lambda: torch.set_default_device("meta")),
    ("threads: 1 -> 2", lambda: torch.set_num_threads(2)),
    ("grad_enabled: True -> False", lambda: torch.set_grad_enabled(False)),
    ("autocast_cpu: False -> True", lambda: torch.set_autocast_enabled("cpu", True)),
    ("autocast_cuda: False -> True", lambda: torch.set_autocast_enabled("cuda", True)),
    (
        "deterministic_algorithms: False -> True",
        lambda: torch.use_deterministic_algorithms(True),
    ),
    (
        "float32_matmul_precision: highest -> high",
        lambda: torch.set_float32_matmul_precision("high"),
    ),
    ("cudnn_enabled: True -> False", _flip_cudnn("enabled")),
    ("cudnn_benchmark: False -> True", _flip_cudnn("benchmark")),
    ("cudnn_deterministic: False -> True", _flip_cudnn("deterministic")),
    ("cudnn_tf32: False -> True", _flip_cudnn("allow_tf32")),
    (
        "mkldnn_enabled: True -> False",
        lambda: setattr(torch.backends.mkldnn, "enabled", False),
    ),
    ("flush_denormal: False -> True", lambda: torch.set_flush_denormal(True)),
]


def test_the_known_state_is_the_one_that_is_read() -> None:
    now = settings.read()
    assert (now.default_dtype, now.threads, now.grad_enabled) == ("torch.float32", 1, True)
    assert (now.cudnn_benchmark, now.cudnn_tf32, now.float32_matmul_precision) == (
        False,
        False,
        "highest",
    )
    assert settings.differences(now, settings.read()) == ()


@pytest.mark.parametrize(("difference", "flip"), FLIPS, ids=[name for name, _ in FLIPS])
def test_a_flipped_setting_is_named_and_put_back(
    difference: str, flip: Callable[[], object]
) -> None:
    before = settings.read()
    flip()
    assert settings.differences(before, settings.read()) == (difference,)
    settings.apply(threads=1, seed=0)
    assert settings.differences(before, settings.read()) == ()


@pytest.mark.skipif(
    not hasattr(torch.backends, "fp32_precision"), reason="torch 2.9 added fp32_precision"
)
@pytest.mark.parametrize(
    ("backend", "difference"),
    [
        (torch.backends, "cudnn_tf32: False -> mixed"),
        (torch.backends.cudnn, "cudnn_tf32: False -> mixed"),
        (getattr(torch.backends.cudnn, "conv", None), "cudnn_tf32: False -> mixed"),
        (torch.backends.cuda.matmul, "float32_matmul_precision: highest -> mixed"),
    ],
    ids=["all", "cudnn", "conv", "matmul"],
)
def test_tf32_by_torchs_newer_call_is_named_and_put_back(backend: Any, difference: str) -> None:
    before = settings.read()
    backend.fp32_precision = "tf32"
    assert settings.differences(before, settings.read()) == (difference,)
    settings.apply(threads=1, seed=0)
    assert settings.differences(before, settings.read()) == ()
    assert torch.backends.cudnn.conv.fp32_precision in {"none", "ieee"}
    assert torch.backends.cuda.matmul.fp32_precision in {"none", "ieee"}


def test_a_changed_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    before = settings.read()
    os.environ["OMP_NUM_THREADS"] = "64"
    assert settings.differences(before, settings.read()) == ("omp_threads: 1 -> 64",)


def test_several_changes_are_all_named() -> None:
    before = settings.read()
    torch.set_default_dtype(torch.double)
    torch.set_grad_enabled(False)
    assert settings.differences(before, settings.read()) == (
        "default_dtype: torch.float32 -> torch.float64",
        "grad_enabled: True -> False",
    )


def test_every_generator_starts_from_the_seed() -> None:
    def draw() -> tuple[float, float, float]:
        return torch.rand(1).item(), random.random(), float(np.random.rand())  # noqa: NPY002, S311

    settings.apply(threads=1, seed=7)
    first = draw()
    settings.apply(threads=1, seed=7)
    assert draw() == first
    settings.apply(threads=1, seed=8)
    assert all(new != old for new, old in zip(draw(), first, strict=True))
