"""Messages to bytes and back, strictly: the other side may be a stranger's program.

A frame is two big-endian sizes, a JSON header and a payload. Decoding accepts exactly the fields
of a known message with exactly their types, finite numbers and sizes below the caps.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import struct
import typing
from typing import Any

from harness.wire import messages
from harness.wire.messages import Answer, Message

SIZES = struct.Struct(">IQ")  # header bytes, payload bytes
HEADER_CAP = 4 * 1024 * 1024
PAYLOAD_CAP = 1024 * 1024 * 1024
MARK_CAP = 64  # characters
INT_LIMIT = 2**63  # whole numbers stay below it, so that every one of them has a float


class ProtocolError(Exception):
    """The other side sent something that is no message."""


def encode(message: Message, payload_size: int = 0, *, mark: str = "") -> bytes:
    """The sizes and the header of a frame; the payload follows on the channel.

    `mark` is drawn for a request and repeated by its answer.
    """
    document = {"type": type(message).__name__, **dataclasses.asdict(message)}
    if mark:
        document["mark"] = mark
    if isinstance(message, Answer):  # an exception may quote a file name that is no Unicode
        header = json.dumps(document, ensure_ascii=False).encode(errors="replace")
    else:
        header = json.dumps(document).encode()
    return SIZES.pack(len(header), payload_size) + header


def sizes(prefix: bytes) -> tuple[int, int]:
    """Header and payload size from the first bytes of a frame; ProtocolError above the caps."""
    header, payload = SIZES.unpack(prefix)
    if header > HEADER_CAP or payload > PAYLOAD_CAP:
        raise ProtocolError(f"a frame of {header} + {payload} bytes is over the limit")
    return header, payload


def decode_marked(header: bytes) -> tuple[Message, str]:
    """The message of a JSON header and its mark, "" where it has none.

    ProtocolError names the first thing wrong with it.
    """
    try:
        document = json.loads(header)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"the header is no JSON: {error}") from None
    if not isinstance(document, dict):
        raise ProtocolError("the header is no JSON object")
    kind = document.pop("type", None)
    mark = document.pop("mark", "")
    if not isinstance(mark, str) or len(mark) > MARK_CAP:
        raise ProtocolError("a message's mark must be a short text")
    known = _message_types()
    if not isinstance(kind, str) or kind not in known:
        raise ProtocolError(f"unknown message {kind!r:.80}")
    message = typing.cast("Message", _build(known[kind], document, kind))
    if isinstance(message, Answer):
        _refuse_invalid_text(document, kind)
    return message, mark


def _refuse_invalid_text(document: dict[str, Any], kind: str) -> None:
    """A lone surrogate passes as JSON, but no log, record or page could hold it."""
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ProtocolError(f"{kind}: it holds no valid text") from None


@functools.cache
def _message_types() -> dict[str, type]:
    return {kind.__name__: kind for kind in typing.get_args(messages.Message)}


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _build(kind: type, document: dict[str, Any], where: str) -> object:
    fields = {item.name: item for item in dataclasses.fields(kind)}
    unknown = document.keys() - fields.keys()
    if unknown:
        raise ProtocolError(f"{where}: unknown field {min(unknown)!r:.80}")
    values = {}
    for name, item in fields.items():
        if name in document:
            values[name] = _value(_hints(kind)[name], document[name], f"{where}.{name}")
        elif item.default is item.default_factory is dataclasses.MISSING:
            raise ProtocolError(f"{where}: {name} is missing")
    return kind(**values)


def _value(hint: Any, value: Any, where: str) -> Any:
    origin = typing.get_origin(hint)
    if origin is tuple:
        if not isinstance(value, list):
            raise ProtocolError(f"{where}: a list is needed")
        return tuple(_value(typing.get_args(hint)[0], item, where) for item in value)
    if origin is dict:
        if not isinstance(value, dict):
            raise ProtocolError(f"{where}: an object is needed")
        return {k: _value(typing.get_args(hint)[1], it, where) for k, it in value.items()}
    return _scalar(hint, value, where)


def _scalar(hint: Any, value: Any, where: str) -> Any:
    if typing.get_origin(hint) is typing.Literal:
        words = typing.get_args(hint)
        if value not in words:
            raise ProtocolError(f"{where}: one of {', '.join(words)} is needed, got {value!r:.80}")
        return value
    if hint is float and type(value) in (int, float):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise ProtocolError(f"{where}: not a finite number")
        return number
    if type(value) is not hint:
        name = getattr(hint, "__name__", str(hint))
        raise ProtocolError(f"{where}: {name} is needed, got {type(value).__name__}")
    if hint is int and not -INT_LIMIT < value < INT_LIMIT:
        raise ProtocolError(f"{where}: the number is too large")
    return value
