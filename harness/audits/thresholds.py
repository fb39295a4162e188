"""Every bound of the audits. An honest entry on a busy machine must not meet one.

Where a figure was measured, the reference models with official weights, Set5, and a machine of two
shared cores stand behind it (tests/benchmarks/audits_honest.py).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bounds:
    """What honest networks lose in dB where nothing can be stored, at most.

    The mean of n `mean_db`, and `spread_db` over the root of n. `of_one_db` is for one image.
    """

    mean_db: float
    spread_db: float
    of_one_db: float


# clocks: what a forward and a collect may take beside the reported seconds, over the
# calibration's, which only repeats pixels. Outputs in half precision, of range 1, or in another
# memory order cost up to twice of it; a scheduler gives a core back within milliseconds.
# With three other processes on the same core, honest ones were seen at twice the calibration.
ALLOWED_FACTOR = 4.0
ALLOWED_S = 0.008
# of samples, the worst ones, of which a busy machine is to blame
BURSTS = 0.25
# of the reported seconds: less can't decide a rank, and is not worth a doubt
UNEXPLAINED_SHARE = 0.1
# beyond both it is no accident: the greater part of a forward is not where it is reported
REJECTED_S = 0.02
REJECTED_SHARE = 0.5

# processor time of all processes of a worker while they are stopped; a signal takes some 50 us to
# reach them, a few hundred times in a round
RESTLESS_S = 0.1

# repeats: the factor between the slowest seen and the fastest unseen forward. Of eight and eight in
# drawn order a complete separation happens once in 12,870 by chance alone, whatever the noise.
PAIRS = 2  # at the first look
MORE_PAIRS = 6  # when that one raises a doubt
DOUBT_RATIO = 1.3
SUSPECT_RATIO = 1.5
REJECTED_RATIO = 3.0
REPEATS_S = 0.001  # between the two: below it a cache of the processor's can make the difference

# repeats: the factor between the slowest ranked forward of an image and the fastest of all probes
# of its size. A load that comes and stays can make three of it; entries that had stored what they
# are ranked with, or slept elsewhere, had six to a thousand.
UNRANKED_RATIO = 5.0
UNRANKED_S = 0.01  # between the two, at least

# outputs: correlation of the detail of a rolled, flipped and perturbed image with the scored one's,
# measured 0.87 and above
DETAIL_ALIKE = 0.4
DETAIL_LEVELS = 2.0  # grey levels: below, it is mostly the perturbation's
DETAIL_MARGIN = 6  # LR pixels from the ends of either image
DETAIL_AREA = 0.15  # of the image, that is left to compare

# outputs: SR shrunk by MATLAB's bicubic against the LR image, measured 35.3 dB and above; flipped
# and rolled back 23.3 dB and above (tiny crops, mostly border). An unrelated photograph is below
# 15 dB. Bilinear enlargement, the softest there is, has 25.5 dB and 26.8 dB.
RESEMBLANCE_DB = 20.0
FLIPPED_DB = 17.0
AGAIN_DB = 30.0  # the same image twice: threads sum in another order, which is 80 dB and above
PERTURBATION = 2  # grey levels by which pixels are changed, at most
# how much of the perturbation is found in the shrunk output: measured 0.80 and above, bilinear
# enlargement 0.38, 0 where it is ignored
RESPONSE_SUSPECT = 0.2
RESPONSE_REJECTED = 0.1
# and of the perturbation that only the warm-up's image had: measured -0.03 to 0.03
WARM_UP_RESPONSE = 0.4
WARM_UP_CHANCE = 5.0  # standard errors of it, where they are more: of small images
GREY_LEVELS = 1  # by which the colours of a grey output may differ
MOST_LEVELS = 4.0  # grey levels: what changes by more is no response to the perturbation
MANY_PIXELS = 1000  # LR pixels of an image, from which on each fresh one is judged by itself
LEAST_PIXELS = 200  # LR pixels of an image: on fewer, chance alone moves the responses by 0.1

# scores: mosaics of parts of several truths, and what parts may lose there of the gain over bicubic
# that was claimed. Measured on ten references and 35 official entries of 2022 to 2026, window
# attention among them, at Set5, Set14 and the sample: a part loses -2.0 to 2.7 dB, but up to 7.5
# where fine stripes alias (barbara's, of which two parts in three lose nothing); a network's mean
# over 50 to 140 parts is -0.07 to 0.19 dB. In parts of less than CELL, of images of less than 80 LR
# pixels, IMDN loses more at x2, as what surrounds a part reaches farther into it: in the mean of 32
# parts of 32 pixels 0.29 dB (0.47 at most in 30 draws), of 24 pixels 0.51 (0.76).
MOSAIC_SOURCES = 64  # images at most, whose parts are taken
CELL = 40  # LR pixels of a part's side, about; at least two parts along each axis
MOST_CELLS = 3  # along an axis
SEAM = 4  # LR pixels of a part that its neighbours, or an image's end, change
ROUNDING = 0.1  # squared grey levels, as rounding leaves: less is no error
# Mosaics are shown with FRESH_SHARE_CHANGED of their pixels changed. With what that may add taken
# off, 3,725 pairs of mosaics of 38 networks lose as much as unchanged ones: 0.05 dB in the mean at
# x4 (0.07), at x2 -0.05 (0.09). Judged eight at a time, with what parts scatter by, none of 14,940
# draws of these and of three networks on stripes is odd (without that 74).
PART_ERROR = 0.5  # squared grey levels
OF_PARTS = 2.0  # standard deviations of all parts, if that is more than the spread
OF_PARTS_OF_ONE = 3.0  # of those of one image
LOST_OF_PARTS = Bounds(mean_db=0.3, spread_db=1.0, of_one_db=4.5)
# scores: the same for fresh versions, of which a share of pixels is changed by one level: where all
# are, RLFN and IMDN lose 0.3 dB at x2, since they answer noise with four times of it. With this
# share 61 % of patches of 3x3 pixels are others. Measured on eight trained networks and 22 images
# in two sizes, in RGB and in luma: at x4 one version loses -0.3 to 0.61 dB and 16 drawn ones at
# most 0.19, at x2 -0.7 to 2.44 (strided pooling sees rolled stripes otherwise) and 0.53.
FRESH_SHARE_CHANGED = 0.1
FRESH_ERROR = 1.5  # squared grey levels that the change may add: measured 0.1 to 0.8
LARGE_SCALE = 4
LOST_OF_FRESH = Bounds(mean_db=0.15, spread_db=0.6, of_one_db=2.5)
LOST_OF_FRESH_SMALL = Bounds(mean_db=0.2, spread_db=2.0, of_one_db=4.0)
DEVIATIONS = 1.5  # of the losses of images, if that is more than the spread: one in many is no rule
FRESH_IMAGES = 8  # images of a round, at most, whose fresh versions are held against their truths
FRESH_LEAST = 3  # and at least, in a thorough round of a graph
FRESH_SHARE = 0.2  # of the images, in between
VERSIONS = 3  # of one image, at most, while there is a doubt
ITSELF_LEAST = 3  # and at least, in a later round of code, where each costs a forward of its own
ITSELF_SHARE = 0.1
LOST_REJECTED_DB = 2.0  # beyond a bound: no accident

# constants: correlation of a tensor's steps with those of a segment of an image. Stored images and
# residuals of 4 to 32 bits have 0.85 to 1.00, a hundred official weights files at most 0.68.
SEGMENT = 192  # samples
SEGMENT_DETAIL = 0.15  # of samples and of frequencies, that share a segment's energy
RESEMBLES = 0.8
SOUGHT = 16  # images, which are read and cut: 0.1 s each at 2K; of RLFN's size the next bound is 5
COMPARISONS = 1e8  # of a place in a tensor with a segment: images are left out beyond it

# counted: the same image twice in one process, and two counts of one network
COUNTED_DB = 60.0
COUNTED_SHARE = 0.01

# and the processor time of a thread that they explain at most: multiply-adds at a part of the best
# rate, values that operators write at a part of the best copy's, and a forward's own. Beyond that
# one, references and the example use at most 0.08 of the two, at 24x24 to 96x96 in one thread; RLFN
# in a thread that no counter sees, behind a convolution of 16 weights, 4.4 to 5.5 times as much.
EXPLAINED_MACS = 20.0
EXPLAINED_VALUES = 250.0
EXPLAINED_S = 0.005
EXPLAINED_MARGIN_S = 0.1  # of a round, which ticks of 10 ms make uncertain

# threads: processor time over wall time. /proc counts in ticks of 10 ms, one more or less each.
EXTRA_THREADS = 0.4
THREADS_LEAST_S = 0.5  # of wall time in forwards, below which the ticks decide nothing

# idle: OpenMP's threads spin for some ms after a parallel region, Intel's for 200 ms; work that was
# left behind goes on in every window.
IDLE_WINDOW_S = 0.1
IDLE_SHARE = 0.2  # of a window, in processor time: others may want the core as well
IDLE_LOOKS = 8

# roofline: over the best rate that was measured. Winograd's convolutions need less than half of the
# multiplications counted, and the calibration may have been taken at a busy moment.
ROOFLINE_FACTOR = 4.0
