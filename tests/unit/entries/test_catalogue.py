"""What the catalogue says of manifests: every fault with its message, variants."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.entries import catalogue
from harness.entries.catalogue import Entry, Rejected

MANIFEST = """
id = "acme"
team = "Acme"
entry = "model:Net"
scale = 4
data_range = 1.0
"""
VARIANTS = """
team = "Acme"
entry = "model:Net"
data_range = 1.0
[[variants]]
id = "acme_x2"
scale = 2
[[variants]]
id = "acme_x4"
scale = 4
"""


def _folder(place: Path, manifest: str = MANIFEST, name: str = "acme") -> Path:
    folder = place / name
    folder.mkdir(exist_ok=True)
    (folder / "submission.toml").write_text(manifest, encoding="utf-8")
    (folder / "model.py").write_text("class Net: ...\n", encoding="utf-8")
    return folder


def _accepted(folder: Path) -> Entry:
    (entry,) = catalogue.read_folder(folder)
    assert isinstance(entry, Entry), entry
    return entry


def _rejected(folder: Path) -> Rejected:
    (rejected,) = catalogue.read_folder(folder)
    assert isinstance(rejected, Rejected), rejected
    return rejected


def _faults(place: Path, manifest: str, name: str = "acme") -> tuple[str, ...]:
    return _rejected(_folder(place, manifest, name)).faults


def test_a_good_folder_is_a_checked_submission(tmp_path: Path) -> None:
    entry = _accepted(_folder(tmp_path))
    assert (entry.id, entry.team, entry.role) == ("acme", "Acme", "entry")
    assert entry.folder == (tmp_path / "acme").resolve()
    assert entry.submission.entry == "model:Net"
    assert re.fullmatch(r"[0-9a-f]{64}", entry.digest)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('team = "Acme"\n', "", "team: is missing"),
        ("scale = 4", 'scale = "4"', "scale: Input should be a valid integer, got '4'"),
        ("scale = 4", "scale = true", "scale: Input should be a valid integer, got True"),
        ("scale = 4", "scale = 5", "scale must be 2, 3, 4 or 8, got 5"),
        ("1.0", "256", "data_range must be 1.0 or 255.0, or as [-1, 1], got 256"),
        ("1.0", "nan", "data_range must be 1.0 or 255.0, or as [-1, 1], got nan"),
        ("scale = 4", "scale = 4\ncolour = 1", "colour: is no known field"),
        ("scale = 4", "scale = 4\nkwargs = 1", "kwargs: Input should be an object, got 1"),
        ('"Acme"', '""', "team must not be empty"),
        ('"acme"', '"other"', "id 'other' is not the folder's name, 'acme'"),
        (
            "model:Net",
            "main:Net",
            "'main:Net' speaks of main.py, which is not in the folder",
        ),
        (
            "scale = 4",
            'scale = 4\ndeploy = "fuse:it"',
            "'fuse:it' speaks of fuse.py, which is not in the folder",
        ),
        ("scale = 4", 'scale = 4\nweights = "w.pth"', "weights 'w.pth' is not in the folder"),
        (
            "scale = 4",
            'scale = 4\nweights = "w.pkl"',
            "weights must end in .safetensors, .pth, .pt, .ckpt, .bin, .pth.tar, got 'w.pkl'",
        ),
        (
            "scale = 4",
            'scale = 4\nprecision = "int8"',
            "precision: Input should be 'fp32', 'fp16' or 'bf16', got 'int8'",
        ),
    ],
)
def test_each_fault_says_what_and_where(tmp_path: Path, old: str, new: str, fault: str) -> None:
    assert old in MANIFEST
    assert _faults(tmp_path, MANIFEST.replace(old, new)) == (f"submission.toml: {fault}",)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("macs_g = inf", "published.0.macs_g: Input should be a finite number, got inf"),
        ("macs_g = -inf", "published.0.macs_g: Input should be a finite number, got -inf"),
        ("energy_j = nan", "published.0.energy_j: Input should be a finite number, got nan"),
        ("macs_g = 1e300", "published.0: macs_g must be 0 to 1e+09, got 1e+300"),
        ("macs_g = 1e999", "published.0.macs_g: Input should be a finite number, got inf"),
        ("runtime_ms = -1", "published.0: runtime_ms must be 0 to 1e+09, got -1.0"),
        ("convs = -1", "published.0: convs must be 0 to 1e+09, got -1"),
        ("convs = 0x8000000000000000", "a whole number is beyond 64 bits"),
        ('macs_g = ""', "published.0.macs_g: Input should be a valid number, got ''"),
    ],
)
def test_a_published_figure_that_no_table_prints_is_a_fault(
    tmp_path: Path, line: str, fault: str
) -> None:
    said = f'{MANIFEST}[[published]]\nsource = "x"\n{line}\n'
    assert _faults(tmp_path, said) == (f"submission.toml: {fault}",)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("\\u001b[2J", "holds U+001B, which can't be seen"),
        ("\\u0000", "holds U+0000, which can't be seen"),
        ("\\u202eEvil", "holds U+202E, which can't be seen"),
        ("\u202eEvil", "holds U+202E, which can't be seen"),
        ("x" * 10_000, "characters, got 10000"),
        ("\\ud800", "submission.toml: is no TOML: Escaped character is not a Unicode scalar value"),
        ("\x07", "submission.toml: is no TOML: Illegal character"),
    ],
)
@pytest.mark.parametrize("name", ["team", "title", "description", "paper", "licence"])
def test_a_text_that_hides_something_is_a_fault(
    tmp_path: Path, name: str, text: str, fault: str
) -> None:
    manifest = MANIFEST.replace('team = "Acme"\n', "") if name == "team" else MANIFEST
    (found,) = _faults(tmp_path, f'{name} = "{text}"\n{manifest}')
    assert fault in found


def test_a_file_name_that_no_disk_can_hold_is_a_fault(tmp_path: Path) -> None:
    faults = _faults(tmp_path, MANIFEST.replace("model:Net", f"{'m' * 300}:Net"))
    shown = f"'{'m' * 79} speaks of {'m' * 80}, which is not in the folder"
    assert faults[-1] == f"submission.toml: {shown}"


def test_all_faults_of_fields_are_listed_at_once_with_those_of_the_folder(tmp_path: Path) -> None:
    text = 'id = "b"\nscale = "4"\ndata_range = 2.0\nbest = true\nweights = "w.pth"'
    assert _faults(tmp_path, text) == (
        "submission.toml: team: is missing",
        "submission.toml: entry: is missing",
        "submission.toml: scale: Input should be a valid integer, got '4'",
        "submission.toml: best: is no known field",
        "submission.toml: id 'b' is not the folder's name, 'acme'",
        "submission.toml: weights 'w.pth' is not in the folder",
    )


def test_all_faults_of_the_values_together_are_listed_at_once_with_those_of_the_folder(
    tmp_path: Path,
) -> None:
    text = MANIFEST.replace("scale = 4", "scale = 5").replace("1.0", "2.0").replace("Acme", " ")
    assert _faults(tmp_path, text + 'weights = "w.pth"\n') == (
        (
            "submission.toml: team must not be empty; scale must be 2, 3, 4 or 8, got 5; "
            "data_range must be 1.0 or 255.0, or as [-1, 1], got 2"
        ),
        "submission.toml: weights 'w.pth' is not in the folder",
    )


def test_the_team_of_a_faulty_manifest_is_shown_as_far_as_it_is_known(tmp_path: Path) -> None:
    assert _rejected(_folder(tmp_path, MANIFEST.replace("scale = 4", ""))).team == "Acme"
    assert _rejected(_folder(tmp_path, "[", name="other")).team == "unknown"


@pytest.mark.parametrize("team", ["x" * 60_000, "a\\u001b[2J", "a\u202eb", " "])
def test_a_team_that_is_a_fault_itself_is_not_shown(tmp_path: Path, team: str) -> None:
    said = MANIFEST.replace('"Acme"', f'"{team}"')
    assert _rejected(_folder(tmp_path, said)).team == "unknown"
    variants = f'team = "{team}"\nvariants = 1'
    assert _rejected(_folder(tmp_path, variants, name="other")).team == "unknown"


@pytest.mark.parametrize("team", ["12", '["Acme"]', '{ a = "Acme" }'])
def test_a_team_that_is_no_text_is_not_shown(tmp_path: Path, team: str) -> None:
    said = MANIFEST.replace('"Acme"', team)
    assert _rejected(_folder(tmp_path, said)).team == "unknown"


def test_variants_are_a_hundred_at_most(tmp_path: Path) -> None:
    tables = "".join(f'[[variants]]\nid = "acme_{number}"\nscale = 4\n' for number in range(101))
    shared = MANIFEST.replace('id = "acme"\n', "").replace("scale = 4\n", "")
    (found,) = _faults(tmp_path, shared + tables)
    assert found == "submission.toml: variants holds 101 tables, 100 at most are taken"
    taken = tables.removesuffix('[[variants]]\nid = "acme_100"\nscale = 4\n')
    assert len(catalogue.read_folder(_folder(tmp_path, shared + taken, name="acme"))) == 100


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("team = Acme", "submission.toml: is no TOML: Invalid value (at line 1, column 8); a text"),
        ("a = 1\na = 2", "submission.toml: is no TOML: Cannot overwrite a value"),
        (f"a = {'[' * 9000}", "submission.toml: "),
        (f"a = {'9' * 9000}", "submission.toml: Exceeds the limit"),
        ("#" * 2**16 + "#", "submission.toml is larger than 65536 bytes"),
    ],
    ids=["no value", "twice", "too deep", "too many digits", "too long"],
)
def test_a_manifest_that_can_not_be_read_is_a_fault(tmp_path: Path, text: str, fault: str) -> None:
    (found,) = _faults(tmp_path, text)
    assert found.startswith(fault)


def test_a_manifest_that_is_no_text_is_a_fault(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    manifest = folder / "submission.toml"
    manifest.write_bytes(b"\xff\xfe")
    expected = "submission.toml: is UTF-16 text: save it as UTF-8"
    assert _rejected(folder).faults[0] == expected


def test_a_manifest_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    manifest = _folder(tmp_path) / "submission.toml"
    manifest.write_bytes(b"\xef\xbb\xbf" + manifest.read_bytes().replace(b"\n", b"\r\n"))
    assert isinstance(catalogue.read_folder(manifest.parent)[0], Entry)


def test_a_missing_manifest_names_the_command_that_writes_one(tmp_path: Path) -> None:
    folder = tmp_path / "acme"
    folder.mkdir()
    expected = ("submission.toml is missing; `esr new NAME` writes one",)
    assert _rejected(folder).faults == expected
    assert [it.faults for it in catalogue.read_named(str(folder))] == [expected]


def test_variants_share_what_stands_above_them(tmp_path: Path) -> None:
    two, four = catalogue.read_folder(_folder(tmp_path, VARIANTS))
    assert isinstance(two, Entry)
    assert isinstance(four, Entry)
    assert (two.id, four.id, two.digest) == ("acme_x2", "acme_x4", four.digest)
    assert (two.submission.scale, four.submission.scale) == (2, 4)
    assert two.submission.team == four.submission.team == "Acme"


def test_a_faulty_variant_leaves_its_sibling_in_peace(tmp_path: Path) -> None:
    bad, good = catalogue.read_folder(_folder(tmp_path, VARIANTS.replace("scale = 2", "scale = 9")))
    assert isinstance(bad, Rejected)
    assert (bad.id, bad.faults) == (
        "acme_x2",
        ("submission.toml: scale must be 2, 3, 4 or 8, got 9",),
    )
    assert isinstance(good, Entry)


@pytest.mark.parametrize(
    ("manifest", "fault"),
    [
        ("variants = 1", "variants must be tables, each begun by [[variants]]"),
        ("variants = [1]", "variants must be tables, each begun by [[variants]]"),
        ("variants = []", "variants is empty"),
        (VARIANTS.replace("_x2", "_x4"), "two variants have the same id"),
        ('id = "b"\n' + VARIANTS, "id 'b' is not the folder's name, 'acme'"),
        (
            VARIANTS.replace('id = "acme_x2"\n', ""),
            "variants[0]: id must be a text that begins with 'acme_', got None",
        ),
        (VARIANTS.replace('"acme_x2"', "2"), "variants[0]: id must be a text that begins"),
    ],
)
def test_faults_of_the_variants_as_a_whole(tmp_path: Path, manifest: str, fault: str) -> None:
    (found,) = _faults(tmp_path, manifest)
    assert found.startswith(f"submission.toml: {fault}")


def test_a_variants_id_begins_with_the_folders_name(tmp_path: Path) -> None:
    (found,) = _faults(tmp_path, VARIANTS.replace("acme_x2", "acmex2"))
    assert found.endswith("variants[0]: id must be a text that begins with 'acme_', got 'acmex2'")


@pytest.mark.parametrize("rest", ["", "colour = 1\n"])
def test_a_manifest_can_not_take_the_id_of_another_entry(tmp_path: Path, rest: str) -> None:
    manifest = MANIFEST.replace('"acme"', '"acme_x4"') + rest
    (found,) = catalogue.read_folder(_folder(tmp_path, manifest))
    assert found.id == "acme"
    assert found.faults


def test_a_manifest_nested_too_deeply_to_be_read_is_a_fault(tmp_path: Path) -> None:
    deep = MANIFEST + "kwargs." + ".".join("a" * 3000) + " = 1\n"
    (found,) = _faults(tmp_path, deep)
    assert found.startswith("submission.toml: ")


def test_faults_of_values_hide_none_of_the_folder(tmp_path: Path) -> None:
    text = MANIFEST.replace("scale = 4", "scale = 5").replace("model:Net", "main:Net")
    faults = _faults(tmp_path, text.replace('"acme"', '"other"') + 'weights = "w.pth"\n')
    assert faults == (
        "submission.toml: scale must be 2, 3, 4 or 8, got 5",
        "submission.toml: id 'other' is not the folder's name, 'acme'",
        "submission.toml: 'main:Net' speaks of main.py, which is not in the folder",
        "submission.toml: weights 'w.pth' is not in the folder",
    )


def test_what_may_not_be_in_the_folder_hides_no_fault_of_the_manifest(tmp_path: Path) -> None:
    folder = _folder(tmp_path, MANIFEST.replace("scale = 4", "scale = 5"))
    (folder / "link").symlink_to("/etc")
    assert _rejected(folder).faults == (
        "submission.toml: scale must be 2, 3, 4 or 8, got 5",
        "link: only plain files and folders may be in a submission",
    )


def test_official_weights_are_judged_together_once_none_of_their_fields_is_missing(
    tmp_path: Path,
) -> None:
    official = '[official]\nfile = "../x.pth"\nsha256 = "zz"\nurl = "http://x"\n'
    assert _faults(tmp_path, MANIFEST + official) == (
        "submission.toml: official.licence: is missing",
    )
    assert _faults(tmp_path, MANIFEST + official + 'licence = "l"\n') == (
        (
            "submission.toml: official: sha256 must be 64 hexadecimal digits; "
            "file must be a path inside the folder, got '../x.pth'; "
            "url must begin with https://, got 'http://x'"
        ),
    )


def test_a_variants_id_hides_no_fault_of_the_variants_nor_of_what_they_share(
    tmp_path: Path,
) -> None:
    text = VARIANTS.replace('"acme_x2"', '"x2"').replace("scale = 2", 'scale = 9\ntile = "4"')
    text = text.replace("model:Net", "main:Net").replace('team = "Acme"', 'id = "b"\nteam = 3')
    misnamed = (
        "submission.toml: id 'b' is not the folder's name, 'acme'",
        "submission.toml: variants[0]: id must be a text that begins with 'acme_', got 'x2'",
    )
    misplaced = "submission.toml: 'main:Net' speaks of main.py, which is not in the folder"
    assert _faults(tmp_path, text) == (
        *misnamed,
        "submission.toml: team: Input should be a valid string, got 3",
        misplaced,
        "submission.toml: variants[0]: tile: Input should be a valid integer, got '4'",
    )
    text = text.replace("team = 3", 'team = "Acme"').replace('tile = "4"', "tile = 4")
    assert _faults(tmp_path, text) == (
        *misnamed,
        misplaced,
        "submission.toml: variants[0]: scale must be 2, 3, 4 or 8, got 9",
    )


def test_a_weights_name_that_no_file_can_have_is_a_fault(tmp_path: Path) -> None:
    (found,) = _faults(tmp_path, MANIFEST + f'weights = "{"w" * 5000}.pth"\n')
    assert "weights must be at most 120 visible characters" in found


def test_more_faults_than_a_table_has_room_for_are_counted(tmp_path: Path) -> None:
    strangers = "".join(f"stranger_number_{number} = 1\n" for number in range(40))
    failure = _rejected(_folder(tmp_path, MANIFEST + strangers)).failure
    assert (failure.stage, failure.reason) == ("manifest", "bad_manifest")
    assert failure.message.startswith(
        "40 faults, which `esr inspect` lists: submission.toml: stranger_number_0: is no known"
    )
