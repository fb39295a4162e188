from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes.challenges import write_challenge
from fakes.file_server import Served, serving
from schemas import faults

DEFINED = """
[[define]]
name = "mine"
title = "Mine"
count = 1
source = "somebody"
licence = "CC0"
folders = ["mine"]
layouts = ["nested"]
download = {{ base = "{base}", terms = "cite us", files = [
  {{ path = "a.png", to = "mine/HR/a.png", bytes = {size}, sha256 = "{sha256}" }},
] }}
"""


def photograph() -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)
    return cv2.imencode(".png", noise)[1].tobytes()


@pytest.fixture
def rules(tmp_path: Path) -> tuple[Path, Served]:
    data = photograph()
    with serving({"a.png": data}) as served:
        path = write_challenge(tmp_path / "tiny.toml")
        sha256 = hashlib.sha256(data).hexdigest()
        own = DEFINED.format(base=served.base, size=len(data), sha256=sha256)
        with path.open("a", encoding="utf-8") as file:
            file.write(own)
        yield path, served


def command(rules: Path, *more: str) -> list[str]:
    options = ["--challenge", str(rules), "--data-dir", str(rules.parent / "data"), *more]
    return [sys.executable, "-m", "harness.cli", "data", "fetch", "mine", *options]


def fetched(rules: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(rules, *more), capture_output=True, text=True, check=False, timeout=60
    )


def test_nothing_is_fetched_before_the_terms_are_accepted(rules: tuple[Path, Served]) -> None:
    path, served = rules
    ran = fetched(path)
    assert ran.returncode == 2
    assert "licence: CC0" in ran.stderr
    assert "terms: cite us" in ran.stderr
    assert "--accept-terms" in ran.stderr
    assert served.asked == []
    assert not (path.parent / "data").exists()


def test_a_fetch_that_was_killed_goes_on_where_it_was(rules: tuple[Path, Served]) -> None:
    path, served = rules
    data = served.files["a.png"]
    served.cut_at, served.hold = len(data) // 2, True
    running = subprocess.Popen(command(path, "--accept-terms"), stderr=subprocess.DEVNULL)
    part = path.parent / "data/mine/HR/.a.png.part"
    deadline = time.monotonic() + 30
    while not (part.exists() and part.stat().st_size == served.cut_at):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(running.pid, signal.SIGKILL)
    assert running.wait(10) == -signal.SIGKILL
    assert not part.with_name("a.png").exists()
    assert part.read_bytes() == data[: served.cut_at]

    ran = fetched(path, "--accept-terms", "--json")
    assert ran.returncode == 0, ran.stderr
    document = json.loads(ran.stdout)
    assert faults("data_fetch", document) == []
    assert document[0]["files"] == [{"to": "mine/HR/a.png", "bytes": len(data), "news": "fetched"}]
    assert part.with_name("a.png").read_bytes() == data
    assert served.asked[-1] == ("a.png", f"bytes={served.cut_at}-")
    assert fetched(path, "--accept-terms").stdout.startswith("at hand")


def test_what_cannot_be_had_ends_with_3_and_the_reason(rules: tuple[Path, Served]) -> None:
    path, served = rules
    served.files["a.png"] = b"x" * len(served.files["a.png"])
    ran = fetched(path, "--accept-terms")
    assert ran.returncode == 3
    assert "another sha256" in ran.stdout
