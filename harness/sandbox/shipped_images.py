"""Images that come with installed packages: truths of the bundled datasets, and others like them.

An entry may read its packages, and so could read the HR images among their files. What a dataset
is known to use is covered by name; any other picture or array of samples by its kind, since a
package may bring the same photograph under another name.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from harness.datasets.find import bundled_truths
from harness.sandbox import python_home

PICTURE = re.compile(
    r"\.(avif|bmp|cur|dcm|exr|gif|hdr|heic|icns|ico|j2k|jfif|jp2|jpe|jpe?g|jxl|p[bgnp]m|png|psd|"
    r"tga|tiff?|webp)"
    r"(\.(bz2|gz|xz))?$",
    re.IGNORECASE,
)
# either pixels or numbers that code needs: pixels in the folders below alone
ARRAY = re.compile(
    r"\.(dat|h5|hdf5|ima|mat|nii|np[yz]|pickle|pkl|raw|zip)(\.(bz2|gz|xz))?$", re.IGNORECASE
)
SAMPLES = re.compile(
    r"(data|datasets|demos?|examples?|images|misc|sample_?data|samples|test_data|tests?)"
)
ICON = 4096  # bytes: no photograph that is scored is so small


@functools.cache
def shipped() -> tuple[Path, ...]:
    """Files that no worker may read, the bundled truths first; looked for once a process."""
    truths = tuple(path.resolve() for path in bundled_truths())
    others = {path for root in python_home.libraries() for path in below(root)}
    return (*truths, *sorted(others.difference(truths)))


def covers() -> Iterator[Path]:
    """Folders and files to be covered, a folder where nothing but images is in it."""
    for folder, group in groupby(sorted(shipped()), key=lambda path: path.parent):
        files = set(group)
        if all(path in files or PICTURE.search(path.name) for path in folder.iterdir()):
            yield folder
        else:
            yield from sorted(files)


def below(root: Path) -> Iterator[Path]:
    """Files in a folder of installed packages that are such images, or may be."""
    unused = set(python_home.unused())
    for name, folders, files in os.walk(root):
        folder = Path(name)
        folders[:] = [below for below in folders if folder / below not in unused]
        samples = any(map(SAMPLES.fullmatch, folder.relative_to(root).parts))
        for file in files:
            path = folder / file
            if not (PICTURE.search(file) or (samples and ARRAY.search(file))):
                continue
            if path.is_file() and path.stat().st_size > ICON:
                yield path.resolve()  # where a link leads to can be read there as well
