from __future__ import annotations

import io
import re
from datetime import datetime

import pytest
from rich.console import Console

from harness.cli.progress_bars import Bars, Lines, drawn

_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def _last_bar(width: int, text: str) -> str:
    """The bar as it stands when half of the second of four steps is done."""
    console = Console(file=io.StringIO(), force_terminal=True, width=width)
    with drawn(console) as progress:
        bars = Bars(progress)
        bars.stage("Measuring", 4)
        bars.done()
        bars.step(text, 0.5)
        assert progress.tasks[0].completed == 1.5
        shown = str(console.file.getvalue())  # type: ignore[attr-defined]
    lines = _CONTROLS.sub("", shown).replace("\r", "\n").splitlines()
    assert max(map(len, lines)) <= width
    return next(line for line in reversed(lines) if "Measuring" in line)


@pytest.mark.parametrize("width", [80, 120])
def test_a_bar_is_one_line_and_tells_step_and_image_first(width: int) -> None:
    line = _last_bar(width, f"round 2: image 3 of 40, {'many ' * 40}")
    assert " Measuring " in line
    assert "1/4" in line
    assert "round 2: image 3 of" in line


def test_a_bar_hands_no_control_character_of_a_stranger_s_to_the_terminal() -> None:
    assert "a[U+001B]]0;title[U+0007]b" in _last_bar(120, "a\x1b]0;title\x07b")


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.s = 100.0

    def __call__(self) -> float:
        return self.s


def test_a_log_gets_whole_lines_with_the_time_and_not_one_for_each_step() -> None:
    said: list[str] = []
    clock = Clock()
    lines = Lines(said.append, clock=clock, now=lambda: datetime(2031, 1, 2, 3, 4, 5))  # noqa: DTZ001
    lines.stage("Measuring", 2)
    for second in range(25):
        clock.s = 100.0 + second
        lines.step(f"image {second} of 40", second / 40)
    lines.done("acme: it fell")
    lines.warn("two\nlines")
    clock.s = 400.0
    lines.done()
    assert said == [
        "03:04:05 Measuring: 0 of 2",
        "03:04:05 Measuring: 0 of 2; image 10 of 40; about 70 s left",  # an eighth in 10 s
        "03:04:05 Measuring: 0 of 2; image 20 of 40; about 60 s left",  # a quarter in 20 s
        "03:04:05 acme: it fell",
        "03:04:05 two lines",
        "03:04:05 Measuring: all 2 in 5 min",
    ]
