from __future__ import annotations

import os
import re
import sys
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
