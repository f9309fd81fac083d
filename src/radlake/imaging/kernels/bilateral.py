"""Bilateral filter: every neighbour weighed by its distance and by how much its value differs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radlake.imaging.kernels.compiled import compiled
from radlake.imaging.kernels.exponential import power_of_two
from radlake.imaging.kernels.threads import by_slabs

Values = NDArray[np.float32]
Places = NDArray[np.int64]

_LOG2_E = np.log2(np.e)
_ONE = np.float32(1.0)


def weighted_mean(padded: Values, window: NDArray[np.float64], sigma: float) -> Values:
    """Mean under a window, each neighbour weighed by the window and a Gaussian of the difference of values.

    Parameters
    ----------
    padded : (Z + kz - 1, Y + ky - 1, X + kx - 1) float32 array, C-contiguous
        With half a window more on every side.
    window : (kz, ky, kx) array
        Weights of places from 0 to 1, sides odd, the middle 1; places of weight 0 are not looked at.
    sigma : float
        Standard deviation of the Gaussian of differences, in the unit of the values, above 0.

    Returns
    -------
    (Z, Y, X) float32 array.

    References
    ----------
    Tomasi and Manduchi (1998), Bilateral filtering for gray and color images, ICCV, equations 5 and 6.

    Examples
    --------
    >>> row = np.array([[[0, 0, 1, 100, 100]]], np.float32)
    >>> weighted_mean(row, np.ones((1, 1, 3)), 1.0).astype(float).round(3).tolist()
    [[[0.233, 0.622, 100.0]]]
    """
    places = np.argwhere(window > 0)
    places = places[np.any(places != [side // 2 for side in window.shape], axis=1)]
    logarithms = np.log2(window[tuple(places.T)]).astype(np.float32)
    decay = np.float32(-_LOG2_E / (2 * sigma**2))
    out = np.empty([side - k + 1 for side, k in zip(padded.shape, window.shape, strict=True)], np.float32)
    rows = out.shape[0] * out.shape[1]
    by_slabs(lambda start, stop: _weigh(padded, out, places, logarithms, decay, start, stop), rows)
    return out


@compiled("void(float32[:,:,::1], float32[:,:,::1], int64[:,::1], float32[::1], float32, int64, int64)")
def _weigh(
    padded: Values, out: Values, places: Places, logarithms: Values, decay: np.float32, start: int, stop: int
) -> None:
    """Rows `start` to `stop` of the result; the middle itself has weight 1."""
    _, rows, width = out.shape
    kz, ky, kx = padded.shape[0] - out.shape[0], padded.shape[1] - rows, padded.shape[2] - width
    total, weights = np.empty(width, np.float32), np.empty(width, np.float32)
    for row in range(start, stop):
        z, y = row // rows, row % rows
        own = padded[z + kz // 2, y + ky // 2, kx // 2 : kx // 2 + width]
        for x in range(width):
            total[x] = own[x]
            weights[x] = _ONE
        for k in range(len(places)):
            dz, dy, dx = places[k]
            other = padded[z + dz, y + dy, dx : dx + width]
            place = logarithms[k]
            for x in range(width):
                difference = own[x] - other[x]
                weight = power_of_two(place + decay * (difference * difference))
                total[x] += weight * other[x]
                weights[x] += weight
        line = out[z, y]
        for x in range(width):
            line[x] = total[x] / weights[x]
