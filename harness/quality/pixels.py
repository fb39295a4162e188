"""Types of image arrays on the trusted side."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Uint8 = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
