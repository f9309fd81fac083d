"""Check: NaN and infinite samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from radlake.core.finding import Finding
from radlake.core.image import Image
from radlake.core.stage import Row
from radlake.quality.planes import plane, plane_count


def check(image: Image, row: Row, members: Sequence[Row]) -> list[Finding]:
    """Error with the number of samples that are no finite number; integer images have none."""
    if image.array.dtype.kind not in "fc":
        return []
    count = sum(int(np.size(p) - np.isfinite(p).sum()) for p in (plane(image, k) for k in range(plane_count(image))))
    if count == 0:
        return []
    message = f"{count} of {image.array.size} samples are not finite"
    return [Finding("nonfinite", "error", message, "mask or fill them before filtering or measuring", float(count))]
