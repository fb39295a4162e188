from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

from harness.sandbox import attack_probe, trial


def _driver(monkeypatch: pytest.MonkeyPatch, returned: int) -> None:
    library = SimpleNamespace(cuInit=lambda flags: returned + flags)
    monkeypatch.setattr(attack_probe.ctypes, "CDLL", {"libcuda.so.1": library}.__getitem__)


def test_cuda_starts_if_its_driver_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    _driver(monkeypatch, 0)
    assert attack_probe.cuda({}) == "CUDA starts"
    _driver(monkeypatch, 304)
    with pytest.raises(OSError, match="cuInit returns 304"):
        attack_probe.cuda({})


def test_a_driver_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> object:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(attack_probe.ctypes, "CDLL", missing)
    with pytest.raises(OSError, match=r"libcuda.so.1: cannot open shared object file"):
        attack_probe.cuda({})


def test_it_runs_from_its_source_with_the_standard_library_alone() -> None:
    source = trial.PROBE.read_text(encoding="utf-8") + "\nmain()\n"
    command = [sys.executable, "-I", "-S", "-c", source, "descriptors,environment"]
    ran = subprocess.run(
        [*command, json.dumps({"secret": "none has this"})], capture_output=True, check=True
    )
    told = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [it["attempt"] for it in told] == ["descriptors", "environment"]
