"""What an exception of a submission becomes: a reason, and one line that says what and where."""

from __future__ import annotations

import shlex
import sys
import traceback
from pathlib import Path

import torch

from harness.wire.messages import TEXT_CAP

_DISTRIBUTIONS = {
    "PIL": "pillow",
    "cv2": "opencv-python-headless",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "PyYAML",
}
"""Packages of the field that are installed by another name than they are imported by."""
_SAY_WHERE = (SyntaxError, IndentationError, TabError)


def reason(error: BaseException) -> str:
    """One of core.outcome.Reason."""
    text = _text(error).lower()
    out_of_memory = isinstance(error, MemoryError | torch.OutOfMemoryError) or any(
        words in text for words in ("out of memory", "not enough memory", "can't allocate memory")
    )
    return "out_of_memory" if out_of_memory else "crash"


def line(error: BaseException, folder: str = "") -> str:
    """`ValueError: no such layer (forward, line 12 of model.py); what to do`.

    The place is the innermost one in a file of the submission's `folder`, if there is any.
    """
    parts = (f"{type(error).__name__}: {_said(error)}".removesuffix(": "), _where(error, folder))
    return " ".join(filter(None, parts)) + _remedy(error, folder)


def first_line(error: BaseException) -> str:
    """What an exception says first; its class's name where it says nothing."""
    return _said(error) or type(error).__name__


def detail() -> str:
    """The traceback of the exception that is handled, for the log."""
    return traceback.format_exc(limit=20)[-20_000:]


def _text(error: BaseException) -> str:
    """What an exception says; its own class may fail at that too."""
    try:
        return str(error)
    except BaseException:  # noqa: BLE001 - a submission's class may raise anything at all
        return ""


def _said(error: BaseException) -> str:
    """The first line, or all on one where that is only a heading."""
    text = _text(error).strip()
    first = next(iter(text.splitlines()), "").strip()
    return (" ".join(text.split()) if first.endswith(":") else first)[:TEXT_CAP]


def _where(error: BaseException, folder: str) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    if not frames or type(error) in _SAY_WHERE:
        return ""
    own = [it for it in frames if folder and Path(it.filename).is_relative_to(folder)]
    frame = (own or frames)[-1]
    path = Path(frame.filename)
    file = path.relative_to(folder).as_posix() if own else path.name
    return f"({frame.name}, line {frame.lineno} of {file})"


def _remedy(error: BaseException, folder: str) -> str:
    """How a package that is missing is installed where this runs."""
    if type(error) is not ModuleNotFoundError or not error.name:  # its own class could do anything
        return ""
    name = error.name.partition(".")[0]
    if (
        not name.isidentifier()
        or not name.isascii()
        or name in sys.modules
        or _is_own(name, folder)
    ):
        return ""
    package = _DISTRIBUTIONS.get(name, name.replace("_", "-"))
    command = f"{shlex.quote(sys.executable)} -m pip install {package}"
    return f"; where the harness runs it is installed by `{command}`, if you trust that package"


def _is_own(name: str, folder: str) -> bool:
    """Whether the submission itself has something of that name, in another place than is looked."""
    own = (Path(folder) / name, Path(folder) / f"{name}.py")
    return bool(folder) and any(it.exists() for it in own)
