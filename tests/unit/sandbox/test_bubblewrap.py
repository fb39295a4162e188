from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.sandbox import bubblewrap, python_home, shipped_images
from harness.sandbox.bubblewrap import Bubblewrap
from harness.sandbox.confinement import NotConfined
from harness.sandbox.limits import Limits

LIMITS = Limits(memory_bytes=2**30, tasks=8, scratch_bytes=2**20, open_files=16)


@pytest.fixture(autouse=True)
def _a_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bubblewrap that only tells its options: the command line alone is looked at here."""
    program = tmp_path / "bin" / "bwrap"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho bubblewrap 9.9 --disable-userns\n", encoding="ascii")
    program.chmod(0o755)
    monkeypatch.setattr(bubblewrap, "executable", lambda: str(program))


def _wrapped(*readable: Path, gpu: bool = False, hidden: tuple[Path, ...] = ()) -> list[str]:
    confinement = Bubblewrap(gpu=gpu, limits=LIMITS, hidden=hidden)
    return confinement.wrap(["python", "-c", ""], readable=readable).command


def _bound(command: list[str]) -> dict[str, str]:
    """Destination -> option of everything that is shown."""
    options = ("--ro-bind", "--dev-bind", "--bind", "--symlink", "--tmpfs")
    step = {"--tmpfs": 1}
    return {command[at + step.get(it, 2)]: it for at, it in enumerate(command) if it in options}


def test_everything_is_unshared_and_dropped() -> None:
    command = _wrapped()
    for space in ("user", "ipc", "pid", "net", "uts"):
        assert f"--unshare-{space}" in command
    assert command[command.index("--cap-drop") + 1] == "ALL"
    assert {"--die-with-parent", "--new-session", "--disable-userns"} <= set(command)
    assert command[-4:] == ["--", "python", "-c", ""]


def test_nothing_is_bound_writable_and_the_root_comes_last() -> None:
    command = _wrapped()
    assert "--bind" not in command
    remounted = [command[at + 1] for at, it in enumerate(command) if it == "--remount-ro"]
    assert remounted[-2:] == ["/proc", "/"]
    size = command.index("--size")
    assert command[size : size + 4] == ["--size", str(2**20), "--tmpfs", bubblewrap.SCRATCH]


def test_an_entry_is_shown_without_what_its_digest_leaves_out(tmp_path: Path) -> None:
    entry = tmp_path / "entries" / "acme"
    (entry / "parts" / "__pycache__").mkdir(parents=True)
    (entry / ".git").mkdir()
    (entry / ".DS_Store").write_bytes(b"weights")
    weights = tmp_path / "official" / "w.pth"
    weights.parent.mkdir()
    weights.touch()
    command = _wrapped(entry, weights)
    bound = _bound(command)
    assert bound[str(entry)] == "--ro-bind"
    assert bound[str(weights)] == "--ro-bind"
    assert bound[str(entry / "parts" / "__pycache__")] == "--tmpfs"
    assert bound[str(entry / ".git")] == "--tmpfs"
    assert command[command.index(str(entry / ".DS_Store")) - 1] == "/dev/null"
    sealed = [command[at + 1] for at, it in enumerate(command) if it == "--remount-ro"]
    assert {str(entry / "parts" / "__pycache__"), str(entry / ".git")} <= set(sealed)
    assert str(entry.parent) not in bound
    assert str(weights.parent) not in bound


@pytest.mark.parametrize("path", [Path("/"), Path.home(), python_home.PACKAGE.parent])
def test_an_entry_that_would_bring_too_much_is_refused(path: Path) -> None:
    with pytest.raises(NotConfined, match="move the entry into a folder of its own"):
        _wrapped(path)


def test_an_entry_of_endless_hidden_folders_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bubblewrap, "HIDDEN_CAP", 3)
    for number in range(4):
        (tmp_path / f"part{number}" / "__pycache__").mkdir(parents=True)
    with pytest.raises(NotConfined, match="more than 3 of "):
        _wrapped(tmp_path)


def test_truths_and_reports_within_an_entry_are_covered_and_what_it_needs_of_them_is_not(
    tmp_path: Path,
) -> None:
    entry = tmp_path / "acme"
    truths, reports, elsewhere = entry / "data" / "HR", entry / "reports", tmp_path / "elsewhere"
    for folder in (truths, reports, elsewhere):
        folder.mkdir(parents=True)
    weights = reports / "w.pth"
    weights.touch()
    missing = entry / "not_there_yet"
    command = _wrapped(entry, weights, hidden=(truths, reports, elsewhere, missing, tmp_path))
    bound = _bound(command)
    assert (bound[str(truths)], bound[str(reports)]) == ("--tmpfs", "--tmpfs")
    assert command.index(str(truths)) > command.index(str(entry))
    assert bound[str(weights)] == "--ro-bind"
    assert command.index(str(weights)) > command.index(str(reports))
    sealed = {command[at + 1] for at, it in enumerate(command) if it == "--remount-ro"}
    assert {str(truths), str(reports)} <= sealed
    assert not bound.keys() & {str(elsewhere), str(missing), str(tmp_path)}


def test_an_entry_that_lies_among_truths_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotConfined, match="holds HR images or reports: move the entry"):
        _wrapped(tmp_path, hidden=(tmp_path,))


def test_truths_among_the_libraries_are_covered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    truths = tmp_path / "lib" / "Set5" / "HR"
    truths.mkdir(parents=True)
    monkeypatch.setattr(python_home, "libraries", lambda: (tmp_path / "lib",))
    shipped_images.shipped.cache_clear()
    assert _bound(_wrapped(hidden=(truths,)))[str(truths)] == "--tmpfs"
    shipped_images.shipped.cache_clear()


def test_images_of_packages_are_covered_and_too_many_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "folder").mkdir()
    photograph = tmp_path / "photograph.png"
    monkeypatch.setattr(shipped_images, "covers", lambda: iter([photograph, tmp_path / "folder"]))
    command = _wrapped()
    assert command[command.index(str(photograph)) - 1] == "/dev/null"
    assert _bound(command)[str(tmp_path / "folder")] == "--tmpfs"
    monkeypatch.setattr(bubblewrap, "IMAGES_CAP", 1)
    with pytest.raises(NotConfined, match="bring images in over 1 places"):
        _wrapped()


def test_images_of_an_environment_within_a_checkout_are_covered_and_those_of_an_entry_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "checkout" / ".venv" / "lib"
    entry = library / "package" / "entry"
    entry.mkdir(parents=True)
    packaged, own = library / "package" / "truth.png", entry / "own.png"
    for path in (packaged, own):
        path.touch()
    monkeypatch.setattr(python_home, "libraries", lambda: (library,))
    monkeypatch.setattr(shipped_images, "covers", lambda: iter([own, packaged]))
    command = _wrapped(tmp_path / "checkout")
    assert command.index(str(packaged)) > command.index(str(tmp_path / "checkout"))
    assert command[command.index(str(own)) - 1] == "/dev/null"
    inside = _wrapped(entry)
    assert inside[inside.index(str(packaged)) - 1] == "/dev/null"
    assert str(own) not in inside


def test_of_our_package_the_worker_and_the_wire_are_shown() -> None:
    inside = {path for path in _bound(_wrapped()) if path.startswith("/harness/")}
    assert inside == {f"/harness/harness/{part}" for part in ("__init__.py", "wire", "worker")}


def test_neither_home_nor_a_checkout_is_shown() -> None:
    bound = {Path(path) for path, option in _bound(_wrapped()).items() if option == "--ro-bind"}
    for kept in (Path.home(), Path(__file__)):
        assert not any(path == kept or path in kept.parents for path in bound)


def test_gpu_devices_are_shown_only_when_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bubblewrap, "GPU_DEVICES", "f*ll")  # matches /dev/full, a device there is
    assert _wrapped().count("/dev/full") == 2
    assert _wrapped(gpu=True).count("/dev/full") == 4
    assert "/sys" in _bound(_wrapped(gpu=True))
    assert "/sys" not in _bound(_wrapped())


def test_on_a_gpu_what_is_the_kernels_is_sealed_and_what_is_a_process_s_is_not(
    tmp_path: Path,
) -> None:
    proc = tmp_path / "proc"
    for folder in ("7", "sys"):
        (proc / folder).mkdir(parents=True)
    (proc / "version").touch()
    (proc / "self").symlink_to("7")
    assert bubblewrap._of_the_kernel(proc) == [proc / "sys", proc / "version"]
    command = _wrapped(gpu=True)
    bound = _bound(command)
    assert {bound[f"/proc/{name}"] for name in ("sys", "version", "locks")} == {"--ro-bind"}
    assert command[command.index("/proc/locks") - 1] == "/dev/null"
    assert command.index("/proc/sys") > command.index("--proc")
    sealed = [command[at + 1] for at, it in enumerate(command) if it == "--remount-ro"]
    assert "/proc" not in sealed
    for folder in ("/proc/1", "/proc/fs", "/sys/kernel"):
        assert bound[folder] == "--tmpfs"
        assert folder in sealed


def test_a_folder_of_devices_is_not_the_host_s(tmp_path: Path) -> None:
    caps = tmp_path / "caps"
    caps.mkdir()
    for name in ("cap1", "cap2"):
        (caps / name).touch()
    folder = str(caps)
    assert list(bubblewrap._device(caps)) == [
        *("--dir", folder),
        *("--dev-bind", f"{folder}/cap1", f"{folder}/cap1"),
        *("--dev-bind", f"{folder}/cap2", f"{folder}/cap2"),
    ]


def test_without_bubblewrap_nothing_is_wrapped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap, "executable", lambda: None)
    with pytest.raises(NotConfined, match="bubblewrap is not installed"):
        _wrapped()


def test_packages_are_shown_and_editable_checkouts_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("checkout", "site-packages"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(sys, "path", [str(tmp_path / "checkout"), str(tmp_path / "site-packages")])
    shown = python_home.libraries()
    assert tmp_path / "site-packages" in shown
    assert tmp_path / "checkout" not in shown


def test_packages_that_this_python_does_not_look_into_are_unused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, base = tmp_path / "own" / "lib", tmp_path / "base" / "lib"
    looked = own / "python3.11" / "site-packages"
    unused = base / "python3.11" / "site-packages"
    debian, parent = base / "python3" / "dist-packages", own / "python3" / "dist-packages"
    for folder in (looked, unused, debian, parent / "inner"):
        folder.mkdir(parents=True)
    monkeypatch.setattr(python_home, "libraries", lambda: (own, base))
    monkeypatch.setattr(python_home, "system", lambda: (base, tmp_path / "nothing"))
    monkeypatch.setattr(sys, "path", [str(looked), str(parent / "inner")])
    assert python_home.unused() == tuple(sorted((debian, unused)))


def test_what_an_earlier_install_left_of_the_harness_is_covered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = tmp_path / "site-packages" / "harness"
    left.mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [*sys.path, str(left.parent), str(tmp_path)])
    shipped_images.shipped.cache_clear()
    assert _bound(_wrapped())[str(left)] == "--tmpfs"
    shipped_images.shipped.cache_clear()


def test_a_folder_of_the_loader_path_needs_libraries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cuda").mkdir()
    (tmp_path / "cuda" / "libx.so.1").touch()
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("LD_LIBRARY_PATH", f"{tmp_path}/cuda:{tmp_path}/data::.")
    shown = python_home.libraries()
    assert tmp_path / "cuda" in shown
    assert tmp_path / "data" not in shown


def test_a_path_inside_another_one_is_shown_once(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "ab").mkdir()
    inner, outer, beside = tmp_path / "a" / "b", tmp_path / "a", tmp_path / "ab"
    assert python_home.outermost([inner, beside, outer, outer]) == (outer, beside)
