"""An official checkout as it stands: every difficult entry gets its score or its reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.challenges import write_challenge, write_set5
from fakes.checkouts import write_checkout

from harness.cli.esr_inspect import document
from harness.core.leaderboard import Leaderboard, Row
from harness.core.outcome import BadInput
from harness.entries import catalogue, checkouts
from harness.usecases.adopt import adopt
from harness.usecases.evaluate import RunRequest, evaluate
from harness.usecases.inspect import Inspected, inspect
from harness.usecases.official_results import write_results

FAILED = {
    2: "ModuleNotFoundError: No module named 'a_package_that_nobody_has'",
    6: "test_demo.py has no model for id 6: its branch is empty",
    14: "model_zoo/code.pth is refused: it is a pickle with more than tensors in it",
    16: "AssertionError: as it is counted (look, line 7 of models/broken.py)",
    15: "select_model gave a function instead of an nn.Module: an entry that reads and writes",
}
REMARKS = {
    3: "asks for CUDA while it is loaded; it was given the CPU",
    5: "model_zoo/nowhere.pth is not in the checkout: the model has seeded weights",
    7: "loaded with strict=False: 1 of the model's parameters and buffers are not in the "
    "checkpoint (conv.bias); 1 of the checkpoint's are not in the model (extra)",
    8: "asks for CUDA while it is loaded; it was given the CPU",
    9: "the same image came out differently",
    12: "gives 192x192",
    13: "gives 148x116",
    19: "the first forward changed the parameters from 2,688 to 1,344",
    20: "test_demo.py runs it by a function of its own, forward_padded",
    21: "of test_demo.py does something for it alone: not followed",
    22: "its cost depends on what the image shows: ",
    17: "select_model builds it in fp16, and so it is run",
}
PLAIN = (-1, 0, 1, 4, 10, 11, 18)
SCORED = (0, 5, 7, 13, 17)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkout(tmp_path_factory.mktemp("official") / "checkout")


@pytest.fixture(scope="module")
def found(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[int, Inspected]:
    ids = tuple(range(-1, 23))
    before = _files(checkout)
    looked = inspect(
        checkouts.candidates(checkout, ids),
        size=(32, 32),
        logs=tmp_path_factory.mktemp("logs"),
    )
    assert _files(checkout) == before, "something was written into the checkout"
    return dict(zip(ids, looked, strict=True))


@pytest.fixture(scope="module")
def board(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Leaderboard:
    root = tmp_path_factory.mktemp("run")
    rules = write_challenge(root / "tiny.toml", deadline_s=120, audits=True)
    text = rules.read_text(encoding="utf-8")
    rules.write_text(text.replace("count_deadline_s = 20", "count_deadline_s = 120"), "utf-8")
    return evaluate(
        RunRequest(
            ntire=checkout,
            ids=SCORED,
            challenge=str(rules),
            data_dir=write_set5(root / "data"),
            reports=root / "reports",
        )
    )


@pytest.fixture
def rows(board: Leaderboard) -> dict[str, Row]:
    return {row.entry.id: row for row in board.rows}


@pytest.mark.parametrize("number", FAILED)
def test_what_can_not_be_loaded_has_its_reason(found: dict[int, Inspected], number: int) -> None:
    failure = found[number].failure
    assert failure is not None
    assert FAILED[number] in failure.message


def test_where_no_image_went_through_the_entry_failed_though_it_was_counted(
    found: dict[int, Inspected],
) -> None:
    one = found[16]
    assert document(one)["status"] == "failed"
    assert one.counts is not None


@pytest.mark.parametrize("number", [*PLAIN, *REMARKS])
def test_everything_else_is_counted(found: dict[int, Inspected], number: int) -> None:
    one = found[number]
    assert one.failure is None
    assert one.counts is not None
    assert one.counts.counts.params == 48 * 3 * 9 + 48
    (counter,) = one.counts.counts.counters
    assert (counter.name, counter.macs) == ("ntire2022", 48 * 3 * 9 * 32 * 32)


@pytest.mark.parametrize("number", REMARKS)
def test_what_a_reader_should_know_is_said(found: dict[int, Inspected], number: int) -> None:
    assert any(REMARKS[number] in finding.text for finding in found[number].findings)


@pytest.mark.parametrize("number", PLAIN)
def test_an_entry_that_is_merely_odd_passes(found: dict[int, Inspected], number: int) -> None:
    assert {finding.level for finding in found[number].findings} == {"ok"}


def test_entries_of_a_checkout_are_scored_as_they_are(rows: dict[str, Row]) -> None:
    assert rows["id00_plain"].ranked
    assert rows["id00_plain"].entry.team == "The plain Team"
    assert rows["id00_plain"].entry.badges == ()
    assert 15 < rows["id00_plain"].entry.values["psnr:Set5"] < 60


def test_what_is_built_in_half_precision_is_run_in_it(rows: dict[str, Row]) -> None:
    entry = rows["id17_half"].entry
    assert rows["id17_half"].ranked
    assert entry.precision == "fp16"
    assert {it.id: it.verdict for it in entry.audits}["precision"] == "ok"


def test_a_tile_of_the_script_is_used_with_the_overlap_of_the_script(rows: dict[str, Row]) -> None:
    assert rows["id13_narrow"].ranked  # it refuses the whole image


def test_a_load_that_was_not_strict_is_a_note_of_the_row(rows: dict[str, Row]) -> None:
    assert any("strict=False" in note for note in rows["id07_plain"].entry.notes)
    assert rows["id07_plain"].ranked


def test_a_checkpoint_that_is_not_there_fails_the_row_and_leaves_its_counts(
    rows: dict[str, Row],
) -> None:
    row = rows["id05_plain"]
    assert row.entry.reason == "load: model_zoo/nowhere.pth is not in the checkout"
    assert row.entry.values["params"] == 48 * 3 * 9 + 48


def test_official_results_come_from_the_board(board: Leaderboard, tmp_path: Path) -> None:
    _json, text = write_results(board, tmp_path)
    lines = text.read_text(encoding="utf-8").splitlines()
    assert [line.split("\t")[0].strip() for line in lines[1:]] == [
        row.entry.id.replace("id", "") for row in board.rows if row.ranked
    ]


def test_an_adopted_entry_is_a_submission_with_the_same_output(
    checkout: Path, tmp_path: Path
) -> None:
    nested, cuda, empty = adopt(checkout, (4, 3, 6), to=tmp_path / "to", logs=tmp_path / "logs")
    assert nested.failure is None
    (candidate,) = catalogue.read_folder(nested.folder)
    assert isinstance(candidate, catalogue.Entry), candidate
    assert (nested.folder / "LICENSE").read_text(encoding="utf-8") == "Do as you like.\n"
    assert sorted(path.name for path in nested.folder.rglob("*.py")) == [
        "adopted.py",
        "adopted_select.py",
        "plain.py",
    ]
    for other in (cuda, empty):
        assert other.failure is not None
        assert not other.folder.exists()


def test_a_model_that_fuses_itself_refuses_a_size_or_is_padded_by_the_script_is_adopted(
    checkout: Path, tmp_path: Path
) -> None:
    adopted = adopt(checkout, (17, 18, 19, 12, 20), to=tmp_path / "to", logs=tmp_path / "logs")
    assert [one.failure for one in adopted] == [None] * 5


def test_a_challenge_without_validation_set_has_no_official_results(
    board: Leaderboard, tmp_path: Path
) -> None:
    import dataclasses

    uses = tuple(dataclasses.replace(it, split="benchmark") for it in board.challenge.datasets)
    other = dataclasses.replace(
        board, challenge=dataclasses.replace(board.challenge, datasets=uses)
    )
    with pytest.raises(BadInput, match="validation set"):
        write_results(other, tmp_path)


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
