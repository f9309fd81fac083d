"""Check: slices that the positions say must exist and the image lacks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from radlake.core.finding import Finding
from radlake.core.image import Image
from radlake.core.stage import Row
from radlake.quality.stack import gaps, places, stack


def check(image: Image, row: Row, members: Sequence[Row]) -> list[Finding]:
    """Error with the number of missing slices; nothing for images without slice positions.

    A slice is missing where neighbours lie a whole multiple of the modal distance apart and instance numbers do not
    contradict (`radlake.quality.stack.gaps`). Missing first or last slices leave no trace in positions.

    References
    ----------
    DICOM PS3.3 C.7.6.2.1.1; distances come from positions because Slice Thickness (0018,0050) is not a distance.
    """
    found = stack(members)
    if found is None:
        return []
    step, lacking = gaps(found)
    count = int(lacking.sum())
    if count == 0:
        return []
    there, first = len(places(found)[0]), int(np.flatnonzero(lacking)[0]) + 1
    return [
        Finding(
            "missing_slices",
            "error",
            f"expected {there + count} slices at {step:.4g} mm, found {there}; the first gap follows slice {first}",
            "request the missing slices again; volumes and shapes from this image are wrong",
            float(count),
        )
    ]
