"""Check: slices stacked along a line that is not their normal (a tilted CT gantry, a sheared volume)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from radlake.core.finding import Finding
from radlake.core.image import Image
from radlake.core.stage import Row
from radlake.quality.stack import stack

TILT_DEG = 0.5  # a 200 mm stack is then sheared by 1.7 mm, two voxels of a usual CT


def check(image: Image, row: Row, members: Sequence[Row]) -> list[Finding]:
    """Warning with the angle between the stacking direction and the slice normal, degrees.

    From slice positions where there are any, else from the image's own directions, else from DICOM Gantry/Detector
    Tilt (0018,1120).
    """
    angle = tilt_deg(image, members)
    if angle is None:
        stated = [m["gantry_tilt"] for m in members if m.get("gantry_tilt") is not None]
        angle = max((abs(float(t)) for t in stated), default=0.0)
    if not (math.isfinite(angle) and angle > TILT_DEG):
        return []
    message = f"slices are stacked {angle:.3g} degrees off their normal, expected below {TILT_DEG} degrees"
    return [Finding("gantry_tilt", "warning", message, "shear or resample the volume before measuring shapes", angle)]


def tilt_deg(image: Image, members: Sequence[Row]) -> float | None:
    """Angle between stacking direction and slice normal, degrees; None where neither is known.

    Examples
    --------
    >>> from radlake.core.image import Geometry
    >>> flat = Image(np.zeros((2, 2, 2)), Geometry((1.0, 1.0, 1.0)))
    >>> rows = [{"position": [0, y, y], "orientation": [1, 0, 0, 0, 1, 0]} for y in (0.0, 1.0)]
    >>> round(tilt_deg(flat, rows), 6)
    45.0
    """
    found = stack(members)
    if found is not None:
        line = found.positions[-1] - found.positions[0]
        return _angle(line, found.normal)
    if image.geometry.ndim == 3:
        z, y, x = np.asarray(image.geometry.direction, dtype=np.float64)
        return _angle(z, np.cross(x, y))
    return None


def _angle(line: np.ndarray, normal: np.ndarray) -> float | None:
    """Angle between two undirected lines in degrees; None where one has no length."""
    # atan2 keeps its precision near 0, where acos loses half of its digits.
    along, across = abs(float(line @ normal)), float(np.linalg.norm(np.cross(line, normal)))
    return math.degrees(math.atan2(across, along)) if along + across > 0 else None
