from __future__ import annotations

from pathlib import Path

import pytest
from fakes.entries import write_entry
from fakes.repositories import commit, git, repository

from harness.core.outcome import BadInput
from harness.core.progress import Progress
from harness.gate.candidates import candidates


class Told(Progress):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def warn(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = repository(tmp_path / "project")
    for name in ("one", "two", "three", "gone"):
        write_entry(made / "submissions" / name)
    write_entry(made / "tests" / "broken")
    commit(made)
    git(made, "checkout", "-q", "-b", "topic")
    monkeypatch.chdir(made)
    return made


def _ids(*names: str, against: str = "git:main", told: Progress | None = None) -> list[str]:
    return [it.id for it in candidates(names, against, told or Told())]


def test_auto_is_what_was_changed_in_any_way_and_no_more(top: Path) -> None:
    with (top / "submissions" / "one" / "model.py").open("a", encoding="utf-8") as file:
        file.write("# committed\n")
    git(top, "rm", "-qr", "submissions/gone")
    commit(top)
    with (top / "submissions" / "two" / "model.py").open("a", encoding="utf-8") as file:
        file.write("# not committed\n")
    write_entry(top / "submissions" / "new one")
    (top / "tests" / "broken" / "submission.toml").write_text("scale", encoding="utf-8")
    told = Told()
    assert _ids("auto:submissions", told=told) == ["new_one_20a96de1", "one", "two"]
    assert told.lines == ["3 of 4 entries changed since main"]
    assert _ids("auto")[-1] == "broken"
    assert _ids("auto:submissions", "submissions/one").count("one") == 1


@pytest.mark.usefixtures("top")
def test_of_nothing_that_changed_there_is_nothing_to_check() -> None:
    assert _ids("auto") == []


def test_what_others_changed_meanwhile_is_not_ours(top: Path) -> None:
    git(top, "checkout", "-q", "main")
    with (top / "submissions" / "one" / "model.py").open("a", encoding="utf-8") as file:
        file.write("# theirs\n")
    commit(top)
    git(top, "checkout", "-q", "topic")
    assert _ids("auto") == []


def test_a_newer_submodule_changes_the_entry_that_it_is_or_is_in(top: Path, tmp_path: Path) -> None:
    library = repository(tmp_path / "acme")
    write_entry(library / "entry")
    commit(library)
    for place in ("submissions/one/lib", "teams"):
        git(top, "submodule", "--quiet", "add", str(library), place)
    commit(top)
    git(top, "branch", "-f", "main")
    assert _ids("auto") == []
    (library / "more.py").write_text("", encoding="utf-8")
    newer = commit(library)
    for place in ("submissions/one/lib", "teams"):
        git(top / place, "fetch", "-q")
        git(top / place, "checkout", "-q", newer)
    commit(top)
    assert _ids("auto:submissions/one") == ["one", "entry"]
    assert _ids("auto:teams") == ["entry"]


@pytest.mark.usefixtures("top")
def test_auto_needs_a_revision_and_a_folder() -> None:
    with pytest.raises(BadInput, match="--against git:REV"):
        _ids("auto", against="rlfn_x4")
    with pytest.raises(BadInput, match="auto:nowhere names no folder"):
        _ids("auto:nowhere")
    with pytest.raises(BadInput, match="no entry to check"):
        _ids()


def test_an_entry_that_is_called_auto_is_that_entry(top: Path) -> None:
    write_entry(top / "auto")
    assert _ids("auto", against="rlfn_x4") == ["auto"]
