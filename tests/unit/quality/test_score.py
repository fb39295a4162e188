from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from fakes import boards
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from harness.board.rank import rank
from harness.core.challenge import Column, Limit, Term, Track
from harness.core.record import ImageScore
from harness.quality.colour import RGB, luma
from harness.quality.profile import CLASSIC_Y, NTIRE, PROFILES, Profile
from harness.quality.score import Quality, prepare, score, score_prepared
from harness.render.document import document
from harness.render.legend import legend
from harness.stats.samples import quality as quality_means

PHOTO = data.coffee()


def noisy(image: np.ndarray, sigma: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, sigma, image.shape)
    return np.clip(image + noise, 0, 255).round().astype(np.uint8)


def by_the_book(output: np.ndarray, truth: np.ndarray, profile: Profile, scale: int) -> Quality:
    inner = (slice(scale, -scale), slice(scale, -scale))
    x, y = output[inner], truth[inner]
    on_luma = peak_signal_noise_ratio(luma(y), luma(x), data_range=255)
    if profile is CLASSIC_Y:
        x, y = luma(x), luma(y)
    ssim = structural_similarity(
        y,
        x,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
        channel_axis=2 if x.ndim == 3 else None,
    )
    return Quality(peak_signal_noise_ratio(y, x, data_range=255), ssim, on_luma)


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("sigma", [1, 10, 60])
@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_a_photo_scores_as_by_scikit_image(profile: Profile, sigma: float, scale: int) -> None:
    output = noisy(PHOTO, sigma)
    expected = by_the_book(output, PHOTO, profile, scale)
    quality = score(output, PHOTO, profile=profile, scale=scale)
    assert quality.psnr_db == pytest.approx(expected.psnr_db, abs=1e-9)
    assert quality.psnr_y_db == pytest.approx(expected.psnr_y_db, abs=1e-9)
    assert quality.ssim == pytest.approx(expected.ssim, abs=1e-6)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_a_border_of_the_scale_does_not_count(profile: Profile) -> None:
    output = PHOTO[:40, :50].copy()
    output[:4], output[-4:], output[:, :4], output[:, -4:] = 0, 255, 7, 9
    perfect = score(output, PHOTO[:40, :50], profile=profile, scale=4)
    assert perfect == Quality(math.inf, 1.0, math.inf)
    assert score(output, PHOTO[:40, :50], profile=profile, scale=3).psnr_db < 40


def test_a_profile_without_a_border_counts_every_pixel() -> None:
    whole = Profile(name="whole", colour=RGB, border_per_scale=0)
    output = PHOTO[:20, :20].copy()
    output[0, 0, 0] ^= 1
    # One error of 1 among 1200 samples.
    expected = 20 * math.log10(255) + 10 * math.log10(1200)
    quality = score(output, PHOTO[:20, :20], profile=whole, scale=4)
    assert quality.psnr_db == pytest.approx(expected, abs=1e-9)


def test_a_wrong_channel_costs_luma_what_its_weight_says() -> None:
    truth = np.full((30, 30, 3), 100, np.uint8)
    output = truth.copy()
    output[..., 2] += 10
    # Blue by 10: luma by 249.66 / 255, RGB by 10 in one channel of three.
    classic = score(output, truth, profile=CLASSIC_Y, scale=4).psnr_db
    assert classic == pytest.approx(20 * math.log10(255 * 255 / 249.66), abs=1e-9)
    ntire = score(output, truth, profile=NTIRE, scale=4).psnr_db
    assert ntire == pytest.approx(20 * math.log10(255 / math.sqrt(100 / 3)), abs=1e-9)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_psnr_on_luma_is_that_of_the_luma_profile_beside_any_other(scale: int) -> None:
    output, truth = noisy(PHOTO, 4), PHOTO
    ntire, classic = (score(output, truth, profile=it, scale=scale) for it in (NTIRE, CLASSIC_Y))
    assert classic.psnr_y_db == classic.psnr_db
    assert ntire.psnr_y_db == pytest.approx(classic.psnr_db, abs=1e-12)
    assert ntire.psnr_y_db != ntire.psnr_db


def test_a_rulebook_that_names_psnr_on_luma_judges_by_it_and_no_other_shows_it() -> None:
    scored = ImageScore(boards.VALID, "a.png", "", psnr_db=30.0, ssim=0.9)
    key = f"psnr_y:{boards.VALID}"
    assert key not in quality_means([scored])  # of an older record
    figures = quality_means([replace(scored, psnr_y_db=31.5)])
    entry = boards.entry(values=boards.values() | figures)
    plain = boards.challenge(tracks=(), baseline="")
    naming = replace(
        plain,
        columns=(Column(key, "Y", "dB", 2, ranked=True),),
        limits=(Limit(key, at_least=32.0),),
        tracks=(Track("y", "By luma", "order", (Term(key),)),),
    )
    rows = [document(rank(rules, [entry]))["rows"][0] for rules in (plain, naming)]
    assert "psnr_y_db" not in rows[0]["quality"][boards.VALID]
    assert rows[1]["quality"][boards.VALID]["psnr_y_db"] == 31.5
    assert rows[1]["margins"] == {key: -0.5}
    meanings = dict(legend(naming))
    assert meanings["PSNR-Y"].startswith("PSNR on luma")


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_a_prepared_truth_gives_the_same_score_again_and_again(profile: Profile) -> None:
    truth = PHOTO[:64, :80].copy()
    prepared = prepare(truth, profile=profile, scale=4)
    outputs = [noisy(truth, sigma) for sigma in (2, 5)]
    expected = [score(output, truth, profile=profile, scale=4) for output in outputs]
    truth[:] = 0
    for _ in range(2):
        assert [score_prepared(output, prepared) for output in outputs] == expected
    with pytest.raises(ValueError, match="read-only"):
        prepared.samples[0, 0] = 1


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_any_memory_layout_scores_the_same(profile: Profile) -> None:
    truth, output = PHOTO[:60, :70].copy(), noisy(PHOTO[:60, :70], 5)
    expected = score(output, truth, profile=profile, scale=2)
    planar = np.ascontiguousarray(output.transpose(2, 0, 1)).transpose(1, 2, 0)
    reversed_twice = np.ascontiguousarray(truth[..., ::-1])[..., ::-1]
    assert score(planar, reversed_twice, profile=profile, scale=2) == expected


@settings(max_examples=40, deadline=None)
@given(profile=st.sampled_from(list(PROFILES.values())), low=st.integers(1, 20))
def test_more_noise_never_scores_better(profile: Profile, low: int) -> None:
    truth = PHOTO[100:160, 200:270]
    better = score(noisy(truth, low), truth, profile=profile, scale=2)
    worse = score(noisy(truth, 2 * low), truth, profile=profile, scale=2)
    assert worse.psnr_db < better.psnr_db
    assert worse.ssim < better.ssim


RIGHT = np.zeros((40, 40, 3), np.uint8)


@pytest.mark.parametrize(
    ("output", "truth", "message"),
    [
        (RIGHT[:36], RIGHT, "output: 36x40 does not match the truth, 40x40; an SR output is 4 tim"),
        (RIGHT / 255, RIGHT, "output: must be a numpy array of uint8, got float64; clamp"),
        (RIGHT, RIGHT.astype(np.int16), "truth: must be a numpy array of uint8, got int16"),
        (RIGHT[..., 0], RIGHT, r"output: must be H x W x 3.*got shape \(40, 40\); repeat a grey"),
        (RIGHT, RIGHT[..., 0], r"truth: must be H x W x 3.*got shape \(40, 40\)"),
        (RIGHT[:0], RIGHT, "output: must be H x W x 3 and not empty"),
        (RIGHT[:18], RIGHT[:18], "truth: 18x40 leaves less than 11x11 pixels when profile ntire"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    output: np.ndarray, truth: np.ndarray, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        score(output, truth, profile=NTIRE, scale=4)


def test_the_smallest_image_that_fits_is_scored() -> None:
    image = np.zeros((19, 19, 3), np.uint8)
    assert score(image, image, profile=NTIRE, scale=4) == Quality(math.inf, 1.0, math.inf)


@pytest.mark.parametrize("scale", [0, -1, 2.0, True])
def test_a_scale_that_is_no_positive_int_is_refused(scale: int) -> None:
    with pytest.raises(ValueError, match="scale: must be an int of at least 1"):
        prepare(RIGHT, profile=NTIRE, scale=scale)


QUIET = """
import sys, time
import numpy as np
from harness.quality.bicubic import downscale
from harness.quality.profile import PROFILES
from harness.quality.score import score
truth = np.random.default_rng(0).integers(0, 256, (700, 900, 3), np.uint8)
for profile in PROFILES.values():
    score(truth[::-1].copy(), truth, profile=profile, scale=4)
downscale(truth, 4)
before = time.process_time()
time.sleep(0.2)
busy = time.process_time() - before
print("busy" if busy > 0.1 else "quiet", "torch" in sys.modules, "scipy" in sys.modules)
"""


def test_no_thread_spins_after_a_score_and_no_heavy_library_is_loaded() -> None:
    done = subprocess.run(
        [sys.executable, "-c", QUIET], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["quiet", "False", "False"]
