from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.outcome import BadInput
from harness.gate import configuration
from harness.gate.gates import Gate

GATES = """
budget_s = 30.0
size = [32, 48]
capture = "off"

[[gates]]
metric = "runtime"
kind = "percent"
limit = 3.0

[[gates]]
entry = "acme"
metric = "psnr"
kind = "absolute"
limit = 0.5
"""


def _file(folder: Path, text: str, name: str = "gates.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_of_gates_is_read_and_the_default_gates_stay(tmp_path: Path) -> None:
    book = configuration.read(_file(tmp_path, GATES))
    assert (book.budget_s, book.size, book.images) == (30.0, (32, 48), 2)
    assert book.capture == "off"
    assert configuration.gates(book, None)[-2:] == (
        Gate("runtime", "percent", 3.0),
        Gate("psnr", "absolute", 0.5, entry="acme"),
    )
    assert Gate("params", "exact") in configuration.gates(book, None)
    assert configuration.gates(configuration.read(_file(tmp_path, "defaults = false")), None) == ()


def test_pyproject_is_read_where_no_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert configuration.read(None) == configuration.CheckConfiguration()
    _file(tmp_path, "[project]\nname = 'x'\n", "pyproject.toml")
    assert configuration.read(None) == configuration.CheckConfiguration()
    _file(tmp_path, "[tool.esr.check]\nbudget_s = 7.0\n", "pyproject.toml")
    assert configuration.read(None).budget_s == 7.0


def test_what_a_check_ends_up_with_is_told() -> None:
    book = configuration.CheckConfiguration(gates=(Gate("runtime", "percent", 3.0),), budget_s=7.0)
    told = configuration.effective(book, budget_s=None, effect=None)
    assert (told.budget_s, told.effect) == (7.0, 0.03)
    asked = configuration.effective(book, budget_s=9.0, effect=20.0)
    assert (asked.budget_s, asked.effect) == (9.0, 0.2)
    assert configuration.effective(
        configuration.CheckConfiguration(defaults=False), budget_s=None, effect=None
    )


@pytest.mark.parametrize(
    "text",
    [
        "seed = -1",
        '[[gates]]\nmetric = "runtime"\nkind = "percent"\nlimit = 150.0',
        "budget_s = inf",
    ],
)
def test_what_no_check_can_be_made_with_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadInput):
        configuration.read(_file(tmp_path, text))
    for budget_s, seed in ((float("inf"), None), (float("nan"), None), (None, -1)):
        with pytest.raises(BadInput):
            configuration.settings(configuration.CheckConfiguration(), budget_s=budget_s, seed=seed)


def test_every_fault_of_the_gates_is_named(tmp_path: Path) -> None:
    path = _file(tmp_path, 'colour = 1\n[[gates]]\nmetric = "speed"\nkind = "exact"\n')
    with pytest.raises(BadInput) as error:
        configuration.read(path)
    assert "colour: is no known field" in str(error.value)
    assert "gates.0.metric" in str(error.value)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("budget_s = -1.0", "budget must be above 0"),
        ("= 3", "gates.toml"),
        ('[[gates]]\nmetric = "digest"\nkind = "percent"\nlimit = 1.0', "can only be exact"),
    ],
)
def test_nonsense_is_refused(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(BadInput, match=fault):
        configuration.read(_file(tmp_path, text))


def test_the_command_lines_wishes_come_before_the_files(tmp_path: Path) -> None:
    book = configuration.read(_file(tmp_path, GATES))
    assert configuration.settings(book, budget_s=9.0, seed=4).budget_s == 9.0
    assert configuration.settings(book, budget_s=None, seed=4).budget_s == 30.0
    assert configuration.gates(book, 8.0)[-1] == Gate("runtime", "percent", 8.0)
    assert [it.limit for it in configuration.gates(book, 8.0) if it.metric == "runtime"] == [8.0]
    with pytest.raises(BadInput, match="--effect is a percentage"):
        configuration.gates(book, 0.0)
    with pytest.raises(BadInput, match="budget must be above 0"):
        configuration.settings(book, budget_s=0.0, seed=None)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="can't be read: No such file"):
        configuration.read(tmp_path / "none.toml")


def test_a_table_that_was_mistyped_is_told_and_a_header_is_no_fault_in_any_file(
    tmp_path: Path,
) -> None:
    with pytest.raises(BadInput, match=r"\[tool\.esr\.chek\] is unknown"):
        configuration.read(_file(tmp_path, "[tool.esr.chek]\nbudget_s = 7.0\n", "pyproject.toml"))
    headed = _file(tmp_path, "[tool.esr.check]\nbudget_s = 7.0\n")
    assert configuration.read(headed).budget_s == 7.0


def test_which_gates_are_in_force_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    none = configuration.CheckConfiguration()
    assert configuration.told(None, none) == "gates: the default ones"
    path = _file(tmp_path, GATES)
    others = ", and the default ones for other figures"
    assert configuration.told(path, configuration.read(path)) == f"gates: 2 gates of {path}{others}"
    _file(tmp_path, "[tool.other]\n", "pyproject.toml")
    assert configuration.told(None, configuration.read(None)).endswith("pyproject.toml has none")
