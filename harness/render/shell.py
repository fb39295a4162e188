"""What all pages share: the templates, the styles, and what a page may load."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment as Templates
from jinja2 import FileSystemLoader, StrictUndefined
from markupsafe import Markup

TEMPLATES = Path(__file__).parent / "templates"


@cache
def templates() -> Templates:
    """Autoescape is on for every template, whatever its name; a missing value is an error."""
    return Templates(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


@cache
def style() -> Markup:
    """The styles of every page: a file of ours."""
    return Markup((TEMPLATES / "page.css").read_text(encoding="utf-8"))  # noqa: S704


def policy(script: str = "", *, images: bool = False) -> str:
    """What a page may load: its own script by hash, its own styles, nothing else.

    With `images` also pictures that lie beside it, whether it was opened as a file or served.
    """
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    scripts = f"script-src 'sha256-{digest}'; " if script else ""
    beside = "'self' file: " if images else ""
    return (
        f"default-src 'none'; {scripts}style-src 'unsafe-inline'; "
        f"img-src {beside}data:; base-uri 'none'; form-action 'none'"
    )
