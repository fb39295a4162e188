"""Decoded images, as many as a bound of memory lets stay: a data set may hold a thousand."""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from collections.abc import Callable, Hashable

from harness.quality.pixels import Uint8

MOST_BYTES = 64 * 2**20  # 7 truths of 2K, or 120 LR images


class ImageCache:
    """Images by key; where there is no room for another one, any may leave.

    Several threads may ask. Whoever goes over a data set again and again would find none of those
    that left in order.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._held: dict[Hashable, Uint8] = {}
        self._lock = threading.Lock()
        self._making: defaultdict[Hashable, threading.Lock] = defaultdict(threading.Lock)

    def get(self, key: Hashable, read: Callable[[], Uint8]) -> Uint8:
        """The image, which nobody may write to; `read`, once, where it is not held."""
        with self._lock:
            making = self._making[key]
        with making:
            with self._lock:
                if key in self._held:
                    return self._held[key]
            image = read()
            image.flags.writeable = False
            with self._lock:
                self._shrink(self._most_bytes - image.nbytes)
                self._held[key] = image
        return image

    def _shrink(self, most_bytes: int) -> None:
        held = sum(it.nbytes for it in self._held.values())
        while self._held and held > most_bytes:
            held -= self._held.pop(random.choice([*self._held])).nbytes  # noqa: S311 - no secret
