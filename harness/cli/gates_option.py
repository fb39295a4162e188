"""An option of the commands that check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

GatesFile = Annotated[
    Path | None,
    typer.Option(help="TOML file of gates; default: table tool.esr.check of ./pyproject.toml."),
]
