"""A socket that carries messages, with a deadline for every read and write."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import time

from harness.wire import codec
from harness.wire.codec import ProtocolError
from harness.wire.messages import Message


class Closed(Exception):
    """The other side is gone."""


class Channel:
    """One end of a connected stream socket.

    Deadlines are seconds for the whole message, None waits for ever. TimeoutError when one passes,
    Closed when the other side has left, ProtocolError when it does not speak the protocol.

    Every request carries a mark that no one can know beforehand, and its answer repeats it. The
    side that asks (`asking`) takes no answer but to its last request, and that one once: what was
    written ahead of time, or twice, or by a process left over, is refused.
    """

    def __init__(self, end: socket.socket, *, asking: bool = False) -> None:
        self._socket = end
        self._asking = asking
        self._mark = ""  # of the last request

    def send(
        self,
        message: Message,
        payload: bytes | memoryview = b"",
        *,
        deadline_s: float | None = None,
    ) -> None:
        """Write one message and its payload."""
        until = _until(deadline_s)
        if self._asking:
            self._mark = secrets.token_hex(16)
        try:
            self._send_all(codec.encode(message, len(payload), mark=self._mark), until)
            self._send_all(payload, until)
        except (BrokenPipeError, ConnectionResetError):
            raise Closed("the other side closed the channel") from None

    def receive(
        self, *, deadline_s: float | None = None, payload_cap: int = codec.PAYLOAD_CAP
    ) -> tuple[Message, bytearray]:
        """Read one message and its payload of at most `payload_cap` bytes."""
        until = _until(deadline_s)
        header_size, payload_size = codec.sizes(bytes(self._read(codec.SIZES.size, until)))
        if payload_size > payload_cap:
            raise ProtocolError(
                f"a payload of {payload_size} bytes, at most {payload_cap} expected"
            )
        message, mark = codec.decode_marked(bytes(self._read(header_size, until)))
        if self._asking:
            if not self._mark or mark != self._mark:
                raise ProtocolError(f"{type(message).__name__} is no answer to what was asked last")
            mark = ""
        self._mark = mark
        return message, self._read(payload_size, until)

    def hang_up(self) -> None:
        """End the conversation: whoever waits in `receive`, in another thread, gets Closed."""
        with contextlib.suppress(OSError):  # not connected any more
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close this end."""
        self._socket.close()

    def _send_all(self, data: bytes | memoryview, until: float | None) -> None:
        view = memoryview(data)
        while view:
            self._socket.settimeout(_left(until))
            view = view[self._socket.send(view) :]

    def _read(self, size: int, until: float | None) -> bytearray:
        data = bytearray(size)
        view = memoryview(data)
        while view:
            self._socket.settimeout(_left(until))
            try:
                got = self._socket.recv_into(view)
            except ConnectionResetError:
                got = 0
            if got == 0:
                raise Closed("the other side closed the channel")
            view = view[got:]
        return data


def from_descriptor(descriptor: int) -> Channel:
    """The channel on an inherited socket, which this process passes on to no program it runs."""
    os.set_inheritable(descriptor, False)
    return Channel(socket.socket(fileno=descriptor))


def _until(deadline_s: float | None) -> float | None:
    return None if deadline_s is None else time.monotonic() + deadline_s


def _left(until: float | None) -> float | None:
    if until is None:
        return None
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("the deadline has passed")
    return left
