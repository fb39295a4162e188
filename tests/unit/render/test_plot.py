from __future__ import annotations

import xml.etree.ElementTree as ET

from fakes import boards

from harness.core.leaderboard import Row
from harness.render.plot import Plot, plot


def drawn(*rows: Row) -> Plot:
    found = plot(boards.board(*rows))
    assert found is not None
    return found


def texts(found: Plot) -> list[str]:
    root = ET.fromstring(found.svg)  # noqa: S314 - our own drawing
    return ["".join(node.itertext()).strip() for node in root.iter() if node.tag.endswith("text")]


def test_names_are_drawn_as_text_beside_their_circles() -> None:
    assert "RLFN-ntire (0.317 M)" in texts(drawn(boards.ranked(1)))
    assert "PSNR on sample_valid [dB]" in texts(drawn(boards.ranked(1)))


def test_the_plot_says_in_words_what_it_shows() -> None:
    assert drawn(boards.ranked(1)).description == "RLFN-ntire: 29.00 dB, 27.11 ms, 0.317 M"


def test_a_dollar_sign_is_no_mathematics_and_a_tag_no_tag() -> None:
    found = drawn(boards.ranked(1, title=r"$\frac{1}$ <b>&"))
    assert r"$\frac{1}$ <b>& (0.317 M)" in texts(found)


def test_a_name_in_another_script_draws_without_a_warning(recwarn: object) -> None:
    assert "南京 (0.317 M)" in texts(drawn(boards.ranked(1, title="南京")))
    assert not list(recwarn)  # type: ignore[call-overload]


def test_labels_of_neighbours_are_both_there() -> None:
    rows = [boards.ranked(place, title=f"Net {place}") for place in (1, 2, 3)]
    assert {f"Net {place} (0.317 M)" for place in (1, 2, 3)} <= set(texts(drawn(*rows)))


def test_of_forty_crowded_models_each_has_a_name_or_a_number_that_the_caption_names() -> None:
    rows = [
        boards.ranked(
            place,
            title=f"Net {place}",
            values=boards.values(
                runtime=0.02 + 0.0004 * (place % 8), valid=29 + 0.01 * (place // 8)
            ),
        )
        for place in range(1, 41)
    ]
    found = drawn(*rows)
    names = {f"Net {place}" for place in range(1, 41)}
    numbered = {text.partition(":")[0] for text in found.numbered}
    written = {text.removesuffix(" (0.317 M)") for text in texts(found)}
    assert numbered
    assert numbered <= names
    assert written & names == names - numbered
    assert {str(number) for number in range(1, len(numbered) + 1)} <= written
    assert found.numbered[0].endswith(" ms, 0.317 M")


def test_where_every_name_has_a_place_nothing_is_numbered() -> None:
    assert drawn(boards.ranked(1), boards.ranked(2, title="Other")).numbered == ()


def test_the_same_board_gives_the_same_drawing() -> None:
    assert plot(boards.full_board()) == plot(boards.full_board())


def test_colours_are_the_pages_own() -> None:
    svg = drawn(boards.ranked(1)).svg
    assert "var(--plot-ink" in svg
    assert "var(--plot-entry" in svg
    assert "<style" not in svg


def test_untrained_failed_and_floor_rows_are_not_drawn() -> None:
    described = plot(boards.full_board())
    assert described is not None
    for name in ("IMDN", "SlowNet", "Bicubic"):
        assert name not in described.description


def test_only_the_roles_that_are_drawn_are_in_the_key() -> None:
    assert drawn(boards.ranked(1)).roles == ("entry",)
    assert drawn(boards.ranked(1), boards.ranked(2, role="reference")).roles == (
        "reference",
        "entry",
    )


def test_without_a_measured_validation_split_the_next_data_set_is_drawn() -> None:
    values = boards.values()
    del values[f"psnr:{boards.VALID}"]
    assert drawn(boards.ranked(1, values=values)).title == "PSNR on sample_test against runtime"


def test_nothing_to_plot_is_none() -> None:
    assert plot(boards.board(boards.failed_row(), boards.floor_row())) is None


def test_a_model_without_parameters_is_a_point_too() -> None:
    row = boards.ranked(1, values=boards.values(params=0.0))
    assert drawn(row).description.endswith("0.000 M")


def test_a_row_much_slower_than_the_others_makes_the_axis_logarithmic() -> None:
    def label(slowest_s: float) -> bool:
        fast = boards.ranked(1, values=boards.values(runtime=0.010), title="Fast")
        slow = boards.ranked(2, values=boards.values(runtime=slowest_s), title="Slow")
        return "Runtime [ms], logarithmic" in texts(drawn(fast, slow))

    assert [label(slowest_s) for slowest_s in (0.2, 0.201)] == [False, True]
