"""Requirements: what passes is a name with versions, written anew; all else has its reason."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.documents.typed import Faults
from harness.entries.packages.requirement_lines import checked, read, read_file, unmet

OPTION = "is an option: an index, other files and constraints are the organiser's to name"
PLACE = "is a URL, a path or a variable: packages come by name, from the organiser's index"
REFUSED = {
    "-r more.txt": OPTION,
    "--requirement=more.txt": OPTION,
    "-c constraints.txt": OPTION,
    "-e .": OPTION,
    "--editable=.": OPTION,
    "-i https://example.org/simple": OPTION,
    "--index-url https://example.org/simple": OPTION,
    "--extra-index-url=https://example.org/simple": OPTION,
    "-f wheels": OPTION,
    "--find-links wheels": OPTION,
    "--trusted-host example.org": OPTION,
    "--pre": OPTION,
    "einops --hash=sha256:0123": "has an option behind it: hashes are written by `esr lock`",
    "einops @ https://example.org/einops-1.0-py3-none-any.whl": PLACE,
    "einops@file:///tmp/einops.whl": PLACE,
    "einops @ git+ssh://git@example.org/einops": PLACE,
    "https://example.org/einops.whl": PLACE,
    "git+https://example.org/einops": PLACE,
    "file:einops": PLACE,
    "./einops": PLACE,
    "../einops": PLACE,
    "/opt/einops": PLACE,
    "wheels\\einops": PLACE,
    "${HOME}": PLACE,
    "einops-1.0-py3-none-any.whl": PLACE,
    "einops.TAR.gz": PLACE,
    "einops.zip": PLACE,
    "einops; python_version > '3\u200b'": "holds characters that are no part of a requirement",
    "einops; os_name == 'a\nb'": "holds characters that are no part of a requirement",
    "einops; os_name == '$x'": "holds characters that are no part of a requirement",
    "еinops": "holds characters that are no part of a requirement",  # a Cyrillic e
    "einops % 1": "holds characters that are no part of a requirement",
    "einops; no_such_marker == '1'": "is no requirement, as in einops>=0.8",
    "einops; os_name ~= 'posix'": "is no requirement, as in einops>=0.8",
    "einops >= ": "is no requirement, as in einops>=0.8",
    "einops 0.8": "is no requirement, as in einops>=0.8",
    "": "holds characters that are no part of a requirement",
    "e" * 201: "is longer than 200 characters",
}


@pytest.mark.parametrize("line", REFUSED)
def test_what_is_no_package_by_name_is_refused_with_the_reason(line: str) -> None:
    with pytest.raises(Faults) as caught:
        checked(("torch", line))
    assert caught.value.lines == (f"requirement {line!r:.80}: {REFUSED[line]}",)


def test_requirements_are_written_anew_in_one_order() -> None:
    said = (
        'tomli ; python_version<"3.12"',
        "Einops >=0.7,<1",
        "timm[extra]==1.0",
        "timm[extra]==1.0",
    )
    assert checked(said) == (
        "Einops<1,>=0.7",
        "timm[extra]==1.0",
        'tomli; python_version < "3.12"',
    )


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(Faults) as caught:
        checked(["-e .", "fine", "https://example.org/x.whl"])
    assert len(caught.value.lines) == 2


def test_more_lines_than_a_network_needs_are_refused() -> None:
    with pytest.raises(Faults, match="requirements are 101 lines, 100 at most are taken"):
        checked([f"package{number}" for number in range(101)])


def test_a_file_has_comments_and_empty_lines(tmp_path: Path) -> None:
    (tmp_path / "needs.txt").write_text("# mine\r\n\r\neinops>=0.7  # rearrange\r\n", "utf-8")
    assert read(tmp_path, "needs.txt") == ("einops>=0.7",)
    assert read(tmp_path, ["einops>=0.7"]) == ("einops>=0.7",)


def test_a_line_that_goes_on_is_refused(tmp_path: Path) -> None:
    (tmp_path / "needs.txt").write_text("einops \\\n--hash=sha256:0\n", encoding="utf-8")
    with pytest.raises(Faults) as caught:
        read_file(tmp_path / "needs.txt")
    assert len(caught.value.lines) == 2


@pytest.mark.parametrize("name", ["link.txt", "outside/needs.txt", "absent.txt", "pipe", ".."])
def test_a_file_of_a_manifest_is_a_plain_one_in_the_folder(tmp_path: Path, name: str) -> None:
    folder, outside = tmp_path / "acme", tmp_path / "outside"
    for made in (folder, outside):
        made.mkdir()
    (outside / "needs.txt").write_text("a secret of the organiser's\n", encoding="utf-8")
    (folder / "link.txt").symlink_to(outside / "needs.txt")
    (folder / "outside").symlink_to(outside)
    os.mkfifo(folder / "pipe")
    with pytest.raises(Faults) as caught:
        read(folder, name)
    assert caught.value.lines == (f"requirements {name!r} is no plain file in the folder",)


@pytest.mark.parametrize("what", ["absent", "folder", "huge", "bytes"])
def test_a_file_that_can_not_be_read_says_so(tmp_path: Path, what: str) -> None:
    path = tmp_path / "needs.txt"
    if what == "folder":
        path.mkdir()
    elif what != "absent":
        path.write_bytes(b"# \n" * 30_000 if what == "huge" else b"\xff\xfe\0")
    with pytest.raises(Faults, match=r"needs\.txt"):
        read_file(path)


def test_requirements_are_held_against_versions_where_their_marker_holds() -> None:
    lines = ("my.einops>=0.7", 'absent; python_version < "3"', "numpy<2", "other")
    assert unmet(lines, {"my-einops": "0.8", "numpy": "2.1", "other": "1.0b1"}) == ["numpy<2"]
