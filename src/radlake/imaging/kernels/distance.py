"""Exact Euclidean distance to the outside of a mask: counted along x, by lower envelopes of parabolas along y and z."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from radlake.core.image import BoolArray
from radlake.imaging.kernels.compiled import compiled, part
from radlake.imaging.kernels.threads import by_slabs

Squares = NDArray[np.float64]

_COLUMNS = 16  # columns taken along y or z at a time: two lines of the cache, so that none is read twice
_LEAST = 8  # planes or rows worth a thread


def distance_to_outside(inside: BoolArray, spacing: Sequence[float]) -> NDArray[np.float32]:
    """Distance of each sample inside to the nearest one outside; 0 outside, infinite where nothing is outside.

    Parameters
    ----------
    inside : (z, y, x) bool array, C-contiguous
    spacing : three floats
        Distance of samples along each axis.

    References
    ----------
    Felzenszwalb and Huttenlocher (2012), Distance transforms of sampled functions, Theory of Computing 8:415-428;
    between centres of samples, in float64 until the root is taken.

    Examples
    --------
    >>> distance_to_outside(np.array([[[0, 1, 1, 1]]], bool), (1.0, 1.0, 0.5)).tolist()
    [[[0.0, 0.5, 1.0, 1.5]]]
    """
    depth, rows, _ = inside.shape
    squares, distances = np.empty(inside.shape, np.float64), np.empty(inside.shape, np.float32)
    z, y, x = (float(step) for step in spacing)
    by_slabs(lambda start, stop: _in_planes(inside, squares, y, x, start, stop), depth, least=_LEAST)
    by_slabs(lambda start, stop: _through_planes(squares, distances, z, start, stop), rows, least=_LEAST)
    return distances


@part
def _along_row(line: BoolArray, squares: Squares, step: float) -> None:
    """Squared distance to the nearest sample outside in the same row."""
    steps = np.inf
    for x in range(line.size):
        steps = steps + 1.0 if line[x] else 0.0
        squares[x] = steps
    steps = np.inf
    for x in range(line.size - 1, -1, -1):
        steps = steps + 1.0 if line[x] else 0.0
        nearest = step * min(squares[x], steps)
        squares[x] = nearest * nearest


@part
def _along(line: Squares, step: float, place: NDArray[np.int64], least: Squares, begin: Squares) -> None:
    """Squared distances with those of a line's other samples taken in: the lowest of the parabolas that they raise.

    Parabola k, of which the least value is `least[k]` at `place[k]`, is the lowest from `begin[k]` on. Of samples
    outside, those that lie between two others are passed over: one of these is nearer to everything inside.
    """
    n, last, square = line.size, -1, step * step
    for x in range(n):
        value = line[x]
        if value == np.inf or (value == 0 and (x == 0 or line[x - 1] == 0) and (x == n - 1 or line[x + 1] == 0)):
            continue
        crossing = -np.inf
        while last >= 0:
            at = place[last]
            crossing = 0.5 * ((value - least[last]) / (square * (x - at)) + (x + at))
            if crossing > begin[last]:
                break
            last -= 1
        last += 1
        place[last], least[last], begin[last] = x, value, crossing if last > 0 else -np.inf
    k = 0
    for x in range(n if last >= 0 else 0):
        while k < last and begin[k + 1] < x:
            k += 1
        if line[x] > 0:
            away = step * (x - place[k])
            line[x] = least[k] + away * away


@compiled("void(boolean[:,:,::1], float64[:,:,::1], float64, float64, int64, int64)")
def _in_planes(inside: BoolArray, squares: Squares, step_y: float, step_x: float, start: int, stop: int) -> None:
    """Squared distances within planes `start` to `stop`."""
    _, rows, width = inside.shape
    lines, place = np.empty((_COLUMNS, rows), np.float64), np.empty(rows, np.int64)
    least, begin = np.empty(rows, np.float64), np.empty(rows, np.float64)
    for z in range(start, stop):
        plane = squares[z]
        for y in range(rows):
            _along_row(inside[z, y], plane[y], step_x)
        for left in range(0, width if rows > 1 else 0, _COLUMNS):
            n = min(_COLUMNS, width - left)
            for y in range(rows):
                for x in range(n):
                    lines[x, y] = plane[y, left + x]
            for x in range(n):
                _along(lines[x], step_y, place, least, begin)
            for y in range(rows):
                for x in range(n):
                    plane[y, left + x] = lines[x, y]


@compiled("void(float64[:,:,::1], float32[:,:,::1], float64, int64, int64)")
def _through_planes(squares: Squares, distances: NDArray[np.float32], step: float, start: int, stop: int) -> None:
    """Distances in rows `start` to `stop` of all planes."""
    depth, _, width = squares.shape
    lines, place = np.empty((_COLUMNS, depth), np.float64), np.empty(depth, np.int64)
    least, begin = np.empty(depth, np.float64), np.empty(depth, np.float64)
    for y in range(start, stop):
        for left in range(0, width, _COLUMNS):
            n = min(_COLUMNS, width - left)
            for z in range(depth):
                for x in range(n):
                    lines[x, z] = squares[z, y, left + x]
            for x in range(n if depth > 1 else 0):
                _along(lines[x], step, place, least, begin)
            for z in range(depth):
                for x in range(n):
                    distances[z, y, left + x] = np.sqrt(lines[x, z])
