"""Planes in space to stacks: which belong together, in which order, how far apart. Pure geometry, no files, no ids.

Distances come from positions alone; SliceThickness says how thick a slice is, not where the next one lies.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radlake.core.image import Vector
from radlake.core.stage import Row

Floats = NDArray[np.float64]

ALIKE = 1e-3  # of direction cosines and, relatively, of spacings: 0.06 degrees, 0.1 %
SAME_PLACE_MM = 1e-3  # writers round positions to 1e-4 mm or better when slices are thin
OFF_LINE_MM = 0.1  # positions rounded to one decimal, as seen in old scanners
UNEVEN = 0.01  # steps that differ by less are one spacing
_TIME = ("temporal_position", "trigger_time", "acquisition_number")


@dataclass(frozen=True, eq=False)
class Plane:
    """One frame of one instance.

    Parameters
    ----------
    row : Row
        The instance.
    frame : int or None
        Frame number from 0; None when the instance has one frame.
    position : (3,) array
        LPS millimetres of the first sample.
    orientation : (6,) array
        Direction of increasing column index, then of increasing row index.
    """

    row: Row
    frame: int | None
    position: Floats
    orientation: Floats

    @property
    def time_key(self) -> tuple[tuple[float, ...], str, int]:
        """What orders planes of one place in time; never a tie between two instances."""
        times = tuple(_or_zero(self.row.get(n)) for n in (*_TIME, "instance_number"))
        return times, str(self.row.get("instance_id") or self.row.get("file_id")), self.frame or 0


@dataclass(frozen=True, eq=False)
class Stack:
    """Planes of one image.

    Parameters
    ----------
    planes : list of list of Plane
        Time points, each with the planes from the lowest to the highest along the normal.
    extra : list of Plane
        Repeats of a place that no attribute tells apart; they give no pixels.
    """

    planes: list[list[Plane]]
    extra: list[Plane]


@dataclass(frozen=True)
class Line:
    """Where the planes of a stack lie.

    Parameters
    ----------
    spacing : float
        Millimetres between neighbours: the mean step when all agree to 1 %, else the median step.
    direction : (x, y, z)
        Unit vector from the first plane to the last. Not the normal when the gantry was tilted.
    even : bool
        Whether all steps agree.
    """

    spacing: float
    direction: Vector
    even: bool


def _or_zero(value: Any) -> float:
    """A sortable number for a value that may be null."""
    return 0.0 if value is None else float(value)


def normal_of(orientation: Floats) -> Floats:
    """Unit normal of a plane: column direction x row direction (PS3.3 C.7.6.2.1.1).

    Examples
    --------
    >>> normal_of(np.array([1.0, 0, 0, 0, 1, 0])).tolist()
    [0.0, 0.0, 1.0]
    """
    normal = np.cross(orientation[:3], orientation[3:])
    length = float(np.linalg.norm(normal))
    return normal / length if length > 0 else normal


def alike(vectors: Floats, *, tolerance: float) -> list[int]:
    """Group number of each vector: it joins the first group whose first member differs by at most the tolerance.

    Parameters
    ----------
    vectors : (N, D) array
        In an order that does not depend on chance.
    tolerance : float
        Largest difference in any component.

    Examples
    --------
    >>> alike(np.array([[0.0], [1.0], [0.05]]), tolerance=0.1)
    [0, 1, 0]
    """
    firsts = np.empty_like(vectors)
    count, groups = 0, []
    for vector in vectors:
        fits = np.flatnonzero((np.abs(firsts[:count] - vector) <= tolerance).all(axis=1))
        if fits.size:
            groups.append(int(fits[0]))
            continue
        firsts[count] = vector
        groups.append(count)
        count += 1
    return groups


def stacks_of(planes: Sequence[Plane]) -> list[Stack]:
    """Stacks of planes that share size, spacing and orientation.

    Planes on one line make one stack. Where every place is taken equally often, the repeats are time points; where
    an attribute of time or acquisition separates them, it does; else the first of each place counts and the others
    become `extra`.

    Parameters
    ----------
    planes : sequence of Plane
        With equal orientation (to `ALIKE`).
    """
    found = []
    for group in _lines(list(planes)):
        levels = _levels(group)
        found += _uniform(levels) or _separated(group) or [_first_of_each(levels)]
    return found


def _lines(planes: list[Plane]) -> list[list[Plane]]:
    """Planes whose first samples lie on one line; otherwise those that lie straight above each other."""
    positions = np.array([p.position for p in planes])
    normal = normal_of(planes[0].orientation)
    depth = positions @ normal
    low, high = positions[depth.argmin()], positions[depth.argmax()]
    extent = float(np.ptp(depth))
    if extent <= SAME_PLACE_MM:
        straight = np.broadcast_to(positions[0], positions.shape)
    else:
        straight = low + ((depth - depth.min()) / extent)[:, None] * (high - low)
    if np.abs(positions - straight).max() <= OFF_LINE_MM:
        return [planes]
    across = positions - depth[:, None] * normal
    parts: dict[int, list[Plane]] = defaultdict(list)
    for group, plane in zip(alike(across, tolerance=OFF_LINE_MM), planes, strict=True):
        parts[group].append(plane)
    return list(parts.values())


def _levels(planes: list[Plane]) -> list[list[Plane]]:
    """Planes by place along the normal, lowest first; within a place by time."""
    normal = normal_of(planes[0].orientation)
    depth = np.array([p.position @ normal for p in planes])
    order = np.argsort(depth, kind="stable")
    number = np.cumsum(np.diff(depth[order], prepend=depth[order[0]]) > SAME_PLACE_MM)
    levels: list[list[Plane]] = [[] for _ in range(int(number[-1]) + 1)]
    for index, level in zip(order, number, strict=True):
        levels[level].append(planes[index])
    return [sorted(level, key=lambda p: p.time_key) for level in levels]


def _uniform(levels: list[list[Plane]]) -> list[Stack]:
    """One stack when every place is taken equally often."""
    if len({len(level) for level in levels}) != 1:
        return []
    return [Stack([list(volume) for volume in zip(*levels, strict=True)], [])]


def _separated(planes: list[Plane]) -> list[Stack]:
    """Stacks by the first attribute of time or acquisition that leaves no place taken twice.

    Parts that cover the same places are time points of one stack. An attribute that merely numbers the slices would
    give more stacks than any place has repeats, and is refused.
    """
    most = max(len(level) for level in _levels(planes))
    for name in _TIME:
        parts: dict[float | None, list[Plane]] = defaultdict(list)
        for plane in planes:
            parts[plane.row.get(name)].append(plane)
        volumes = [_levels(parts[key]) for key in sorted(parts, key=_or_zero)]
        if len(volumes) < 2 or any(len(level) > 1 for volume in volumes for level in volume):
            continue
        stacks = _over_time(volumes)
        if len(stacks) <= most:
            return stacks
    return []


def _over_time(volumes: list[list[list[Plane]]]) -> list[Stack]:
    """Volumes joined to time series where they cover the same places."""
    joined: dict[tuple[int, ...], list[list[Plane]]] = defaultdict(list)
    for volume in volumes:
        first = [level[0] for level in volume]
        normal = normal_of(first[0].orientation)
        places = tuple(int(np.rint(p.position @ normal / (2 * SAME_PLACE_MM))) for p in first)
        joined[places].append(first)
    return [Stack(points, []) for points in joined.values()]


def _first_of_each(levels: list[list[Plane]]) -> Stack:
    """The first plane of each place; the others are extra."""
    return Stack([[level[0] for level in levels]], [p for level in levels for p in level[1:]])


def line_of(positions: Floats) -> Line:
    """Spacing and direction of planes in order.

    Parameters
    ----------
    positions : (N, 3) array, N >= 2
        LPS millimetres of each plane's first sample, in order along the normal.

    Examples
    --------
    >>> line_of(np.array([[0.0, 0, 0], [0, 0, 2], [0, 0, 4]])).spacing
    2.0
    >>> line_of(np.array([[0.0, 0, 0], [0, 0, 2], [0, 0, 4], [0, 0, 9]])).even
    False
    """
    whole = positions[-1] - positions[0]
    length = float(np.linalg.norm(whole))
    unit = whole / length
    steps = np.diff(positions @ unit)
    mean, median = length / len(steps), float(np.median(steps))
    even = bool(np.abs(steps - mean).max() <= max(UNEVEN * mean, SAME_PLACE_MM))
    return Line(mean if even else median, (float(unit[0]), float(unit[1]), float(unit[2])), even)
