"""Thin edges: samples whose gradient is not exceeded along it, and of the weak ones those that strong ones reach."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from radlake.core.image import BoolArray
from radlake.imaging.kernels.compiled import compiled, part
from radlake.imaging.kernels.slopes import Field, slopes_into
from radlake.imaging.kernels.threads import Limits, over_rows

Values = NDArray[np.float32]
Marks = NDArray[np.uint8]

WEAK, STRONG, TAKEN = 1, 2, 3  # marks
_TALL = 32  # rows whose slopes are held at a time, of three planes


def thin_edges(field: Field, spacing: Sequence[float], low: float, high: float) -> BoolArray:
    """Ridges of the gradient's length that reach `low`, and through such samples one that reaches `high`.

    The outermost samples of volumes and planes are never edges.

    Parameters
    ----------
    field : Field
        Of float32.
    spacing : three floats
        Distance of samples along each axis.
    low, high : float
        Thresholds on the length.

    Returns
    -------
    (z, y, x) bool array.

    References
    ----------
    Canny (1986), A computational approach to edge detection, IEEE PAMI 8:679-698, sections IV and VII.

    Examples
    --------
    >>> from radlake.imaging.kernels.slopes import field_of
    >>> plane = np.tile(np.array([0, 0, 0, 5, 9, 9], np.float32), (3, 1))[None]
    >>> field = field_of(plane, (1, 1, 1), (0.25, 0.5), "nearest", planar=True)
    >>> thin_edges(field, (1, 1, 1), 1.0, 3.0)[0, 1].astype(int).tolist()
    [0, 0, 0, 1, 0, 0]
    """
    depth, rows, _ = field.volume.shape
    marks = np.zeros(field.volume.shape, np.uint8)
    planar = field.scales[0] == 0
    per_voxel = np.array([0.0 if planar else 1 / spacing[0], 1 / spacing[1], 1 / spacing[2]])
    parts: dict[Limits, int] = {}

    def mark(limits: Limits) -> None:
        marked = _ridges_of(field, per_voxel, low, high, marks, limits)
        flood(marks, STRONG, limits, limits, np.empty(marked + 1, np.int64))
        parts[limits] = marked

    over_rows(marks.shape, mark)
    whole, waiting = (0, depth, 0, rows), np.empty(sum(parts.values()) + 1, np.int64)
    for limits in parts:
        for seam in _seams(limits, depth, rows):
            flood(marks, TAKEN, seam, whole, waiting)
    return np.asarray(marks == TAKEN)


def _seams(limits: Limits, depth: int, rows: int) -> Iterator[Limits]:
    """The outermost planes and rows of a part, where another part goes on."""
    start, stop, top, bottom = limits
    if start > 0:
        yield start, start + 1, top, bottom
    if stop < depth:
        yield stop - 1, stop, top, bottom
    if top > 0:
        yield start, stop, top, top + 1
    if bottom < rows:
        yield start, stop, bottom - 1, bottom


def _ridges_of(
    field: Field, per_voxel: NDArray[np.float64], low: float, high: float, marks: Marks, limits: Limits
) -> int:
    """Mark inner samples of some rows and planes, with the slopes of a plane and its neighbours in a ring."""
    depth, rows, width = marks.shape
    edge = 1 if per_voxel[0] else 0
    start, stop = max(limits[0], edge), min(limits[1], depth - edge)
    held = np.empty((2 * edge + 1) * 4 * (_TALL + 2) * width, np.float32)  # one memory for all: new pages cost time
    marked = 0
    for top in range(max(limits[2], 1), min(limits[3], rows - 1), _TALL):
        bottom = min(top + _TALL, limits[3], rows - 1)
        shape = 2 * edge + 1, 4, 1, bottom - top + 2, width
        ring = held[: math.prod(shape)].reshape(shape)
        for plane in range(start - edge, stop + edge if start < stop else 0):
            slopes_into(field, (plane, plane + 1, top - 1, bottom + 1), ring[plane % len(ring)])
            z = plane - edge
            if z >= start:
                marked += mark_ridges(ring[:, :, 0], z, per_voxel, low, high, marks[z, top:bottom])
    return marked


@part
def _at(
    slopes: Values, planes: NDArray[np.int64], y: int, x: int, away: NDArray[np.float64], sign: float
) -> np.float32:
    """Length a step away, linear between the samples about that place."""
    dz, dy, dx = sign * away[0], sign * away[1], sign * away[2]
    fz, fy, fx = int(np.floor(dz)), int(np.floor(dy)), int(np.floor(dx))
    total = 0.0
    for i in range(2):
        share_z = dz - fz if i else 1 - (dz - fz)
        for j in range(2 if share_z else 0):
            share_y = share_z * (dy - fy if j else 1 - (dy - fy))
            for k in range(2 if share_y else 0):
                share = share_y * (dx - fx if k else 1 - (dx - fx))
                if share:
                    total += share * slopes[planes[1 + fz + i], 3, y + fy + j, x + fx + k]
    return np.float32(total)


@compiled("int64(float32[:,:,:,::1], int64, float64[::1], float64, float64, uint8[:,::1])")
def mark_ridges(slopes: Values, z: int, per_voxel: NDArray[np.float64], low: float, high: float, marks: Marks) -> int:
    """Mark samples of a plane that no place one step up or down the gradient exceeds, as WEAK or STRONG.

    Parameters
    ----------
    slopes : (planes, 4, y + 2, x) float32 array, C-contiguous
        Of a plane, the one before and the one after, each at its number modulo how many are held: slopes along z, y
        and x and their length, with a row more on each side. One plane alone has no slope along z.
    z : int
        Number of the plane.
    per_voxel : three floats
        One over the distance of samples along each axis; 0 along z for one plane.
    low, high : float
        Thresholds on the length.
    marks : (y, x) uint8 array, C-contiguous
        What to fill; the first and the last column stay.

    Returns
    -------
    int
        How many are marked.
    """
    planes = np.array([(z - 1) % len(slopes), z % len(slopes), (z + 1) % len(slopes)])
    here = slopes[planes[1]]
    length = here[3]
    away = np.empty(3, np.float64)
    marked = 0
    for row in range(len(marks)):
        y = row + 1
        for x in range(1, marks.shape[1] - 1):
            own = length[y, x]
            if not own >= low:
                continue
            # a step along the gradient in millimetres is one of slope / spacing in voxels
            for axis in range(3):
                away[axis] = here[axis, y, x] * per_voxel[axis]
            face = max(abs(away[0]), abs(away[1]), abs(away[2]))  # to the next face of the ring of neighbours
            for axis in range(3):
                away[axis] /= face
            if own >= _at(slopes, planes, y, x, away, 1.0) and own >= _at(slopes, planes, y, x, away, -1.0):
                marks[row, x] = STRONG if own >= high else WEAK
                marked += 1
    return marked


@compiled("void(uint8[:,:,::1], int64, UniTuple(int64, 4), UniTuple(int64, 4), int64[::1])")
def flood(marks: Marks, seed: int, where: Limits, within: Limits, waiting: NDArray[np.int64]) -> None:
    """Take marked samples that touch a taken one, through corners too, from those marked as `seed`.

    Parameters
    ----------
    marks : (z, y, x) uint8 array, C-contiguous
    seed : {STRONG, TAKEN}
    where, within : (first plane, plane after the last, first row, row after the last)
        Where seeds are looked for, and how far samples are taken.
    waiting : int64 array
        Room for as many places as samples are marked within, at least one.
    """
    rows, width = marks.shape[1:]
    start, stop, top, bottom = within
    for z in range(where[0], where[1]):
        for y in range(where[2], where[3]):
            line = marks[z, y]
            for x in range(width):
                if line[x] != seed:
                    continue
                line[x] = TAKEN
                waiting[0], count = (z * rows + y) * width + x, 1
                while count:
                    count -= 1
                    at = waiting[count]
                    cz, cy, cx = at // (rows * width), at // width % rows, at % width
                    for nz in range(max(cz - 1, start), min(cz + 2, stop)):
                        for ny in range(max(cy - 1, top), min(cy + 2, bottom)):
                            for nx in range(max(cx - 1, 0), min(cx + 2, width)):
                                if marks[nz, ny, nx] == WEAK or marks[nz, ny, nx] == STRONG:
                                    marks[nz, ny, nx] = TAKEN
                                    waiting[count] = (nz * rows + ny) * width + nx
                                    count += 1
