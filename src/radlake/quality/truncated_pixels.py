"""Check: an end without content, as a stopped copy or decoder leaves it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from radlake.core.finding import Finding, Level
from radlake.core.image import Array, BoolArray, Image
from radlake.core.stage import Row
from radlake.quality.constant_pixels import constant
from radlake.quality.planes import plane, plane_count

LEAST_ROWS = 0.05  # of the rows flat: fewer are an ordinary black border
STEP_BACK = 0.1  # of the columns: how far content must end short of the row above for a cut inside a row
ALIKE = 0.02  # of the columns: how far the ends of neighbouring rows of one object may lie apart


def check(image: Image, row: Row, members: Sequence[Row]) -> list[Finding]:
    """Error where pixels stop inside a row or planes end flat, with the share of the image that is affected.

    Decoders fill what they could not read with one value, and the fill starts inside a row; a collimator or a screen
    border does not: its edge is straight, or falls back on both sides at once (an ultrasound sector).
    """
    count = plane_count(image)
    if image.array.size == 0 or image.kind in ("label", "optical"):
        return []
    last = next((k for k in reversed(range(count)) if not constant(plane(image, k))), None)
    if last is None:
        return []  # all flat: the check of constant pixels reports it
    rows = cut_rows(plane(image, last))
    lost = (count - 1 - last + rows) / count
    if lost == 0:
        return []
    message = f"the last {lost:.1%} of the pixels have one value: {count - 1 - last} of {count} planes are flat"
    level: Level = "error" if rows or count - 1 - last > 1 else "warning"
    return [Finding("truncated_pixels", level, message, "compare with the source and export again", lost)]


def cut_rows(values: Array) -> float:
    """Share of rows lost at the end of a plane whose content stops inside a row; 0 where it does not.

    Examples
    --------
    >>> ramp = np.arange(1, 401).reshape(20, 20)
    >>> ramp.ravel()[210:] = 0
    >>> cut_rows(ramp)
    0.45
    """
    flat_value = values[-1, -1]
    content: BoolArray = np.not_equal(values, flat_value)
    if content.ndim == 3:
        content = np.any(content, axis=-1)
    rows, columns = content.shape
    filled = np.flatnonzero(content.any(axis=1))
    if filled.size < 3 or rows - 1 - filled[-1] < LEAST_ROWS * rows or filled[-1] - filled[-3] > 2:
        return 0.0
    three = content[filled[[-1, -2, -3]]]
    last, above, before = (np.flatnonzero(row)[[0, -1]] / columns for row in three)
    straight = np.abs(above - before).max() <= ALIKE and abs(last[0] - above[0]) <= ALIKE
    equally_full = abs(int(three[1].sum()) - int(three[2].sum())) <= STEP_BACK * columns
    cut = straight and equally_full and above[1] - last[1] >= STEP_BACK
    return float(rows - 1 - filled[-1]) / rows if cut else 0.0
