"""Extremes under a box: along x, then y, then z, with the last planes in a ring, so that only results are stored."""

from __future__ import annotations

import numpy as np

from radlake.core.image import Array
from radlake.imaging.kernels.ball import Places, take
from radlake.imaging.kernels.compiled import compiled, copy, part
from radlake.imaging.kernels.ordered import Codes
from radlake.imaging.kernels.padding import places
from radlake.imaging.kernels.threads import Limits, over_rows

_RING = 1 << 18  # bytes of planes held at a time, a part of the second-level cache, where the box allows it
_TALL = 4  # least rows of a tile, in rows that a box reaches beyond it


def extreme_under_box(volume: Array, size: tuple[int, ...], border: str, *, greatest: bool) -> Array:
    """Greatest or least sample under a box, in the shape and dtype of the volume.

    Parameters
    ----------
    volume : (z, y, x) array of 16 or 32 bit integers, signed or not
        In the byte order of the machine.
    size : three odd ints
        Sides of the box in samples.
    border : {"reflect", "nearest", "mirror", "wrap"}
        As in scipy.ndimage.
    greatest : bool
        Otherwise the least.

    Examples
    --------
    >>> extreme_under_box(np.array([[[5, 0, 0, 7, 0]]], np.uint16), (1, 1, 3), "nearest", greatest=True).tolist()
    [[[5, 5, 7, 7, 7]]]
    """
    code = np.dtype(f"i{volume.itemsize}")
    samples = np.require(volume, requirements=("C", "W")).view(code)
    out = np.empty(volume.shape, code)
    # inverting the first bit makes an unsigned order a signed one, inverting all turns it round
    flip = (0 if volume.dtype.kind == "i" else int(np.iinfo(code).min)) ^ (0 if greatest else -1)
    depth, rows, width = volume.shape
    tall = max(_RING // (size[0] * width * code.itemsize), _TALL * (size[1] - 1), 1)
    source = [places(n, k // 2, border) for n, k in zip(volume.shape, size, strict=True)]

    def dilate(limits: Limits) -> None:
        _dilate_box(samples, source[0], source[1], source[2], out, tall, flip, limits)

    over_rows((depth, -(-rows // tall), width), dilate, least=(4 * size[0], 1))
    return out.view(volume.dtype)


@part
def _greatest_of_rows(rows: Codes, first: int, count: int, target: Codes) -> None:
    """Greatest of rows that follow each other, column by column."""
    n = target.size
    copy(rows[first, :n], target)
    k = first + 1
    while k + 3 < first + count:  # four at a time: a quarter of the loads and stores of the result
        a, b, c, d = rows[k, :n], rows[k + 1, :n], rows[k + 2, :n], rows[k + 3, :n]
        for x in range(n):
            target[x] = max(target[x], max(max(a[x], b[x]), max(c[x], d[x])))
        k += 4
    while k < first + count:
        a = rows[k, :n]
        for x in range(n):
            target[x] = max(target[x], a[x])
        k += 1


@part
def _greatest_along(line: Codes, count: int, target: Codes) -> None:
    """Greatest of `count` samples from each one on."""
    n = target.size
    copy(line[:n], target)
    k = 1
    while k + 1 < count:
        a, b = line[k : k + n], line[k + 1 : k + 1 + n]
        for x in range(n):
            target[x] = max(target[x], max(a[x], b[x]))
        k += 2


_BOX = "void({0}[:,:,::1], int64[::1], int64[::1], int64[::1], {0}[:,:,::1], int64, int64, UniTuple(int64, 4))"


@compiled(_BOX.format("int16"), _BOX.format("int32"))
def _dilate_box(
    volume: Codes,
    from_z: Places,
    from_y: Places,
    from_x: Places,
    out: Codes,
    tall: int,
    flip: int,
    limits: Limits,
) -> None:
    """Some tiles of rows of some planes: down z, with the maxima across the last kz planes in a ring."""
    depth, rows, width = out.shape
    kz, ky, kx = from_z.size - depth + 1, from_y.size - rows + 1, from_x.size - width + 1
    bits = np.empty(width + kx - 1, volume.dtype)
    along_x = np.empty((tall + ky - 1, width), volume.dtype)
    ring = np.empty((tall, kz, width), volume.dtype)
    start, stop = limits[:2]
    for top in range(limits[2] * tall, min(limits[3] * tall, rows), tall):
        height = min(tall, rows - top)
        for plane in range(start, stop + kz - 1):
            for y in range(height + ky - 1):
                take(volume[from_z[plane], from_y[top + y]], from_x, 0, flip, bits)
                _greatest_along(bits, kx, along_x[y])
            z = plane - kz + 1
            for y in range(height):
                _greatest_of_rows(along_x, y, ky, ring[y, plane % kz])
                if z >= start:
                    line = out[z, top + y]
                    _greatest_of_rows(ring[y], 0, kz, line)
                    for x in range(width if flip else 0):
                        line[x] ^= flip
