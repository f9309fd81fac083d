"""Thin edges: samples whose gradient is not exceeded along it, and of the weak ones those that strong ones reach."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from radlake.core.image import BoolArray
from radlake.imaging.kernels.compiled import compiled, part
from radlake.imaging.kernels.threads import Limits, over_rows

Values = NDArray[np.float32]
Marks = NDArray[np.uint8]
Places = NDArray[np.int64]

_WEAK, _STRONG, _TAKEN = 1, 2, 3


def thin_edges(field: Values, spacing: Sequence[float], low: float, high: float, *, planar: bool) -> BoolArray:
    """Ridges of the gradient's length that reach `low`, and through such samples one that reaches `high`.

    Parameters
    ----------
    field : (4, z, y, x) float32 array, C-contiguous
        Slopes along z, y and x, and the length of the gradient.
    spacing : three floats
        Distance of samples along each axis.
    low, high : float
        Thresholds on the length.
    planar : bool
        Whether the volume is a plane. The outermost samples of volumes and planes are never edges.

    Returns
    -------
    (z, y, x) bool array.

    References
    ----------
    Canny (1986), A computational approach to edge detection, IEEE PAMI 8:679-698, sections IV and VII.

    Examples
    --------
    >>> row = np.array([0, 1, 4, 2, 0], np.float32)
    >>> field = np.zeros((4, 1, 3, 5), np.float32)
    >>> field[2:] = row
    >>> thin_edges(field, (1, 1, 1), 1.0, 3.0, planar=True)[0, 1].astype(int).tolist()
    [0, 0, 1, 0, 0]
    """
    marks = np.zeros(field.shape[1:], np.uint8)
    per_voxel = np.array([0.0 if planar else 1 / spacing[0], 1 / spacing[1], 1 / spacing[2]])
    edge = 0 if planar else 1
    over_rows(marks.shape, lambda limits: _ridges(field, per_voxel, low, high, marks, edge, limits))
    flat = marks.reshape(-1)
    _reach(marks, np.flatnonzero(flat == _STRONG), np.empty(np.count_nonzero(flat > 0), np.int64))
    return np.asarray(marks == _TAKEN)


@part
def _at(length: Values, z: int, y: int, x: int, away: NDArray[np.float64], sign: float) -> np.float32:
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
                    total += share * length[z + fz + i, y + fy + j, x + fx + k]
    return np.float32(total)


@compiled("void(float32[:,:,:,::1], float64[::1], float64, float64, uint8[:,:,::1], int64, UniTuple(int64, 4))")
def _ridges(
    field: Values, per_voxel: NDArray[np.float64], low: float, high: float, marks: Marks, edge: int, limits: Limits
) -> None:
    """Mark inner samples of some rows and planes that no place one step up or down the gradient exceeds."""
    length = field[3]
    depth, rows, width = length.shape
    start, stop, top, bottom = limits
    away = np.empty(3, np.float64)
    for z in range(max(start, edge), min(stop, depth - edge)):
        for y in range(max(top, 1), min(bottom, rows - 1)):
            line = length[z, y]
            for x in range(1, width - 1):
                here = line[x]
                if not here >= low:
                    continue
                # a step along the gradient in millimetres is one of slope / spacing in voxels
                for axis in range(3):
                    away[axis] = field[axis, z, y, x] * per_voxel[axis]
                face = max(abs(away[0]), abs(away[1]), abs(away[2]))  # to the next face of the ring of neighbours
                for axis in range(3):
                    away[axis] /= face
                if here >= _at(length, z, y, x, away, 1.0) and here >= _at(length, z, y, x, away, -1.0):
                    marks[z, y, x] = _STRONG if here >= high else _WEAK


@compiled("void(uint8[:,:,::1], int64[::1], int64[::1])")
def _reach(marks: Marks, strong: Places, waiting: Places) -> None:
    """Take strong samples, and weak ones that touch a taken one, through corners too; `waiting` has room for all."""
    depth, rows, width = marks.shape
    flat = marks.reshape(marks.size)
    for place in strong:
        if flat[place] == _TAKEN:
            continue
        flat[place] = _TAKEN
        waiting[0], count = place, 1
        while count:
            count -= 1
            at = waiting[count]
            cz, cy, cx = at // (rows * width), at // width % rows, at % width
            for nz in range(max(cz - 1, 0), min(cz + 2, depth)):
                for ny in range(max(cy - 1, 0), min(cy + 2, rows)):
                    for nx in range(max(cx - 1, 0), min(cx + 2, width)):
                        if marks[nz, ny, nx] == _WEAK or marks[nz, ny, nx] == _STRONG:
                            marks[nz, ny, nx] = _TAKEN
                            waiting[count] = (nz * rows + ny) * width + nx
                            count += 1
