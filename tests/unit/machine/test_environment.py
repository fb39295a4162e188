from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.core.record import Environment
from harness.machine import environment, nvml


def _environment(**changes: Any) -> Environment:
    return environment.environment(**{"device": "cpu", "threads": 2} | changes)


def test_the_fingerprint_is_the_same_while_the_machine_is() -> None:
    first, second = _environment(), _environment()
    assert first.stable == second.stable
    assert first.fingerprint == second.fingerprint
    assert re.fullmatch(r"[0-9a-f]{16}", first.fingerprint)


def test_what_decides_a_runtime_is_in_the_fingerprint() -> None:
    stable = _environment(threads=3).stable
    expected = {"system", "cpu", "cores", "memory_gib", "python", "device", "threads", "torch"}
    assert expected <= stable.keys()
    assert stable["threads"] == "3"
    assert stable["python"] == ".".join(map(str, sys.version_info[:3]))
    assert all(stable.values())


@pytest.mark.parametrize(
    "change", [{"threads": 1}, {"device": "cuda"}, {"isolation": "bubblewrap"}]
)
def test_another_setting_is_another_fingerprint(
    change: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nvml, "stable", dict)
    monkeypatch.setattr(nvml, "seen", dict)
    assert _environment(**change).fingerprint != _environment().fingerprint


def test_another_version_is_another_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    before = _environment()
    monkeypatch.setattr(environment.metadata, "version", lambda _: "0.0.1")
    after = _environment()
    assert after.stable["torch"] == "0.0.1"
    assert after.fingerprint != before.fingerprint


def test_a_machine_and_each_of_its_gpus_is_a_node_that_tells_no_id(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ids = tmp_path / "machine-id", tmp_path / "other"
    ids[1].write_text("6f1c0ffee0000000000000000000cafe\n", encoding="utf-8")
    monkeypatch.setattr(environment, "MACHINE_IDS", ids)
    monkeypatch.delenv("ESR_NODE", raising=False)
    monkeypatch.setattr(nvml, "uuid", lambda: "GPU-1")
    cpu, gpu = environment.node("cpu"), environment.node("cuda")
    monkeypatch.setattr(nvml, "uuid", lambda: "GPU-2")
    found = {cpu, gpu, environment.node("cuda")}
    ids[0].write_text("uninitialized\n", encoding="utf-8")
    assert environment.node("cpu") == cpu
    ids[0].write_text("another\n", encoding="utf-8")
    found.add(environment.node("cpu"))
    monkeypatch.setenv("ESR_NODE", "left")
    found.add(environment.node("cpu"))
    assert len(found) == 5
    assert all(re.fullmatch("[0-9a-f]{12}", it) for it in found)
    assert "6f1c" not in cpu


def test_a_machine_without_an_id_goes_by_its_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(environment, "MACHINE_IDS", (tmp_path / "absent",))
    monkeypatch.delenv("ESR_NODE", raising=False)
    names = iter(("one", "one", "two"))
    monkeypatch.setattr(environment.platform, "node", lambda: next(names))
    first, again, other = (environment.node("cpu") for _ in range(3))
    assert first == again != other


def test_two_nodes_of_one_kind_have_one_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for name in ("left", "right"):
        monkeypatch.setenv("ESR_NODE", name)
        found.append(_environment())
    assert found[0].fingerprint == found[1].fingerprint
    assert found[0].node != found[1].node


def test_what_drifts_is_not_in_the_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    before = _environment()
    monkeypatch.setattr(environment.psutil, "getloadavg", lambda: (1.0, 2.25, 3.126))
    after = _environment()
    assert after.seen["load_average"] == "1.00 2.25 3.13"
    assert after.fingerprint == before.fingerprint


def test_a_fresh_look_tells_what_drifts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvml, "seen", lambda: {"sm_clock_mhz": "1980"})
    assert environment.seen("cpu").keys() == {"load_average", "kernel"}
    assert environment.seen("cuda")["sm_clock_mhz"] == "1980"
    monkeypatch.setattr(environment.psutil, "getloadavg", lambda: (0.0, 0.0, 0.5))
    assert environment.seen("cpu")["load_average"] == "0.00 0.00 0.50"
    assert _environment().seen == environment.seen("cpu")


def test_a_gpu_is_asked_about_only_where_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvml, "stable", lambda: {"gpu": "Fake"})
    monkeypatch.setattr(nvml, "seen", lambda: {"temperature_c": "41"})
    cuda, cpu = _environment(device="cuda"), _environment()
    assert (cuda.stable["gpu"], cuda.seen["temperature_c"]) == ("Fake", "41")
    assert "gpu" not in cpu.stable
    assert "temperature_c" not in cpu.seen


def test_the_cores_are_those_that_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    assert environment.usable_cores() >= 1
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 2, 5}, raising=False)
    assert environment.usable_cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert environment.usable_cores() == 6


def test_threads_share_one_heap_where_the_c_library_can(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    class Glibc:
        def mallopt(self, parameter: int, value: int) -> int:
            asked.append((parameter, value))
            return 1

    monkeypatch.setattr(environment.ctypes, "CDLL", lambda _: Glibc())
    environment.share_heap()
    assert asked == [(-8, 1)]  # M_ARENA_MAX of malloc.h
    monkeypatch.setattr(environment.ctypes, "CDLL", lambda _: object())
    environment.share_heap()  # no glibc: nothing happens


def test_a_package_that_is_not_there_is_said() -> None:
    found = environment.versions(("numpy", "no-such-package-at-all"))
    assert re.match(r"\d+\.\d+", found["numpy"])
    assert found["no-such-package-at-all"] == "not installed"


def test_looking_at_the_machine_does_not_import_torch() -> None:
    import subprocess

    code = (
        "import sys; from harness.machine import environment; "
        "environment.environment(device='cpu', threads=1); print('torch' in sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout == "False\n"
