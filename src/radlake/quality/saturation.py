"""Check: samples piled up at the ends of the range, where the detector or an export clipped them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from radlake.core.finding import Finding
from radlake.core.image import Array, Image
from radlake.core.stage import Row
from radlake.quality.planes import sample

BRIGHT = 0.01  # share at the upper end: text and markers stay below 1%, a clipped lung or metal does not
DARK = 0.6  # share at the lower end: collimators and empty background reach half of an image
MEASURED = ("ct", "mr", "pet", "nm", "us", "xray")  # in photographs and drawings white is a colour
DISTINCT = 16  # fewer different values: a mask or a drawing, where piles are normal


def check(image: Image, row: Row, members: Sequence[Row]) -> list[Finding]:
    """Warning with the share of samples at the highest value; info for the lowest value of a radiograph.

    The highest value is the image's own, so clipping below the end of the stored range is seen too. Colour images are
    left out.
    """
    if image.kind not in MEASURED or image.channel_axis is not None:
        return []
    values = sample(image)
    if values.size == 0 or np.unique(values[:65536]).size < DISTINCT:
        return []
    top, bottom = shares(values)
    found = []
    if top > BRIGHT:
        message = f"{top:.1%} of the samples have the highest value, expected below {BRIGHT:.0%}"
        found.append(
            Finding("saturation", "warning", message, "ask for the unclipped export; do not measure there", top)
        )
    if image.kind == "xray" and bottom > DARK:
        message = f"{bottom:.1%} of the samples have the lowest value, expected below {DARK:.0%}"
        found.append(Finding("saturation", "info", message, "check collimation and the export window", bottom))
    return found


def shares(values: Array) -> tuple[float, float]:
    """Shares of a sample that equal its maximum and its minimum.

    Examples
    --------
    >>> shares(np.array([0, 0, 1, 2]))
    (0.25, 0.5)
    """
    return float(np.mean(values == values.max())), float(np.mean(values == values.min()))
