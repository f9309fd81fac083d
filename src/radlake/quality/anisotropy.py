"""Check: slices much farther apart than pixels."""

from __future__ import annotations

from collections.abc import Sequence

from radlake.core.finding import Finding
from radlake.core.image import Image
from radlake.core.stage import Row

RATIO = 2.0  # a sphere of 10 pixels across then spans 5 slices; texture in 3-D depends on the slicing


def check(image: Image, row: Row, members: Sequence[Row]) -> list[Finding]:
    """Info with the ratio of the largest to the smallest spacing of a volume.

    References
    ----------
    Zwanenburg et al. (2016), Image biomarker standardisation initiative, section 2.4: features in 3-D need isotropic
    voxels.
    """
    spacing = image.geometry.spacing
    if len(spacing) < 3 or image.array.size == 0:
        return []
    ratio = max(spacing) / min(spacing)
    if ratio < RATIO:
        return []
    message = f"voxels are {ratio:.3g} times longer than wide, expected below {RATIO:g}"
    return [Finding("anisotropy", "info", message, "resample before 3-D texture, or measure slice by slice", ratio)]
