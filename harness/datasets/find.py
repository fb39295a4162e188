"""Look for a dataset in its usual places."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from harness.core.challenge import Challenge, CropRule, DatasetUse
from harness.core.dataset_definition import Definition
from harness.core.outcome import BadInput
from harness.core.run import left_out
from harness.datasets import shipped_lr
from harness.datasets.completeness import SHOWN, from_package, from_place
from harness.datasets.dataset import Dataset, DatasetError, DatasetMissing
from harness.datasets.known import first_layouts, known, lookup, roots
from harness.datasets.layout import LOSSY, FilePlace, filled, places, usable
from harness.datasets.pair_sizes import PairRules
from harness.quality.profile import PROFILES

_CONVERT = (
    "Convert them to 8-bit PNG (with ImageMagick: `mogrify -format png FILES`), or take the folder "
    "out of the data folder to go without the dataset."
)
READ = "PNG, BMP and TIFF"


def find(
    name: str,
    *,
    data_dir: Path | None,
    scale: int,
    truth: bool = True,
    least_px: int = 1,
    crop: CropRule = "multiple",
    defined: Sequence[Definition] = (),
) -> Dataset:
    """The dataset `name` at `scale`, every pair checked by its files' headers.

    It is one of the catalogue, or of those that a rulebook defines.

    `data_dir` is the folder that holds datasets; bundled ones need none. With `truth` False, LR
    files are enough and HR files are ignored, unless no LR file is found: then LR is made from
    HR. Fewer images than the dataset has are a note; more are a fault, and so is HR with less than
    `least_px` pixels of height or width to score.

    Raises DatasetMissing if no image is found at all, DatasetError with every fault otherwise.
    """
    item, rules = lookup(name, defined), PairRules(scale, truth, least_px, crop)
    if item.bundled:
        return from_package(item, _package(item), rules)
    if data_dir is None:
        raise DatasetMissing(
            name, ["no data folder was given"], remedy=f"Pass --data-dir. {_how(item)}"
        )
    if not data_dir.is_dir():
        raise DatasetError(
            name, [f"{data_dir} is no folder"], remedy="Pass the folder that holds the datasets."
        )
    found = tuple(places(item, data_dir, scale=scale))
    place = usable(found, truth=truth)
    if strange := tuple(_other_formats(found, place, truth=truth)):
        raise DatasetError(item.name, strange, remedy=_CONVERT)
    if place is None:
        raise _nothing_usable(item, found, data_dir, scale)
    dataset = from_place(item, place, rules)
    return replace(dataset, notes=(*dataset.notes, *shipped_lr.told(dataset)))


def find_used(
    challenge: Challenge, use: DatasetUse, data_dir: Path | None, *, scale: int | None = None
) -> Dataset:
    """`find` as a challenge uses the dataset; at another scale than the challenge's, if given."""
    scale = scale or challenge.scale
    return find(
        use.name,
        data_dir=data_dir,
        scale=scale,
        truth=use.truth,
        least_px=PROFILES[challenge.quality_profile].least_px(scale),
        crop=use.crop,
        defined=challenge.define,
    )


def bundled_truths() -> tuple[Path, ...]:
    """The HR files that installed packages bring for the datasets of the catalogue."""
    found = []
    for item in known():
        # without the package there is no file to be found
        with contextlib.suppress(DatasetError):
            found += [_package(item) / photo.file for photo in item.bundled]
    return tuple(path for path in found if path.is_file())


def truth_folders(found: Sequence[Dataset], data_dir: Path | None) -> tuple[Path, ...]:
    """The data folder and where its HR files really are; nothing of a package, nor without one."""
    if data_dir is None:
        return ()
    truths = (pair.hr for dataset in found for pair in dataset.pairs if pair.hr)
    here = {path.resolve().parent for path in truths if path.is_relative_to(data_dir)}
    return (data_dir, *sorted(here))


def find_all(
    challenge: Challenge, data_dir: Path | None
) -> tuple[Challenge, tuple[Dataset, ...], tuple[str, ...]]:
    """The datasets at hand, the challenge cut down to them, and notes on what is left out and why.

    An optional dataset that is absent or can't be used is left out. BadInput with the faults of all
    required ones, or for a data folder that is none.
    """
    if data_dir is not None and not data_dir.is_dir():
        raise BadInput(f"{data_dir} is no folder: name the one that holds the datasets")
    found, absent, notes, faulty = [], set(), [], []
    for use in challenge.datasets:
        try:
            found.append(find_used(challenge, use, data_dir))
        except DatasetError as error:
            if use.required:
                faulty.append(error)
            absent.add(use.name)
            where = "`esr data` says where its images are looked for, and what is wrong with them"
            notes.append(left_out(use.name, f"{'; '.join(error.faults)}: {where}"))
    if faulty:
        raise BadInput("\n".join(map(str, faulty)))
    if not found:
        raise BadInput(f"none of the datasets of {challenge.id} is at hand. " + " ".join(notes))
    return challenge.without(absent), tuple(found), tuple(notes)


def _other_formats(
    found: tuple[FilePlace, ...], place: FilePlace | None, *, truth: bool
) -> Iterator[str]:
    """Faults for images of other formats that stand where files of the dataset are missing.

    Without LR files, all folders beside the HR files are looked at: else LR would be made of HR
    though it was given. Without any, all folders are.
    """
    if place is None:
        near = [side for it in found for side in (it.hr, it.lr)]
    elif not place.lr.images:
        near = [place.hr, *(it.lr for it in found if it.hr.path == place.hr.path)]
    else:
        near = [place.lr, *([place.hr] if truth else [])]
    for folder, others in {side.path: side.others for side in near if side.others}.items():
        kinds = ", ".join(sorted({path.suffix for path in others}))
        names = ", ".join(path.name for path in others[:SHOWN])
        more = f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
        lossy = "lossy and " if {path.suffix.lower() for path in others} & LOSSY else ""
        yield f"{folder} has {len(others)} {kinds} files, which are {lossy}not read: {names}{more}"


def _nothing_usable(
    item: Definition, found: tuple[FilePlace, ...], data_dir: Path, scale: int
) -> DatasetError:
    for place in found:
        if place.lr.images:
            fault = f"{len(place.lr.images)} LR images in {place.lr.path}, but no HR images"
            return DatasetError(
                item.name,
                [f"{fault} (usually in {place.hr.path})"],
                remedy="Add HR, or say truth = false of this dataset in the challenge, to time "
                f"models on LR alone. {_how(item)}",
            )
    return DatasetMissing(
        item.name,
        [f"no image found under {data_dir}"],
        remedy=f"{_how(item)} {_searched(item, scale)}",
    )


def _searched(item: Definition, scale: int) -> str:
    """The first form of each layout that was tried, and where."""
    own, names = item.folders[0], " or ".join(item.folders)
    forms = dict.fromkeys(
        " with ".join(
            dict.fromkeys(
                filled(side.rpartition("/")[0], own, scale) for side in (layout.hr, layout.lr)
            )
        )
        for layout in first_layouts(item)
    )
    below = ", ".join(root for root in roots() if root and "/" not in root)
    return (
        f"Searched for {READ} files as {', '.join(forms)} and the like (known.toml lists them), "
        f"named {names} in any case, there and in {below}."
    )


def _how(item: Definition) -> str:
    ours = f", or by `esr data fetch {item.name}`" if item.download else ""
    return f"Where {item.title} is had: {item.source}{ours}."


def _package(item: Definition) -> Path:
    """The folder of an installed package, without importing it."""
    spec = find_spec(item.package)
    if spec is None or not spec.submodule_search_locations:
        raise DatasetError(
            item.name,
            [f"the package {item.package} is not installed"],
            remedy="Install the harness with its dependencies.",
        )
    return Path(spec.submodule_search_locations[0])
