"""An entry with packages of its own: they are there where its code runs, and nowhere else."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.challenges import write_challenge, write_set5
from fakes.checkouts import write_checkout
from fakes.entries import write_entry
from fakes.wheels import write_wheel

from harness.core.challenge import TimingProtocol
from harness.core.leaderboard import Row
from harness.core.progress import SILENT
from harness.documents.atomic import write
from harness.documents.typed import adapter
from harness.entries.catalogue import Entry, Rejected, read_folder
from harness.entries.checkouts import candidates
from harness.entries.packages import uv
from harness.entries.packages.package_lock import LOCK
from harness.entries.packages.uv_process import PackagesError
from harness.measure.jobs import Job, jobs
from harness.measure.loads import Contender, contender
from harness.measure.local_executor import LocalExecutor
from harness.sandbox.confinement import NoConfinement
from harness.sandbox.entry_packages import UNUSED_S, folder_of
from harness.sandbox.isolation import Isolation
from harness.usecases.adopt import adopt
from harness.usecases.evaluate import RunRequest, evaluate, read_rules
from harness.usecases.inspect import inspect
from harness.usecases.lock_packages import lock_packages

NEEDY = """
import rich  # the harness has one too
import torch
from torch import nn
from nobodys_layers import enlarge

assert rich.VERSION == "0.0.1"

class Network(nn.Module):
    def forward(self, image):
        {code}
        return enlarge(image)
"""
LAYERS = """
import torch

def enlarge(image):
    return torch.nn.functional.interpolate(image, scale_factor=4, mode="nearest")
"""
AS_CODE = "if image.mean() > 2: image = image + 1"  # no graph has a branch


@pytest.fixture
def packages(package_index: Path) -> Path:
    picture = {"nobodys_layers/__init__.py": LAYERS, "nobodys_layers/truth.png": bytes(5000)}
    write_wheel(package_index, "nobodys_layers", "1.5", requires=["rich"], files=picture)
    write_wheel(package_index, "rich", "0.0.1")
    return package_index


def needy(folder: Path, *, code: str = "", requirements: str = '["nobodys-layers>=1"]') -> Path:
    return write_entry(folder, NEEDY.format(code=code), requirements=requirements)


@pytest.mark.usefixtures("packages", "sandbox_works")
def test_entries_find_their_packages_captured_or_as_code(tmp_path: Path) -> None:
    graph, code = needy(tmp_path / "graph"), needy(tmp_path / "code", code=AS_CODE)
    (tmp_path / "code" / "needs.txt").write_text("nobodys-layers\n", encoding="utf-8")
    manifest = (code / "submission.toml").read_text(encoding="utf-8")
    manifest = manifest.replace('["nobodys-layers>=1"]', '"needs.txt"')
    (code / "submission.toml").write_text(manifest, encoding="utf-8")
    unlocked = needy(tmp_path / "unlocked")
    for folder in (graph, code):
        assert not lock_packages(str(folder)).kept
    board = evaluate(
        RunRequest(
            entries=(str(graph), str(code), str(unlocked)),
            challenge=str(write_challenge(tmp_path / "tiny.toml", capture="preferred")),
            data_dir=write_set5(tmp_path / "data"),
            reports=tmp_path / "reports",
            sandbox="require",
        )
    )
    rows: dict[str, Row] = {row.entry.id: row for row in board.rows}
    assert rows["graph"].entry.status == rows["code"].entry.status == "ok"
    by_code = "measured by its own code"
    assert not [it for it in rows["graph"].entry.notes if by_code in it]
    assert [it for it in rows["code"].entry.notes if by_code in it]
    assert "requirements are not locked: `esr lock FOLDER` writes" in rows["unlocked"].entry.reason


@pytest.mark.usefixtures("packages")
def test_a_lock_is_kept_until_it_no_longer_holds(tmp_path: Path) -> None:
    folder = needy(tmp_path / "acme")
    first = lock_packages(str(folder), before="2026-01-31")
    assert lock_packages(str(folder)) == type(first)(first.path, first.lock, kept=True)
    again = lock_packages(str(folder), before="2026-02-01", again=True)
    assert (again.lock.date, again.kept) == ("2026-02-01", False)
    text = (folder / LOCK).read_text(encoding="utf-8").replace('"1.5"', '"1.4"')
    write(folder / LOCK, text.encode())
    (found,) = read_folder(folder)
    assert isinstance(found, Rejected)
    assert "was edited after it was made" in found.faults[0]
    assert lock_packages(str(folder)).lock.packages == first.lock.packages


@pytest.mark.usefixtures("packages")
def test_a_lock_belongs_to_the_entry_s_digest(tmp_path: Path) -> None:
    folder = needy(tmp_path / "acme")
    digests = set()
    for before in ("2026-01-31", "2026-02-01"):
        lock_packages(str(folder), before=before, again=True)
        (entry,) = read_folder(folder)
        assert isinstance(entry, Entry)
        digests.add(entry.digest)
    assert len(digests) == 2


@pytest.mark.usefixtures("packages")
def test_packages_are_built_once_and_without_the_pictures_that_they_bring(tmp_path: Path) -> None:
    lock = lock_packages(str(needy(tmp_path / "acme"))).lock
    built = folder_of(lock)
    assert built is not None
    assert [it.name for it in sorted((built / "nobodys_layers").iterdir())] == ["__init__.py"]
    (built / "mark").touch()
    assert folder_of(lock) == built
    assert (built / "mark").exists()
    assert [it.name for it in built.parent.iterdir()] == [lock.digest]


def test_packages_that_nobody_asks_for_are_removed_when_others_are_built(
    package_index: Path,
) -> None:
    built = {}
    for name in "abc":
        write_wheel(package_index, name, "1.0")
        lock = uv.lock((name,), "2026-01-31")
        if name == "c":
            for place in built.values():
                os.utime(place, (0, time.time() - UNUSED_S - 60.0))
            folder_of(uv.lock(("b",), "2026-01-31"))
        place = folder_of(lock)
        assert place is not None
        built[name] = place
    assert [name for name, place in built.items() if place.exists()] == ["b", "c"]


@pytest.mark.parametrize("file", ["torch/__init__.py", "torch.so", "x-1.0.data/data/harness/a.py"])
def test_a_package_may_not_bring_a_torch_of_its_own(
    package_index: Path, tmp_path: Path, file: str
) -> None:
    write_wheel(package_index, "x", "1.0", files={file: "A = 1\n"})
    lock = uv.lock(("x",), "2026-01-31")
    with pytest.raises(PackagesError, match=r"bring (torch|harness), which the harness has"):
        folder_of(lock)
    assert [*(tmp_path / "cache").rglob(lock.digest)] == []


@pytest.mark.usefixtures("packages")
def test_a_job_that_travels_finds_its_packages_on_the_node_where_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = needy(tmp_path / "acme", code=AS_CODE)
    lock_packages(str(folder))
    made = contender(read_folder(folder)[0], TimingProtocol())
    assert isinstance(made, Contender)
    challenge = read_rules(str(write_challenge(tmp_path / "tiny.toml")))
    count, *_ = jobs(made, challenge, data="", logs=tmp_path / "logs")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another node"))
    sent = adapter(Job).validate_json(adapter(Job).dump_json(count), strict=True)
    assert sent == count
    unconfined = Isolation(NoConfinement())
    node = LocalExecutor(None, unconfined, None, None, SILENT)  # type: ignore[arg-type]
    there = Path(node._plain_task(sent).load.packages)
    assert there.is_relative_to(tmp_path / "another node")
    assert (there / "nobodys_layers").is_dir()
    assert sent.identity == replace(sent, load=node._plain_task(sent).load).identity


def test_what_is_gone_from_the_index_fails_its_entry_alone(
    packages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = needy(tmp_path / "acme")
    lock_packages(str(folder))
    for wheel in packages.iterdir():
        wheel.unlink()
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "new"))
    (found,) = inspect(read_folder(folder), size=(32, 32), logs=tmp_path / "logs", sandbox="none")
    assert found.failure is not None
    assert "uv install: " in found.failure.message
    assert "nobodys-layers" in found.failure.message


def test_a_checkout_is_given_packages_by_a_file(package_index: Path, tmp_path: Path) -> None:
    write_wheel(package_index, "a_package_that_nobody_has", "1.5")
    checkout, needs = write_checkout(tmp_path / "official"), tmp_path / "needs.txt"
    needs.write_text("a-package-that-nobody-has\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"not locked: `esr lock .*needs\.txt` writes needs\.lock"):
        candidates(checkout, (2,), needs)
    assert lock_packages(str(needs)).path == tmp_path / "needs.lock.json"
    plain, given = candidates(checkout, (2,))[0], candidates(checkout, (2,), needs)[0]
    assert isinstance(plain, Entry)
    assert isinstance(given, Entry)
    assert plain.digest != given.digest
    without, found = inspect((plain, given), size=(32, 32), logs=tmp_path / "logs", sandbox="none")
    assert without.failure is not None
    assert "write a-package-that-nobody-has into a file" in without.failure.message
    assert found.failure is None, found.failure
    assert "a-package-that-nobody-has 1.5" in [it.text for it in found.findings]
    options = {"to": tmp_path / "to", "logs": tmp_path / "logs", "sandbox": "none"}
    (failed,) = adopt(checkout, (2,), **options)  # type: ignore[arg-type]
    assert failed.failure is not None
    (adopted,) = adopt(checkout, (2,), requirements=needs, **options)  # type: ignore[arg-type]
    assert adopted.failure is None, adopted.failure
    (folder,) = read_folder(adopted.folder)
    assert isinstance(folder, Entry)
    assert folder.lock == given.lock
