"""What is known of an image file before its pixels are decoded."""

from __future__ import annotations

from dataclasses import dataclass


class ImageFileError(ValueError):
    """A file that can't be read as 8-bit pixels; the message goes on after the file's name."""


@dataclass(frozen=True)
class Header:
    """Height and width in pixels."""

    height: int
    width: int
    alpha: bool = False  # has transparency, which is dropped when decoded

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.height, self.width
