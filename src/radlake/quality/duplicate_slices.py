"""Check: slices that are there twice, by place or by pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from radlake.core.finding import Finding, Level
from radlake.core.image import Image
from radlake.core.stage import Row
from radlake.quality.planes import plane, plane_count
from radlake.quality.stack import places, stack

GRID = 16  # planes are compared on a GRID x GRID sub-grid first, and in full only where that agrees


def check(image: Image, row: Row, members: Sequence[Row]) -> list[Finding]:
    """Warnings: more slices at one place than at others, and planes of equal pixels that are not flat.

    Series of several time points hold every place as often, so only places that stand out are reported.
    """
    return _same_place(members) + _same_pixels(image)


def _same_place(members: Sequence[Row]) -> list[Finding]:
    """Places that hold more slices than most places do."""
    found = stack(members)
    if found is None:
        return []
    _, counts = places(found)
    usual = int(np.bincount(counts).argmax())
    extra = int((counts[counts > usual] - usual).sum())
    if len(counts) < 2 or extra == 0:
        return []
    message = f"expected {usual} slice(s) at each position, found {extra} more"
    return [Finding("duplicate_slices", "warning", message, "keep one of each position", float(extra))]


def _same_pixels(image: Image) -> list[Finding]:
    """Planes whose pixels equal an earlier plane's."""
    if image.array.size == 0 or image.kind in ("label", "optical"):
        return []
    count = equal_planes(image)
    if count == 0:
        return []
    message = f"{count} of {plane_count(image)} planes repeat the pixels of an earlier plane"
    level: Level = "warning" if image.time_axis is None else "info"  # a recorder repeats frames
    return [
        Finding("duplicate_slices", level, message, "look for slices that were stored twice or padded", float(count))
    ]


def equal_planes(image: Image) -> int:
    """Number of planes, not flat, that equal an earlier plane bit by bit.

    Examples
    --------
    >>> from radlake.core.image import Geometry
    >>> ramp = np.arange(16.0).reshape(4, 4)
    >>> equal_planes(Image(np.stack([ramp, ramp + 1, ramp]), Geometry((1.0, 1.0, 1.0))))
    1
    """
    seen: dict[bytes, list[int]] = {}
    repeats = 0
    for index in range(plane_count(image)):
        values = plane(image, index)
        steps = [max(1, n // GRID) for n in values.shape[:2]]
        coarse = values[:: steps[0], :: steps[1]].tobytes()
        earlier = seen.setdefault(coarse, [])
        if any(np.array_equal(values, plane(image, k)) for k in earlier):
            repeats += bool(values.min() != values.max())
        else:
            earlier.append(index)
    return repeats
