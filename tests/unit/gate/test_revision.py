from __future__ import annotations

import hashlib
import signal
from pathlib import Path, PurePosixPath

import pytest
from fakes.repositories import commit, git, repository

from harness.core.outcome import BadInput
from harness.gate import repository as asked
from harness.gate.revision import NotInRevision, Revision, lacking, refuse_pointer

ENTRY = PurePosixPath("entries/acme")


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """An entry that says "old" in its first commit and "new" in its second."""
    made = repository(tmp_path / "project")
    (made / ENTRY).mkdir(parents=True)
    for text in ("old", "new"):
        (made / ENTRY / "model.py").write_text(text, encoding="utf-8")
        commit(made, text)
    return made


def _read(top: Path, name: str, file: str = "model.py", place: PurePosixPath = ENTRY) -> str:
    with Revision.of(top / place, name).written(place) as folder:
        return (folder / file).read_text(encoding="utf-8")


def test_the_folder_is_that_of_the_revision_and_gone_afterwards(top: Path) -> None:
    (top / "large.txt").write_text("of the repository", encoding="utf-8")
    commit(top)
    before = git(top, "status", "--porcelain"), git(top, "worktree", "list")
    with Revision.of(top / ENTRY, "HEAD~2").written(ENTRY) as folder:
        assert (folder / "model.py").read_text(encoding="utf-8") == "old"
        assert folder.name == "acme"
        assert not (folder.parents[1] / "large.txt").exists()  # nothing else is written
    assert not folder.exists()
    assert (git(top, "status", "--porcelain"), git(top, "worktree", "list")) == before
    assert (top / ENTRY / "model.py").read_text(encoding="utf-8") == "new"


def test_a_repository_that_is_the_entry_keeps_its_name(top: Path) -> None:
    with Revision.of(top, "HEAD~1").written(PurePosixPath()) as folder:
        assert folder.name == "project"
        assert (folder / ENTRY / "model.py").exists()


@pytest.mark.parametrize("how", [KeyboardInterrupt, ValueError])
def test_it_is_removed_after_an_error_and_after_ctrl_c(top: Path, how: type[BaseException]) -> None:
    places: list[Path] = []

    def end() -> None:
        with Revision.of(top, "HEAD").written(ENTRY) as folder:
            places.append(folder)
            raise how

    with pytest.raises(how):
        end()
    assert not places[0].exists()


def test_it_is_removed_after_sigterm_whose_handler_is_put_back(top: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    places: list[Path] = []

    def end() -> None:
        with Revision.of(top, "HEAD").written(ENTRY) as folder:
            places.append(folder)
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt):
        end()
    assert not places[0].exists()
    assert signal.getsignal(signal.SIGTERM) is before


def test_hooks_of_the_repository_are_not_run(top: Path, tmp_path: Path) -> None:
    for name in ("post-checkout", "post-index-change"):
        hook = top / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n", encoding="utf-8")
        hook.chmod(0o755)
    assert _read(top, "HEAD~1") == "old"
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["nowhere", "--help", "HEAD~7", ""])
def test_a_revision_that_is_none_is_bad_input(top: Path, name: str) -> None:
    with pytest.raises(BadInput, match="has no revision"):
        Revision.of(top / ENTRY, name)


def test_a_mistyped_revision_is_answered_with_one_that_is_there(top: Path) -> None:
    with pytest.raises(BadInput, match=r"one commit only\); did you mean main\?$"):
        Revision.of(top / ENTRY, "mian")


def test_where_nothing_is_committed_yet_that_is_said(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    with pytest.raises(BadInput, match="has no commit that git can read"):
        Revision.of(tmp_path, "HEAD")


def test_a_folder_that_the_revision_lacks_is_told_apart(top: Path) -> None:
    late = PurePosixPath("entries/late")
    (top / late).mkdir()
    with (
        pytest.raises(NotInRevision, match="entries/late is not in revision HEAD"),
        Revision.of(top / late, "HEAD").written(late),
    ):
        pass


def test_a_folder_without_repository_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is in no git repository"):
        Revision.of(tmp_path, "HEAD")


def test_a_hook_that_names_its_own_repository_changes_nothing(
    top: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "other"))
    revision = Revision.of(top / ENTRY, "HEAD")
    with revision.written(ENTRY) as folder:
        assert (folder / "model.py").read_text(encoding="utf-8") == "new"


def test_another_users_checkout_is_told_with_gits_own_remedy(
    top: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(BadInput, match="belongs to another user") as told:
        Revision.of(top / ENTRY, "HEAD")
    assert f"\n    git config --global --add safe.directory {top}" in str(told.value)


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A repository to be a submodule, with two commits."""
    made = repository(tmp_path / "library")
    for text in ("first", "second"):
        (made / "blocks.py").write_text(text, encoding="utf-8")
        commit(made, text)
    return made


@pytest.fixture
def project(top: Path, library: Path) -> Path:
    """The entry has the library in a folder, at its first commit and then at its second."""
    git(top, "submodule", "--quiet", "add", str(library), f"{ENTRY}/common")
    git(top / ENTRY / "common", "checkout", "-q", "HEAD~1")
    commit(top, "with the library")
    git(top / ENTRY / "common", "checkout", "-q", "main")
    commit(top, "with a newer one")
    return top


@pytest.mark.parametrize(("name", "text"), [("HEAD~1", "first"), ("HEAD", "second")])
def test_a_submodule_is_as_the_revision_had_it(project: Path, name: str, text: str) -> None:
    assert _read(project, name, "common/blocks.py") == text


def test_a_submodule_that_has_left_the_checkout_is_found_where_git_keeps_it(project: Path) -> None:
    git(project, "rm", "-q", f"{ENTRY}/common")
    commit(project, "without the library")
    assert _read(project, "HEAD~1", "common/blocks.py") == "second"


def test_a_submodule_that_was_never_fetched_is_named(project: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", str(project), "clone")
    with pytest.raises(BadInput, match=r"entries/acme/common .* `git submodule update --init"):
        _read(tmp_path / "clone", "HEAD")


def test_a_commit_of_a_submodule_is_fetched_or_named(
    project: Path, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "file")
    (library / "blocks.py").write_text("third", encoding="utf-8")
    third = commit(library)
    git(project, "update-index", "--cacheinfo", f"160000,{third},{ENTRY}/common")
    git(project, "commit", "-qm", "not fetched")
    git(library, "config", "uploadpack.allowAnySHA1InWant", "true")
    assert _read(project, "HEAD", "common/blocks.py") == "third"
    git(project, "update-index", "--cacheinfo", f"160000,{'1' * 40},{ENTRY}/common")
    git(project, "commit", "-qm", "nowhere")
    with pytest.raises(BadInput, match="commit 111111111111 of revision HEAD is not here"):
        _read(project, "HEAD")


def test_an_entry_in_a_submodule_goes_by_the_project_where_the_command_runs_there(
    tmp_path: Path, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = repository(tmp_path / "challenge")
    git(project, "submodule", "--quiet", "add", str(library), "teams/acme")
    git(project / "teams" / "acme", "checkout", "-q", "HEAD~1")
    commit(project)
    git(project / "teams" / "acme", "checkout", "-q", "main")
    monkeypatch.chdir(project)
    # the project's HEAD has the first commit, the submodule's own the second
    revision = Revision.of(Path("teams/acme"), "HEAD")
    with revision.written(PurePosixPath("teams/acme")) as folder:
        assert (folder / "blocks.py").read_text(encoding="utf-8") == "first"
    monkeypatch.chdir(tmp_path)
    assert Revision.of(project / "teams" / "acme", "HEAD").repository.top.name == "acme"


CONTENT = b"weights" * 400
DIGEST = hashlib.sha256(CONTENT).hexdigest()
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{DIGEST}\nsize {len(CONTENT)}\n"


@pytest.fixture
def large(top: Path) -> Path:
    """The entry's weights are a pointer of LFS in the last commit, and another file today."""
    (top / ENTRY / "w.pth").write_text(POINTER, encoding="utf-8")
    commit(top)
    (top / ENTRY / "w.pth").write_bytes(b"today's")
    return top


def _weights(top: Path) -> bytes:
    revision = Revision.of(top / ENTRY, "HEAD")
    with revision.written(ENTRY) as folder:
        refuse_pointer(revision, folder, "w.pth")
        return (folder / "w.pth").read_bytes()


def test_weights_in_lfs_that_are_nowhere_are_named(large: Path) -> None:
    with pytest.raises(BadInput, match=r"w\.pth of acme is a pointer of Git LFS in HEAD"):
        _weights(large)


def test_weights_in_lfs_are_found_in_its_store_and_in_the_checkout(large: Path) -> None:
    (large / ENTRY / "w.pth").write_bytes(CONTENT)
    assert _weights(large) == CONTENT
    (large / ENTRY / "w.pth").unlink()
    store = large / ".git" / "lfs" / "objects" / DIGEST[:2] / DIGEST[2:4] / DIGEST
    store.parent.mkdir(parents=True)
    store.write_bytes(CONTENT)
    assert _weights(large) == CONTENT


@pytest.mark.parametrize("given", [CONTENT, b"something else"])
def test_weights_in_lfs_are_fetched_where_git_lfs_is_there(
    large: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: bytes
) -> None:
    (tmp_path / "given").write_bytes(given)
    tool = tmp_path / "bin" / "git-lfs"
    tool.parent.mkdir()
    tool.write_text(
        "#!/bin/sh\n[ $1 = smudge ] && [ -z $GIT_LFS_SKIP_SMUDGE ] && "
        f"grep -q {DIGEST} && cat {tmp_path}/given\n",
        encoding="utf-8",
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent), prepend=":")
    monkeypatch.setenv("GIT_LFS_SKIP_SMUDGE", "1")
    if given == CONTENT:
        assert _weights(large) == CONTENT
    else:  # what is not what the pointer says is not taken
        with pytest.raises(BadInput, match="is a pointer"):
            _weights(large)


def test_what_git_does_not_track_is_named(top: Path) -> None:
    folder = top / ENTRY
    assert lacking(Revision.of(folder, "HEAD"), folder) == ""
    (top / ".gitignore").write_text("*.pth\n", encoding="utf-8")
    (folder / "__pycache__").mkdir()
    for name in ("w.pth", "extra.py", "__pycache__/model.pyc"):
        (folder / name).write_text("x", encoding="utf-8")
    told = lacking(Revision.of(folder, "HEAD"), folder)
    assert told.startswith("not committed: extra.py, w.pth of acme, which git does not track")


def test_git_that_is_missing_or_slow_is_bad_input(
    top: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asked, "_DEADLINE_S", 1e-6)
    with pytest.raises(BadInput, match="git took longer than"):
        Revision.of(top, "HEAD")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BadInput, match="git is not installed"):
        Revision.of(top, "HEAD")
