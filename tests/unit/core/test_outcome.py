from __future__ import annotations

import pytest

from harness.core.outcome import MESSAGE_LIMIT, REASONS, Failed, failed


@pytest.mark.parametrize("reason", REASONS)
def test_a_known_reason_is_kept(reason: str) -> None:
    assert failed("load", reason, "text") == Failed("load", reason, "text")  # type: ignore[arg-type]


@pytest.mark.parametrize("reason", ["", "CRASH", "winner", "crash\n", "x" * 10_000])
def test_an_unknown_reason_is_a_broken_protocol(reason: str) -> None:
    assert failed("forward", reason, "text") == Failed("forward", "protocol", "text")


def test_a_message_becomes_one_line() -> None:
    assert failed("load", "crash", " a\r\n\tb \x0b c\u2028d ").message == "a b c d"


def test_a_message_at_the_limit_is_kept_whole() -> None:
    text = "x" * MESSAGE_LIMIT
    assert failed("load", "crash", text).message == text


def test_a_longer_message_is_cut_and_says_so() -> None:
    message = failed("load", "crash", "x" * (MESSAGE_LIMIT + 1)).message
    assert message == "x" * (MESSAGE_LIMIT - 1) + "…"


def test_an_empty_message_stays_empty() -> None:
    assert failed("load", "crash", "\n").message == ""
