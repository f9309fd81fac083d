"""Adaptive equalisation of planes of 8 and 16 bits: a tile's curve as a table of all levels, to look samples up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radlake.imaging.kernels.compiled import compiled, part
from radlake.imaging.kernels.threads import Limits, by_slabs, over_rows

_FEW = 4  # levels a sample, below which a table of a row is worth its making

Codes = NDArray[np.uint8 | np.uint16]
Tables = NDArray[np.float32]


def adapted_levels(codes: Codes, counts: tuple[int, int], span: int, nodes: int, clip: float) -> Codes:
    """Levels equalised tile by tile; the same curves and mixing as `kernels.adaptive`, several times as fast.

    Parameters
    ----------
    codes : (y, x) uint8 or uint16 array, C-contiguous
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
    (y, x) array of levels, in the dtype of `codes`.

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
    # samples between the centres of two tiles, for which the tables are the same
    runs = np.flatnonzero(np.diff(tile[1], prepend=tile[1][0] - 1, append=tile[1][-1] + 1))
    pairs = tile[1][runs[:-1]] + 1
    found = np.empty_like(codes)

    def mix(limits: Limits) -> None:
        _mixed(codes, tables, tile[0], share[0], runs, pairs, share[1], found, limits)

    over_rows((1, rows, width), mix)
    return found


def _between(size: int, side: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """For each sample along an axis the tile whose centre is before it, from -1, and how much the next one counts."""
    at = (np.arange(size) + 0.5) / side - 0.5
    tile = np.floor(at).astype(np.int64)
    return tile, (at - tile).astype(np.float32)


_TABLES = (
    "void({0}[:,::1], int64[::1], int64[::1], float32[::1], UniTuple(int64, 3), float64, float32[:,:,:,::1], int64,"
    " int64)"
)


@compiled(_TABLES.format("uint8"), _TABLES.format("uint16"))
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


@part
def _mix(upper: Tables, lower: Tables, nearer: float, target: Tables) -> None:
    """Tables between two others, `nearer` of the way to the lower one."""
    for i in range(target.size):
        target[i] = upper[i] + nearer * (lower[i] - upper[i])


_MIXED = (
    "void({0}[:,::1], float32[:,:,:,::1], int64[::1], float32[::1], int64[::1], int64[::1], float32[::1],"
    " {0}[:,::1], UniTuple(int64, 4))"
)


@compiled(_MIXED.format("uint8"), _MIXED.format("uint16"))
def _mixed(  # noqa: PLR0913, PLR0917 - a kernel has no objects to group them
    codes: Codes,
    tables: Tables,
    tile_y: NDArray[np.int64],
    share_y: Tables,
    runs: NDArray[np.int64],
    pairs: NDArray[np.int64],
    share_x: Tables,
    found: Codes,
    limits: Limits,
) -> None:
    """New levels of some rows: those of the four tiles around, weighed by their nearness."""
    down, span = tables.shape[0], tables.shape[2]
    both = np.empty((span, 2), np.float32)
    for y in range(limits[2], limits[3]):
        nearer = share_y[y]
        for i in range(pairs.size):
            upper = tables[max(tile_y[y], 0), pairs[i]]
            lower = tables[min(tile_y[y] + 1, down - 1), pairs[i]]
            here = slice(runs[i], runs[i + 1])
            line, target, share = codes[y, here], found[y, here], share_x[here]
            if span < _FEW * line.size:  # mixed along y once for all samples
                _mix(upper.reshape(2 * span), lower.reshape(2 * span), nearer, both.reshape(2 * span))
                for x in range(line.size):
                    left, right = both[line[x], 0], both[line[x], 1]
                    target[x] = np.int32(np.rint(left + share[x] * (right - left)))
            else:
                for x in range(line.size):
                    level = line[x]
                    left = upper[level, 0] + nearer * (lower[level, 0] - upper[level, 0])
                    right = upper[level, 1] + nearer * (lower[level, 1] - upper[level, 1])
                    target[x] = np.int32(np.rint(left + share[x] * (right - left)))
