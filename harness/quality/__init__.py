"""Image quality on the trusted side: PSNR and SSIM in named profiles, and MATLAB's bicubic.

Images are numpy arrays of uint8, channels last, RGB. Nothing here opens files, and nothing is
computed by a library's own thread pool, which could go on spinning while a forward is being timed.
"""

from harness.quality.bicubic import crop_to_multiple, downscale, imresize, upscale
from harness.quality.colour import luma
from harness.quality.profile import CLASSIC_Y, NTIRE, PROFILES, Profile
from harness.quality.score import PreparedTruth, Quality, prepare, score, score_prepared

__all__ = [
    "CLASSIC_Y",
    "NTIRE",
    "PROFILES",
    "PreparedTruth",
    "Profile",
    "Quality",
    "crop_to_multiple",
    "downscale",
    "imresize",
    "luma",
    "prepare",
    "score",
    "score_prepared",
    "upscale",
]
