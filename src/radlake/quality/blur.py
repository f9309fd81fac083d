"""Check: blur."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from radlake.core.finding import Finding
from radlake.core.image import Image
from radlake.core.stage import Row
from radlake.quality.noise import LEAST_SIDE, difference_sigma
from radlake.quality.planes import gray, percentiles, plane_count, spread

PLANES = 5
SOFT = 0.006  # the lowest of 300 real scans was 0.0095; blurred by 3 pixels most radiographs, half of the CT fall below


def check(image: Image, row: Row, members: Sequence[Row]) -> list[Finding]:
    """Sharpness as info, or as a warning where edges are wider than a few pixels; nothing for flat or tiny planes.

    References
    ----------
    Pech-Pacheco et al. (2000), Diatom autofocusing in brightfield microscopy, ICPR 3:314 (variance of the Laplacian),
    here without the part that white noise adds, and relative to the contrast.
    """
    if image.kind == "label" or image.array.dtype == np.bool_ or image.array.size == 0:
        return []
    planes = (gray(image, k) for k in spread(plane_count(image), PLANES))
    found = [s for s in (sharpness(p) for p in planes) if s is not None]
    if not found:
        return []
    value = float(np.median(found))
    soft = value < SOFT
    message = f"sharpness {value:.3g} of the contrast a pixel" + (f", expected above {SOFT:g}" if soft else "")
    fix = "check for motion, heavy smoothing or enlargement" if soft else "nothing to do"
    return [Finding("blur", "warning" if soft else "info", message, fix, value)]


def sharpness(values: NDArray[np.float32]) -> float | None:
    """Noise-free standard deviation of the Laplacian over the 1-99% contrast; None where it is unknown.

    Flat or small planes, and those in which noise outweighs edges, have no answer.

    Examples
    --------
    >>> step = np.repeat([0.0, 1.0], 48).astype(np.float32) * np.ones((96, 1), np.float32)
    >>> round(sharpness(step), 3)
    0.146
    """
    if min(values.shape) < LEAST_SIDE or not np.isfinite(values).all():
        return None
    low, high = percentiles(values.ravel(), 1, 99)
    if high <= low:
        return None
    middle = values[1:-1, 1:-1]
    laplacian = values[:-2, 1:-1] + values[2:, 1:-1] + values[1:-1, :-2] + values[1:-1, 2:] - 4 * middle
    # white noise of variance s^2 adds (4^2 + 4 * 1^2) s^2 = 20 s^2
    excess = float(laplacian.var(dtype=np.float64)) - 20.0 * difference_sigma(values) ** 2
    return float(np.sqrt(excess)) / (high - low) if excess > 0 else None
