from __future__ import annotations

import dataclasses
import json
import typing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.wire import codec, messages
from harness.wire.codec import ProtocolError
from harness.wire.messages import (
    Collect,
    Done,
    Message,
    Trouble,
)

KINDS = typing.get_args(messages.Message)
SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    int: st.integers(-(2**63) + 1, 2**63 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    str: st.text(max_size=20),
    bool: st.booleans(),
}
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


def _of(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a field's type."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return st.sampled_from(inner)
    if origin is tuple:
        return st.lists(_of(inner[0]), max_size=3).map(tuple)
    if origin is dict:
        return st.dictionaries(st.text(max_size=8), _of(inner[1]), max_size=3)
    return SCALARS[hint]


def _message_of(kind: Any) -> st.SearchStrategy[Any]:
    hints = typing.get_type_hints(kind)
    return st.builds(kind, **{name: _of(hint) for name, hint in hints.items()})


ANY_MESSAGE = st.one_of([_message_of(kind) for kind in KINDS])


def _header(message: Message) -> bytes:
    return codec.encode(message)[codec.SIZES.size :]


def _decode(**document: Any) -> Message:
    return codec.decode_marked(json.dumps(document).encode())[0]


@settings(deadline=None)
@given(ANY_MESSAGE)
def test_every_message_comes_back_as_it_was(message: Message) -> None:
    assert codec.decode_marked(_header(message))[0] == message


def test_the_sizes_lead_the_frame() -> None:
    frame = codec.encode(Collect(), 7)
    header = b'{"type": "Collect"}'
    assert frame == b"\x00\x00\x00\x13" + b"\x00" * 7 + b"\x07" + header
    assert codec.sizes(frame[: codec.SIZES.size]) == (19, 7)


@pytest.mark.parametrize(
    ("header", "payload"),
    [(codec.HEADER_CAP + 1, 0), (0, codec.PAYLOAD_CAP + 1), (2**32 - 1, 2**64 - 1)],
)
def test_a_frame_over_the_caps_is_refused(header: int, payload: int) -> None:
    with pytest.raises(ProtocolError, match="over the limit"):
        codec.sizes(codec.SIZES.pack(header, payload))


def test_a_frame_at_the_caps_is_taken() -> None:
    at_caps = (codec.HEADER_CAP, codec.PAYLOAD_CAP)
    assert codec.sizes(codec.SIZES.pack(*at_caps)) == at_caps


@pytest.mark.parametrize(
    "header",
    [b"", b"\xff\xfe", b"{", b"nonsense", b"[" * 200_000, b'{"a":' * 100_000, b"1" * 10_000],
)
def test_what_is_no_json_is_refused(header: bytes) -> None:
    with pytest.raises(ProtocolError, match="no JSON"):
        codec.decode_marked(header)


@pytest.mark.parametrize("header", [b"[]", b"1", b'"Done"', b"null", b"[[[[]]]]"])
def test_what_is_no_object_is_refused(header: bytes) -> None:
    with pytest.raises(ProtocolError, match="no JSON object"):
        codec.decode_marked(header)


@pytest.mark.parametrize("kind", ["Delete", "", None, 1, ["Done"], {"a": 1}, "Counter", "Counts"])
def test_an_unknown_type_is_refused(kind: Any) -> None:
    with pytest.raises(ProtocolError, match="unknown message"):
        _decode(type=kind)


def test_an_unknown_field_is_refused_by_name() -> None:
    with pytest.raises(ProtocolError, match=r"^Done: unknown field 'extra'$"):
        _decode(type="Done", seconds=1.0, extra=1)


def test_a_missing_field_is_refused_by_name() -> None:
    with pytest.raises(ProtocolError, match=r"^Forward: width is missing$"):
        _decode(type="Forward", height=3)


def test_a_field_with_a_default_may_be_left_out() -> None:
    assert _decode(type="Trouble", reason="crash", message="x") == Trouble("crash", "x")


@pytest.mark.parametrize("value", ["8", 8.0, None, True, [8], {"a": 8}])
def test_an_int_must_be_an_int_and_no_bool(value: Any) -> None:
    with pytest.raises(ProtocolError, match=r"^Count\.height: int is needed, got "):
        _decode(type="Count", height=value, width=8)


@pytest.mark.parametrize("value", ["1", None, True, [1.0]])
def test_a_float_must_be_a_number_and_no_bool(value: Any) -> None:
    with pytest.raises(ProtocolError, match=r"^Done\.seconds: float is needed, got "):
        _decode(type="Done", seconds=value)


def test_a_whole_number_is_a_float_too() -> None:
    message = _decode(type="Done", seconds=2)
    assert message == Done(2.0)
    assert isinstance(message, Done)
    assert type(message.seconds) is float


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 400])
def test_a_number_that_is_not_finite_is_refused(value: str) -> None:
    with pytest.raises(ProtocolError, match=r"^Done\.seconds: not a finite number$"):
        codec.decode_marked(f'{{"type": "Done", "seconds": {value}}}'.encode())


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 10**400])
def test_a_whole_number_beyond_64_bits_is_refused(value: int) -> None:
    with pytest.raises(ProtocolError, match=r"^Count\.width: the number is too large$"):
        _decode(type="Count", height=8, width=value)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("changed", "threads", r"^Ready\.changed: a list is needed$"),
        ("changed", [1], r"^Ready\.changed: str is needed, got int$"),
        ("policy", [], r"^Ready\.policy: an object is needed$"),
        ("policy", {"threads": 2}, r"^Ready\.policy: str is needed, got int$"),
    ],
)
def test_the_parts_of_a_list_and_an_object_are_checked(
    field: str, value: Any, message: str
) -> None:
    with pytest.raises(ProtocolError, match=message):
        _decode(type="Ready", load_s=1.0, params=1, **{field: value})


@pytest.mark.parametrize(
    "document",
    [
        {"type": "Trouble", "reason": "crash", "message": "\ud800"},
        {"type": "Observed", "dtypes": {"\udfff": 1}},
    ],
)
def test_an_answer_that_no_file_could_hold_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError, match="no valid text"):
        _decode(**document)


def test_text_that_is_no_unicode_is_replaced_when_an_answer_is_sent() -> None:
    sent = Trouble("crash", "no such file: a\udcff.png")
    assert codec.decode_marked(_header(sent))[0] == Trouble("crash", "no such file: a?.png")


def test_a_request_may_name_a_folder_that_is_no_unicode() -> None:
    load = messages.Load("a\udcff", "m:N", "{}", 4, 1.0, "cpu", 1, 0)
    assert codec.decode_marked(_header(load))[0] == load


@settings(deadline=None)
@given(ANY_MESSAGE, st.data())
def test_a_message_with_one_value_replaced_is_decoded_or_refused(
    message: Message, data: st.DataObject
) -> None:
    document = json.loads(_header(message))
    at: Any = document
    while isinstance(at, dict | list) and at:
        keys = sorted(at) if isinstance(at, dict) else range(len(at))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(at[key], dict | list) or data.draw(st.booleans()):
            at[key] = data.draw(JSON_VALUES)
            break
        at = at[key]
    _decoded_or_refused(json.dumps(document).encode())


@settings(deadline=None)
@given(ANY_MESSAGE, st.data())
def test_a_message_with_bytes_changed_is_decoded_or_refused(
    message: Message, data: st.DataObject
) -> None:
    header = bytearray(_header(message))
    for _ in range(data.draw(st.integers(1, 4))):
        header[data.draw(st.integers(0, len(header) - 1))] = data.draw(st.integers(0, 255))
    _decoded_or_refused(bytes(header[: data.draw(st.integers(0, len(header)))]))


def _decoded_or_refused(header: bytes) -> None:
    try:
        message = codec.decode_marked(header)[0]
    except ProtocolError:
        return
    assert isinstance(message, KINDS)


def test_a_word_that_a_field_does_not_know_is_refused() -> None:
    load = messages.Load("a", "m:N", "{}", 4, 1.0, "cpu", 1, 0)
    for strange in ("else", 3, ["entry"]):
        with pytest.raises(ProtocolError, match=r"^Load\.form: one of entry, graph, ntire"):
            codec.decode_marked(_header(dataclasses.replace(load, form=strange)))  # type: ignore[arg-type]
