"""Extremes under a ball or ellipsoid: the ball as runs along x, whose maxima are shared by all balls on a row."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from radlake.core.image import BoolArray
from radlake.imaging.kernels.compiled import compiled, copy, part
from radlake.imaging.kernels.ordered import Codes
from radlake.imaging.kernels.padding import places
from radlake.imaging.kernels.threads import Limits, over_rows

_RING = 1 << 20  # samples of run maxima held at a time: about the second-level cache, where the ball allows it
_SPANS = (512, 256, 128)  # columns of a tile, tried in this order
_ROWS = 32  # least rows of a tile

Places = NDArray[np.int64]


class Runs(NamedTuple):
    """A footprint as runs of 2 w + 1 samples along x: offset in z and y, index of w among the widths that occur."""

    z: Places
    y: Places
    width: Places
    widths: Places


def runs_of(footprint: BoolArray) -> Runs:
    """The runs of a footprint with odd sides whose rows are runs about the middle, as those of an ellipsoid are.

    Examples
    --------
    >>> runs_of(np.array([[[0, 1, 0], [1, 1, 1], [0, 1, 0]]], bool))._asdict()
    {'z': array([0, 0, 0]), 'y': array([-1,  0,  1]), 'width': array([0, 1, 0]), 'widths': array([0, 1])}
    """
    lengths = footprint.sum(axis=2)
    z, y = np.nonzero(lengths)
    widths, index = np.unique(lengths[z, y] // 2, return_inverse=True)
    return Runs(
        z - footprint.shape[0] // 2, y - footprint.shape[1] // 2, index.astype(np.int64), widths.astype(np.int64)
    )


def extreme_under_runs(volume: Codes, footprint: BoolArray, border: str, *, greatest: bool) -> Codes:
    """Greatest or least sample under the footprint, in the shape and dtype of the volume.

    Parameters
    ----------
    volume : (z, y, x) int16 or int32 array
    footprint : (kz, ky, kx) bool array
        As for `runs_of`.
    border : {"reflect", "nearest", "mirror", "wrap"}
        As in scipy.ndimage.
    greatest : bool
        Otherwise the least.

    Examples
    --------
    >>> row = np.array([[[5, 0, 0, 7, 0]]], np.int16)
    >>> extreme_under_runs(row, np.ones((1, 1, 3), bool), "wrap", greatest=True).tolist()
    [[[5, 5, 7, 7, 7]]]
    """
    samples = np.require(volume, requirements=("C", "W"))  # kernels take no array that is protected
    out = np.empty_like(samples)
    kz, ky, _ = footprint.shape
    source = [places(n, k // 2, border) for n, k in zip(volume.shape, footprint.shape, strict=True)]
    runs = runs_of(footprint)
    per_column = kz * runs.widths.size * (_ROWS + ky - 1)
    span = next((s for s in _SPANS if per_column * s <= _RING), _SPANS[-1])
    rows = max(_ROWS, _RING // (kz * runs.widths.size * span) - ky + 1)
    tile = min(rows, out.shape[1]), min(span, out.shape[2])
    flip = 0 if greatest else -1  # inverting all bits turns the order round
    tiles = out.shape[0], -(-out.shape[1] // tile[0]), out.shape[2]
    where = np.stack([runs.z, runs.y, runs.width])

    def dilate(limits: Limits) -> None:
        _dilate(samples, source[0], source[1], source[2], out, where, runs.widths, tile, flip, limits)

    over_rows(tiles, dilate, least=(4 * kz, 1))
    return out


@part
def _flip(line: Codes, flip: int, target: Codes) -> None:
    """A run with all bits inverted (-1), or as it is (0)."""
    for x in range(line.size):
        target[x] = line[x] ^ flip


@part
def take(row: Codes, from_x: Places, left: int, flip: int, target: Codes) -> None:
    """A run of a row that goes on beyond its ends, from `left` on; bits as by `_flip`."""
    reach = (from_x.size - row.size) // 2
    first = min(max(reach - left, 0), target.size)  # of the samples that lie in the row, which follow each other
    last = max(min(reach + row.size - left, target.size), first)
    for x in range(first):
        target[x] = row[from_x[left + x]] ^ flip
    begin = left + first - reach
    _flip(row[begin : begin + last - first], flip, target[first:last])
    for x in range(last, target.size):
        target[x] = row[from_x[left + x]] ^ flip


@part
def _maxima_of_runs(line: Codes, maxima: Codes, y: int, n: int, widths: Places) -> None:
    """Greatest of the 2 w + 1 samples about each column of a line, for every width w, the next from the one before."""
    reach = (line.size - n) // 2
    done = 0
    copy(line[reach : reach + n], maxima[0, y])
    for k in range(widths.size):
        most = maxima[k, y, :n]
        if k > 0:
            copy(maxima[k - 1, y, :n], most)
        for w in range(done + 1, widths[k] + 1):
            before, after = line[reach - w : reach - w + n], line[reach + w : reach + w + n]
            for x in range(n):
                most[x] = max(most[x], max(before[x], after[x]))
        done = widths[k]


@part
def _join_runs(line: Codes, ring: Codes, runs: Places, z: int, y: int) -> None:
    """Greatest of the maxima of all runs of the footprint, for a line of results."""
    kz, n = ring.shape[0], line.size
    run_z, run_y, run_width = runs[0], runs[1], runs[2]
    copy(ring[(z + run_z[0]) % kz, run_width[0], y + run_y[0], :n], line)
    i = 1
    while i + 3 < run_z.size:  # four at a time: a quarter of the loads and stores of the result
        a = ring[(z + run_z[i]) % kz, run_width[i], y + run_y[i], :n]
        b = ring[(z + run_z[i + 1]) % kz, run_width[i + 1], y + run_y[i + 1], :n]
        c = ring[(z + run_z[i + 2]) % kz, run_width[i + 2], y + run_y[i + 2], :n]
        d = ring[(z + run_z[i + 3]) % kz, run_width[i + 3], y + run_y[i + 3], :n]
        for x in range(n):
            line[x] = max(line[x], max(max(a[x], b[x]), max(c[x], d[x])))
        i += 4
    while i < run_z.size:
        a = ring[(z + run_z[i]) % kz, run_width[i], y + run_y[i], :n]
        for x in range(n):
            line[x] = max(line[x], a[x])
        i += 1


_DILATE = (
    "void({0}[:,:,::1], int64[::1], int64[::1], int64[::1], {0}[:,:,::1], int64[:,::1], int64[::1],"
    " UniTuple(int64, 2), int64, UniTuple(int64, 4))"
)


@compiled(_DILATE.format("int16"), _DILATE.format("int32"))
def _dilate(  # noqa: PLR0913, PLR0917 - a kernel has no objects to group them
    volume: Codes,
    from_z: Places,
    from_y: Places,
    from_x: Places,
    out: Codes,
    runs: Places,
    widths: Places,
    tile: tuple[int, int],
    flip: int,
    limits: Limits,
) -> None:
    """Some rows of tiles of some planes: down z, with the run maxima of the last kz planes in a ring.

    Bits are flipped there and back.
    """
    depth, rows, width = out.shape
    tile_y, tile_x = tile
    kz, ky, kx = from_z.size - depth + 1, from_y.size - rows + 1, from_x.size - width + 1
    ring = np.empty((kz, widths.size, tile_y + ky - 1, tile_x), volume.dtype)
    bits = np.empty(tile_x + kx - 1, volume.dtype)
    start, stop = limits[:2]
    for top in range(limits[2] * tile_y, min(limits[3] * tile_y, rows), tile_y):
        height = min(tile_y, rows - top)
        for left in range(0, width, tile_x):
            n = min(tile_x, width - left)
            for plane in range(start, stop + kz - 1):
                for y in range(height + ky - 1):
                    take(volume[from_z[plane], from_y[top + y]], from_x, left, flip, bits[: n + kx - 1])
                    _maxima_of_runs(bits[: n + kx - 1], ring[plane % kz], y, n, widths)
                z = plane - kz + 1
                for y in range(height if z >= start else 0):
                    line = out[z, top + y, left : left + n]
                    _join_runs(line, ring, runs, z + kz // 2, y + ky // 2)
                    if flip:
                        _flip(line, flip, line)
