"""For the scripts beside it: results kept one a line, so that hours of them may be cut anywhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def read(path: Path) -> list[dict[str, Any]]:
    """Every whole line of a file; none where there is no file. A line that was cut counts not."""
    if not path.exists():
        return []
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def add(path: Path, result: dict[str, Any]) -> None:
    """One more line, on disk when this returns; what a killed run left of one is ended first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cut = path.exists() and not path.read_bytes().endswith(b"\n") and path.stat().st_size > 0
    with path.open("a", encoding="utf-8") as file:
        file.write(("\n" if cut else "") + json.dumps(result, allow_nan=False) + "\n")
