from __future__ import annotations

import itertools
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from fakes.rude_worker import RudeConfinement

from harness.core.challenge import TimingProtocol
from harness.core.outcome import Failed
from harness.core.record import ImageScore, RoundFigures
from harness.machine import proc
from harness.measure import turns
from harness.measure.session import LrImage, Session, Task
from harness.measure.turns import BlockMember, TurnTaker, orders, run_block, together
from harness.wire.messages import Load

IMAGES = tuple(LrImage("set", f"{at}", np.full((1, 2, 3), at, np.uint8)) for at in range(4))


def _member(name: str, folder: Path, manner: str = "remembering") -> BlockMember:
    load = Load("", "m:N", "{}", 1, 1.0, "cpu", threads=1, seed=0)
    protocol = TimingProtocol(audits=False, forward_deadline_s=2.0)
    task = Task(load, protocol, folder / f"{name}.log", RudeConfinement(manner))
    return BlockMember(name, task, lambda it, _: ImageScore(it.dataset, it.image, ""))


def test_each_drawn_order_is_followed_by_its_mirror_image() -> None:
    drawn = itertools.islice(orders("abcdef", random.Random(0)), 40)  # noqa: S311
    pairs = list(zip(drawn, drawn, strict=True))
    assert all(one == other[::-1] for one, other in pairs)
    assert len({one for one, _ in pairs}) > 15


def test_of_few_members_each_order_comes_equally_often() -> None:
    drawn = Counter(itertools.islice(orders("abc", random.Random(0)), 48))  # noqa: S311
    assert set(drawn.values()) == {8}
    assert len(drawn) == 6


def test_members_of_a_block_take_turns_image_by_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[tuple[str, bytes]] = []
    timed = Session.timed

    def told(session: Session, image: LrImage) -> Any:
        said.append((session.task.log.stem, image.image.encode()))
        return timed(session, image)

    monkeypatch.setattr(Session, "timed", told)
    found = run_block([_member(name, tmp_path) for name in ("base", "one", "two")], IMAGES)
    assert all(isinstance(it, RoundFigures) and len(it.samples) == 4 for it in found.values())
    by_image = [said[at : at + 3] for at in range(0, 12, 3)]
    assert [{image for _, image in turn} for turn in by_image] == [{b"0"}, {b"1"}, {b"2"}, {b"3"}]
    assert all({name for name, _ in turn} == {"base", "one", "two"} for turn in by_image)


def test_who_fails_leaves_the_block_and_the_others_go_on(tmp_path: Path) -> None:
    manners = {"one": "remembering", "dead": "exit_3", "late": "stubborn", "two": "remembering"}
    found = run_block([_member(*item) for item in _named(manners, tmp_path)], IMAGES)
    failures = {name: it.reason for name, it in found.items() if isinstance(it, Failed)}
    assert failures == {"dead": "exited", "late": "timeout"}
    whole = [it for it in found.values() if isinstance(it, RoundFigures)]
    assert [len(it.samples) for it in whole] == [4, 4]


def _named(manners: dict[str, str], folder: Path) -> Iterator[tuple[str, Path, str]]:
    return ((name, folder, manner) for name, manner in manners.items())


def test_who_finds_no_room_is_left_out_but_never_the_base(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns.machine, "usable_cores", lambda: 1)
    monkeypatch.setattr(turns, "_room", lambda takers: not takers)
    members = [_member(name, tmp_path) for name in ("one", "two", "three", "base")]
    assert list(run_block(members, IMAGES, base="base")) == ["one", "base"]
    assert list(run_block(members[::-1], IMAGES, base="base")) == ["base", "three"]


GIB = 2**30


@pytest.mark.parametrize(
    ("device", "available", "gpu", "room"),
    [
        ("cpu", 14, None, True),  # a tenth of 40 GiB, and twice 2 GiB for each of two
        ("cpu", 11, None, False),
        ("cuda", 14, (60, 80), True),  # 8 GiB, and twice 20 / 2 GiB for each of two
        ("cuda", 14, (40, 80), False),
        ("cuda", 14, None, True),  # NVML does not tell
    ],
)
def test_there_is_room_for_workers_twice_as_large_as_the_largest(
    monkeypatch: pytest.MonkeyPatch,
    device: str,
    available: int,
    gpu: tuple[int, int] | None,
    *,
    room: bool,
) -> None:
    memory = SimpleNamespace(total=40 * GIB, available=available * GIB)
    held = [proc.Resident(GIB, GIB), proc.Resident(GIB, 2 * GIB)]
    monkeypatch.setattr(turns.machine, "usable_cores", lambda: 2)
    monkeypatch.setattr(turns.psutil, "virtual_memory", lambda: memory)
    monkeypatch.setattr(turns.proc, "tree_resident", lambda root: held[root])
    scaled = None if gpu is None else tuple(it * GIB for it in gpu)
    monkeypatch.setattr(turns.nvml, "memory", lambda: scaled)
    load = SimpleNamespace(device=device)
    sessions = [SimpleNamespace(root=at, task=SimpleNamespace(load=load)) for at in (0, 1)]
    takers = [TurnTaker(cast("Session", it), cast("Any", None)) for it in sessions]
    assert turns._room(takers) is room


def test_all_processes_of_a_worker_rest_but_in_its_turn(tmp_path: Path) -> None:
    tasks = {name: _member(name, tmp_path, "polite").task for name in ("one", "two")}
    with together(tasks) as found:
        one, two = (it for it in found.values() if isinstance(it, Session))
        assert _states(one, two) == ["T", "T"]
        with one.awake():
            assert _states(two) == ["T"]
            assert _states(one) != ["T"]
        assert _states(one) == ["T"]


def _states(*sessions: Session) -> list[str]:
    time.sleep(0.05)  # a signal takes a moment
    stats = (Path(f"/proc/{it.root}/stat").read_text("ascii") for it in sessions)
    return [it.rpartition(")")[2].split()[0] for it in stats]


def test_time_at_rest_does_not_count_towards_a_workers_deadline(tmp_path: Path) -> None:
    member = _member("one", tmp_path)
    with together({"one": member.task}) as found:
        session = found["one"]
        assert isinstance(session, Session)
        session._until = time.monotonic() + 0.3
        time.sleep(0.5)
        with session.awake():
            assert session.forward(IMAGES[0]).seconds > 0.0
