from __future__ import annotations

import threading
from itertools import chain, count, repeat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes.nvml import FakeNvml, Gpu
from fakes.rude_worker import RudeConfinement

from harness.core.challenge import TimingProtocol
from harness.core.outcome import Failed
from harness.core.record import ImageScore, RoundFigures
from harness.machine import gpu_monitor, nvml
from harness.measure import energy
from harness.measure.session import LrImage, OutputReply, Task
from harness.measure.tasks import run_count, run_outputs
from harness.measure.turns import BlockMember, run_block
from harness.measure.worker_group import WorkerGroup
from harness.measure.worker_process import Abandoned
from harness.wire.messages import Load


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "acme.log"


def _task(log: Path, manner: str, *, device: str = "cpu", **protocol: Any) -> Task:
    load = Load("", "m:N", "{}", 1, 1.0, device, threads=1, seed=0)
    return Task(load, TimingProtocol(**protocol), log, RudeConfinement(manner))


def _image(height: int, width: int, first: int = 0) -> LrImage:
    pixels = (first + np.arange(height * width * 3)).astype(np.uint8)
    return LrImage("set", f"{first}", pixels.reshape(height, width, 3))


def _score(image: LrImage, pixels: Any) -> ImageScore:
    return ImageScore(image.dataset, image.image, str(pixels.shape))


def _outcome(task: Task, *images: LrImage) -> RoundFigures | Failed:
    return run_block([BlockMember("it", task, _score)], images)["it"]


def _figures(task: Task, *images: LrImage) -> RoundFigures:
    outcome = _outcome(task, *images)
    assert isinstance(outcome, RoundFigures), outcome
    return outcome


def _given(log: Path) -> list[bytes]:
    return [bytes.fromhex(line) for line in log.read_text(encoding="utf-8").splitlines()]


def test_warm_up_shows_other_pixels_than_those_that_are_timed(log: Path) -> None:
    image = LrImage("set", "a", np.arange(18, dtype=np.uint8).reshape(2, 3, 3))
    figures = _figures(_task(log, "remembering", warmup=2, audits=False), image)
    turned = b"\x0f\x10\x11\x0c\x0d\x0e\x09\x0a\x0b\x06\x07\x08\x03\x04\x05\x00\x01\x02"
    # the last one is for memory
    assert _given(log) == [turned, turned, bytes(range(18)), turned]
    assert len(figures.samples) == 1


def test_with_audits_no_image_of_the_warm_up_is_the_same_twice(log: Path) -> None:
    image = LrImage("set", "a", np.arange(108, dtype=np.uint8).reshape(6, 6, 3))
    _figures(_task(log, "remembering", warmup=2), image)
    first, second, scored, timed = _given(log)
    assert scored == bytes(range(108))
    assert len({first, second, scored, timed}) == 4
    for given in (first, second):
        assert abs(np.sort(np.frombuffer(given, np.uint8)) - np.arange(108.0)).max() <= 2


def test_with_audits_timed_passes_see_images_that_nobody_has_seen(log: Path) -> None:
    image = LrImage("set", "a", np.arange(108, dtype=np.uint8).reshape(6, 6, 3))
    figures = _figures(_task(log, "remembering", warmup=0, passes=4), image)
    given = _given(log)
    assert given[0] == bytes(range(108))  # scored, not timed
    assert len(set(given)) == len(given) == 1 + len(figures.samples)


def test_warm_up_is_of_each_shape_once(log: Path) -> None:
    images = (_image(1, 2), _image(2, 1, 50), _image(1, 2, 100))
    figures = _figures(_task(log, "remembering", passes=2), *images)
    sizes = [len(pixels) for pixels in _given(log)]
    assert sizes == [6, 6] + [6, 6] * 3 + [6, 6, 6]
    assert _given(log)[2:8:2] == [image.pixels.tobytes() for image in images]
    assert [sample.timed_pass for sample in figures.samples] == [0, 0, 0, 1, 1, 1]
    assert [score.digest for score in figures.scores] == ["(1, 2, 3)", "(2, 1, 3)", "(1, 2, 3)"]


@pytest.mark.parametrize("nvml_bytes", [None, 7])
def test_the_memory_is_that_of_the_device_that_was_asked_for(
    log: Path, monkeypatch: pytest.MonkeyPatch, nvml_bytes: int | None
) -> None:
    monkeypatch.setattr(nvml, "process_bytes", lambda _: nvml_bytes)
    memory = _figures(_task(log, "remembering", device="cuda"), _image(1, 1)).memory
    assert memory is not None
    assert (memory.source, memory.peak_bytes, memory.nvml_bytes) == (
        "cuda_allocated",
        0,
        nvml_bytes,
    )
    memory = _figures(_task(log, "remembering"), _image(1, 1)).memory
    assert memory is None or memory.source == "rss_above_rest"  # None where /proc can't be written


def test_a_round_that_goes_on_past_its_deadline_is_ended_and_says_so(log: Path) -> None:
    task = _task(log, "remembering", round_deadline_s=1e-9)
    outcome = _outcome(task, _image(1, 1))
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.message) == ("timeout", "the round took longer than 1e-09 s")


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_claim_below_nothing_is_refused(log: Path, device: str) -> None:
    outcome = _outcome(_task(log, "negative_state", device=device), _image(1, 1))
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.message) == ("protocol", "claims a negative figure: -1")


def _gpu(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    library = FakeNvml(Gpu(**{"throttle": 0, **changes}))
    monkeypatch.setattr(gpu_monitor, "shared", lambda: gpu_monitor.GpuMonitor(library))
    monkeypatch.setattr(energy, "LEAST_S", 0.0)  # the rude worker answers at once


def test_energy_is_read_around_windows_of_forwards(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _gpu(monkeypatch, energy_mj=count(0, 5000))
    figures = _figures(_task(log, "remembering", device="cuda"), _image(1, 1), _image(1, 2, 9))
    assert figures.energy is not None
    assert figures.energy.per_image_j == 0.5  # 5 J over the 10 forwards that it claims
    assert [(it.image, it.forwards) for it in figures.energy.windows] == [("0", 10), ("9", 10)]
    assert _figures(_task(log, "remembering"), _image(1, 1)).energy is None


def test_a_window_of_more_forwards_than_it_can_hold_is_refused(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _gpu(monkeypatch, energy_mj=count(0, 5000))
    outcome = _outcome(_task(log, "boastful", device="cuda"), _image(1, 1))
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.message[:20]) == ("protocol", "claims 1000000000000")


def test_a_throttled_forward_is_taken_again_and_its_output_is_the_last_ones(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # looks before and after each forward: the first one is slowed down, its second try is not
    _gpu(monkeypatch, throttles=chain((0, 0x20), repeat(0)))
    monkeypatch.setattr("harness.machine.gpu_monitor.COOL_S", 0.0)
    figures = _figures(_task(log, "remembering", device="cuda", warmup=1), _image(1, 1))
    assert len(_given(log)) == 4  # warm-up, what is scored, the timed forward, and again
    assert [it.throttled for it in figures.samples] == [""]
    assert figures.notes == ("throttled (thermal slowdown): 1 forwards were taken again",)


def test_a_forward_that_stays_throttled_is_marked(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _gpu(monkeypatch, throttle=0x8)
    monkeypatch.setattr("harness.machine.gpu_monitor.COOL_S", 0.0)
    figures = _figures(_task(log, "remembering", device="cuda"), _image(1, 1))
    assert [it.throttled for it in figures.samples] == ["hardware slowdown"]


def test_a_count_that_is_given_up_is_no_outcome(log: Path) -> None:
    group = WorkerGroup()
    timer = threading.Timer(0.3, group.abandon)
    timer.start()
    with pytest.raises(Abandoned), group:
        run_count(_task(log, "silence"), 8, 8)
    timer.join()


def test_outputs_of_several_images_are_of_one_process(log: Path) -> None:
    found = run_outputs(_task(log, "remembering"), (_image(2, 3), _image(3, 2, 9)))
    assert not isinstance(found, Failed)
    assert all(isinstance(it, OutputReply) for it in found)
    assert [it.pixels.shape for it in found if isinstance(it, OutputReply)] == [
        (2, 3, 3),
        (3, 2, 3),
    ]


def test_a_process_that_is_gone_is_the_outputs_failure(log: Path) -> None:
    found = run_outputs(_task(log, "exit_3"), (_image(2, 3),))
    assert isinstance(found, Failed)
    assert found.reason == "exited"
