from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from fakes import boards

from harness.core.leaderboard import Leaderboard, Row
from harness.render.plots.quality_cost import FRONT, QualityCost, drawn_plot, quality_costs
from harness.render.plots.shapes import to_svg


def plotted(*rows: Row, cost: str = "runtime") -> QualityCost:
    return next(it for it in quality_costs(boards.board(*rows)) if it.cost == cost)


def texts(plot: QualityCost) -> list[str]:
    """What is written, without what is shown under the pointer."""
    root = ET.fromstring(to_svg(drawn_plot(plot).sheet))  # noqa: S314 - our own drawing
    return ["".join(node.itertext()).strip() for node in root.iter() if node.tag.endswith("text")]


def net(place: int, runtime_ms: float, psnr_db: float) -> Row:
    values = boards.values(runtime=runtime_ms / 1e3, valid=psnr_db)
    return boards.ranked(place, id=f"n{place}", title=f"Net {place}", values=values)


def test_a_board_has_a_plot_for_each_cost_that_rows_have() -> None:
    found = quality_costs(boards.full_board())
    assert [it.cost for it in found] == ["runtime", "params", "macs", "memory"]
    assert found[1].title == "PSNR on sample_valid against params"
    values = boards.values()
    del values["memory"]
    found = quality_costs(boards.board(boards.ranked(1, values=values)))
    assert [it.cost for it in found] == ["runtime", "params", "macs"]


def test_names_are_written_beside_their_circles_and_figures_told_under_the_pointer() -> None:
    plot = plotted(boards.ranked(1))
    assert "RLFN-ntire" in texts(plot)
    assert "PSNR on sample_valid [dB]" in texts(plot)
    svg = to_svg(drawn_plot(plot).sheet)
    assert "<title>RLFN-ntire: 29.00 dB, 27.11 ms, 0.317 M</title>" in svg


def test_the_front_joins_the_rows_that_none_beats_in_both_figures() -> None:
    # the third is slower and worse than the second, the fourth as fast as the first and worse
    rows = (
        net(1, 10, 28.0),
        net(2, 20, 29.0),
        net(3, 30, 28.9),
        net(4, 10, 27.0),
        net(5, 40, 29.1),
    )
    plot = plotted(*rows)
    assert [it.name for it in plot.front] == ["Net 1", "Net 2", "Net 5"]
    assert FRONT in texts(plot)
    assert plot.description == (
        "PSNR on sample_valid against runtime, 5 rows. Pareto front: "
        "Net 1: 28.00 dB, 10.00 ms, 0.317 M; Net 2: 29.00 dB, 20.00 ms, 0.317 M; "
        "Net 5: 29.10 dB, 40.00 ms, 0.317 M"
    )


def test_text_of_entries_is_text_in_the_drawing() -> None:
    plot = plotted(boards.ranked(1, title=r"$\frac{1}$ <b>&\"'"))
    assert r"$\frac{1}$ <b>&\"'" in texts(plot)


def test_of_forty_crowded_models_each_has_a_name_or_a_number_or_is_counted() -> None:
    rows = [net(place, 20 + 4 * (place % 8), 29 + 0.1 * (place // 8)) for place in range(1, 41)]
    plot = plotted(*rows)
    drawn = drawn_plot(plot)
    named = {text for text in texts(plot) if text.startswith("Net ")}
    numbered = [text.partition(":")[0] for text in drawn.numbered]
    assert not named & set(numbered)
    assert len(named) + len(numbered) + drawn.unnamed == 40
    assert {str(number + 1) for number in range(len(numbered))} <= set(texts(plot))


@pytest.mark.parametrize("cost", ["runtime", "params", "macs", "memory"])
def test_of_a_few_models_at_the_edge_all_have_their_names(cost: str) -> None:
    # the sample challenge's: four close to each other and far from the fifth
    figures = [
        ("RLFN (NTIRE 2022)", 29.21, 0.102, 0.317e6, 19.7e9, 29e6),
        ("FasterRFDN", 29.13, 0.123, 0.376e6, 22.3e9, 67e6),
        ("RFDN (AIM 2020 winner)", 29.06, 0.202, 0.433e6, 27.1e9, 68e6),
        ("IMDN (NTIRE baseline)", 29.08, 0.264, 0.894e6, 58.4e9, 52e6),
        ("Linear filters", 28.42, 0.003, 0.001e6, 0.15e9, 10e6),
    ]
    rows = [
        boards.ranked(
            place,
            title=name,
            values=boards.values(valid=psnr, runtime=s, params=params, macs=macs, memory=memory),
        )
        for place, (name, psnr, s, params, macs, memory) in enumerate(figures, start=1)
    ]
    plot = plotted(*rows, cost=cost)
    assert drawn_plot(plot).numbered == ()
    assert {name for name, *_ in figures} <= set(texts(plot))


def test_untrained_failed_and_floor_rows_are_not_drawn() -> None:
    names = {it.name for it in quality_costs(boards.full_board())[0].rows}
    assert names.isdisjoint({"IMDN", "SlowNet", "Bicubic"})
    assert "RFDN" in names


def test_only_the_roles_that_are_drawn_are_in_the_key() -> None:
    assert plotted(boards.ranked(1)).roles == ("entry",)
    both = plotted(boards.ranked(1), boards.ranked(2, role="reference"))
    assert both.roles == ("reference", "entry")


def test_without_a_measured_validation_split_the_next_data_set_is_drawn() -> None:
    values = boards.values()
    del values[f"psnr:{boards.VALID}"]
    assert plotted(boards.ranked(1, values=values)).title == "PSNR on sample_test against runtime"


def test_nothing_to_plot_is_no_plot() -> None:
    assert quality_costs(boards.board(boards.failed_row(), boards.floor_row())) == ()


def test_a_model_without_parameters_is_a_circle_too() -> None:
    plot = plotted(boards.ranked(1, values=boards.values(params=0.0)))
    assert plot.rows[0].told.endswith("0.000 M")
    assert drawn_plot(plot).sheet.shapes


def test_a_row_much_slower_than_the_others_makes_the_axis_logarithmic() -> None:
    def label(slowest_ms: float) -> bool:
        return "Runtime [ms], logarithmic" in texts(plotted(net(1, 10, 29), net(2, slowest_ms, 29)))

    assert [label(slowest_ms) for slowest_ms in (200, 201)] == [False, True]


def test_the_same_board_gives_the_same_drawing() -> None:
    def svg(board: Leaderboard) -> list[str]:
        return [to_svg(drawn_plot(it).sheet) for it in quality_costs(board)]

    assert svg(boards.full_board()) == svg(boards.full_board())
