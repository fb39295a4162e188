from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from harness.render.text import clean, cut, plain, short


def test_a_direction_override_becomes_visible() -> None:
    assert clean("abc\u202edef") == "abc[U+202E]def"


def test_line_breaks_and_tabs_become_one_space() -> None:
    assert clean(" two\r\n\t lines\u2028here ") == "two lines here"


def test_an_escape_sequence_loses_its_escape() -> None:
    assert clean("\x1b[31mred") == "[U+001B][31mred"


def test_a_lone_surrogate_can_be_written_as_utf_8() -> None:
    assert clean("a\ud800b") == "a\ufffdb"


def test_names_in_other_scripts_stay_as_they_are() -> None:
    assert clean("南京大学 – École – שלום") == "南京大学 – École – שלום"


def test_a_tower_of_accents_is_cut_to_three() -> None:
    assert clean("e" + "\u0301" * 50) == "e" + "\u0301" * 3


def test_a_long_text_is_cut_with_an_ellipsis() -> None:
    assert cut("abcdef", 4) == "abc…"
    assert cut("abcd", 4) == "abcd"
    assert len(short("x" * 10_000)) == 48


@given(st.text())
def test_nothing_invisible_is_left(text: str) -> None:
    for character in clean(text):
        assert character in "\u200c\u200d" or unicodedata.category(character) not in (
            "Cc",
            "Cf",
            "Cs",
            "Co",
            "Cn",
            "Zl",
            "Zp",
        )


@given(st.text())
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert clean(clean(text)) == clean(text)


def test_a_message_keeps_its_lines_and_nothing_else_moves_the_cursor() -> None:
    assert plain("a:\n  b\x1b[2Jc\r\u202e") == "a:\n  b[U+001B][2Jc[U+000D][U+202E]"
