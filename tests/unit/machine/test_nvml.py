from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fakes.nvml import FakeNvml, Gpu, Process

from harness.machine import nvml

QUESTIONS: list[Callable[[Any], Any]] = [
    nvml.stable,
    nvml.seen,
    lambda library: nvml.process_bytes(7, library),
    nvml.memory,
    nvml.uuid,
]


def test_what_stays_is_name_driver_and_memory() -> None:
    library = FakeNvml(Gpu())
    assert nvml.stable(library) == {
        "gpu": "Fake H100",
        "driver": "550.1",
        "gpu_memory_mib": "81920",
    }
    assert library.opened == 0


def test_a_gpu_has_an_id_of_its_own() -> None:
    library = FakeNvml(Gpu(uuid="GPU-7"))
    assert nvml.uuid(library) == "GPU-7"
    assert library.opened == 0


def test_what_drifts_is_clocks_temperature_throttling_and_company() -> None:
    library = FakeNvml(Gpu(processes=(Process(7, 1), Process(8, 2))))
    assert nvml.seen(library) == {
        "sm_clock_mhz": "1980",
        "memory_clock_mhz": "2619",
        "temperature_c": "41",
        "throttle_reasons": "0x4",
        "processes": "2",
    }
    assert library.opened == 0


def test_older_libraries_answer_in_bytes() -> None:
    library = FakeNvml(Gpu(name=b"Old GPU"), driver=b"470.2")
    facts = nvml.stable(library)
    assert (facts["gpu"], facts["driver"]) == ("Old GPU", "470.2")


def test_what_a_gpu_does_not_support_is_left_out() -> None:
    gpu = Gpu(memory=None, clocks={2: 2619}, temperature=None, throttle=None, processes=None)
    assert nvml.stable(FakeNvml(gpu)) == {"gpu": "Fake H100", "driver": "550.1"}
    assert nvml.seen(FakeNvml(gpu)) == {"memory_clock_mhz": "2619"}


def test_the_memory_of_one_process_is_told_from_its_neighbours() -> None:
    library = FakeNvml(Gpu(processes=(Process(6, 10), Process(7, 20), Process(8, None))))
    assert [nvml.process_bytes(pid, library) for pid in (6, 7, 8, 9)] == [10, 20, None, None]
    assert library.opened == 0


def test_the_memory_of_a_process_is_unknown_where_it_is_not_told() -> None:
    library = FakeNvml(Gpu(processes=None))
    assert nvml.process_bytes(7, library) is None
    assert library.opened == 0


@pytest.mark.parametrize("ask", QUESTIONS)
@pytest.mark.parametrize(
    "library", [FakeNvml(Gpu(), has_driver=False), FakeNvml()], ids=["no driver", "no GPU"]
)
def test_without_a_gpu_there_is_nothing_to_say(library: FakeNvml, ask: Any) -> None:
    assert not ask(library)
    assert library.opened == 0


def test_the_library_is_shut_down_also_when_something_breaks() -> None:
    class Broken(FakeNvml):
        def nvmlDeviceGetName(self, gpu: Gpu) -> Any:  # noqa: ARG002, N802
            raise ZeroDivisionError

    library = Broken(Gpu())
    with pytest.raises(ZeroDivisionError):
        nvml.stable(library)
    assert library.opened == 0


def test_without_the_package_there_is_nothing_to_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pynvml", None)
    assert (nvml.stable(), nvml.seen(), nvml.process_bytes(7)) == ({}, {}, None)


def test_the_real_package_has_every_name_that_is_used() -> None:
    import pynvml

    names = [name for name in dir(FakeNvml) if name.startswith(("nvml", "NVML"))]
    assert len(names) >= 13
    assert all(hasattr(pynvml, name) for name in names)


@pytest.mark.parametrize(
    ("visible", "asked"),
    [
        (None, ("index", 0)),
        ("1,0", ("index", 1)),
        (" 2 ", ("index", 2)),
        ("GPU-abc", ("uuid", "GPU-abc")),
        ("MIG-abc,0", ("uuid", "MIG-abc")),
        ("MIG-GPU-abc/1/0", ("uuid", "MIG-GPU-abc/1/0")),
    ],
)
def test_the_gpu_is_the_one_that_a_worker_sees_first(
    monkeypatch: pytest.MonkeyPatch, visible: str | None, asked: tuple[str, object]
) -> None:
    seen: list[tuple[str, object]] = []

    class Asked(FakeNvml):
        def nvmlDeviceGetHandleByIndex(self, index: int) -> Any:  # noqa: N802 - NVML's name
            seen.append(("index", index))
            return super().nvmlDeviceGetHandleByIndex(0)

        def nvmlDeviceGetHandleByUUID(self, uuid: str) -> Any:  # noqa: N802 - NVML's name
            seen.append(("uuid", uuid))
            return super().nvmlDeviceGetHandleByIndex(0)

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert nvml.stable(Asked(Gpu()))
    assert seen == [asked]


@pytest.mark.parametrize("visible", ["", "-1", " ", "-1,0", "none", ",0"])
@pytest.mark.parametrize("ask", QUESTIONS)
def test_a_gpu_that_is_hidden_from_the_worker_is_not_told_of(
    monkeypatch: pytest.MonkeyPatch, ask: Any, visible: str
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    library = FakeNvml(Gpu(processes=(Process(7, 20),)))
    assert not ask(library)
    assert library.opened == 0


def test_memory_is_what_is_free_and_all_of_it() -> None:
    assert nvml.memory(FakeNvml(Gpu())) == (40 * 2**30, 80 * 2**30)
    assert nvml.memory(FakeNvml()) is None
    assert nvml.memory(FakeNvml(Gpu(memory=None))) is None
