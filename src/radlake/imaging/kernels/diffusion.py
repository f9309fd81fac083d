"""Anisotropic diffusion: what flows through a face leaves one sample and enters the next, less at steep slopes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from radlake.imaging.kernels.compiled import compiled, part
from radlake.imaging.kernels.threads import by_slabs

Values = NDArray[np.float32]

_ZERO, _ONE = np.float32(0.0), np.float32(1.0)
_LEAST = 8  # planes of a slab: each computes the flow through its first face a second time


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
    source, target = values, np.empty_like(values)
    spare = target if iterations == 1 else np.empty_like(values)
    for _ in range(iterations):
        by_slabs(
            lambda start, stop, a=source, b=target: _step(a, b, rates, steepness, start, stop),  # type: ignore[misc]
            len(values),
            least=_LEAST,
        )
        source, target = target, spare if source is values else source
    return source


@part
def _flow(here: np.float32, there: np.float32, rate: np.float32, steepness: np.float32) -> np.float32:
    """What enters `here` through the face between both; exactly what leaves `there`."""
    difference = there - here
    steep = difference * steepness
    return np.float32(rate * difference / (_ONE + steep * steep))


@compiled("void(float32[:,:,::1], float32[:,:,::1], float32[::1], float32[::1], int64, int64)")
def _step(source: Values, target: Values, rates: Values, steepness: Values, start: int, stop: int) -> None:
    """Planes `start` to `stop` one step later; each face is computed once."""
    depth, rows, width = source.shape
    above = np.zeros((rows, width), np.float32)  # what enters the plane above through the face between
    before, beside = np.empty(width, np.float32), np.zeros(width + 1, np.float32)
    rate_z, rate_y, rate_x = rates[0], rates[1], rates[2]
    steep_z, steep_y, steep_x = steepness[0], steepness[1], steepness[2]
    if start > 0:
        for y in range(rows):
            here, there, flow = source[start - 1, y], source[start, y], above[y]
            for x in range(width):
                flow[x] = _flow(here[x], there[x], rate_z, steep_z)
    for z in range(start, stop):
        before[:] = _ZERO
        for y in range(rows):
            own, line, flow = source[z, y], target[z, y], above[y]
            # at the last plane or row the neighbour is the sample itself, and nothing flows
            below, next_row = source[min(z + 1, depth - 1), y], source[z, min(y + 1, rows - 1)]
            left, right, face = own[: width - 1], own[1:], beside[1:width]
            for x in range(width - 1):
                face[x] = _flow(left[x], right[x], rate_x, steep_x)
            here, there = beside[:width], beside[1:]
            for x in range(width):
                line[x] = own[x] + (there[x] - here[x])
            for x in range(width):
                enters = _flow(own[x], next_row[x], rate_y, steep_y)
                line[x] += enters - before[x]
                before[x] = enters
            for x in range(width):
                enters = _flow(own[x], below[x], rate_z, steep_z)
                line[x] += enters - flow[x]
                flow[x] = enters
