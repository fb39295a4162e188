"""The lock of an entry's requirements: each package in one version, its wheels by their hashes.

It is sealed, so that an edited one is noticed; the seal is no signature, so that whatever it says
is checked all the same.
"""

from __future__ import annotations

import hashlib
import platform
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib import metadata
from pathlib import Path

from packaging.version import InvalidVersion, Version

from harness.core.values import refuse, value
from harness.documents import atomic, plain_file, typed
from harness.documents.typed import Faults
from harness.entries.packages.requirement_lines import read_file, unmet

LOCK = "requirements.lock.json"
LOCK_CAP = 4 * 1024 * 1024  # bytes
PIECES = ("torch", "fvcore", "onnx", "ptflops", "safetensors")
"""What every worker has from the harness's own environment, in its version."""
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_HASH = re.compile(r"sha256:[0-9a-f]{64}")


@value
class LockedPackage:
    """A package in one version, and the sha256 of each of its files."""

    name: str
    version: str
    hashes: tuple[str, ...]

    def __post_init__(self) -> None:
        refuse(
            {
                f"package {self.name!r:.80} is no name in normal form": (
                    not _NAME.fullmatch(self.name)
                ),
                f"{self.name!r:.80} is in no version, {self.version!r:.40}": (
                    not _is_version(self.version)
                ),
                f"{self.name!r:.80} lacks hashes, as in sha256:{'0' * 8}...": (
                    not self.hashes or not all(map(_HASH.fullmatch, self.hashes))
                ),
            }
        )


@value
class PackageLock:
    """What `requirements` came to with packages that were there before `date` (UTC).

    `beside` are the harness's own pieces that the packages need, in the versions of then; `digest`
    is the seal, sha256 over everything else.
    """

    requirements: tuple[str, ...]
    date: str  # YYYY-MM-DD
    python: str
    system: str
    packages: tuple[LockedPackage, ...]
    beside: dict[str, str]
    digest: str = ""

    def sealed(self) -> PackageLock:
        """With the digest of what it holds."""
        content = typed.adapter(PackageLock).dump_json(replace(self, digest=""))
        return replace(self, digest=hashlib.sha256(content).hexdigest())


def here() -> tuple[str, str]:
    """The Python and the system that wheels are chosen for."""
    return ".".join(
        platform.python_version_tuple()[:2]
    ), f"{platform.system()} {platform.machine()}"


def installed() -> dict[str, str]:
    """The harness's own pieces that are installed, in their versions."""
    return {name: version for name in PIECES if (version := _version(name))}


def reserved() -> frozenset[str]:
    """Names of modules that no package of an entry may bring: the harness's and its pieces'."""
    modules = metadata.packages_distributions().items()
    return frozenset({"harness", *(name for name, its in modules if {*its} & {*PIECES})})


def write(path: Path, lock: PackageLock) -> None:
    """The lock's file, for people to read the changes of; WriteError where the disk refuses."""
    atomic.write(path, typed.adapter(PackageLock).dump_json(lock, indent=2) + b"\n")


def beside(file: Path) -> Path:
    """Where the lock of a file of requirements lies."""
    return file.with_name(f"{file.stem}.lock.json")


def of_file(file: Path) -> PackageLock:
    """The lock of a file of requirements; Faults where either is missing or can't be used."""
    return read(beside(file), read_file(file), f"`esr lock {file}`")


def of_folder(folder: Path, requirements: Sequence[str]) -> PackageLock:
    """The lock in an entry's folder; Faults where it is missing or holds for something else."""
    return read(folder / LOCK, requirements, "`esr lock FOLDER`")


def read(path: Path, requirements: Sequence[str], command: str) -> PackageLock:
    """The lock of these requirements that can be used here.

    Faults with what is wrong, where `command` makes a new one.
    """
    if plain_file.kind(path) != plain_file.PLAIN:
        raise Faults([f"requirements are not locked: {command} writes {path.name}"])
    try:
        data = plain_file.read(path, LOCK_CAP)
        lock = typed.adapter(PackageLock).validate_json(data, strict=True)
    except (OSError, ValueError):
        raise Faults(
            [f"{path.name} is no lock that can be read: {command} makes it anew"]
        ) from None
    misfits = (*_misfits(lock, tuple(requirements)), *_misfits_beside(lock))
    if misfits:
        raise Faults([f"{path.name} {why}: {command} makes it anew" for why in misfits])
    return lock


def _misfits(lock: PackageLock, requirements: tuple[str, ...]) -> Iterator[str]:
    """Why a lock that can be read is not the one that is needed."""
    versions = {it.name: it.version for it in lock.packages}
    told = {
        "was edited after it was made": lock.sealed().digest != lock.digest,
        "was made for other requirements": lock.requirements != requirements,
        "names a package twice": len(versions) < len(lock.packages),
    }
    yield from (why for why, so in told.items() if so)
    ours = lock.requirements == requirements  # else nobody has checked them
    if ours and (absent := unmet(requirements, installed() | versions)):
        yield f"does not hold what is required: {', '.join(absent)}"


def _misfits_beside(lock: PackageLock) -> Iterator[str]:
    """Why a lock is not one for the harness's environment here."""
    ours = installed()
    if own := sorted({it.name for it in lock.packages}.intersection(PIECES)):
        yield f"brings {', '.join(own)}, which the harness has in its own version"
    if (lock.python, lock.system) != here():
        yield f"was made for Python {lock.python:.40} on {lock.system:.40}"
    if strange := sorted(set(lock.beside).difference(PIECES)):
        yield f"was made beside {', '.join(strange):.80}, which the harness knows nothing of"
    for name in PIECES:
        version = lock.beside.get(name)
        if version is not None and ours.get(name) != version:
            now = f", here is {ours[name]}" if name in ours else ", which is not installed here"
            yield f"was made beside {name} {version:.40}{now}"


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _is_version(text: str) -> bool:
    try:
        return str(Version(text)) == text
    except InvalidVersion:
        return False
