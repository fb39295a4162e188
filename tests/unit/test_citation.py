"""CITATION.cff says what the package says of itself."""

from __future__ import annotations

import tomllib
from pathlib import Path

import yaml

import harness

ROOT = Path(__file__).resolve().parents[2]


def test_the_citation_is_of_this_package_and_version() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert cited["cff-version"] == "1.2.0"
    assert cited["message"]
    assert cited["title"].lower().replace(" ", "-") == project["name"]
    assert cited["version"] == harness.__version__
    assert cited["license"] == project["license"]
    assert cited["authors"] == project["authors"]
    assert cited["keywords"] == project["keywords"]
