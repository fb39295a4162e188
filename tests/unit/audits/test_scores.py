from __future__ import annotations

from dataclasses import replace

import pytest

from harness.audits import scores, thresholds
from harness.audits.scores import FreshErrors, InDoubt, PartErrors
from harness.core.audit import Audit


def _part(lost_factor: float, image: str = "a") -> PartErrors:
    """Claimed at twice bicubic's PSNR ratio; in the mosaic the error is larger by a factor."""
    error = 10 - thresholds.ROUNDING
    anew = lost_factor * (10 + thresholds.PART_ERROR) - thresholds.ROUNDING
    return PartErrors(("set", image), error, anew, 50.0, 50.0)


def test_a_part_loses_what_its_error_grows_more_than_that_of_bicubic() -> None:
    assert _part(10.0).lost_db == pytest.approx(10.0)
    # both errors twice as large, with what the changed pixels may add
    harder = PartErrors(("set", "a"), 9.4, 19.9, 49.9, 99.9)
    assert harder.lost_db == pytest.approx(0.0)


def test_without_parts_nothing_is_said() -> None:
    assert scores.scores(()) is None
    assert not scores.doubt_of_parts(())
    assert not scores.doubt_of_fresh(())


def test_a_network_that_is_as_good_anew_is_ok() -> None:
    audit = scores.scores([_part(1.05), _part(0.95), _part(1.0)] * 4)
    assert audit is not None
    assert audit.verdict == "ok"


def test_both_figures_are_told_of_one_that_is_not() -> None:
    audit = scores.scores([_part(1.4)] * 8)  # 1.5 dB
    assert audit is not None
    assert (audit.id, audit.verdict) == ("scores", "suspect")
    assert "38.13 dB claimed on 8 parts" in audit.evidence  # 10 log10(255^2 / 10)
    assert "36.67 dB where" in audit.evidence


def test_more_parts_tell_smaller_gains() -> None:
    factor = 10**0.05  # half a dB
    few, many = (scores.scores([_part(factor)] * number) for number in (8, 32))
    assert few is not None
    assert many is not None
    assert (few.verdict, many.verdict) == ("ok", "suspect")


@pytest.mark.parametrize(
    ("scale", "side", "verdict"),
    [
        (2, 40, "suspect"),
        (2, 20, "ok"),  # where four times as much may be lost: 1.2 dB and 0.2 for 32 parts
        (3, 20, "ok"),
        (4, 20, "suspect"),
        (2, 30, "suspect"),
    ],
)
def test_small_parts_may_lose_more_where_little_is_enlarged(
    scale: int, side: int, verdict: str
) -> None:
    parts = [replace(_part(10**0.1), scale=scale, side=side)] * 32  # 1 dB
    audit = scores.scores(parts)
    assert audit is not None
    assert audit.verdict == verdict


def test_one_stored_image_among_many_is_named() -> None:
    parts = [_part(1.0, str(at)) for at in range(40)] + [_part(6.0, "stored.png")] * 2
    audit = scores.scores(parts)
    assert audit is not None
    assert audit.verdict == "suspect"
    assert "stored.png alone 7.78 dB less" in audit.evidence
    assert scores.doubt_of_parts(parts).images == (("set", "stored.png"),)


def test_fine_stripes_that_alias_otherwise_are_no_cheat() -> None:
    audit = scores.scores([_part(1.0, str(at)) for at in range(20)] + [_part(1.9, "stripes")])
    assert audit is not None
    assert audit.verdict == "ok"
    # an honest network lost 7.4, 6.6, 3.1 dB in parts of one image, and nothing in its others
    others = [_part(1.0, str(at)) for at in range(24)]
    stripes = [_part(10 ** (db / 10), "stripes") for db in (7.4, 6.6, 3.1, 0.2, 0.0, 0.1, -0.2)]
    audit = scores.scores(others + stripes)
    assert audit is not None
    assert audit.verdict == "ok"
    audit = scores.scores(others + [_part(10**0.45, "stored")] * 7)  # each 4.5 dB
    assert audit is not None
    assert audit.verdict == "suspect"


def _fresh(lost_db: float, image: str, scale: int = 4) -> FreshErrors:
    claimed = 100.0
    own = (claimed + thresholds.FRESH_ERROR + thresholds.ROUNDING) * 10 ** (lost_db / 10)
    return FreshErrors(("set", image), claimed, own - thresholds.ROUNDING, scale)


def _of_fresh(*lost_db: float, scale: int = 4, versions: int = 1) -> Audit:
    errors = [_fresh(it, str(at), scale) for at, it in enumerate(lost_db)] * versions
    audit = scores.scores((), errors)
    assert audit is not None
    return audit


def test_a_gain_that_all_fresh_versions_lack_is_found() -> None:
    # 0.15 + 0.6 / sqrt(4) = 0.45 dB of four images, 0.30 of sixteen
    assert _of_fresh(0.4, 0.4, 0.4, 0.4).verdict == "ok"
    assert _of_fresh(*[0.4] * 16).verdict == "suspect"
    assert _of_fresh(3.0, 3.0, 3.0, 3.0).verdict == "rejected"
    assert _of_fresh(1.0, 1.0, 1.0, 1.0, scale=2).verdict == "ok"


def test_versions_of_one_image_are_one_image() -> None:
    # an honest network may lose 0.6 dB on fine stripes, and does so again and again
    assert _of_fresh(0.6, versions=58).verdict == "ok"
    assert _of_fresh(2.0, 0.0, 0.1, versions=8).verdict == "ok"


def test_one_stored_image_is_named_by_its_fresh_versions() -> None:
    audit = _of_fresh(6.0, 0.0, 0.1, 0.0, 0.1)
    assert audit.verdict == "suspect"
    assert "0 alone 6.00 dB less" in audit.evidence


@pytest.mark.parametrize(
    ("lost_db", "doubt"),
    [
        ((0.2, 0.2, 0.2), InDoubt()),  # 0.15 + 0.6 / sqrt(3) = 0.50 dB may be lost, half of it 0.25
        ((0.3, 0.3, 0.2), InDoubt((("set", "0"), ("set", "1")), of_all=True)),
        ((-1.0, -1.0, 1.3), InDoubt((("set", "2"),))),  # one alone may lose 2.5
        ((1.3,), InDoubt((("set", "0"),), of_all=True)),
    ],
)
def test_half_of_what_may_be_lost_is_a_doubt(lost_db: tuple[float, ...], doubt: InDoubt) -> None:
    errors = [_fresh(it, str(at)) for at, it in enumerate(lost_db)]
    assert scores.doubt_of_fresh(errors) == doubt


@pytest.mark.parametrize(
    ("lost_db", "doubt"),
    [
        ({"a": (0.29, 0.29), "b": (0.29,)}, InDoubt()),  # without the spread 0.3
        ({"a": (0.4, 0.4), "b": (0.2,)}, InDoubt((("set", "a"),), of_all=True)),
        # of a single part 0.3 + 4.5 dB; where parts differ, by as much as they do
        ({"a": (2.2,), "b": (-1.0, -1.0, -1.0)}, InDoubt()),
        ({"a": (2.3,), "b": (-1.0, -1.0, -1.0)}, InDoubt((("set", "a"),))),
        ({"a": (2.5, 0.0), "b": (-1.0, -1.0, -1.0)}, InDoubt()),
    ],
)
def test_what_one_part_lost_by_chance_is_no_doubt_when_the_next_does_not(
    lost_db: dict[str, tuple[float, ...]], doubt: InDoubt
) -> None:
    parts = [_part(10 ** (it / 10), name) for name, own in lost_db.items() for it in own]
    assert scores.doubt_of_parts(parts) == doubt
