from __future__ import annotations

import dataclasses
import os
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

from harness.worker import global_settings


@pytest.fixture(autouse=True)
def known_state() -> Iterator[None]:
    threads = torch.get_num_threads()
    global_settings.apply(threads=1, seed=0)
    yield
    global_settings.apply(threads=threads, seed=0)


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
    ("seed: 0 -> 7", lambda: torch.manual_seed(7)),
]


def _set(variable: str, value: str | None) -> None:
    if value is None:
        del os.environ[variable]
    else:
        os.environ[variable] = value


def _without_operators(differences: tuple[str, ...]) -> tuple[str, ...]:
    """From torch 2.9 on, the older calls set the precision of operators as well."""
    return tuple(text for text in differences if ".fp32_precision: " not in text)


def test_the_known_state_is_the_one_that_is_read() -> None:
    now = global_settings.read()
    assert (now.default_dtype, now.threads, now.grad_enabled) == ("torch.float32", 1, True)
    assert (now.cudnn_benchmark, now.cudnn_tf32, now.float32_matmul_precision) == (
        False,
        False,
        "highest",
    )
    assert global_settings.differences(now, global_settings.read()) == ()


@pytest.mark.parametrize(("difference", "flip"), FLIPS, ids=[name for name, _ in FLIPS])
def test_a_flipped_setting_is_named_and_put_back(
    difference: str, flip: Callable[[], object]
) -> None:
    before = global_settings.read()
    flip()
    assert _without_operators(global_settings.differences(before, global_settings.read())) == (
        difference,
    )
    global_settings.apply(threads=1, seed=0)
    assert global_settings.differences(before, global_settings.read()) == ()


@pytest.mark.skipif(
    not hasattr(torch.backends, "fp32_precision"), reason="torch 2.9 added fp32_precision"
)
@pytest.mark.parametrize(
    ("operator", "precision"),
    [
        ("cudnn.conv", "tf32"),
        ("cudnn.rnn", "tf32"),
        ("mkldnn.conv", "bf16"),
        ("mkldnn.matmul", "bf16"),
        ("mkldnn.rnn", "bf16"),
    ],
)
def test_the_precision_of_one_operator_is_named_and_put_back(operator: str, precision: str) -> None:
    before = global_settings.read()
    name = f"{operator}.fp32_precision"
    was = before.precisions[name]
    global_settings._operators()[name].fp32_precision = precision
    assert f"{name}: {was} -> {precision}" in global_settings.differences(
        before, global_settings.read()
    )
    global_settings.put_back(before, threads=1, seed=0)
    assert global_settings.differences(before, global_settings.read()) == ()


@pytest.mark.skipif(
    not hasattr(torch.backends, "fp32_precision"), reason="torch 2.9 added fp32_precision"
)
@pytest.mark.parametrize(
    ("backend", "precision"), [("mkldnn", "bf16"), ("generic", "bf16"), ("generic", "tf32")]
)
def test_no_backend_lowers_the_precision_of_mkldnn_from_above(backend: str, precision: str) -> None:
    before = global_settings.read()
    torch._C._set_fp32_precision_setter(backend, "all", precision)
    now = global_settings.read().precisions
    assert {now[name] for name in now if name.startswith("mkldnn")} == {"ieee"}
    global_settings.put_back(before, threads=1, seed=0)
    assert global_settings.differences(before, global_settings.read()) == ()


def test_torch_before_2_9_has_no_precisions_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    class Older:
        """Takes any attribute that is set, and has none of the newer ones."""

    for name in ("cudnn", "mkldnn"):
        monkeypatch.setattr(torch.backends, name, Older())
    assert global_settings._operators() == {}
    global_settings._reset_precisions()
    assert vars(torch.backends.cudnn) == vars(torch.backends.mkldnn) == {}


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
    before = global_settings.read()
    backend.fp32_precision = "tf32"
    assert _without_operators(global_settings.differences(before, global_settings.read())) == (
        difference,
    )
    global_settings.apply(threads=1, seed=0)
    assert global_settings.differences(before, global_settings.read()) == ()
    assert torch.backends.cudnn.conv.fp32_precision in {"none", "ieee"}
    assert torch.backends.cuda.matmul.fp32_precision in {"none", "ieee"}


@pytest.mark.parametrize(
    ("before", "after", "difference"),
    [
        ("1", "64", "1 -> 64"),
        (None, "1", "unset -> 1"),
        ("1", None, "1 -> unset"),
        ("", None, " -> unset"),  # no GPU at all, and every GPU
    ],
)
@pytest.mark.parametrize(
    ("variable", "name"),
    [("OMP_NUM_THREADS", "omp_threads"), ("CUDA_VISIBLE_DEVICES", "cuda_visible")],
)
def test_a_changed_environment_is_named_and_put_back(
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    name: str,
    before: str | None,
    after: str | None,
    difference: str,
) -> None:
    monkeypatch.setenv(variable, "so that it is put back after the test")
    _set(variable, before)
    known = global_settings.read()
    _set(variable, after)
    assert global_settings.differences(known, global_settings.read()) == (f"{name}: {difference}",)
    global_settings.put_back(known, threads=1, seed=0)
    assert os.environ.get(variable) == before


def test_the_interop_threads_are_told() -> None:
    before = global_settings.read()
    assert before.interop_threads == torch.get_num_interop_threads()
    after = dataclasses.replace(before, interop_threads=before.interop_threads + 1)
    count = before.interop_threads
    assert global_settings.differences(before, after) == (
        f"interop_threads: {count} -> {count + 1}",
    )


def test_several_changes_are_all_named() -> None:
    before = global_settings.read()
    torch.set_default_dtype(torch.double)
    torch.set_grad_enabled(False)
    assert global_settings.differences(before, global_settings.read()) == (
        "default_dtype: torch.float32 -> torch.float64",
        "grad_enabled: True -> False",
    )


def test_every_generator_starts_from_the_seed() -> None:
    def draw() -> tuple[float, float, float]:
        return torch.rand(1).item(), random.random(), float(np.random.rand())  # noqa: NPY002, S311

    global_settings.apply(threads=1, seed=7)
    first = draw()
    global_settings.apply(threads=1, seed=7)
    assert draw() == first
    global_settings.apply(threads=1, seed=8)
    assert all(new != old for new, old in zip(draw(), first, strict=True))
