"""Start a worker: `python -m harness.worker DESCRIPTOR [PACKAGES]`."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import signal
import sys

from harness.wire import channel

PR_SET_PDEATHSIG = 1
_leave = os._exit  # bound before a submission can patch it


def main() -> None:
    """Serve the messages of the socket until told to stop."""
    _die_with_parent()
    _find_first(*sys.argv[2:])
    gc.disable()  # a sixth of the start is spent looking for garbage among what torch will keep
    from harness.worker import serve  # imports torch: after the process is tied to its parent

    gc.freeze()  # nor is it looked at within a forward
    gc.enable()
    # not frozen: who holds objects against what they were (`rebinding`) finds them by the collector
    serve.serve(channel.from_descriptor(int(sys.argv[1])))
    with contextlib.suppress(Exception):  # a submission may have closed them
        sys.stdout.flush()
        sys.stderr.flush()
    # torch takes 0.3 s to be taken apart, and the system takes back everything anyway
    _leave(0)


def _find_first(*folders: str) -> None:
    """Have an entry's own packages found before installed ones, but after the standard library."""
    installed = ("site-packages", "dist-packages")
    places = (at for at, path in enumerate(sys.path) if path.endswith(installed))
    at = next(places, len(sys.path))
    sys.path[at:at] = folders


def _die_with_parent() -> None:
    """Leave no worker behind when the harness is killed in the middle of a forward (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main()
