"""Check: an image or planes of one value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from radlake.core.finding import Finding
from radlake.core.image import Array, Image
from radlake.core.stage import Row
from radlake.quality.planes import plane, plane_count


def check(image: Image, row: Row, members: Sequence[Row]) -> list[Finding]:
    """Error for an image of one value; warning for flat planes inside it, with their number.

    Label maps and tiles of slides have empty planes by nature and are judged as a whole only.
    """
    count = plane_count(image)
    if image.array.size == 0:
        return []
    flat = [k for k in range(count) if constant(plane(image, k))]
    if not flat:
        return []
    if len(flat) == count and len({plane(image, k)[0, 0].tobytes() for k in flat}) == 1:
        fix = "nothing can be measured here; export it again"
        return [Finding("constant_pixels", "error", f"all {count} plane(s) have one value", fix, 1.0)]
    if image.kind in ("label", "optical"):
        return []
    message = f"{len(flat)} of {count} planes have one value, the first is plane {flat[0] + 1}"
    return [Finding("constant_pixels", "warning", message, "check for lost or padded slices", len(flat) / count)]


def constant(values: Array) -> bool:
    """Whether a (y, x) or (y, x, channel) plane has one value in each channel; NaN equals NaN.

    Examples
    --------
    >>> constant(np.full((4, 4), np.nan)), constant(np.arange(4).reshape(2, 2))
    (True, False)
    """
    if not np.array_equal(values[0, 0], values[-1, -1], equal_nan=values.dtype.kind in "fc"):
        return False  # decides most planes without reading them
    if values.dtype.kind in "fc" and bool(np.isnan(values[0, 0]).any()):
        return bool(np.isnan(values).all())
    return bool((values == values[0, 0]).all())
