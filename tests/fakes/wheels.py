"""Packages made by hand: a wheel is a zip with four files in it, an sdist is code that builds."""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path


def write_wheel(
    index: Path,
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    files: Mapping[str, bytes | str] | None = None,
) -> Path:
    """A wheel in the folder; without `files` its module says its version."""
    info = f"{name}-{version}.dist-info"
    about = "".join(f"Requires-Dist: {it}\n" for it in requires)
    members: dict[str, bytes | str] = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{about}",
        f"{info}/WHEEL": (
            "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        ),
        **(files or {f"{name}.py": f"VERSION = '{version}'\n"}),
    }
    record = ""
    path = index / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for file, content in members.items():
            data = content.encode() if isinstance(content, str) else content
            wheel.writestr(file, data)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record += f"{file},sha256={digest},{len(data)}\n"
        wheel.writestr(f"{info}/RECORD", f"{record}{info}/RECORD,,\n")
    return path


def write_sdist(index: Path, name: str, version: str, marker: Path) -> Path:
    """A source distribution whose set-up leaves a file where it is run."""
    path = index / f"{name}-{version}.tar.gz"
    texts = {
        "setup.py": (
            f"open({str(marker)!r}, 'w').close()\n"
            f"from setuptools import setup\nsetup(name={name!r}, version={version!r})\n"
        ),
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
    }
    with tarfile.open(path, "w:gz") as archive:
        for file, text in texts.items():
            member = tarfile.TarInfo(f"{name}-{version}/{file}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return path
