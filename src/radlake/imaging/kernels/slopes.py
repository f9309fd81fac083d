"""Slopes, their length and the Laplacian of a volume in one pass: row by row, so that nothing but results is stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from radlake.imaging.kernels.compiled import compiled, copy, part
from radlake.imaging.kernels.threads import Limits, over_rows

Values = NDArray[np.floating[Any]]
Ends = NDArray[np.int64]  # (3, 2): for each axis the sample before the first and after the last; -1 stands for zero

LENGTH, ALL = 3, 4  # what is wanted, besides the slope along axis 0, 1 or 2


class Field(NamedTuple):
    """What slopes are taken of, and how: made by `field_of`."""

    volume: Values
    ends: Ends
    weights: Values
    scales: Values


def field_of(
    volume: Values, spacing: Sequence[float], across: tuple[float, float], border: str, *, planar: bool
) -> Field:
    """Slopes by central differences that are smoothed along the other axes, none of them computed yet.

    Parameters
    ----------
    volume : (z, y, x) float32 or float64 array, C-contiguous
    spacing : three floats
        Distance of samples along each axis.
    across : (beside, middle)
        Weights of the neighbours and of the sample itself in the smoothing; 2 beside + middle = 1.
    border : {"reflect", "nearest", "mirror", "wrap", "constant"}
        As in scipy.ndimage.
    planar : bool
        Whether the volume is a plane, in which nothing is taken along z.

    Examples
    --------
    >>> field_of(np.zeros((1, 2, 3)), (1, 1, 0.5), (0.25, 0.5), "reflect", planar=True).scales.tolist()
    [0.0, 0.5, 1.0]
    """
    scales = np.array([0.0 if planar else 0.5 / spacing[0], 0.5 / spacing[1], 0.5 / spacing[2]], volume.dtype)
    ends = _ends(volume.shape, border) if volume.size else np.zeros((3, 2), np.int64)
    return Field(volume, ends, np.array(across, volume.dtype), scales)


def slopes_of(field: Field, wanted: int) -> Values:
    """Slope along one axis, or the length of the gradient, in the shape and dtype of the volume.

    Parameters
    ----------
    field : Field
    wanted : {0, 1, 2, LENGTH}

    Examples
    --------
    >>> field = field_of(np.array([[[0.0, 2.0, 4.0]]]), (1, 1, 0.5), (0.25, 0.5), "reflect", planar=True)
    >>> slopes_of(field, 2).tolist()
    [[[2.0, 4.0, 2.0]]]
    """
    found = np.empty((1, *field.volume.shape), field.volume.dtype)
    over_rows(field.volume.shape, lambda limits: _slopes(*field, wanted, found, limits, (0, 0)))
    return np.asarray(found[0])


def slopes_into(field: Field, limits: Limits, found: Values) -> None:
    """Slopes along z, y and x, then their length, of some rows of some planes.

    Parameters
    ----------
    field : Field
    limits : (first plane, plane after the last, first row, row after the last)
    found : (4, planes, rows, x) array of the dtype of the volume, C-contiguous
        What to fill.

    Examples
    --------
    >>> field = field_of(np.array([[[0.0, 2.0, 4.0]]]), (1, 1, 0.5), (0.25, 0.5), "reflect", planar=True)
    >>> found = np.empty((4, 1, 1, 3))
    >>> slopes_into(field, (0, 1, 0, 1), found)
    >>> found[2:, 0, 0].tolist()
    [[2.0, 4.0, 2.0], [2.0, 4.0, 2.0]]
    """
    _slopes(*field, ALL, found, limits, (limits[0], limits[2]))


def laplacian_of(volume: Values, spacing: Sequence[float], border: str, *, planar: bool) -> Values:
    """Sum of second differences, per square of the unit of the spacing.

    Parameters as for `field_of`.

    Examples
    --------
    >>> laplacian_of(np.array([[[0.0, 0.0, 1.0, 0.0]]]), (1, 1, 0.5), "reflect", planar=True).tolist()
    [[[0.0, 4.0, -8.0, 4.0]]]
    """
    found = np.empty_like(volume)
    if volume.size == 0:
        return found
    scales = np.array([0.0 if planar else spacing[0] ** -2, spacing[1] ** -2, spacing[2] ** -2], volume.dtype)
    ends = _ends(volume.shape, border)
    over_rows(volume.shape, lambda limits: _laplacian(volume, ends, scales, found, limits))
    return found


def _ends(shape: tuple[int, ...], border: str) -> Ends:
    """Which sample is beyond the first and the last one along each axis."""
    first = {"reflect": 0, "nearest": 0, "mirror": 1, "wrap": -1}.get(border)
    if first is None:  # constant
        return np.full((3, 2), -1, np.int64)
    last = {"reflect": -1, "nearest": -1, "mirror": -2, "wrap": 0}[border]
    # an axis of one sample has no other neighbour than itself
    return np.array([(first % n, last % n) for n in shape], np.int64)


@part
def _neighbour(index: int, size: int, ends: Ends, axis: int) -> int:
    """An index that may be one before the first or one after the last, inside; -1 for zero."""
    if index < 0:
        index = ends[axis, 0]
    elif index >= size:
        index = ends[axis, 1]
    return index


@part
def _line_of(volume: Values, z: int, y: int, zero: Values) -> Values:
    """A row, or zeros."""
    return zero if z < 0 or y < 0 else volume[z, y]


@part
def _smooth(before: Values, line: Values, after: Values, weights: Values, target: Values) -> None:
    """Weighted sum of three runs; without weights for its neighbours a sample does not see them, not even NaN."""
    if weights[0] == 0:
        copy(line, target)
        return
    beside, middle = weights[0], weights[1]
    for x in range(line.size):
        target[x] = beside * (before[x] + after[x]) + middle * line[x]


@part
def _difference(before: Values, after: Values, scale: float, target: Values) -> None:
    """Scaled difference of two runs."""
    for x in range(before.size):
        target[x] = scale * (after[x] - before[x])


@part
def _extend(line: Values, ends: Ends) -> None:
    """Give a row that has a free place at each side its neighbours."""
    width = line.size - 2
    line[0] = line[1 + ends[2, 0]] if ends[2, 0] >= 0 else 0
    line[width + 1] = line[1 + ends[2, 1]] if ends[2, 1] >= 0 else 0


@part
def _through_z(
    volume: Values, z: int, y: int, ends: Ends, weights: Values, scale: float, zero: Values, target: Values
) -> None:
    """A row smoothed along z, and its slope along z; without a scale the row itself."""
    line = _line_of(volume, z, y, zero)
    if scale == 0:
        copy(line, target[0])
        return
    before = _line_of(volume, _neighbour(z - 1, len(volume), ends, 0), y, zero)
    after = _line_of(volume, _neighbour(z + 1, len(volume), ends, 0), y, zero)
    _smooth(before, line, after, weights, target[0])
    _difference(before, after, scale, target[1])


@part
def _lengths(slopes: Values, deep: bool, target: Values) -> None:
    """Euclidean length of the slopes along all axes."""
    a, b, c = slopes[0], slopes[1], slopes[2]
    for x in range(target.size):
        square = b[x] * b[x] + c[x] * c[x]
        target[x] = np.sqrt(a[x] * a[x] + square if deep else square)


_SLOPES = (
    "void({0}[:,:,::1], int64[:,::1], {0}[::1], {0}[::1], int64, {0}[:,:,:,::1], UniTuple(int64, 4),"
    " UniTuple(int64, 2))"
)


@compiled(_SLOPES.format("float32"), _SLOPES.format("float64"))
def _slopes(
    volume: Values,
    ends: Ends,
    weights: Values,
    scales: Values,
    wanted: int,
    found: Values,
    limits: Limits,
    corner: tuple[int, int],
) -> None:
    """Some rows of some planes: along z, then along y of three such rows, then along x; `found` begins at a corner."""
    _, rows, width = volume.shape
    start, stop, top, bottom = limits
    zero = np.zeros(width, volume.dtype)
    ring = np.zeros((3, 2, width), volume.dtype)  # of rows y - 1, y, y + 1: smoothed along z, slope along z
    line, slopes = np.zeros((3, width + 2), volume.dtype), np.zeros((3, width), volume.dtype)
    deep = scales[0] != 0
    for z in range(start, stop):
        for row in range(top - 1, bottom + 1):
            y = _neighbour(row, rows, ends, 1)
            _through_z(volume, z, y, ends, weights, scales[0], zero, ring[(row + 1) % 3])
            if row <= top:
                continue
            before, here, after = ring[(row - 1) % 3], ring[row % 3], ring[(row + 1) % 3]
            _smooth(before[0], here[0], after[0], weights, line[2, 1:-1])
            _difference(before[0], after[0], scales[1], line[1, 1:-1])
            _smooth(before[1], here[1], after[1], weights, line[0, 1:-1])
            for k in range(3):
                _extend(line[k], ends)
            _difference(line[2, :-2], line[2, 2:], scales[2], slopes[2])
            for k in range(2):
                _smooth(line[k, :-2], line[k, 1:-1], line[k, 2:], weights, slopes[k])
            at_z, at_y = z - corner[0], row - 1 - corner[1]
            if wanted < LENGTH:
                copy(slopes[wanted], found[0, at_z, at_y])
            else:
                _lengths(slopes, deep, found[-1, at_z, at_y])
            for k in range(3 if wanted == ALL else 0):
                copy(slopes[k], found[k, at_z, at_y])


@part
def _curve(
    left: Values, line: Values, right: Values, before: Values, after: Values, scales: Values, target: Values
) -> None:
    """Second differences of a run along x and y, added up."""
    for x in range(line.size):
        twice = 2 * line[x]
        across, down = (left[x] + right[x]) - twice, (before[x] + after[x]) - twice
        target[x] = scales[2] * across + scales[1] * down


_LAPLACIAN = "void({0}[:,:,::1], int64[:,::1], {0}[::1], {0}[:,:,::1], UniTuple(int64, 4))"


@compiled(_LAPLACIAN.format("float32"), _LAPLACIAN.format("float64"))
def _laplacian(volume: Values, ends: Ends, scales: Values, found: Values, limits: Limits) -> None:
    """Some rows of some planes."""
    depth, rows, width = volume.shape
    start, stop, top, bottom = limits
    zero, sides = np.zeros(width, volume.dtype), np.zeros(2, volume.dtype)
    for z in range(start, stop):
        above, below = _neighbour(z - 1, depth, ends, 0), _neighbour(z + 1, depth, ends, 0)
        for y in range(top, bottom):
            target, line = found[z, y], volume[z, y]
            before = _line_of(volume, z, _neighbour(y - 1, rows, ends, 1), zero)
            after = _line_of(volume, z, _neighbour(y + 1, rows, ends, 1), zero)
            _curve(line[:-2], line[1:-1], line[2:], before[1:-1], after[1:-1], scales, target[1:-1])
            for x in (0, width - 1):
                left, right = _neighbour(x - 1, width, ends, 2), _neighbour(x + 1, width, ends, 2)
                sides[0], sides[1] = line[left] if left >= 0 else 0, line[right] if right >= 0 else 0
                end = slice(x, x + 1)
                _curve(sides[:1], line[end], sides[1:], before[end], after[end], scales, target[end])
            if scales[0] != 0:
                before, after = _line_of(volume, above, y, zero), _line_of(volume, below, y, zero)
                for x in range(width):
                    target[x] += scales[0] * ((before[x] + after[x]) - 2 * line[x])
