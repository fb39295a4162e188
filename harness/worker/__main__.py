"""Start a worker: `python -m harness.worker DESCRIPTOR`."""

from __future__ import annotations

import ctypes
import signal
import sys

from harness.wire import channel

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Serve the messages of the socket until told to stop."""
    _die_with_parent()
    end = channel.from_descriptor(int(sys.argv[1]))
    from harness.worker import serve  # imports torch: after the process is tied to its parent

    serve.serve(end)


def _die_with_parent() -> None:
    """Leave no worker behind when the harness is killed in the middle of a forward (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main()
