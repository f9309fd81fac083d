"""Anisotropic diffusion: what flows through a face leaves one sample and enters the next, less at steep slopes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from radlake.imaging.kernels.compiled import compiled, part
from radlake.imaging.kernels.threads import by_slabs

Values = NDArray[np.float32]

_ZERO, _ONE = np.float32(0.0), np.float32(1.0)
_TOGETHER = 3  # iterations in one pass over the volume, which memory limits more than arithmetic


def diffused(values: Values, spacing: Sequence[float], slope: float, step: float, iterations: int) -> Values:
    """Values after so many explicit steps of diffusion; nothing flows through the border.

    Parameters
    ----------
    values : (Z, Y, X) float32 array, C-contiguous
    spacing : three floats
        Distance of samples along each axis, millimetres.
    slope : float
        Slope in units per millimetre at which a face conducts half as well as a flat one.
    step : float
        Time of an iteration, square millimetres.
    iterations : int
        At least 1.

    Returns
    -------
    (Z, Y, X) float32 array.

    References
    ----------
    Perona and Malik (1990), Scale-space and edge detection using anisotropic diffusion, IEEE PAMI 12:629-639,
    equations 7 to 10 with the second conductance, g = 1 / (1 + (slope / K)^2); here per millimetre.

    Examples
    --------
    >>> step = np.array([[[0, 0, 8, 8]]], np.float32)
    >>> diffused(step, (1, 1, 1), 8.0, 0.25, 1).tolist()
    [[[0.0, 1.0, 7.0, 8.0]]]
    """
    rates = np.array([step / s**2 for s in spacing], np.float32)
    steepness = np.array([1 / (s * slope) for s in spacing], np.float32)
    passes = range(0, iterations, _TOGETHER)
    buffers = [np.empty_like(values) for _ in passes[:2]]
    source = values
    for turn, done in enumerate(passes):
        target, together = buffers[turn % 2], min(_TOGETHER, iterations - done)
        by_slabs(partial(_steps, source, target, rates, steepness, together), len(values), least=8 * _TOGETHER)
        source = target
    return source


@part
def _flow(here: np.float32, there: np.float32, rate: np.float32, steepness: np.float32) -> np.float32:
    """What enters `here` through the face between both; exactly what leaves `there`."""
    difference = there - here
    steep = difference * steepness
    return np.float32(rate * difference / (_ONE + steep * steep))


@part
def _enter(here: Values, there: Values, flow: Values, rate: np.float32, steepness: np.float32) -> None:
    """What enters a plane through all faces to the next."""
    for y in range(len(here)):
        a, b, line = here[y], there[y], flow[y]
        for x in range(a.size):
            line[x] = _flow(a[x], b[x], rate, steepness)


@part
def _advance(
    own: Values, below: Values, flow: Values, target: Values, rates: Values, steepness: Values, rows: Values
) -> None:
    """A plane one step later; `flow` holds what enters the plane above through the face between, then below."""
    height, width = own.shape
    before, beside = rows[0, :width], rows[1]
    before[:] = _ZERO
    for y in range(height):
        # at the last plane or row the neighbour is the sample itself, and nothing flows
        line, now, down, through = own[y], target[y], below[y], flow[y]
        next_row = own[min(y + 1, height - 1)]
        left, right, face = line[: width - 1], line[1:], beside[1:width]
        for x in range(width - 1):
            face[x] = _flow(left[x], right[x], rates[2], steepness[2])
        here, there = beside[:width], beside[1:]
        for x in range(width):
            lower = _flow(line[x], next_row[x], rates[1], steepness[1])
            deeper = _flow(line[x], down[x], rates[0], steepness[0])
            now[x] = line[x] + ((there[x] - here[x]) + (lower - before[x]) + (deeper - through[x]))
            before[x] = lower
            through[x] = deeper


@compiled("void(float32[:,:,::1], float32[:,:,::1], float32[::1], float32[::1], int64, int64, int64)")
def _steps(source: Values, target: Values, rates: Values, steepness: Values, count: int, start: int, stop: int) -> None:
    """Planes `start` to `stop` some steps later, in one pass: step k works k planes behind, on what is in the cache."""
    depth, height, width = source.shape
    between = np.empty((max(count - 1, 1), 2, height, width), np.float32)  # two planes after each step
    flows = np.zeros((count, height, width), np.float32)
    rows = np.zeros((2, width + 1), np.float32)
    for front in range(max(start - count, -1), stop + count):
        for k in range(count):
            z = front - k
            first, last = max(start - (count - 1 - k), 0), min(stop + (count - 1 - k), depth)
            if z < first - 1 or z < 0 or z >= last:
                continue
            below = min(z + 1, depth - 1)
            a = source[z] if k == 0 else between[k - 1, z % 2]
            b = source[below] if k == 0 else between[k - 1, below % 2]
            if z < first:
                _enter(a, b, flows[k], rates[0], steepness[0])
            else:
                into = target[z] if k == count - 1 else between[k, z % 2]
                _advance(a, b, flows[k], into, rates, steepness, rows)
