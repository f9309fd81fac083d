"""Adaptive equalisation of planes of 8 and 16 bits: a tile's curve as a table of all levels, to look samples up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radlake.imaging.kernels.compiled import compiled
from radlake.imaging.kernels.threads import Limits, by_slabs, over_rows

Codes = NDArray[np.uint16]
Tables = NDArray[np.float32]


def adapted_levels(codes: Codes, counts: tuple[int, int], span: int, nodes: int, clip: float) -> Codes:
    """Levels equalised tile by tile; the same curves and mixing as `kernels.adaptive`, several times as fast.

    Parameters
    ----------
    codes : (y, x) uint16 array, C-contiguous
        Levels counted from the least.
    counts : (down, across)
        Tiles along each axis.
    span : int
        Levels from the least to the greatest, at least two. The tables take 8 bytes for each of them and each tile.
    nodes : int
        Points of a curve, 2 to `span`.
    clip : float
        Most samples that a node may hold, in multiples of the mean.

    Returns
    -------
    (y, x) uint16 array of levels.

    References
    ----------
    Zuiderveld (1994), Contrast limited adaptive histogram equalization, Graphics Gems IV, 474-485.

    Examples
    --------
    >>> adapted_levels(np.array([[0, 1, 2, 4]], np.uint16), (1, 1), 5, 5, 5.0).tolist()
    [[1, 2, 3, 4]]
    """
    rows, width = codes.shape
    side = -(-rows // counts[0]), -(-width // counts[1])
    limit = max(1.0, clip * side[0] * side[1] / nodes)
    places = np.arange(span) * ((nodes - 1) / (span - 1))
    nearest = np.rint(places).astype(np.int64)
    before = np.minimum(places.astype(np.int64), nodes - 2)
    beyond = (places - before).astype(np.float32)
    # between a tile and the next: tile t on the right of pair t and on the left of pair t + 1, the ends doubled
    tables = np.empty((counts[0], counts[1] + 1, span, 2), np.float32)

    def curves(start: int, stop: int) -> None:
        _tables(codes, nearest, before, beyond, (*side, nodes), limit, tables, start, stop)

    by_slabs(curves, counts[0] * counts[1])
    tile, share = zip(*(_between(n, s) for n, s in zip(codes.shape, side, strict=True)), strict=True)
    found = np.empty_like(codes)
    shape = 1, rows, width
    over_rows(shape, lambda limits: _mixed(codes, tables, tile[0], share[0], tile[1], share[1], found, limits))
    return found


def _between(size: int, side: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """For each sample along an axis the tile whose centre is before it, from -1, and how much the next one counts."""
    at = (np.arange(size) + 0.5) / side - 0.5
    tile = np.floor(at).astype(np.int64)
    return tile, (at - tile).astype(np.float32)


@compiled(
    "void(uint16[:,::1], int64[::1], int64[::1], float32[::1], UniTuple(int64, 3), float64, float32[:,:,:,::1], int64,"
    " int64)"
)
def _tables(  # noqa: PLR0913, PLR0917 - a kernel has no objects to group them
    codes: Codes,
    nearest: NDArray[np.int64],
    before: NDArray[np.int64],
    beyond: Tables,
    sizes: tuple[int, int, int],
    limit: float,
    tables: Tables,
    start: int,
    stop: int,
) -> None:
    """New level of each level for tiles `start` to `stop`; where the last tile is not full the image is mirrored."""
    rows, width = codes.shape
    down, across, nodes = sizes
    tiles, span = tables.shape[1] - 1, tables.shape[2]
    # two counters by turns: equal neighbours need not wait for each other
    even, odd, frequency = np.empty(span, np.int32), np.empty(span, np.int32), np.empty(nodes, np.float64)
    curve = np.empty(nodes, np.float32)
    step = (span - 1) / (down * across)
    for number in range(start, stop):
        ty, tx = number // tiles, number % tiles
        even[:] = 0
        odd[:] = 0
        first, last = tx * across, (tx + 1) * across  # of the tile, which may lie beyond the image in part or whole
        left, right = min(first, width), min(last, width)
        for y in range(ty * down, (ty + 1) * down):
            line = codes[y if y < rows else 2 * (rows - 1) - y]
            for x in range(left, right - 1, 2):
                even[line[x]] += 1
                odd[line[x + 1]] += 1
            for x in range(right - (right - left) % 2, right):
                even[line[x]] += 1
            for x in range(max(first, width), last):
                even[line[2 * (width - 1) - x]] += 1
        frequency[:] = 0.0
        for level in range(span):
            frequency[nearest[level]] += even[level] + odd[level]
        excess, total = 0.0, 0.0
        for node in range(nodes):
            excess += max(frequency[node] - limit, 0.0)
        for node in range(nodes):
            total += min(frequency[node], limit) + excess / nodes
            curve[node] = total * step
        for pair in range(tx, tx + 2):
            table, place = tables[ty, pair], 1 - (pair - tx)
            for level in range(span):
                k = before[level]
                table[level, place] = curve[k] + beyond[level] * (curve[k + 1] - curve[k])
        if tx == 0:
            tables[ty, 0, :, 0] = tables[ty, 0, :, 1]
        if tx == tiles - 1:
            tables[ty, tiles, :, 1] = tables[ty, tiles, :, 0]


@compiled(
    "void(uint16[:,::1], float32[:,:,:,::1], int64[::1], float32[::1], int64[::1], float32[::1], uint16[:,::1],"
    " UniTuple(int64, 4))"
)
def _mixed(
    codes: Codes,
    tables: Tables,
    tile_y: NDArray[np.int64],
    share_y: Tables,
    tile_x: NDArray[np.int64],
    share_x: Tables,
    found: Codes,
    limits: Limits,
) -> None:
    """New levels of some rows: those of the four tiles around, weighed by their nearness."""
    down, width = tables.shape[0], codes.shape[1]
    for y in range(limits[2], limits[3]):
        line, target, nearer = codes[y], found[y], share_y[y]
        start = 0
        while start < width:  # samples between the centres of two tiles, for which the tables are the same
            upper = tables[max(tile_y[y], 0), tile_x[start] + 1]
            lower = tables[min(tile_y[y] + 1, down - 1), tile_x[start] + 1]
            stop = start + 1
            while stop < width and tile_x[stop] == tile_x[start]:
                stop += 1
            for x in range(start, stop):
                level, share = line[x], share_x[x]
                above = upper[level, 0] + share * (upper[level, 1] - upper[level, 0])
                below = lower[level, 0] + share * (lower[level, 1] - lower[level, 0])
                target[x] = np.uint16(np.rint(above + nearer * (below - above)))
            start = stop
