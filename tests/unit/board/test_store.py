from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.board import store as store_module
from harness.board.store import Found, Store, load
from harness.core.model_counts import Counter, Counts
from harness.core.outcome import failed
from harness.core.record import (
    SCHEMA,
    CountFigures,
    Environment,
    FloorFigures,
    ImageScore,
    Memory,
    Outcome,
    Phases,
    Record,
    RoundFigures,
    Sample,
)
from harness.documents.atomic import WriteError

KEY = "0123456789abcdef" * 4
ROUND = RoundFigures(
    params=12,
    first_call_s=0.5,
    samples=(Sample("Set5", "baby", 0, 8, 9, 0.25, 0.2501),),
    scores=(ImageScore("Set5", "baby", "d1", 30.5, 0.9),),
    memory=Memory(1024, "rss_peak", level_bytes=4096),
    phases=Phases(start_s=1.0),
    notes=("changed while running: threads: 1 -> 2",),
)
COUNT = CountFigures(
    Counts(8, 8, 12, 12, 12, (Counter("fvcore", 5, None, 3, 1, "cpu", {"aten::x": 2}),))
)


def _record(outcome: Outcome = ROUND, **changes: Any) -> Record:
    fields: dict[str, Any] = {
        "key": KEY,
        "entry": "acme",
        "challenge": "sample",
        "job": "round",
        "round": 1,
        "session": "s1",
        "started": "2024-05-01T10:00:00Z",
        "environment": Environment("f1", {"cpu": "x"}, {"load": "0.1"}),
        "outcome": outcome,
    }
    return Record(**fields | changes)


def test_a_record_is_decoded_once_and_anew_when_its_file_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[bytes] = []
    monkeypatch.setattr(store_module, "_decoded", lambda data: decoded.append(data) or Found(None))
    store = Store(tmp_path)
    path = store.save(_record())
    for ask in (store.look, store.look, store.take):
        ask("acme", "round", 1, KEY)
    assert decoded == [path.read_bytes()]
    path.write_bytes(b"{}")
    store.look("acme", "round", 1, KEY)
    assert decoded[1:] == [b"{}"]


@pytest.mark.parametrize(
    "outcome",
    [ROUND, COUNT, FloorFigures(ROUND.scores), failed("load", "crash", "ValueError: x")],
    ids=lambda outcome: outcome.kind,
)
def test_a_record_comes_back_as_it_was_saved(tmp_path: Path, outcome: Outcome) -> None:
    store, record = Store(tmp_path), _record(outcome)
    path = store.save(record)
    assert path == tmp_path / "acme" / "round-1-0123456789abcdef.json"
    assert store.look("acme", "round", 1, KEY).record == record


def test_what_was_never_saved_is_not_found(tmp_path: Path) -> None:
    assert Store(tmp_path).look("acme", "round", 1, KEY).record is None


def test_saving_again_replaces_and_leaves_no_other_file(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.save(_record())
    path = store.save(_record(session="s2"))
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    found = store.look("acme", "round", 1, KEY).record
    assert found is not None
    assert found.session == "s2"


def test_the_first_record_stands_and_another_nodes_round_is_kept_beside_it_once(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path)

    def of(node: str, **changes: Any) -> Record:
        return _record(environment=Environment("f1", {"cpu": "x"}, node=node), **changes)

    first, other = of("a" * 12), of("b" * 12, session="s2")
    assert store.keep(first)
    assert not store.keep(replace(first, session="s3"))  # the same shard once more
    assert store.keep(other)
    assert not store.keep(replace(other, session="s3"))
    asked = ("acme", "round", 1, KEY)
    assert store.look(*asked).record == first
    assert store.others(*asked) == (other,)
    count = replace(of("a" * 12), outcome=COUNT, job="count", round=0)
    assert store.keep(count)
    assert not store.keep(replace(count, environment=other.environment))  # is the same anywhere
    assert store.others("acme", "count", 0, KEY) == ()


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"key": 1}', "\x00" * 64])
def test_a_torn_file_is_set_aside_and_not_trusted(tmp_path: Path, text: str) -> None:
    store = Store(tmp_path)
    path = store.save(_record())
    path.write_text(text, encoding="utf-8")
    assert store.take("acme", "round", 1, KEY) is None
    assert [file.name for file in path.parent.iterdir()] == [f"{path.stem}.torn"]
    assert store.take("acme", "round", 1, KEY) is None


def test_every_cut_of_a_record_is_torn(tmp_path: Path) -> None:
    path = Store(tmp_path).save(_record())
    whole = path.read_bytes()
    for size in range(0, len(whole), 37):
        path.write_bytes(whole[:size])
        assert load(path) == Found(None, "torn")


@pytest.mark.parametrize("change", [{}, {"mood": "new field"}], ids=["same", "other fields"])
def test_a_record_of_another_schema_is_set_aside(tmp_path: Path, change: dict[str, Any]) -> None:
    store = Store(tmp_path)
    path = store.save(_record())
    document = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(document | change | {"schema": SCHEMA + 1}), encoding="utf-8")
    assert store.take("acme", "round", 1, KEY) is None
    assert [file.name for file in path.parent.iterdir()] == [f"{path.stem}.other_schema"]


def test_a_record_of_another_key_under_our_name_is_set_aside(tmp_path: Path) -> None:
    store = Store(tmp_path)
    other = KEY[:16] + "f" * 48  # the same file name
    path = store.save(_record(key=other))
    assert store.take("acme", "round", 1, KEY) is None
    assert not path.exists()


def test_an_unchanged_type_is_strict_a_text_is_no_number(tmp_path: Path) -> None:
    path = Store(tmp_path).save(_record())
    document = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(document | {"round": "1"}), encoding="utf-8")
    assert load(path) == Found(None, "torn")


def test_a_folder_that_can_not_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file in the way", encoding="utf-8")
    with pytest.raises(WriteError, match=r"round-1-0123456789abcdef\.json can't be written: "):
        Store(tmp_path / "reports").save(_record())


def test_a_read_only_folder_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:  # root may write to any folder
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(WriteError, match=r"\.json can't be written: Permission denied"):
        Store(tmp_path).save(replace(_record(), round=2))


def test_a_torn_record_that_can_not_be_moved_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = _record()
    Store(tmp_path).save(record).write_text("{", encoding="utf-8")

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(WriteError, match="is torn and can't be moved: Permission denied"):
        Store(tmp_path).take(record.entry, record.job, record.round, record.key)


def test_looking_changes_nothing_taking_sets_a_torn_record_aside(tmp_path: Path) -> None:
    store = Store(tmp_path)
    path = store.save(_record())
    path.write_text("{", encoding="utf-8")
    assert store.look("acme", "round", 1, KEY).record is None
    assert path.exists()
    assert store.take("acme", "round", 1, KEY) is None
    assert not path.exists()
    assert path.with_suffix(".torn").read_text(encoding="utf-8") == "{"


@pytest.mark.parametrize(("make", "kind"), [(os.mkdir, "a folder"), (os.mkfifo, "a pipe")])
def test_what_is_no_file_where_a_record_should_be_is_said_and_not_waited_for(
    tmp_path: Path, make: Callable[[Path], None], kind: str
) -> None:
    store = Store(tmp_path)
    path = store.path("acme", "round", 1, KEY)
    path.parent.mkdir()
    make(path)
    with pytest.raises(WriteError, match=rf"\.json can't be read: it is {kind}, .*; remove it"):
        store.look("acme", "round", 1, KEY)


def test_two_runs_do_not_write_to_one_folder(tmp_path: Path) -> None:
    with (
        Store(tmp_path).locked(),
        pytest.raises(WriteError, match="another run is writing"),
        Store(tmp_path).locked(),
    ):
        pass
    with Store(tmp_path).locked():
        pass


def test_what_a_killed_process_left_half_written_is_swept_away(tmp_path: Path) -> None:
    store = Store(tmp_path)
    kept = store.save(_record())
    left = kept.with_name(".round-1.json.0a1b2c3d.partial")
    left.write_text("{", encoding="utf-8")
    with store.locked():
        assert not left.exists()
    assert kept.exists()


def test_a_record_whose_figures_were_edited_is_torn(tmp_path: Path) -> None:
    path = Store(tmp_path).save(_record())
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("30.5", "31.5"), encoding="utf-8")
    assert load(path) == Found(None, "torn")
    document = json.loads(text)
    del document["seal"]
    path.write_text(json.dumps(document), encoding="utf-8")
    assert load(path) == Found(None, "torn")


def test_a_record_that_is_only_written_out_anew_is_still_one(tmp_path: Path) -> None:
    path = Store(tmp_path).save(_record())
    path.write_text(json.dumps(json.loads(path.read_bytes())), encoding="utf-8")
    assert load(path) == Found(_record())


@pytest.mark.parametrize(("schema", "why"), [(SCHEMA, "is torn"), (1, "another version")])
def test_what_is_set_aside_is_told_with_its_new_name(tmp_path: Path, schema: int, why: str) -> None:
    told: list[str] = []
    store = Store(tmp_path, told.append)
    path = store.save(_record())
    path.write_text(json.dumps({"schema": schema}), encoding="utf-8")
    assert store.take("acme", "round", 1, KEY) is None
    (kept,) = path.parent.iterdir()
    (text,) = told
    assert text.startswith(f"{path} ")
    assert why in text
    assert text.endswith(f"kept as {kept.name}, and measured again")


def test_what_was_set_aside_before_stays(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for text in ("first", "second"):
        store.save(_record()).write_text(text, encoding="utf-8")
        store.take("acme", "round", 1, KEY)
    kept = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "acme").iterdir()}
    stem = "round-1-0123456789abcdef"
    assert kept == {f"{stem}.torn": "first", f"{stem}-2.torn": "second"}


def test_a_folder_that_can_not_be_locked_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:  # as some network file systems do
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(WriteError, match="can't be locked: No locks available; use other"):
        Store(tmp_path).locked().__enter__()


def test_a_folder_for_records_that_can_not_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file in the way", encoding="utf-8")
    with pytest.raises(WriteError, match=r"reports/records can't be written: Not a directory"):
        Store(tmp_path / "reports" / "records").locked().__enter__()


def test_an_old_table_left_half_written_is_swept_away_and_a_new_one_is_not(tmp_path: Path) -> None:
    old, new = tmp_path / ".index.html.0a.partial", tmp_path / ".table.md.0b.partial"
    for path in (old, new):
        path.touch()
    os.utime(old, (0, 0))
    with Store(tmp_path / "records").locked():
        assert not old.exists()
        assert new.exists()
