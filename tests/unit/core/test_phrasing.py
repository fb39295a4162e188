from __future__ import annotations

import pytest

from harness.core.phrasing import nearest

KNOWN = ("rlfn_x4", "imdn_x4", "imdn_x2", "ntire2022")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("rlfnx4", "; did you mean rlfn_x4?"),
        ("RLFN-x4", "; did you mean rlfn_x4?"),
        ("ntire202", "; did you mean ntire2022?"),
        ("bicubic", ""),
        ("", ""),
        ("x" * 100_000, ""),
    ],
)
def test_a_mistyped_name_is_answered_with_what_is_like_it(name: str, said: str) -> None:
    assert nearest(name, KNOWN) == said
