"""Which files decide what an id is: found by reading, by way of each other."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fakes.checkouts import write_checkout

from harness.core.outcome import BadInput
from harness.entries import checkouts
from harness.entries.catalogue import Entry, Rejected
from harness.entries.checkouts import files
from harness.entries.checkouts.checkout import read


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return write_checkout(tmp_path / "checkout")


def deciding(checkout: Path, number: int) -> set[str]:
    script = read(checkout)
    own = (*script.shared, *script.branches[number].statements)
    return set(files.deciding(files.tree(checkout), own))


def digests(checkout: Path) -> dict[str, str]:
    found = checkouts.candidates(checkout)
    return {it.id: it.digest if isinstance(it, Entry) else "" for it in found}


def changed(before: dict[str, str], checkout: Path) -> set[str]:
    return {name for name, digest in digests(checkout).items() if digest != before[name]}


def test_an_id_is_its_module_and_its_checkpoint(checkout: Path) -> None:
    assert deciding(checkout, 0) == {"models/plain.py", "model_zoo/plain.pth"}


def test_imports_of_imports_count(checkout: Path) -> None:
    assert deciding(checkout, 10) == {"models/shy.py", "models/plain.py", "model_zoo/plain.pth"}


def test_all_code_counts_where_the_path_is_edited(checkout: Path) -> None:
    assert deciding(checkout, 1) >= {"models/hidden/inner.py", "models/cuda.py", "test_demo.py"}


def test_a_changed_checkpoint_changes_those_that_load_it(checkout: Path) -> None:
    before = digests(checkout)
    (checkout / "model_zoo" / "nested.pth").write_bytes(b"other")
    assert changed(before, checkout) == {"id04_plain"}


def test_a_new_id_changes_no_other(checkout: Path) -> None:
    before = digests(checkout)
    script = checkout / "test_demo.py"
    added = "    elif model_id == 99:\n        model = None\n    else:\n"
    text = script.read_text(encoding="utf-8").replace("    else:\n", added, 1)
    script.write_text(text, encoding="utf-8")
    before["id99"] = digests(checkout)["id99"]
    assert changed(before, checkout) == {"id01_loud"}  # all code is what it depends on


def test_a_changed_branch_changes_its_id(checkout: Path) -> None:
    before = digests(checkout)
    script = checkout / "test_demo.py"
    text = script.read_text(encoding="utf-8").replace("['params']", "['weights']")
    script.write_text(text, encoding="utf-8")
    assert changed(before, checkout) >= {"id04_plain"}
    assert "id00_plain" not in changed(before, checkout)


def test_relative_imports_are_followed(tmp_path: Path) -> None:
    package = tmp_path / "models" / "team"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "net.py").write_text("from . import block as B\n", encoding="utf-8")
    (package / "block.py").write_text("import json\nopen('table.json')\n", encoding="utf-8")
    (package / "table.json").write_text("{}", encoding="utf-8")
    (tmp_path / "test_demo.py").write_text(
        "def select_model(args, device):\n    model_id = args.model_id\n    if model_id == 1:\n"
        "        from models.team.net import Net\n        model = Net()\n",
        encoding="utf-8",
    )
    assert deciding(tmp_path, 1) == {
        "models/team/__init__.py",
        "models/team/net.py",
        "models/team/block.py",
        "models/team/table.json",
    }


def test_links_are_no_files_of_a_checkout(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.pth").write_text("secret", encoding="utf-8")
    (checkout / "model_zoo" / "plain.pth").unlink()
    (checkout / "model_zoo" / "plain.pth").symlink_to(tmp_path / "secret.pth")
    assert "model_zoo/plain.pth" not in deciding(checkout, 0)


def test_candidates_say_why_an_id_has_no_model(checkout: Path) -> None:
    (empty,) = checkouts.candidates(checkout, (6,))
    assert (empty.id, empty.team) == ("id06", "Nobody's Team")
    assert isinstance(empty, Rejected)
    assert empty.faults == ("test_demo.py has no model for id 6: its branch is empty",)


def test_ids_that_the_script_does_not_know_are_bad_input_all_at_once(checkout: Path) -> None:
    with pytest.raises(BadInput, match=r"no ids 42, 77: it has 24, -1 to 22; name"):
        checkouts.candidates(checkout, (0, 42, 77, 42))


def test_candidates_bring_what_the_script_says(checkout: Path) -> None:
    (baseline,) = checkouts.candidates(checkout, (-1,))
    assert baseline.id == "idm01_plain_baseline"
    assert isinstance(baseline, Entry)
    assert baseline.submission.title == "plain_baseline"
    assert baseline.submission.data_range == 255.0
    assert baseline.form == "ntire"


def test_a_folder_without_the_script_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"has no test_demo\.py"):
        checkouts.candidates(tmp_path)


@pytest.mark.timeout(20)
def test_a_script_that_is_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "test_demo.py")
    with pytest.raises(BadInput, match=r"has no test_demo\.py \(it is a pipe, not a plain file\)"):
        checkouts.candidates(tmp_path)


@pytest.mark.timeout(20)
def test_pipes_and_links_of_a_checkout_are_none_of_its_files(checkout: Path) -> None:
    before = files.tree(checkout).files
    os.mkfifo(checkout / "models" / "pipe.py")
    (checkout / "models" / "loop.py").symlink_to("loop.py")
    (checkout / "models" / "zero.pth").symlink_to("/dev/zero")
    assert files.tree(checkout).files == before


def test_a_script_without_ids_needs_them_named(tmp_path: Path) -> None:
    (tmp_path / "test_demo.py").write_text(
        "def select_model(args, device):\n    return MODELS[args.model_id]()\n", encoding="utf-8"
    )
    with pytest.raises(BadInput, match="--ids"):
        checkouts.candidates(tmp_path)
    (candidate,) = checkouts.candidates(tmp_path, (3,))
    assert isinstance(candidate, Entry), candidate
    assert candidate.id == "id03"
