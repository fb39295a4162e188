"""A worker that behaves badly: `python rude_worker.py MANNER DESCRIPTOR`."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from harness.sandbox.confinement import Confined, NoConfinement
from harness.wire import codec
from harness.wire.channel import Channel, Closed, from_descriptor
from harness.wire.messages import (
    Collect,
    Done,
    Forward,
    Inspect,
    Load,
    Output,
    Ready,
    Repeat,
    Repeated,
    State,
    Stop,
    Trouble,
)

READY = Ready(0.5, 3)
LONG_S = 60.0
LATE_S = 0.8


class Rude:
    """The manners; each is called with nothing and may do anything."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.forwards = 10  # claimed of every window
        self.channel: Channel = from_descriptor(descriptor)
        self.raw = socket.socket(fileno=os.dup(descriptor))

    def polite(self) -> None:
        """Answer every request with Ready until told to stop."""
        with contextlib.suppress(Closed):
            while not isinstance(self.channel.receive()[0], Stop):
                self.channel.send(READY)

    def garbage(self) -> None:
        self.raw.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        self.silence()

    def half(self) -> None:
        self.raw.sendall(codec.encode(READY)[:-5])
        self.silence()

    def not_finite(self) -> None:
        header = b'{"type": "Done", "seconds": NaN}'
        self.raw.sendall(codec.SIZES.pack(len(header), 0) + header)
        self.silence()

    def silence(self) -> None:
        time.sleep(LONG_S)

    def hang_up(self) -> None:
        self.raw.close()
        self.channel.close()
        self.silence()

    def exit_3(self) -> None:
        sys.exit(3)

    def exit_0(self) -> None:
        sys.exit(0)

    def kill(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def segfault(self) -> None:
        os.kill(os.getpid(), signal.SIGSEGV)

    def real_time_signal(self) -> None:
        os.kill(os.getpid(), signal.SIGRTMIN + 1)

    def ahead(self) -> None:
        """An answer to a question that nobody has asked yet."""
        self.channel.send(READY)
        self.polite()

    def twice(self) -> None:
        """The same answer twice, so that the second one lies there for the next question."""
        self.channel.receive()
        self.channel.send(READY)
        self.channel.send(READY)
        self.polite()

    def wrong_mark(self) -> None:
        self.channel.receive()
        header = codec.encode(READY, mark="0" * 32)
        self.raw.sendall(header)
        self.silence()

    def wrong_answer(self) -> None:
        self.channel.receive()
        self.channel.send(Done(0.5))
        self.polite()

    def request_back(self) -> None:
        self.channel.receive()
        self.channel.send(Stop())
        self.polite()

    def trouble(self) -> None:
        self.channel.receive()
        self.channel.send(Trouble("crash", "ValueError: no", "Traceback:\n  the detail"))
        self.polite()

    def unknown_trouble(self) -> None:
        self.channel.receive()
        self.channel.send(Trouble("won", "x" * 2000))
        self.polite()

    def payload(self) -> None:
        self.channel.receive()
        self.channel.send(READY, b"ten bytes!")
        self.polite()

    def stubborn(self) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self.channel.receive()
        self.channel.send(READY)
        self.silence()

    def terminated(self) -> None:
        """Deaf to Stop, but SIGTERM ends it."""
        self.channel.receive()
        self.channel.send(READY)
        self.silence()

    def child(self) -> None:
        """Leave a child behind that ignores SIGTERM; its process id goes to the log."""
        code = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"
        child = subprocess.Popen([sys.executable, "-S", "-c", code])
        print(child.pid, flush=True)
        self.polite()

    def escaped_child(self) -> None:
        """Leave a child behind, in a group of its own, that holds and fills what we print to."""
        code = "import os, time; os.write(1, b'from the child'); time.sleep(60)"
        child = subprocess.Popen([sys.executable, "-S", "-c", code], start_new_session=True)
        print(child.pid, flush=True)
        self.polite()

    def loud(self) -> None:
        """Six MiB between a first and a last line."""
        print("first line")
        for _ in range(6):
            sys.stdout.write("x" * 2**20)
        print("\nlast line", flush=True)
        self.polite()

    def late(self) -> None:
        """Answer once; read the next request only after a while, and never answer it."""
        self.channel.receive()
        self.channel.send(READY)
        time.sleep(LATE_S)
        self.channel.receive()
        self.silence()

    def negative_state(self) -> None:
        """A whole round, with a claim to have used less memory than none."""
        self._round(State(cuda_peak_bytes=-1))

    def remembering(self) -> None:
        """A whole round; the log tells the pixels that each forward was given."""
        self._round(State())

    def boastful(self) -> None:
        """A whole round, with more forwards in a window than there was time for."""
        self.forwards = 10**12
        self._round(State())

    def _round(self, state: State) -> None:
        given = Forward(0, 0)
        with contextlib.suppress(Closed):
            while True:
                match self.channel.receive():
                    case Load(), _:
                        self.channel.send(READY)
                    case Forward() as given, payload:
                        print(payload.hex(), flush=True)
                        self.channel.send(Done(1e-6))
                    case Repeat(), _:
                        self.channel.send(Repeated(self.forwards))
                    case Collect(), _:
                        size = given.height * given.width * 3
                        output = Output(given.height, given.width, "torch.float32", 0.0, 1.0)
                        self.channel.send(output, bytes(size))
                    case Inspect(), _:
                        self.channel.send(state)
                    case _:
                        return

    def environment(self) -> None:
        seen = {"hash": hash("a"), "isolated": sys.flags.safe_path, **os.environ}
        print(json.dumps(seen), flush=True)
        self.polite()


class RudeConfinement(NoConfinement):
    """A confinement that runs a badly behaved worker instead of ours."""

    name = "rude"

    def __init__(self, manner: str) -> None:
        self.manner = manner
        self.wrapped: list[str] = []
        self.readable: tuple[Path, ...] = ()

    def wrap(self, command: list[str], *, readable: tuple[Path, ...]) -> Confined:
        self.wrapped, self.readable = command, readable
        return Confined([*command[: command.index("-m")], __file__, self.manner, command[-1]])


def main() -> None:
    manner: Callable[[], None] = getattr(Rude(int(sys.argv[2])), sys.argv[1])
    manner()


if __name__ == "__main__":
    main()
