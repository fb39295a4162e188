"""The trial against the machine: what it says must be what is the case."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.sandbox import isolation, python_home, shipped_images, trial
from harness.sandbox.bubblewrap import Bubblewrap
from harness.sandbox.confinement import Confined, NoConfinement

# what even a plain process of a plain user is kept from, or finds nothing of
NEVER = {"descriptors", "home", "capabilities", "mounts", "settings", "modes", "namespace", "trace"}


@pytest.mark.usefixtures("sandbox_works")
@pytest.mark.parametrize("gpu", [False, True])
def test_in_the_sandbox_every_escape_is_held_off(gpu: bool) -> None:
    assert [it for it in trial.look(Bubblewrap(gpu=gpu)) if not it.held] == []


@pytest.mark.usefixtures("sandbox_works")
def test_a_thread_can_be_named_where_a_gpu_is(tmp_path: Path) -> None:
    # the driver does so, and CUDA does not start where it can't
    code = "from pathlib import Path; Path('/proc/thread-self/comm').write_text('named')"
    done = {}
    for gpu in (False, True):
        wrapped = Bubblewrap(gpu=gpu).wrap([sys.executable, "-c", code], readable=(tmp_path,))
        with contextlib.closing(wrapped):
            done[gpu] = subprocess.run(
                wrapped.command, pass_fds=wrapped.descriptors, capture_output=True, check=False
            )
    assert done[True].returncode == 0, done[True].stderr
    assert b"Read-only file system" in done[False].stderr


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("""echo '{"attempt": "cuda", "got": "CUDA starts", "why": ""}'""", ""),
        ("""echo '{"attempt": "cuda", "got": "", "why": "cuInit returns 304"}'""", "returns 304"),
        ("echo no memory >&2; exit 3", "no memory"),
        ("exit 3", "status 3"),
        ("true", "it did not tell"),
    ],
)
def test_why_cuda_does_not_start_is_told(script: str, why: str) -> None:
    class Said(NoConfinement):
        def wrap(self, command: list[str], *, readable: tuple[Path, ...]) -> Confined:
            return super().wrap(["sh", "-c", script, *command], readable=readable)

    found = trial.no_cuda(Said())
    assert (why in found) if why else not found


@pytest.mark.usefixtures("sandbox_works")
def test_in_the_sandbox_every_limit_holds() -> None:
    found = trial.burden(Bubblewrap(limits=trial.LIMITS), trial.LIMITS)
    assert {it.attempt for it in found} == trial.BURDENS.keys()
    assert [it for it in found if not it.held] == []


@pytest.mark.usefixtures("sandbox_works")
def test_a_sandbox_that_shows_an_image_of_a_package_is_not_usable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shipped_images, "covers", lambda: iter(()))
    isolation.why_not.cache_clear()
    trouble = isolation.why_not()
    isolation.why_not.cache_clear()
    assert trouble.startswith("inside bubblewrap one can still read an HR image (")
    assert "astronaut.png: b'\\x89PNG" in trouble


@pytest.mark.usefixtures("sandbox_works")
def test_packages_load_in_the_sandbox_and_their_images_do_not(tmp_path: Path) -> None:
    code = (
        "import cv2, matplotlib.pyplot, numpy, pandas, scipy.datasets, scipy.stats, skimage.io, "
        "skimage.metrics, torch\n"
        "from skimage import data\n"
        "scipy.stats.qmc.Sobol(2).random(4)\n"  # reads its numbers from a file of arrays
        "for name in ('astronaut', 'chelsea', 'coffee', 'immunohistochemistry', 'camera'):\n"
        "    try:\n        getattr(data, name)()\n"
        "    except OSError:\n        print('kept from', name)\n"
    )
    said = _said(code, tmp_path)
    assert said.count("kept from") == 5, said


@pytest.mark.usefixtures("sandbox_works")
def test_no_file_of_the_libraries_begins_as_a_picture_does(tmp_path: Path) -> None:
    # by their first bytes, where the covers go by names
    code = (
        "import os, sys\n"
        "begins = (b'\\x89PNG', b'\\xff\\xd8\\xff', b'GIF8', b'II*\\0', b'MM\\0*')\n"
        "for root in sys.argv[1:]:\n"
        "    for folder, _, files in os.walk(root):\n"
        "        for path in (os.path.join(folder, name) for name in files):\n"
        "            try:\n"
        "                with open(path, 'rb') as file:\n"
        "                    seen = file.read(4).startswith(begins)\n"
        "                print(path) if seen and os.path.getsize(path) > 4096 else None\n"
        "            except OSError:\n                pass\n"
        "print('all seen')\n"
    )
    assert _said(code, tmp_path, *map(str, python_home.libraries())) == "all seen\n"


def test_without_a_sandbox_the_same_attempts_succeed() -> None:
    found = trial.look(NoConfinement())
    assert {it.attempt for it in found} == trial.LOOKS.keys()
    assert {it.attempt for it in found if it.held} <= NEVER
    assert trial.SECRET not in os.environ


def test_without_a_sandbox_no_limit_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = {"tasks", "file_size", "scratch", "open_files", "survive"}
    monkeypatch.setattr(trial, "GONE_S", 0.3)
    monkeypatch.setattr(trial, "BURDENS", {name: name for name in tried})
    found = trial.burden(NoConfinement(), trial.LIMITS)
    assert {it.attempt for it in found if not it.held} == tried


def test_what_can_not_be_tried_is_not_held() -> None:
    class Broken(NoConfinement):
        def wrap(self, command: list[str], *, readable: tuple[Path, ...]) -> Confined:
            return super().wrap(["false", *command], readable=readable)

    found = trial.look(Broken())
    assert not any(it.held for it in found)
    assert all(it.evidence.startswith(trial.NOT_TRIED) and not it.tried for it in found)


@pytest.mark.usefixtures("sandbox_works")
def test_a_worker_s_sandbox_shows_nothing_of_the_probe(tmp_path: Path) -> None:
    code = (
        "import os\nfrom importlib.util import find_spec\n"
        "for folder, _, files in os.walk(os.environ['PYTHONPATH']):\n"
        "    print(*(os.path.join(folder, name) for name in files), sep='\\n')\n"
        "print(find_spec('harness.sandbox'), find_spec('harness.wire'))"
    )
    shown = _said(code, tmp_path)
    assert "/harness/harness/worker/serve.py" in shown
    assert "probe" not in shown
    assert "None ModuleSpec(name='harness.wire'" in shown


def _said(code: str, readable: Path, *arguments: str) -> str:
    """What a Python in a worker's sandbox prints."""
    command = [sys.executable, "-c", code, *arguments]
    wrapped = Bubblewrap().wrap(command, readable=(readable,))
    with contextlib.closing(wrapped):
        done = subprocess.run(
            wrapped.command,
            pass_fds=wrapped.descriptors,
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | wrapped.environment,
        )
    assert done.returncode == 0, done.stderr
    return done.stdout
