"""Decoded images, as many as a bound of memory lets stay: a data set may hold a thousand."""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable

from harness.quality.pixels import Uint8

MOST_BYTES = 128 * 2**20  # 15 truths of 2K


class ImageCache:
    """Images by key; those that were not asked for longest leave first. Safe in several threads."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._held: OrderedDict[Hashable, Uint8] = OrderedDict()
        self._lock = threading.Lock()
        self._making: defaultdict[Hashable, threading.Lock] = defaultdict(threading.Lock)

    def get(self, key: Hashable, read: Callable[[], Uint8]) -> Uint8:
        """The image, which nobody may write to; `read`, once, where it is not held."""
        with self._lock:
            making = self._making[key]
        with making:
            with self._lock:
                if key in self._held:
                    self._held.move_to_end(key)
                    return self._held[key]
            image = read()
            image.flags.writeable = False
            with self._lock:
                self._held[key] = image
                self._shrink()
        return image

    def _shrink(self) -> None:
        held = sum(it.nbytes for it in self._held.values())
        while held > self._most_bytes and len(self._held) > 1:
            held -= self._held.popitem(last=False)[1].nbytes
