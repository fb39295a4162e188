"""Time and memory of `harness.quality` beside the plain calls it replaces, in one run.

    python tests/benchmarks/quality_speed.py [--rounds N]

The candidates take turns, so that a change of the machine's speed meets all of them; medians are
compared. The pair is a photograph that scikit-image ships, enlarged to 1356x2040, and its bicubic
estimate from a quarter of the size.
"""

from __future__ import annotations

import argparse
import statistics
import time
import tracemalloc
from collections.abc import Callable, Mapping

import cv2
import numpy as np
from skimage import data
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from harness.quality.bicubic import downscale, upscale
from harness.quality.colour import luma
from harness.quality.profile import CLASSIC_Y, NTIRE
from harness.quality.score import prepare, score_prepared

SIZE = (2040, 1356)
SCALE = 4
Scored = Callable[[], tuple[float, float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    truth = np.asarray(cv2.resize(data.astronaut(), SIZE, interpolation=cv2.INTER_CUBIC))
    output = upscale(downscale(truth, SCALE), SCALE)
    for name, pair in score_pairs(output, truth).items():
        report_scores(name, *pair, rounds=arguments.rounds)
    report_bicubic(truth, rounds=arguments.rounds)


def score_pairs(output: np.ndarray, truth: np.ndarray) -> Mapping[str, tuple[Scored, Scored]]:
    """Ours and scikit-image's, with the truth at hand in the form each of them wants."""
    inner = (slice(SCALE, -SCALE), slice(SCALE, -SCALE))
    rgb, y = (prepare(truth, profile=profile, scale=SCALE) for profile in (NTIRE, CLASSIC_Y))
    luma_truth = luma(truth[inner])

    def ours(prepared: object) -> Scored:
        def call() -> tuple[float, float]:
            quality = score_prepared(output, prepared)  # type: ignore[arg-type]
            return quality.psnr_db, quality.ssim

        return call

    return {
        "RGB": (ours(rgb), lambda: plain(output[inner], truth[inner])),
        "Y": (ours(y), lambda: plain(luma(output[inner]), luma_truth)),
    }


def plain(output: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    ssim = structural_similarity(
        truth,
        output,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
        channel_axis=2 if truth.ndim == 3 else None,
    )
    return float(peak_signal_noise_ratio(truth, output, data_range=255)), float(ssim)


def report_scores(name: str, ours: Scored, theirs: Scored, *, rounds: int) -> None:
    (psnr, ssim), (plain_psnr, plain_ssim) = ours(), theirs()
    mine_s, plain_s = medians([ours, theirs], rounds)
    mine_bytes, plain_bytes = peak_bytes(ours), peak_bytes(theirs)
    print(f"PSNR and SSIM, {name}, 1356x2040")
    print(f"  time    {mine_s:.3f} s, scikit-image {plain_s:.3f} s: {plain_s / mine_s:.1f} times")
    print(
        f"  memory  {mine_bytes / 2**20:.1f} MiB, scikit-image {plain_bytes / 2**20:.1f} MiB: "
        f"{plain_bytes / mine_bytes:.0f} times"
    )
    print(f"  values  PSNR off by {abs(psnr - plain_psnr):.1e} dB, ", end="")
    print(f"SSIM by {abs(ssim - plain_ssim):.1e}")


def report_bicubic(truth: np.ndarray, *, rounds: int) -> None:
    """No other library is bit-exact to MATLAB; OpenCV's inexact bicubic is a lower bound."""
    small = downscale(truth, SCALE)
    rows = {
        "downscale x4 to 339x510": (
            lambda: downscale(truth, SCALE),
            lambda: cubic(truth, 1 / SCALE),
        ),
        "upscale x4 to 1356x2040": (lambda: upscale(small, SCALE), lambda: cubic(small, SCALE)),
    }
    for name, candidates in rows.items():
        mine_s, plain_s = medians(candidates, rounds)
        print(
            f"bicubic {name}: {mine_s * 1e3:.1f} ms, {mine_s / plain_s:.1f} times cv2.resize, "
            "which has 4 taps and no antialiasing"
        )


def cubic(image: np.ndarray, factor: float) -> np.ndarray:
    return cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)


def medians(candidates: list | tuple, rounds: int) -> list[float]:
    """Median seconds of each candidate; they take turns."""
    samples: list[list[float]] = [[] for _ in candidates]
    for _ in range(rounds):
        for candidate, times in zip(candidates, samples, strict=True):
            start = time.perf_counter()
            candidate()
            times.append(time.perf_counter() - start)
    return [statistics.median(times) for times in samples]


def peak_bytes(call: Callable[[], object]) -> int:
    """Peak of the arrays that the call allocates (OpenCV's own row buffers are not seen)."""
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


if __name__ == "__main__":
    main()
