"""Non-local means: every sample nearby weighed by how alike the patches around both are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radlake.imaging.kernels.compiled import compiled, copy, part
from radlake.imaging.kernels.exponential import power_of_two
from radlake.imaging.kernels.threads import by_slabs

Size = tuple[int, int, int]
Values = NDArray[np.float32]

_LOG2_E = np.log2(np.e)
_ZERO = np.float32(0.0)
_PLANES, _ROWS = 8, 16  # of a block: its sums and weights stay in the second-level cache


def mean_of_alike(padded: Values, patch: Size, search: Size, strength: float) -> Values:
    """Mean over a search box, each sample weighed by exp(-d / strength^2), d the mean squared difference of patches.

    Parameters
    ----------
    padded : (Z + pz + sz - 2, Y + py + sy - 2, X + px + sx - 2) float32 array, C-contiguous
        With half a patch and half a search box more on every side.
    patch, search : (z, y, x)
        Odd sides of both boxes in samples.
    strength : float
        In the unit of the values, above 0.

    Returns
    -------
    (Z, Y, X) float32 array.

    References
    ----------
    Buades, Coll and Morel (2005), A non-local algorithm for image denoising, CVPR 2:60-65; flat patches, and the
    sample itself with its own weight of 1.

    Examples
    --------
    >>> row = np.array([[[0, 0, 1, 100, 100]]], np.float32)
    >>> mean_of_alike(row, (1, 1, 1), (1, 1, 3), 1.0).astype(float).round(3).tolist()
    [[[0.155, 0.731, 100.0]]]
    """
    out = np.empty([side - p - s + 2 for side, p, s in zip(padded.shape, patch, search, strict=True)], np.float32)
    decay = np.float32(-_LOG2_E / (strength**2 * np.prod(patch)))
    sides = np.array([patch, search], np.int64)
    blocks = -(-out.shape[0] // _PLANES) * -(-out.shape[1] // _ROWS)
    by_slabs(lambda start, stop: _average(padded, out, sides, decay, start, stop), blocks)
    return out


@part
def _squares(flat: Values, here: int, there: int, line: Values) -> None:
    """Squared differences of two runs of samples."""
    own, other = flat[here : here + line.size], flat[there : there + line.size]
    for i in range(line.size):
        difference = own[i] - other[i]
        line[i] = difference * difference


@part
def _start(first: Values, second: Values, third: Values, total: Values) -> None:
    """Sum of three runs."""
    for i in range(total.size):
        total[i] = first[i] + (second[i] + third[i])


@part
def _add(first: Values, second: Values, total: Values) -> None:
    """Two runs more."""
    for i in range(total.size):
        total[i] += first[i] + second[i]


@part
def _sums(line: Values, stride: int, count: int, total: Values) -> None:
    """Sums of an odd number of samples that lie `stride` apart."""
    n = total.size
    if count == 1:
        copy(line[:n], total)
        return
    _start(line[:n], line[stride : stride + n], line[2 * stride : 2 * stride + n], total)
    for k in range(3, count, 2):
        _add(line[k * stride : k * stride + n], line[(k + 1) * stride : (k + 1) * stride + n], total)


@part
def _sum_ring(ring: Values, first: int, total: Values) -> None:
    """Sum of all lines of a ring, from line `first` on."""
    count, n = len(ring), total.size
    if count == 1:
        copy(ring[0, :n], total)
        return
    _start(ring[first % count, :n], ring[(first + 1) % count, :n], ring[(first + 2) % count, :n], total)
    for k in range(first + 3, first + count, 2):
        _add(ring[k % count, :n], ring[(k + 1) % count, :n], total)


@part
def _weigh(distance: Values, decay: np.float32, other: Values, total: Values, weights: Values) -> None:
    """Add samples with the weights that the distances of their patches give."""
    for i in range(total.size):
        weight = power_of_two(decay * distance[i])
        total[i] += weight * other[i]
        weights[i] += weight


@compiled("void(float32[:,:,::1], float32[:,:,::1], int64[:,::1], float32, int64, int64)")
def _average(padded: Values, out: Values, sides: NDArray[np.int64], decay: np.float32, start: int, stop: int) -> None:
    """Blocks `start` to `stop`.

    Rows of a block are one run in memory, padding included, so that loops are long. For each move of the search,
    squared differences are summed along y, kept for the depth of a patch, and summed along z and x; each sum in one
    order, so that blocks do not show.
    """
    depth, rows, width = out.shape
    pz, py, px = sides[0]
    sz, sy, sx = sides[1]
    line = padded.shape[2]
    plane = padded.shape[1] * line
    flat = padded.reshape(padded.size)
    run = _ROWS * line
    squares, ring = np.empty(run + (py - 1) * line, np.float32), np.empty((pz, run), np.float32)
    column, distance = np.empty(run, np.float32), np.empty(run, np.float32)
    total, weights = np.empty((_PLANES, run), np.float32), np.empty((_PLANES, run), np.float32)
    across = -(-rows // _ROWS)
    for block in range(start, stop):
        top, left = (block // across) * _PLANES, (block % across) * _ROWS
        planes, height = min(_PLANES, depth - top), min(_ROWS, rows - left)
        n = (height - 1) * line + width  # samples from the first to the last of the block's result
        m = n + px - 1
        total[:] = _ZERO
        weights[:] = _ZERO
        for move in range(sz * sy * sx):
            corner = top * plane + left * line
            here = corner + sz // 2 * plane + sy // 2 * line + sx // 2
            there = corner + move // (sy * sx) * plane + move // sx % sy * line + move % sx
            middle = there + pz // 2 * plane + py // 2 * line + px // 2
            for z in range(planes + pz - 1):
                part_of = squares[: m + (py - 1) * line]
                _squares(flat, here + z * plane, there + z * plane, part_of)
                _sums(part_of, line, py, ring[z % pz, :m])
                first = z - pz + 1
                if first < 0:
                    continue
                _sum_ring(ring, first, column[:m])
                _sums(column[:m], 1, px, distance[:n])
                other = flat[middle + first * plane : middle + first * plane + n]
                _weigh(distance, decay, other, total[first, :n], weights[first, :n])
        for z in range(planes):
            for y in range(height):
                target, sums = out[top + z, left + y], total[z, y * line : y * line + width]
                shares = weights[z, y * line : y * line + width]
                for x in range(width):
                    target[x] = sums[x] / shares[x]
