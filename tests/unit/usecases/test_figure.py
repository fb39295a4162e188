from __future__ import annotations

from pathlib import Path

import pytest
from fakes import pictures

from harness.core.leaderboard import Leaderboard
from harness.core.outcome import BadInput
from harness.usecases import figure
from harness.usecases.figure import FigureRequest, draw_figure


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    board = pictures.two_entries(tmp_path / "sample" / "pictures")

    def report(challenge: str, reports: Path) -> Leaderboard:
        assert (challenge, reports) == ("sample", tmp_path)
        return board

    monkeypatch.setattr(figure, "report", report)
    return tmp_path


def test_the_figure_lies_in_the_challenges_folder_in_three_formats(reports: Path) -> None:
    paths = draw_figure(FigureRequest("sample", "square", reports=reports))
    assert [path.relative_to(reports).as_posix() for path in paths] == [
        f"sample/figures/sample_valid_square.{form}" for form in ("pdf", "svg", "png")
    ]
    assert all(path.stat().st_size > 1000 for path in paths)


def test_a_figure_goes_where_it_is_asked_to(reports: Path) -> None:
    request = FigureRequest("sample", "square", (8, 8, 64, 32), ("bad",), reports, reports / "a.b")
    assert [path.name for path in draw_figure(request)] == ["a.b.pdf", "a.b.svg", "a.b.png"]


@pytest.mark.parametrize(
    ("crop", "entries", "told"),
    [
        ((300, 0, 64, 32), (), "does not lie within the 320x320 pixels of square"),
        ((0, 0, 0, 32), (), "--crop X,Y,WIDTH,HEIGHT"),
        (None, ("godo",), r"no entry 'godo'.*good"),
        (None, ("bicubic",), "no picture of square by bicubic is kept"),
    ],
)
def test_what_is_not_there_is_told(
    reports: Path, crop: tuple[int, int, int, int] | None, entries: tuple[str, ...], told: str
) -> None:
    with pytest.raises(BadInput, match=told):
        draw_figure(FigureRequest("sample", "square", crop, entries, reports))
