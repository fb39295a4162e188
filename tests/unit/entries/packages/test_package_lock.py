"""A lock that was edited, made for something else or for somewhere else is not used."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.documents.typed import Faults
from harness.entries.packages import package_lock
from harness.entries.packages.package_lock import LockedPackage, PackageLock, of_folder, write

PYTHON, SYSTEM = package_lock.here()
EINOPS = LockedPackage("einops", "0.8.1", (f"sha256:{'0' * 64}",))
GOOD = PackageLock(("einops>=0.7",), "2026-01-31", PYTHON, SYSTEM, (EINOPS,), {}).sealed()


def faults(folder: Path, lock: PackageLock) -> tuple[str, ...]:
    write(folder / package_lock.LOCK, lock)
    with pytest.raises(Faults) as caught:
        of_folder(folder, ("einops>=0.7",))
    return tuple(
        it.removeprefix("requirements.lock.json ").removesuffix(": `esr lock FOLDER` makes it anew")
        for it in caught.value.lines
    )


def test_a_lock_that_was_written_is_read_again(tmp_path: Path) -> None:
    write(tmp_path / package_lock.LOCK, GOOD)
    assert of_folder(tmp_path, ("einops>=0.7",)) == GOOD


def test_a_missing_lock_says_what_writes_it(tmp_path: Path) -> None:
    with pytest.raises(Faults, match="not locked: `esr lock FOLDER` writes"):
        of_folder(tmp_path, ("einops>=0.7",))


def test_a_changed_version_is_an_edit(tmp_path: Path) -> None:
    changed = replace(GOOD, packages=(replace(EINOPS, version="0.8.0"),))
    assert faults(tmp_path, changed) == ("was edited after it was made",)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"requirements": ("einops>=0.8",)}, "was made for other requirements"),
        ({"requirements": ("-r x",)}, "was made for other requirements"),
        ({"python": "3.2"}, f"was made for Python 3.2 on {SYSTEM}"),
        ({"system": "Windows AMD64"}, f"was made for Python {PYTHON} on Windows AMD64"),
        ({"packages": (EINOPS, EINOPS)}, "names a package twice"),
        ({"packages": ()}, "does not hold what is required: einops>=0.7"),
        (
            {"packages": (replace(EINOPS, version="0.6"),)},
            "does not hold what is required: einops>=0.7",
        ),
        (
            {"packages": (EINOPS, replace(EINOPS, name="torch"))},
            "brings torch, which the harness has in its own version",
        ),
        (
            {"beside": {"n" * 100: "1", "torch": package_lock.installed()["torch"]}},
            f"was made beside {'n' * 80}, which the harness knows nothing of",
        ),
    ],
)
def test_a_seal_is_no_signature_so_that_a_sealed_lock_is_checked(
    tmp_path: Path, changed: dict[str, object], why: str
) -> None:
    assert faults(tmp_path, replace(GOOD, **changed).sealed()) == (why,)  # type: ignore[arg-type]


def test_modules_of_the_harness_and_of_its_pieces_are_reserved() -> None:
    assert {"harness", "torch", "torchgen", "functorch", "onnx"} <= package_lock.reserved()
    assert "numpy" not in package_lock.reserved()


def test_another_torch_than_that_of_the_lock_is_told(tmp_path: Path) -> None:
    ours = package_lock.installed()["torch"]
    other = replace(GOOD, beside={"torch": "1.0"}).sealed()
    assert faults(tmp_path, other) == (f"was made beside torch 1.0, here is {ours}",)


@pytest.mark.parametrize(
    "changed",
    [
        {"hashes": []},
        {"hashes": ["md5:0"]},
        {"hashes": [f"sha256:{'0' * 64} --index-url=https://example.org"]},
        {"version": "0.8.1 --pre"},
        {"version": "https://example.org/x.whl"},
        {"name": "einops @ file:///x.whl"},
        {"name": "--pre"},
    ],
)
def test_nothing_but_names_versions_and_hashes_can_be_in_a_lock(
    tmp_path: Path, changed: dict[str, object]
) -> None:
    path = tmp_path / package_lock.LOCK
    write(path, GOOD)
    document = json.loads(path.read_text(encoding="utf-8"))
    document["packages"][0] |= changed
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(Faults, match="no lock that can be read: `esr lock FOLDER` makes it anew"):
        of_folder(tmp_path, ("einops>=0.7",))
