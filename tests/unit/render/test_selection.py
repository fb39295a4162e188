from __future__ import annotations

import pytest
from fakes import boards

from harness.core.outcome import BadInput
from harness.render.selection import selected
from harness.render.table import Table, table


@pytest.fixture
def full() -> Table:
    return table(boards.full_board())


def test_columns_stand_in_the_order_that_is_asked_for(full: Table) -> None:
    few = selected(full, columns=("params", "psnr", f"psnr:{boards.TEST}", "main"))
    keys = [heading.key for heading in few.headings]
    assert keys == ["params", f"psnr:{boards.VALID}", f"psnr:{boards.TEST}", "track:main"]
    places = [[it.key for it in full.headings].index(key) for key in keys]
    for line, whole in zip(few.lines, full.lines, strict=True):
        assert line.cells == tuple(whole.cells[place] for place in places)


def test_the_best_figure_is_that_of_the_rows_that_are_shown(full: Table) -> None:
    # validation PSNR: 29.10 and 29.04 lead all rows, 29.02 and 29.01 these
    few = selected(full, columns=(f"psnr:{boards.VALID}",), rows=("bidi", "long"))
    cells = {line.id: line.cells[0] for line in few.lines}
    assert (cells["bidi"].text, cells["bidi"].best, cells["long"].second) == ("29.02", True, True)


def test_what_was_printed_of_a_row_stays_with_it(full: Table) -> None:
    few = selected(full, rows=("rlfn_ntire", "rfdn"))
    assert [(line.id, line.kind) for line in few.lines] == [
        ("rlfn_ntire", "ranked"),
        ("rlfn_ntire", "published"),
        ("rfdn", "ranked"),
    ]
    assert few.headings == full.headings


def test_a_name_that_nothing_has_is_answered_with_the_nearest(full: Table) -> None:
    with pytest.raises(BadInput, match=r"--columns names 'parms'.*params"):
        selected(full, columns=("parms",))
    with pytest.raises(BadInput, match=r"--rows names 'rfdm'.*rfdn"):
        selected(full, rows=("rfdm",))
