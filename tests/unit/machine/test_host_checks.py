from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fakes.nvml import FakeNvml, Gpu, Process

from harness.machine import host_checks as look
from harness.machine import proc
from harness.machine.host_checks import HostCheck, gpu_checks, host_checks


def _write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _levels(found: tuple[HostCheck, ...]) -> dict[str, str]:
    return {it.name: it.level for it in found}


def test_a_quota_below_the_cores_is_warned_of(tmp_path: Path) -> None:
    assert look.cores(tmp_path, 4, 8) == HostCheck("cores", "4 of 8 usable")
    _write(tmp_path, "sys/fs/cgroup/cpu.max", "150000 100000\n")
    found = look.cores(tmp_path, 4, 8)
    assert (found.level, found.value) == ("warning", "4 of 8 usable, a quota of 1.5")
    assert "--threads 1" in found.advice
    _write(tmp_path, "sys/fs/cgroup/cpu.max", "max 100000\n")
    assert look.cores(tmp_path, 4, 8).level == "ok"
    assert look.cores(tmp_path, 1, 8).level == "warning"


def test_the_governor_of_every_core_counts(tmp_path: Path) -> None:
    assert look.governor(tmp_path) is None
    for core in (0, 1):
        _write(
            tmp_path, f"sys/devices/system/cpu/cpu{core}/cpufreq/scaling_governor", "performance\n"
        )
    assert look.governor(tmp_path) == HostCheck("governor", "performance")
    _write(tmp_path, "sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "powersave\n")
    found = look.governor(tmp_path)
    assert found is not None
    assert (found.level, found.value) == ("warning", "performance, powersave")


@pytest.mark.parametrize(
    ("file", "text", "value"),
    [
        ("intel_pstate/no_turbo", "1", "off"),
        ("intel_pstate/no_turbo", "0", "on"),
        ("cpufreq/boost", "0", "off"),
        ("cpufreq/boost", "1", "on"),
    ],
)
def test_boost_is_read_of_either_driver(tmp_path: Path, file: str, text: str, value: str) -> None:
    assert look.boost(tmp_path) is None
    _write(tmp_path, f"sys/devices/system/cpu/{file}", text)
    found = look.boost(tmp_path)
    assert found is not None
    assert found.value == value


def test_steal_is_the_share_between_two_looks(tmp_path: Path) -> None:
    _write(tmp_path, "proc/stat", "cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 1 1 1\n")
    before = proc.cpu_ticks(tmp_path)
    _write(tmp_path, "proc/stat", "cpu  150 0 100 840 0 0 0 10 0 0\ncpu0 1 1 1\n")
    found = look.steal(before, proc.cpu_ticks(tmp_path))
    assert found is not None
    assert (found.level, found.value) == ("warning", "10.0%")
    assert look.steal(before, before) == HostCheck("steal", "0.0%")
    assert look.steal(None, before) is None


def test_load_company_threads_and_memory_have_their_limits() -> None:
    assert look.load(0.5, 2).level == "ok"
    assert look.load(0.6, 2).level == "warning"
    assert look.company([("idle", 3.0)]).level == "ok"
    busy = look.company([(f"p{n}", 90.0 - n) for n in range(7)])
    assert busy.value == "p0 (90 %), p1 (89 %), p2 (88 %), p3 (87 %), p4 (86 %) and 2 more"
    assert look.threads({"PATH": "/bin"}).level == "ok"
    assert look.threads({"OMP_NUM_THREADS": "4"}).value == "OMP_NUM_THREADS=4"
    assert look.memory(8 * 2**30).level == "ok"
    assert look.memory(2**30).level == "warning"


def test_a_sandbox_that_does_not_hold_is_warned_of() -> None:
    assert look.isolation("").level == "ok"
    sight = look.isolation("bubblewrap is not installed")
    assert (sight.value, sight.level) == ("none: bubblewrap is not installed", "warning")
    assert "esr sandbox" in sight.advice


def test_a_virtual_machine_is_told_by_its_flag(tmp_path: Path) -> None:
    _write(tmp_path, "proc/cpuinfo", "processor : 0\nflags : fpu sse2\n")
    assert look.virtual(tmp_path) is None
    _write(tmp_path, "proc/cpuinfo", "processor : 0\nflags : fpu hypervisor sse2\n")
    assert look.virtual(tmp_path) is not None


def test_a_system_that_tells_nothing_is_still_looked_at(tmp_path: Path) -> None:
    names = [it.name for it in host_checks(tmp_path, wait_s=0.0)]
    assert names == ["cores", "load", "other processes", "thread settings", "memory"]


def test_a_gpu_at_rest_is_fine() -> None:
    found = gpu_checks(FakeNvml(Gpu(throttle=0x1)))
    assert set(_levels(found).values()) == {"ok"}
    values = {it.name: it.value for it in found}
    assert values == {
        "GPU": "Fake H100",
        "driver": "550.1",
        "SM clock": "1980 MHz of 1980",
        "memory clock": "2619 MHz of 2619",
        "power limit": "700 W",
        "throttling": "none",
        "GPU processes": "none",
        "MIG": "off",
        "persistence": "on",
        "ECC": "on",
    }


def test_what_is_off_with_a_gpu_has_its_advice() -> None:
    gpu = Gpu(
        throttle=0x4 | 0x40,
        processes=(Process(1, 2),),
        power_mw=(300_000, 700_000),
        clocks={1: 345, 2: 2619},
        mig=1,
        persistence=0,
    )
    found = gpu_checks(FakeNvml(gpu))
    off = {it.name: it.value for it in found if it.level != "ok"}
    assert off == {
        "SM clock": "345 MHz of 1980",
        "power limit": "300 W",
        "throttling": "power cap, hardware thermal slowdown",
        "GPU processes": "1",
        "MIG": "on",
        "persistence": "off",
    }
    assert all(it.advice for it in found if it.level != "ok")


@pytest.mark.parametrize("library", [FakeNvml(), FakeNvml(has_driver=False)])
def test_no_gpu_is_nothing_to_look_at(library: Any) -> None:
    assert gpu_checks(library) == ()


def test_a_gpu_that_tells_little_is_looked_at_all_the_same() -> None:
    silent = Gpu(
        memory=None,
        clocks={},
        max_clocks={},
        throttle=None,
        processes=None,
        power_mw=None,
        ecc=None,
        mig=None,
        persistence=None,
    )
    assert [it.name for it in gpu_checks(FakeNvml(silent, driver=None))] == ["GPU"]
