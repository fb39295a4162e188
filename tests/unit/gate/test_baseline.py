from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from fakes.entries import write_entry
from fakes.repositories import commit, git, repository

from harness.core.outcome import BadInput
from harness.entries import catalogue
from harness.gate.baseline import Baseline, baseline
from harness.gate.revision import NotInRevision


@pytest.fixture
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with two entries in its only commit."""
    made = repository(tmp_path / "project")
    write_entry(made / "entries" / "acme")
    write_entry(made / "entries" / "other", "import torch\n" * 9)
    commit(made)
    monkeypatch.chdir(made)
    return made


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


def _against(against: str, name: str, stack: ExitStack) -> Baseline:
    (candidate, *_) = catalogue.read_named(name)
    return baseline(against, candidate, stack)


def _rename(old: str, new: str) -> None:
    """As people do: the folder, and its name in the manifest."""
    git(Path(), "mv", f"entries/{old}", f"entries/{new}")
    manifest = Path("entries") / new / "submission.toml"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


@pytest.mark.usefixtures("top")
def test_an_entry_that_was_renamed_is_held_against_what_it_was(stack: ExitStack) -> None:
    _rename("acme", "better")
    git(Path(), "add", "-A")
    found = _against("git:main", "entries/better", stack)
    assert (found.entry.id, found.name) == ("acme", "git:main:entries/acme")
    assert found.notes == ("git finds that it was entries/acme in main",)


@pytest.mark.usefixtures("top")
def test_of_an_entry_that_git_does_not_track_that_is_said(stack: ExitStack) -> None:
    (Path("entries") / "acme").rename(Path("entries") / "better")
    said = r"entries/better is not in revision main; not committed: model.py, .*git add"
    with pytest.raises(NotInRevision, match=said):
        _against("git:main", "entries/better", stack)


def test_a_new_entry_of_the_same_template_is_no_rename(top: Path, stack: ExitStack) -> None:
    body = "import torch\n" * 9
    _rename("other", "better")
    write_entry(top / "entries" / "fresh", f"{body}# another one\n")
    git(top, "add", "-A")
    assert _against("git:main", "entries/better", stack).entry.id == "other"
    with pytest.raises(NotInRevision, match=r"entries/fresh is not in revision main$"):
        _against("git:main", "entries/fresh", stack)


def test_an_entry_whose_files_went_two_ways_is_new(top: Path, stack: ExitStack) -> None:
    for name in ("one", "two"):
        (top / "entries" / "acme" / f"{name}.py").write_text(f"{name}\n" * 9, encoding="utf-8")
    commit(top)
    _rename("acme", "first")
    write_entry(top / "entries" / "second")
    git(top, "mv", "entries/first/two.py", "entries/second/two.py")
    git(top, "add", "-A")
    for name in ("first", "second"):
        with pytest.raises(NotInRevision, match=r"is not in revision main$"):
            _against("git:main", f"entries/{name}", stack)


@pytest.mark.usefixtures("top")
def test_a_copy_is_a_new_entry_and_so_is_what_git_can_not_tell(stack: ExitStack) -> None:
    write_entry(Path("entries") / "copy")
    git(Path(), "add", "-A")
    with pytest.raises(NotInRevision, match="entries/copy is not in revision main"):
        _against("git:main", "entries/copy", stack)


def test_an_entry_that_was_none_under_its_old_name_is_new(top: Path, stack: ExitStack) -> None:
    (top / "entries" / "acme" / "submission.toml").write_text("scale = 4", encoding="utf-8")
    commit(top)
    _rename("acme", "better")
    write_entry(top / "spare" / "better")
    (top / "spare" / "better" / "submission.toml").replace(top / "entries/better/submission.toml")
    git(top, "add", "-A")
    with pytest.raises(NotInRevision, match="it was entries/acme, which is no baseline: "):
        _against("git:main", "entries/better", stack)


@pytest.mark.parametrize(
    ("against", "name"),
    [
        ("git:main:entries/other", "git:main:entries/other"),
        ("git:main:entries/other/", "git:main:entries/other/"),
        ("git:main:./entries/other", "git:main:./entries/other"),
        ("git:HEAD^{/a change}:entries/other", "git:HEAD^{/a change}:entries/other"),
    ],
)
@pytest.mark.usefixtures("top")
def test_a_path_after_the_revision_names_another_entry(
    stack: ExitStack, against: str, name: str
) -> None:
    found = _against(against, "entries/acme", stack)
    assert (found.entry.id, found.name) == ("other", name)


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("entries/none", "entries/none is not in revision main"),
        ("entries", "entries is no entry in revision main"),
        ("../elsewhere", "is outside of the repository"),
        ("/etc", "is outside of the repository"),
    ],
)
@pytest.mark.usefixtures("top")
def test_a_path_that_names_no_entry_is_bad_input_and_no_new_entry(
    stack: ExitStack, path: str, fault: str
) -> None:
    with pytest.raises(BadInput, match=fault) as told:
        _against(f"git:main:{path}", "entries/acme", stack)
    assert not isinstance(told.value, NotInRevision)


def test_a_folder_that_was_no_entry_yet_is_new(top: Path, stack: ExitStack) -> None:
    (top / "entries" / "draft").mkdir()
    (top / "entries" / "draft" / "notes.md").write_text("soon", encoding="utf-8")
    commit(top)
    manifest = write_entry(top / "spare" / "draft") / "submission.toml"
    manifest.replace(top / "entries" / "draft" / "submission.toml")
    (top / "spare" / "draft" / "model.py").replace(top / "entries" / "draft" / "model.py")
    with pytest.raises(NotInRevision, match="entries/draft is no entry in revision main"):
        _against("git:main", "entries/draft", stack)


VARIANTS = '\n[[variants]]\nid = "NAME_a"\n\n[[variants]]\nid = "NAME_b"\n'


def _write_variants(folder: Path) -> None:
    write_entry(folder, id=None)
    manifest = folder / "submission.toml"
    text = manifest.read_text(encoding="utf-8") + VARIANTS.replace("NAME", folder.name)
    manifest.write_text(text, encoding="utf-8")


def test_a_variant_is_held_against_itself_and_a_new_one_is_new(top: Path, stack: ExitStack) -> None:
    _write_variants(top / "entries" / "two")
    commit(top)
    assert _against("git:main", "entries/two:two_b", stack).entry.id == "two_b"
    with (top / "entries" / "two" / "submission.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[variants]]\nid = "two_c"\n')
    with pytest.raises(NotInRevision, match="none called two_c: two_a, two_b"):
        _against("git:main", "entries/two:two_c", stack)
    _rename("two", "pair")
    git(top, "add", "-A")
    assert _against("git:main", "entries/pair:pair_b", stack).entry.id == "two_b"


def test_what_a_baseline_can_not_have_is_noted(top: Path, stack: ExitStack) -> None:
    (top / "entries" / "acme" / "common.py").write_text("", encoding="utf-8")
    found = _against("git:main", "entries/acme", stack)
    assert found.notes[0].startswith("not committed: common.py of acme")


def test_weights_that_are_not_committed_are_named(top: Path, stack: ExitStack) -> None:
    folder = write_entry(top / "entries" / "heavy", weights='"w.pth"')
    (folder / "w.pth").write_bytes(b"")
    (top / ".gitignore").write_text("*.pth\n", encoding="utf-8")
    commit(top)
    with pytest.raises(BadInput, match=r"weights 'w.pth' is not in the folder; not committed: w"):
        _against("git:main", "entries/heavy", stack)


@pytest.mark.usefixtures("top")
def test_git_without_a_revision_is_bad_input(stack: ExitStack) -> None:
    with pytest.raises(BadInput, match="needs a revision"):
        _against("git:", "entries/acme", stack)
