from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from harness.wire import channel as channel_module
from harness.wire import codec
from harness.wire.channel import Channel, Closed
from harness.wire.codec import ProtocolError
from harness.wire.messages import Collect, Done, Forward, Stop

BIG = bytes(range(256)) * 8192  # 2 MiB: more than a socket's buffers hold


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    left, right = socket.socketpair()
    with left, right:
        yield left, right


def test_messages_arrive_in_order_with_their_payloads(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    sender, receiver = map(Channel, ends)
    sender.send(Forward(2, 3), b"pixels")
    sender.send(Collect())
    assert receiver.receive(deadline_s=5.0) == (Forward(2, 3), bytearray(b"pixels"))
    assert receiver.receive(deadline_s=5.0) == (Collect(), bytearray())


def test_a_payload_larger_than_the_buffers_arrives_whole(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    sender, receiver = map(Channel, ends)
    thread = threading.Thread(target=sender.send, args=(Forward(1, 1), memoryview(BIG)))
    thread.start()
    message, payload = receiver.receive(deadline_s=10.0)
    thread.join(10.0)
    assert (message, bytes(payload)) == (Forward(1, 1), BIG)


def test_a_message_that_comes_byte_by_byte_is_put_together(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    raw, receiver = ends[0], Channel(ends[1])
    frame = codec.encode(Done(0.5), 3) + b"abc"

    def trickle() -> None:
        for byte in frame:
            raw.sendall(bytes([byte]))
            time.sleep(0.0005)

    thread = threading.Thread(target=trickle)
    thread.start()
    assert receiver.receive(deadline_s=10.0) == (Done(0.5), bytearray(b"abc"))
    thread.join(10.0)


@pytest.mark.parametrize("sent", [b"", b"\x00\x00", codec.encode(Done(1.0), 3) + b"ab"])
def test_a_deadline_passes_wherever_the_message_stops(
    ends: tuple[socket.socket, socket.socket], sent: bytes
) -> None:
    raw, receiver = ends[0], Channel(ends[1])
    raw.sendall(sent)
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        receiver.receive(deadline_s=0.1)
    assert 0.09 <= time.monotonic() - began < 3.0


def test_the_deadline_is_for_the_whole_message_not_for_each_byte(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    raw, receiver = ends[0], Channel(ends[1])
    over = threading.Event()

    def drip() -> None:
        while not over.wait(0.02):
            raw.sendall(b"\x00")  # sizes of 0 first, so an endless header never comes

    raw.sendall(codec.SIZES.pack(codec.HEADER_CAP, 0))
    thread = threading.Thread(target=drip)
    thread.start()
    with pytest.raises(TimeoutError):
        receiver.receive(deadline_s=0.3)
    over.set()
    thread.join(5.0)


def test_sending_to_someone_who_does_not_read_runs_into_the_deadline(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    sender = Channel(ends[0])
    with pytest.raises(TimeoutError):
        sender.send(Forward(1, 1), BIG, deadline_s=0.1)


def test_a_deadline_in_the_past_is_a_timeout_at_once(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    with pytest.raises(TimeoutError, match="the deadline has passed"):
        Channel(ends[0]).send(Stop(), deadline_s=0.0)


@pytest.mark.parametrize("sent", [b"", b"\x00\x00\x00", codec.encode(Done(1.0), 3) + b"ab"])
def test_the_other_side_leaving_is_closed_wherever_the_message_stops(
    ends: tuple[socket.socket, socket.socket], sent: bytes
) -> None:
    raw, receiver = ends[0], Channel(ends[1])
    raw.sendall(sent)
    raw.close()
    with pytest.raises(Closed):
        receiver.receive(deadline_s=5.0)


def test_leaving_with_a_message_unread_is_closed_too(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    receiver = Channel(ends[1])
    receiver.send(Stop())
    ends[0].close()  # with unread data: the kernel resets instead of ending in order
    with pytest.raises(Closed):
        receiver.receive(deadline_s=5.0)


def test_sending_to_someone_who_left_is_closed(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ends[1].close()
    with pytest.raises(Closed):
        Channel(ends[0]).send(Forward(1, 1), BIG, deadline_s=5.0)


def test_a_payload_over_the_cap_is_refused_before_it_is_read(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    raw, receiver = ends[0], Channel(ends[1])
    raw.sendall(codec.encode(Done(1.0), 5))  # announced, never sent
    with pytest.raises(ProtocolError, match="a payload of 5 bytes, at most 4 expected"):
        receiver.receive(deadline_s=5.0, payload_cap=4)


def test_a_payload_at_the_cap_is_taken(ends: tuple[socket.socket, socket.socket]) -> None:
    sender, receiver = map(Channel, ends)
    sender.send(Done(1.0), b"four")
    assert receiver.receive(deadline_s=5.0, payload_cap=4)[1] == b"four"


def test_hanging_up_wakes_whoever_waits(ends: tuple[socket.socket, socket.socket]) -> None:
    receiver = Channel(ends[1])
    timer = threading.Timer(0.1, receiver.hang_up)
    timer.start()
    began = time.monotonic()
    with pytest.raises(Closed):
        receiver.receive(deadline_s=30.0)
    assert time.monotonic() - began < 10.0
    receiver.close()
    receiver.hang_up()  # again, and on a closed socket: no harm


def test_an_inherited_channel_goes_no_further(ends: tuple[socket.socket, socket.socket]) -> None:
    os.set_inheritable(ends[0].fileno(), True)
    descriptor = ends[0].detach()
    inherited = channel_module.from_descriptor(descriptor)
    assert not os.get_inheritable(descriptor)
    inherited.close()


def test_garbage_is_a_protocol_error(ends: tuple[socket.socket, socket.socket]) -> None:
    raw, receiver = ends[0], Channel(ends[1])
    raw.sendall(b"GET / HTTP/1.1\r\n\r\n")
    with pytest.raises(ProtocolError, match="over the limit"):
        receiver.receive(deadline_s=5.0)


def test_a_channel_stands_on_an_inherited_descriptor(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    inherited = channel_module.from_descriptor(ends[0].detach())
    inherited.send(Done(0.25))
    assert Channel(ends[1]).receive(deadline_s=5.0)[0] == Done(0.25)
    inherited.close()
    with pytest.raises(Closed):
        Channel(ends[1]).receive(deadline_s=5.0)


@pytest.fixture
def asked(ends: tuple[socket.socket, socket.socket]) -> tuple[Channel, Channel, socket.socket]:
    """The asking end, the answering one, and the socket below that."""
    return Channel(ends[0], asking=True), Channel(ends[1]), ends[1]


def test_an_answer_repeats_the_mark_of_its_request(
    asked: tuple[Channel, Channel, socket.socket],
) -> None:
    trusted, worker, _ = asked
    for seconds in (0.5, 0.75):
        trusted.send(Collect())
        assert worker.receive(deadline_s=5.0)[0] == Collect()
        worker.send(Done(seconds))
        assert trusted.receive(deadline_s=5.0)[0] == Done(seconds)


@pytest.mark.parametrize("mark", ["", "0" * 32, "\ud800", "ä"])
def test_an_answer_of_another_mark_is_refused(
    asked: tuple[Channel, Channel, socket.socket], mark: str
) -> None:
    trusted, _, raw = asked
    trusted.send(Collect())
    header = json.dumps({"type": "Done", "seconds": 0.5, "mark": mark}).encode()
    raw.sendall(codec.SIZES.pack(len(header), 0) + header)
    with pytest.raises(ProtocolError, match="Done is no answer to what was asked last"):
        trusted.receive(deadline_s=5.0)


def test_an_answer_before_any_request_is_refused(
    asked: tuple[Channel, Channel, socket.socket],
) -> None:
    trusted, worker, _ = asked
    worker.send(Done(0.5))
    with pytest.raises(ProtocolError, match="no answer to what was asked last"):
        trusted.receive(deadline_s=5.0)


def test_an_answer_is_taken_once(asked: tuple[Channel, Channel, socket.socket]) -> None:
    trusted, _, raw = asked
    trusted.send(Collect())
    frame = raw.recv(65536)
    mark = json.loads(frame[codec.SIZES.size :])["mark"]
    raw.sendall(2 * codec.encode(Done(0.5), mark=mark))
    assert trusted.receive(deadline_s=5.0)[0] == Done(0.5)
    with pytest.raises(ProtocolError, match="no answer to what was asked last"):
        trusted.receive(deadline_s=5.0)


def test_no_two_requests_have_the_same_mark(asked: tuple[Channel, Channel, socket.socket]) -> None:
    trusted, _, raw = asked
    marks = set()
    for _ in range(20):
        trusted.send(Collect())
        marks.add(json.loads(raw.recv(65536)[codec.SIZES.size :])["mark"])
    assert len(marks) == 20
    assert {len(mark) for mark in marks} == {32}


@pytest.mark.parametrize("mark", [7, None, ["x"], "x" * 65])
def test_a_mark_that_is_no_short_text_is_refused(mark: object) -> None:
    with pytest.raises(ProtocolError, match="mark must be a short text"):
        codec.decode_marked(json.dumps({"type": "Collect", "mark": mark}).encode())
