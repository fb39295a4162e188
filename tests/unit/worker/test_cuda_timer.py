"""The order in which a GPU's clock does its work, on a fake: nothing here has run on a real one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from harness.worker import cuda_timer
from harness.worker.cuda_timer import CudaTimer

MIB = 2**20


class FakeCuda:
    """Keeps what is asked of it, in order. Its time moves when a forward runs or is waited for."""

    def __init__(self, cache: int | None = 50 * MIB) -> None:
        self.log: list[str] = []
        self.now = 0.0
        self.pending = 0.0  # what the device has been given and not done
        self.properties = SimpleNamespace(**({} if cache is None else {"L2_cache_size": cache}))

    def current_device(self) -> int:
        return 0

    def get_device_properties(self, _device: int) -> Any:
        return self.properties

    def synchronize(self) -> None:
        self.log.append("synchronise")
        self.now += self.pending
        self.pending = 0.0

    def Event(self, *, enable_timing: bool) -> Any:  # noqa: N802 - torch's own spelling
        assert enable_timing
        event = SimpleNamespace(at=0.0)

        def record() -> None:
            self.log.append("record")
            event.at = self.now + self.pending

        event.record = record
        event.elapsed_time = lambda end: (end.at - event.at) * 1e3
        return event

    def empty(self, size: int, *, dtype: Any, device: str) -> Any:
        assert (dtype, device) == (torch.uint8, "cuda")
        self.size = size
        return SimpleNamespace(zero_=lambda: self.log.append("flush"))


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> FakeCuda:
    fake = FakeCuda()
    monkeypatch.setattr(cuda_timer, "_now", lambda: fake.now)
    return fake


def test_events_lie_between_synchronisations_and_the_cache_is_cold(cuda: FakeCuda) -> None:
    clock = CudaTimer(cuda, cuda.empty)

    def call(batch: torch.Tensor) -> torch.Tensor:
        cuda.log.append("forward")
        cuda.pending += 0.02
        return batch

    seconds, result = clock(call, torch.ones(1))
    assert cuda.log == ["flush", "synchronise", "record", "forward", "record", "synchronise"]
    assert (seconds, clock.device_wall_s) == (pytest.approx(0.02), pytest.approx(0.02))
    assert result.item() == 1.0


def test_work_on_another_stream_shows_in_the_wall_alone(cuda: FakeCuda) -> None:
    clock = CudaTimer(cuda, cuda.empty)

    class Ended:
        def __call__(self, batch: torch.Tensor) -> torch.Tensor:
            self.hidden = 0.5
            return batch

    synchronise = clock._synchronize
    waits = iter((0.0, 0.5))  # before the forward nothing is left, after it the other stream's
    clock._synchronize = lambda: (synchronise(), setattr(cuda, "now", cuda.now + next(waits)))
    seconds, _ = clock(Ended(), torch.ones(1))
    assert (seconds, clock.device_wall_s) == (0.0, 0.5)


@pytest.mark.parametrize(
    ("cache", "size"), [(50 * MIB, 100 * MIB), (MIB // 2, 2 * MIB), (None, 128 * MIB)]
)
def test_what_is_written_over_is_twice_the_cache(cache: int | None, size: int) -> None:
    fake = FakeCuda(cache)
    clock = CudaTimer(fake, fake.empty)
    assert (clock.scratch_bytes, fake.size) == (size, size)
