"""Check: distances between slices that differ."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from radlake.core.finding import Finding
from radlake.core.image import Image
from radlake.core.stage import Row
from radlake.quality.stack import gaps, places, stack

UNEVEN = 0.05  # relative; one voxel of drift in 20 slices, and above the rounding of positions to 0.01 mm at 0.5 mm


def check(image: Image, row: Row, members: Sequence[Row]) -> list[Finding]:
    """Warning with the largest distance over the modal one; gaps of missing slices are another check's.

    References
    ----------
    DICOM PS3.3 C.7.6.2.1.1 (positions).
    """
    found = stack(members)
    if found is None:
        return []
    step, lacking = gaps(found)
    if step <= 0:
        return []
    distances = np.diff(places(found)[0]) / (lacking + 1)
    odd = np.abs(distances - step) > UNEVEN * step
    if not odd.any():
        return []
    message = (
        f"{int(odd.sum())} of {odd.size} slice distances differ from {step:.4g} mm by more than {UNEVEN:.0%}; "
        f"they range from {distances.min():.4g} to {distances.max():.4g} mm"
    )
    return [
        Finding(
            "uneven_spacing",
            "warning",
            message,
            "resample to even slices before measuring",
            float(distances.max() / step),
        )
    ]
