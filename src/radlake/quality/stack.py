"""Where the slices of an image lie along its normal, from the rows of `instances`; what is odd about it is judged by
the checks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radlake.core.stage import Row

SAME_MM = 0.01  # below any slice distance in use, above the rounding of DICOM decimal strings
STEP_TOLERANCE = 0.02  # relative: positions rounded to 0.01 mm move a 1 mm step by up to 2%
PARALLEL = 1e-3  # largest difference between direction cosines of one stack (0.06 degrees)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Stack:
    """Slices in the order of their place along the normal.

    Parameters
    ----------
    along : (n,) float array
        Distance along the slice normal, millimetres, ascending.
    positions : (n, 3) float array
        LPS position of each slice's first sample, millimetres, same order.
    numbers : (n,) float array
        DICOM InstanceNumber in that order; NaN where there is none (frames of one file).
    normal : (3,) float array
        Unit vector along which `along` grows.
    """

    along: Floats
    positions: Floats
    numbers: Floats
    normal: Floats


def stack(members: Sequence[Row]) -> Stack | None:
    """Slices of an image, or None where positions are missing, not finite or not parallel.

    Parameters
    ----------
    members : sequence of dict
        Rows of `instances` (keys `position`, `orientation`, `frame_positions`, `frames`, `instance_number`).

    References
    ----------
    DICOM PS3.3 C.7.6.2.1.1, Image Position and Image Orientation (Patient): rows and columns give the normal by
    their cross product.

    Examples
    --------
    >>> rows = [{"position": [0, 0, z], "orientation": [1, 0, 0, 0, 1, 0]} for z in (5.0, 0.0)]
    >>> stack(rows).along
    array([0., 5.])
    """
    planes = [p for member in members for p in _planes(member)]
    if len(planes) < 2 or any(p is None for p in planes):
        return None
    table = np.array(planes, dtype=np.float64)
    orientation = table[0, 3:9]
    normal = np.cross(orientation[:3], orientation[3:])
    length = float(np.linalg.norm(normal))
    if not np.isfinite(table[:, :9]).all() or length < 0.5 or np.ptp(table[:, 3:9], axis=0).max() > PARALLEL:
        return None
    normal = normal / length
    along = table[:, :3] @ normal
    order = np.lexsort((table[:, 9], along))
    return Stack(along[order], table[order, :3], table[order, 9], normal)


def places(found: Stack) -> tuple[Floats, NDArray[np.int64]]:
    """Distinct places along the normal in millimetres, and how many slices lie at each."""
    first = np.concatenate(([True], np.diff(found.along) > SAME_MM))
    starts = np.flatnonzero(first)
    return found.along[starts], np.diff(np.append(starts, len(first)))


def modal_step(steps: Floats, tolerance: float = STEP_TOLERANCE) -> float:
    """Step that most others equal within a relative tolerance, in their unit; the smallest of equals; 0 for none.

    Examples
    --------
    >>> modal_step(np.array([1.25, 1.25, 2.5, 1.251]))
    1.25
    """
    if steps.size == 0:
        return 0.0
    ordered = np.sort(steps)
    low = np.searchsorted(ordered, ordered * (1 - tolerance), side="left")
    high = np.searchsorted(ordered, ordered * (1 + tolerance), side="right")
    best = int(np.argmax(high - low))
    return float(np.median(ordered[low[best] : high[best]]))


def gaps(found: Stack) -> tuple[float, NDArray[np.int64]]:
    """Modal step in millimetres, and for each pair of neighbouring places how many slices lack between them.

    A wide step counts as a gap when it is a whole multiple of the modal one and instance numbers, where every slice
    has its own, jump by as much; a wide step between consecutive numbers was acquired like that.
    """
    along, _ = places(found)
    steps = np.diff(along)
    step = modal_step(steps)
    if step <= 0:
        return 0.0, np.zeros(0, dtype=np.int64)
    times = steps / step
    whole = np.rint(times)
    lacking = np.where((whole >= 2) & (np.abs(times - whole) <= 0.1), whole - 1, 0).astype(np.int64)
    if len(along) == len(found.along) and np.isfinite(found.numbers).all():
        jumps = np.abs(np.diff(found.numbers))
        usual = modal_step(jumps)
        if usual > 0 and np.unique(found.numbers).size == found.numbers.size:
            lacking[jumps < 1.5 * usual] = 0
    return step, lacking


def _planes(member: Row) -> list[list[float] | None]:
    """Position, orientation and instance number (10 values) of each slice of a member; [None] where unknown."""
    orientation = member.get("orientation")
    if member.get("frame_positions"):
        return _frames(member, orientation)
    position = member.get("position")
    if position is None or orientation is None or len(position) != 3 or len(orientation) != 6:
        return [None]
    number = member.get("instance_number")
    return [[*position, *orientation, math.nan if number is None else float(number)]]


def _frames(member: Row, shared: list[float] | None) -> list[list[float] | None]:
    """The same for the frames in use of a multi-frame member."""
    flat, own = member["frame_positions"], member.get("frame_orientations")
    count = len(flat) // 3
    frames = range(count) if member.get("frames") is None else member["frames"]
    rows: list[list[float] | None] = []
    for k in frames:
        orientation = own[6 * k : 6 * k + 6] if own else shared
        fits = 0 <= k < count and orientation is not None and len(orientation) == 6
        rows.append([*flat[3 * k : 3 * k + 3], *(orientation or ()), math.nan] if fits else None)
    return rows
