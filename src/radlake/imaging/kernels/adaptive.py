"""Adaptive equalisation: a curve for each tile from its clipped histogram, mixed with others between their centres."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from radlake.imaging.kernels.compiled import compiled, part
from radlake.imaging.kernels.threads import Limits, by_slabs, over_rows

Values = NDArray[np.floating[Any]]
Sides = tuple[int, int, int]


class Levels(NamedTuple):
    """How values become places on a curve: node = (value - low) * scale, 0 to nodes - 1."""

    low: float
    high: float
    nodes: int

    @property
    def scale(self) -> float:
        """Nodes per unit of value."""
        return (self.nodes - 1) / (self.high - self.low)


def adapted(values: Values, counts: Sides, levels: Levels, clip: float) -> Values:
    """Values equalised tile by tile, within their range.

    Parameters
    ----------
    values : (z, y, x) float32 or float64 array, C-contiguous
        From `levels.low` to `levels.high`.
    counts : three ints
        Tiles along each axis.
    levels : Levels
        At least two nodes.
    clip : float
        Most samples that a node may hold, in multiples of the mean.

    Returns
    -------
    (z, y, x) array of the same dtype.

    References
    ----------
    Zuiderveld (1994), Contrast limited adaptive histogram equalization, Graphics Gems IV, 474-485.

    Examples
    --------
    >>> adapted(np.array([[[0.0, 1.0, 2.0, 4.0]]]), (1, 1, 1), Levels(0.0, 4.0, 5), 5.0).tolist()
    [[[1.0, 2.0, 3.0, 4.0]]]
    """
    depth, rows, width = values.shape
    side = -(-depth // counts[0]), -(-rows // counts[1]), -(-width // counts[2])
    curves = np.empty((*counts, levels.nodes), np.float32)
    limit = max(1.0, clip * np.prod(side) / levels.nodes)
    scale = np.array([levels.low, levels.high, levels.scale])
    by_slabs(lambda start, stop: _curves(values, scale, side, limit, curves, start, stop), curves[..., 0].size)
    # the two nearest tiles along each axis, and how much the second one counts
    near = np.zeros((3, 2, max(values.shape)), np.int64)
    share = np.zeros((3, max(values.shape)), np.float32)
    for axis, (size, width, count) in enumerate(zip(values.shape, side, counts, strict=True)):
        at = (np.arange(size) + 0.5) / width - 0.5  # in tiles, 0 at the first centre
        tile = np.floor(at).astype(np.int64)
        near[axis, :, :size] = np.clip([tile, tile + 1], 0, count - 1)
        share[axis, :size] = at - tile
    found = np.empty_like(values)
    over_rows(values.shape, lambda limits: _mixed(values, scale, curves, near, share, found, limits))
    return found


@compiled(
    "void(float32[:,:,::1], float64[::1], UniTuple(int64, 3), float64, float32[:,:,:,::1], int64, int64)",
    "void(float64[:,:,::1], float64[::1], UniTuple(int64, 3), float64, float32[:,:,:,::1], int64, int64)",
)
def _curves(
    values: Values, scale: Values, side: Sides, limit: float, curves: NDArray[np.float32], start: int, stop: int
) -> None:
    """New value at each node for tiles `start` to `stop`; where the last tile is not full the image is mirrored."""
    depth, rows, width = values.shape
    _, down, across, nodes = curves.shape
    low, high, per_unit = scale[0], scale[1], scale[2]
    frequency = np.empty(nodes, np.float64)
    for tile in range(start, stop):
        tz, ty, tx = tile // (down * across), tile // across % down, tile % across
        frequency[:] = 0.0
        for z in range(tz * side[0], (tz + 1) * side[0]):
            for y in range(ty * side[1], (ty + 1) * side[1]):
                line = values[z if z < depth else 2 * (depth - 1) - z, y if y < rows else 2 * (rows - 1) - y]
                for x in range(tx * side[2], (tx + 1) * side[2]):
                    value = np.float64(line[x if x < width else 2 * (width - 1) - x])
                    frequency[int(np.rint((value - low) * per_unit))] += 1.0
        excess = 0.0
        for node in range(nodes):
            excess += max(frequency[node] - limit, 0.0)
        total, step = 0.0, (high - low) / (side[0] * side[1] * side[2])
        for node in range(nodes):
            total += min(frequency[node], limit) + excess / nodes
            curves[tz, ty, tx, node] = low + total * step


@part
def _weigh_row(
    curves: NDArray[np.float32], share: NDArray[np.float32], near: NDArray[np.int64], z: int, y: int, row: Values
) -> None:
    """Curves of a row of tiles, mixed for a row of samples: those of the tiles around along z and y."""
    row[:] = 0
    for corner in range(4):
        i, j = corner // 2, corner % 2
        part = (share[0, z] if i else 1 - share[0, z]) * (share[1, y] if j else 1 - share[1, y])
        if part == 0:
            continue
        tiles = curves[near[0, i, z], near[1, j, y]]
        for tile in range(len(tiles)):
            source, target = tiles[tile], row[tile]
            for node in range(source.size):
                target[node] += part * source[node]


_MIXED = (
    "void({0}[:,:,::1], float64[::1], float32[:,:,:,::1], int64[:,:,::1], float32[:,::1], {0}[:,:,::1],"
    " UniTuple(int64, 4))"
)


@compiled(_MIXED.format("float32"), _MIXED.format("float64"))
def _mixed(
    values: Values,
    scale: Values,
    curves: NDArray[np.float32],
    near: NDArray[np.int64],
    share: NDArray[np.float32],
    found: Values,
    limits: Limits,
) -> None:
    """New values of some rows of some planes: the curves of the tiles around, weighed by their nearness."""
    _, _, width = values.shape
    across, nodes = curves.shape[2:]
    ends = scale.astype(values.dtype)
    low, high, per_unit = ends[0], ends[1], ends[2]
    last = np.int32(nodes - 2)
    row = np.empty((across, nodes), np.float32)
    for z in range(limits[0], limits[1]):
        for y in range(limits[2], limits[3]):
            _weigh_row(curves, share, near, z, y, row)
            line, target = values[z, y], found[z, y]
            start = 0
            while start < width:  # samples between the centres of two tiles, for which the curves are the same
                left, right = row[near[2, 0, start]], row[near[2, 1, start]]
                stop = start + 1
                while stop < width and near[2, 0, stop] == near[2, 0, start] and near[2, 1, stop] == near[2, 1, start]:
                    stop += 1
                for x in range(start, stop):
                    place = (line[x] - low) * per_unit
                    k = min(np.int32(place), last)
                    beyond = np.float32(place) - np.float32(k)
                    first = left[k] + beyond * (left[k + 1] - left[k])
                    second = right[k] + beyond * (right[k + 1] - right[k])
                    target[x] = min(max(first + share[2, x] * (second - first), low), high)
                start = stop
