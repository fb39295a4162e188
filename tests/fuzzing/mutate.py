"""Documents bent at random: odd values in odd places of a tree, and bytes that flip.

`dice` is any random.Random: seeded ones for a script, hypothesis's own for a test that shrinks.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

WHOLE = (0, -1, 1, 2, 3, 4, 2**31, 2**53 + 1, -(2**63), 2**63, 2**64, 10**30, 10**400, 16**5000)
FRACTIONS = (0.0, -0.0, 5e-324, 1e-9, 0.1, 1.5, 1e16, 1.7e308, math.inf, -math.inf, math.nan)
TEXTS = (
    *("", " ", "\n", "\x00", "\x1b[2J", "x" * 10_000, "\u202e\u2066", "e" + "\u0301" * 200),
    *("\U0010ffff", "\ufeff", "<script>", "=1+1", "${x}", "%s%n", "../../x", "/etc/passwd"),
    *("nan", "Infinity", "1e999", "psnr:", "psnr:Set5", "runtime", "model:Net", "id", "round"),
)
LONE = "\ud800"  # half of a pair: JSON may hold its escape, no file can hold it
NESTED = 60


def odd(dice: Random) -> Any:
    """A value that nobody expected here."""
    kind = dice.randrange(8)
    if kind < 2:
        return dice.choice(WHOLE)
    if kind < 4:
        return dice.choice(FRACTIONS)
    if kind < 6:
        return dice.choice((*TEXTS, LONE))
    return _copy(dice.choice((None, True, False, [], {}, [[]], [{}], {"": 0}, _deep())))


def bent(document: Any, dice: Random, donors: Sequence[Any]) -> Any:
    """The document after one to four edits somewhere in it; `donors` lend it parts of theirs."""
    root = [_copy(document)]
    for _ in range(dice.randint(1, 4)):
        places = list(_places(root))
        holder, key = dice.choice(places)
        dice.choice(EDITS)(holder, key, dice, donors)
    return root[0] if root else None


def broken(data: bytes, dice: Random, donors: Sequence[bytes]) -> bytes:
    """The bytes after one to four edits that know nothing of what they mean."""
    found = bytearray(data)
    for _ in range(dice.randint(1, 4)):
        at = dice.randint(0, len(found))
        dice.choice(BYTES)(found, at, dice, dice.choice(donors))
    return bytes(found[: 1 << 20])


def as_json(document: Any, dice: Random) -> bytes:
    """As a careless program writes it: NaN and Infinity, and text as escapes or as it is."""
    plain = dice.random() < 0.5
    return _long(lambda: json.dumps(document, ensure_ascii=plain)).encode(errors="surrogatepass")


def as_toml(document: Any) -> bytes:
    """One line for each key, tables inline; whole numbers above 64 bits as hexadecimal."""
    if not isinstance(document, dict):
        return _toml(document).encode(errors="surrogatepass")
    lines = (f"{_text(str(key))} = {_toml(value)}\n" for key, value in document.items())
    return "".join(lines).encode(errors="surrogatepass")


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_text(str(k))} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, bool) or value is None:
        return json.dumps(value)  # null is no TOML, which is a case too
    if isinstance(value, int):
        return hex(value) if value >= 2**63 else str(value)
    return repr(value) if isinstance(value, float) else _text(str(value))


def _text(text: str) -> str:
    return json.dumps(text)


def _long(write: Callable[[], str]) -> str:
    """Numbers of any length are written, though Python refuses to by default."""
    try:
        return write()
    except ValueError:
        return '{"number": 1' + "0" * 5000 + "}"


def _copy(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _copy(value) for key, value in node.items()}
    return [_copy(item) for item in node] if isinstance(node, list) else node


def _deep() -> Any:
    found: Any = 0
    for _ in range(NESTED):
        found = [found]
    return found


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every holder and key of the tree."""
    for key in range(len(node)) if isinstance(node, list) else list(node):
        yield node, key
        if isinstance(node[key], dict | list):
            yield from _places(node[key])


def _replace(holder: Any, key: Any, dice: Random, _: Sequence[Any]) -> None:
    holder[key] = odd(dice)


def _remove(holder: Any, key: Any, dice: Random, donors: Sequence[Any]) -> None:
    if len(holder) > 1:
        del holder[key]
    else:
        _replace(holder, key, dice, donors)


def _rename(holder: Any, key: Any, dice: Random, donors: Sequence[Any]) -> None:
    if isinstance(holder, dict):
        holder[dice.choice((*TEXTS, key))] = holder.pop(key)
    else:
        _repeat(holder, key, dice, donors)


def _repeat(holder: Any, key: Any, dice: Random, _: Sequence[Any]) -> None:
    if isinstance(holder, list):
        holder[key:key] = _copy(holder[key : key + 1]) * dice.choice((1, 2, 40))
    else:
        holder[f"{key}_"] = _copy(holder[key])


def _borrow(holder: Any, key: Any, dice: Random, donors: Sequence[Any]) -> None:
    lender, of = dice.choice(list(_places([dice.choice(donors)])))
    holder[key] = _copy(lender[of])


def _nudge(holder: Any, key: Any, dice: Random, donors: Sequence[Any]) -> None:
    """Another value of the same type: what a check of types lets through."""
    was = holder[key]
    if isinstance(was, bool):
        holder[key] = not was
    elif isinstance(was, int):
        holder[key] = dice.choice(WHOLE)
    elif isinstance(was, float):
        holder[key] = dice.choice(FRACTIONS)
    elif isinstance(was, str):
        holder[key] = dice.choice((*TEXTS, was + dice.choice(TEXTS)))
    else:
        _borrow(holder, key, dice, donors)


def _flip(data: bytearray, at: int, dice: Random, _: bytes) -> None:
    if at < len(data):
        data[at] ^= 1 << dice.randrange(8)


def _overwrite(data: bytearray, at: int, dice: Random, _: bytes) -> None:
    data[at : at + 1] = bytes([dice.randrange(256)])


def _insert(data: bytearray, at: int, dice: Random, _: bytes) -> None:
    data[at:at] = dice.choice((b"\x00", b"\xff\xfe", b"\n", b'"', b"[", b"{", b"9" * 400))


def _drop(data: bytearray, at: int, dice: Random, _: bytes) -> None:
    del data[at : at + dice.choice((1, 2, 8, 64))]


def _cut(data: bytearray, at: int, dice: Random, _: bytes) -> None:
    data[:] = data[:at] if dice.random() < 0.5 else data[at:]


def _splice(data: bytearray, at: int, dice: Random, donor: bytes) -> None:
    start = dice.randint(0, len(donor))
    data[at:at] = donor[start : start + dice.choice((4, 32, 256))]


def _double(data: bytearray, at: int, dice: Random, _: bytes) -> None:
    data[at:at] = data[at : at + dice.choice((1, 16, 256))] * dice.choice((1, 3, 50))


EDITS = (_replace, _remove, _rename, _repeat, _borrow, _nudge, _nudge, _nudge)
BYTES = (_flip, _overwrite, _insert, _drop, _cut, _splice, _double)
