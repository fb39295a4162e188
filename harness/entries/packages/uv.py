"""uv, asked for two things: what requirements come to, and a folder of packages.

Neither runs a line of a package: wheels only, nothing is compiled. Which index it asks is the
organiser's to say, by uv's own environment variables (UV_DEFAULT_INDEX, UV_FIND_LINKS, UV_OFFLINE).
"""

from __future__ import annotations

import re
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from harness.entries.packages import package_lock
from harness.entries.packages.package_lock import LockedPackage, PackageLock
from harness.entries.packages.requirement_lines import normal_name
from harness.entries.packages.uv_process import PackagesError, run_uv

_WHEELS = ("--only-binary", ":all:", "--no-config", "--python", sys.executable, "--color", "never")
_PINNED = re.compile(r"(?P<name>[\w.-]+)==(?P<version>\S+)((?: --hash=sha256:[0-9a-f]{64})+)")


def lock(requirements: Sequence[str], date: str) -> PackageLock:
    """The newest packages from before a date (YYYY-MM-DD, UTC) that meet checked `requirements`.

    They fit the harness's own pieces, which are no part of it. PackagesError with uv's reason where
    there are none: of an unknown package, of one without a wheel, of those that want another torch.
    """
    ours = package_lock.installed()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        asked, constraints, pieces = (folder / name for name in ("asked", "constraints", "pieces"))
        asked.write_text("".join(f"{it}\n" for it in requirements), encoding="utf-8")
        constraints.write_text("".join(f"{it}\n" for it in _constraints(ours)), encoding="utf-8")
        pieces.mkdir()
        for name, version in ours.items():
            _stand_in(pieces, name, version)
        command = ["pip", "compile", *_WHEELS, "--quiet", "--generate-hashes", "--no-header"]
        command += ["--no-annotate", "--exclude-newer", f"{date}T00:00:00Z"]
        command += ["--constraint", str(constraints), str(asked)]
        answer = run_uv(command, folder, find_links=pieces)
    found = [*_pinned(answer)]
    python, system = package_lock.here()
    return PackageLock(
        requirements=tuple(requirements),
        date=date,
        python=python,
        system=system,
        packages=tuple(it for it in found if it.name not in ours),
        beside={it.name: ours[it.name] for it in found if it.name in ours},
    ).sealed()


def install(lock: PackageLock, folder: Path) -> None:
    """The packages of a lock in a folder, hard links to uv's cache where the disk is the same.

    PackagesError where they can't be had, or come to too much.
    """
    with tempfile.TemporaryDirectory() as place:
        pinned = Path(place) / "pinned"
        lines = (
            " ".join([f"{it.name}=={it.version}", *(f"--hash={digest}" for digest in it.hashes)])
            for it in lock.packages
        )
        pinned.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        command = ["pip", "install", *_WHEELS, "--quiet", "--no-deps", "--require-hashes"]
        command += ["--link-mode", "hardlink", "--target", str(folder), "--requirement"]
        run_uv([*command, str(pinned)], Path(place), into=folder)


def _constraints(ours: Mapping[str, str]) -> Iterator[str]:
    """The pieces in their versions, and what torch needs of packages that an entry may bring."""
    yield from (f"{name}=={version}" for name, version in ours.items())
    for it in map(Requirement, metadata.requires("torch") or ()):
        if it.specifier and (it.marker is None or it.marker.evaluate({"extra": ""})):
            yield f"{it.name}{it.specifier}"


def _stand_in(folder: Path, name: str, version: str) -> None:
    """A wheel with a piece's name and version alone: nothing of ours is looked up or downloaded."""
    info = f"{name}-{version}.dist-info"
    texts = {
        "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: esr\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": "",
    }
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for file, text in texts.items():
            wheel.writestr(f"{info}/{file}", text)


def _pinned(answer: str) -> Iterator[LockedPackage]:
    for line in filter(None, answer.replace("\\\n", "").split("\n")):
        found = _PINNED.fullmatch(" ".join(line.split()))
        if found is None:
            raise PackagesError(f"uv answered what is no package with hashes: {line!r:.80}")
        hashes = tuple(it.removeprefix("--hash=") for it in found[3].split())
        yield LockedPackage(normal_name(found["name"]), found["version"], hashes)
