from __future__ import annotations

import hashlib
import http.client
import io
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.core.leaderboard import RowRole
from harness.core.outcome import BadInput
from harness.core.submission import OfficialWeights, Submission
from harness.entries import weights
from harness.entries.catalogue import Entry
from harness.entries.weights import ChosenWeights

DATA = b"the authors' tensors"
SHA = hashlib.sha256(DATA).hexdigest()
OFFICIAL = OfficialWeights(
    "net.pth", SHA, "https://example.org/net.pth", "MIT", weights_key="params", strip_prefix="m."
)


class FakeWeb:
    """Stands for urlopen: answers with `data` or raises `error`, and remembers what was asked."""

    def __init__(self, data: bytes = DATA, error: Exception | None = None) -> None:
        self.data, self.error = data, error
        self.asked: list[str] = []

    def __call__(self, url: str, *, timeout: float) -> io.BytesIO:
        assert timeout > 0
        self.asked.append(url)
        if self.error:
            raise self.error
        return io.BytesIO(self.data)


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> FakeWeb:
    fake = FakeWeb()
    monkeypatch.setattr(urllib.request, "urlopen", fake)
    return fake


def _submission(**changes: Any) -> Submission:
    return Submission("acme", "Acme", "model:Net", 4, 1.0, **changes)


def _choose(
    submission: Submission, folder: Path, mode: weights.WeightsMode, role: RowRole = "entry"
) -> ChosenWeights:
    entry = Entry(submission, folder / "acme", role, "digest")
    return weights.choose(entry, mode=mode, weights_dir=folder / "official")


def _put(path: Path, data: bytes = DATA) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("mode", ["bundled", "official"])
def test_without_any_weights_they_are_seeded(tmp_path: Path, mode: weights.WeightsMode) -> None:
    assert _choose(_submission(), tmp_path, mode) == ChosenWeights("seeded")


@pytest.mark.parametrize("mode", ["bundled", "official"])
def test_an_entry_brings_its_own(tmp_path: Path, mode: weights.WeightsMode) -> None:
    path = _put(tmp_path / "acme" / "w.pth")
    options = {"weights_key": "k", "strip_prefix": "p.", "ignore_keys": ("*.ops",)}
    submission = _submission(weights="w.pth", **options)
    expected = ChosenWeights("own", path, SHA, "k", "p.", ("*.ops",))
    assert _choose(submission, tmp_path, mode) == expected


def test_own_weights_are_found_however_their_name_is_composed(tmp_path: Path) -> None:
    path = _put(tmp_path / "acme" / "poids_e\u0301.pth")
    assert _choose(_submission(weights="poids_é.pth"), tmp_path, "bundled").path == path


def test_own_weights_that_can_not_be_read_are_said(tmp_path: Path) -> None:
    with pytest.raises(weights.WeightsError, match=r"'w.pth' can't be read: No such file"):
        _choose(_submission(weights="w.pth"), tmp_path, "bundled")


def test_official_weights_lead_where_they_are_asked_for(tmp_path: Path) -> None:
    _put(tmp_path / "acme" / "w.pth", b"ours")
    path = _put(tmp_path / "official" / "net.pth")
    submission = _submission(weights="w.pth", weights_key="k", official=OFFICIAL)
    expected = ChosenWeights("official", path, SHA, "params", "m.")
    assert _choose(submission, tmp_path, "official") == expected


def test_own_weights_beside_known_official_ones_are_demonstration_weights(tmp_path: Path) -> None:
    path = _put(tmp_path / "acme" / "w.pth", b"ours")
    chosen = _choose(_submission(weights="w.pth", official=OFFICIAL), tmp_path, "bundled")
    assert (chosen.kind, chosen.path) == ("demo", path)


def test_a_reference_without_own_weights_takes_official_ones_that_are_at_hand(
    tmp_path: Path,
) -> None:
    submission = _submission(official=OFFICIAL)
    remedy = "`esr weights fetch acme` brings its weights"
    absent = _choose(submission, tmp_path, "bundled", "reference")
    assert absent == ChosenWeights("seeded", remedy=remedy)
    path = _put(tmp_path / "official" / "net.pth")
    chosen = _choose(submission, tmp_path, "bundled", "reference")
    assert (chosen.kind, chosen.path, chosen.remedy) == ("official", path, "")
    assert _choose(submission, tmp_path, "bundled") == ChosenWeights("seeded")  # an entry's own say
    _put(path, b"another")
    with pytest.raises(weights.WeightsError, match="is not the published file"):
        _choose(submission, tmp_path, "bundled", "reference")


def test_a_reference_whose_weights_nobody_knows_says_so(tmp_path: Path) -> None:
    chosen = _choose(_submission(), tmp_path, "official", "reference")
    assert chosen == ChosenWeights("seeded", remedy="its manifest names no public weights")


def test_the_code_of_a_checkouts_entry_reads_its_own_weights(tmp_path: Path) -> None:
    entry = Entry(_submission(official=OFFICIAL), tmp_path, "entry", "digest", "ntire")
    assert weights.choose(entry, mode="official", weights_dir=tmp_path) == ChosenWeights("own")


def test_missing_official_weights_say_how_they_are_had(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"net\.pth is not in .*esr weights fetch.*weights-dir"):
        _choose(_submission(official=OFFICIAL), tmp_path, "official")


def test_other_weights_than_the_published_ones_are_refused(tmp_path: Path) -> None:
    _put(tmp_path / "net.pth", b"something else")
    with pytest.raises(BadInput, match=rf"not the published file: .*{SHA[:12]}\.\.\. expected"):
        weights.verified(OFFICIAL, tmp_path)


def test_the_folder_is_the_named_one_then_the_variables_then_a_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ESR_WEIGHTS_DIR", str(tmp_path / "variable"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert weights.folder(tmp_path / "named") == tmp_path / "named"
    assert weights.folder(None) == tmp_path / "variable"
    monkeypatch.setenv("ESR_WEIGHTS_DIR", "")
    assert weights.folder(None) == tmp_path / "cache" / "esr-harness" / "weights"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert weights.folder(None) == tmp_path / "home" / ".cache" / "esr-harness" / "weights"


def test_fetching_checks_and_keeps_the_file(tmp_path: Path, web: FakeWeb) -> None:
    path = weights.fetch(OFFICIAL, tmp_path / "new")
    assert path == tmp_path / "new" / "net.pth"
    assert path.read_bytes() == DATA
    assert web.asked == ["https://example.org/net.pth"]


def test_what_is_there_already_is_not_fetched(tmp_path: Path, web: FakeWeb) -> None:
    _put(tmp_path / "net.pth")
    assert weights.fetch(OFFICIAL, tmp_path) == tmp_path / "net.pth"
    assert web.asked == []


def test_of_a_pickled_module_fetching_says_how_its_file_is_made(
    tmp_path: Path, web: FakeWeb
) -> None:
    official = replace(OFFICIAL, file="net.safetensors", converted=True)
    by_hand = r"download https://example\.org/net\.pth and run `esr weights convert net\.pth --into"
    with pytest.raises(BadInput, match=by_hand):
        weights.fetch(official, tmp_path)
    _put(tmp_path / "net.safetensors")
    assert weights.fetch(official, tmp_path) == tmp_path / "net.safetensors"
    assert web.asked == []


def test_a_wrong_file_is_replaced_by_the_published_one(tmp_path: Path, web: FakeWeb) -> None:
    _put(tmp_path / "net.pth", b"torn")
    assert weights.fetch(OFFICIAL, tmp_path).read_bytes() == DATA
    assert len(web.asked) == 1


def test_a_file_of_another_digest_is_not_kept(tmp_path: Path, web: FakeWeb) -> None:
    web.data = b"<html>not found</html>"
    with pytest.raises(BadInput, match=r"example\.org/net\.pth does not hold the published"):
        weights.fetch(OFFICIAL, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "error",
    [
        urllib.error.URLError("no route"),
        TimeoutError("timed out"),
        http.client.IncompleteRead(b"half"),
        http.client.RemoteDisconnected("gone"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_failing_network_says_what_to_do(tmp_path: Path, web: FakeWeb, error: Exception) -> None:
    web.error = error
    with pytest.raises(BadInput, match=r"net\.pth can't be had from https://.*by hand into "):
        weights.fetch(OFFICIAL, tmp_path)
