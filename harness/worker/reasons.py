"""What an exception of a submission becomes: a reason, and one line that says what and where."""

from __future__ import annotations

import re
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
_CHANNELS = re.compile(r"expected input\[1, (\d), .* to have (\d) channels, but got")
_OF_CHANNELS = {  # of the image, and of the weights that it met
    ("3", "1"): 'a model of luma says channels = "y"',
    ("1", "3"): 'a model of RGB leaves channels = "y" out',
}
_ARGUMENT = re.compile(r"forward\(\) missing \d+ required positional arguments?: '(\w+)'")
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
    remedy = _of_package(error, folder) or _of_call(error, folder)
    return " ".join(filter(None, parts)) + remedy


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
    own = _own_frames(error, folder)
    frame = (own or frames)[-1]
    path = Path(frame.filename)
    file = path.relative_to(folder).as_posix() if own else path.name
    return f"({frame.name}, line {frame.lineno} of {file})"


def _of_call(error: BaseException, folder: str) -> str:
    """What the manifest lacks, if the image does not fit the forward that it was given to."""
    text = _said(error)
    if type(error) is RuntimeError and (found := _CHANNELS.search(text)):
        what = _OF_CHANNELS.get((found[1], found[2]))
        return f"; {what} in submission.toml" if what else ""
    # where the harness calls it, no line of the submission's own has run
    missing = _ARGUMENT.search(text) if type(error) is TypeError else None
    if missing is None or _own_frames(error, folder):
        return ""
    return f"; say forward_kwargs = {{ {missing[1]} = ... }} in submission.toml"


def _own_frames(error: BaseException, folder: str) -> list[traceback.FrameSummary]:
    """Of the traceback those in a file of the submission's folder."""
    frames = traceback.extract_tb(error.__traceback__)
    return [it for it in frames if folder and Path(it.filename).is_relative_to(folder)]


def _of_package(error: BaseException, folder: str) -> str:
    """How an entry, or a checkout's, gets a package that is missing."""
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
    if not (Path(folder) / "submission.toml").is_file():
        return f"; write {package} into a file, and name it with --requirements after `esr lock`"
    return f'; say requirements = ["{package}"] in submission.toml, then run `esr lock`'


def _is_own(name: str, folder: str) -> bool:
    """Whether the submission itself has something of that name, in another place than is looked."""
    own = (Path(folder) / name, Path(folder) / f"{name}.py")
    return bool(folder) and any(it.exists() for it in own)
