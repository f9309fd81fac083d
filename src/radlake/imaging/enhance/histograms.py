"""Contrast: histogram equalisation, global and adaptive (CLAHE), in two and three axes, at full bit depth.

These are the operations that change intensities on purpose: the result keeps range and dtype of the input but no
longer its unit. For display and for networks, not for features.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError
from radlake.core.image import Array, FloatArray, Image
from radlake.imaging.arguments import ImageOrArray, Spacing, in_voxels, on_spatial_axes
from radlake.imaging.histogram import histogram
from radlake.imaging.kernels.pointwise import pointwise
from radlake.imaging.rounding import to_dtype

_NODES = 1024  # points of a tile's curve at most; linear between them, so that no level is lost


def equalize(
    image: ImageOrArray, *, spacing: Sequence[float] | None = None, channel_axis: int | None = None
) -> ImageOrArray:
    """Image whose levels are equally frequent, in the range and dtype of the input, without a unit.

    A value v becomes low + (high - low) * share of samples up to v, where low and high are the least and the greatest.

    Parameters
    ----------
    image : Image or (z, y, x) or (y, x) array
        Any real dtype. NaN and an `Image`'s padding stay and are not counted.
    spacing : floats, optional
        Of an array; takes no part in the result.
    channel_axis : int, optional
        For arrays: channels are equalised one by one.

    Raises
    ------
    ItemError
        `no_pixels` for an image without finite samples.

    References
    ----------
    Gonzalez and Woods (2018), Digital Image Processing, 4th ed., section 3.3 (histogram equalization).

    Examples
    --------
    >>> equalize(np.array([[0, 1, 2, 100]])).tolist()
    [[25, 50, 75, 100]]
    """
    padding = image.padding if isinstance(image, Image) else None

    def spread(array: Array, _: Spacing) -> Array:
        found = histogram(array, padding=padding)
        if not found.counts.size:
            raise ItemError("no_pixels")
        low, high = _range(array, padding)
        share = np.cumsum(found.counts) / found.counts.sum()
        levels = low + (high - low) * share

        def new(part: Array) -> Array:
            return _kept(part, np.interp(part, found.uppers, levels), padding)

        return pointwise(array, new, array.dtype)

    result = on_spatial_axes(image, spread, spacing=spacing, channel_axis=channel_axis)
    return _without_unit(result)


def clahe(
    image: ImageOrArray,
    *,
    tile_mm: float | Sequence[float] | None = None,
    tile_vox: float | Sequence[float] | None = None,
    clip: float = 4.0,
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
) -> ImageOrArray:
    """Image equalised tile by tile with limited contrast (CLAHE), in the range and dtype of the input, without a unit.

    The image is divided into equal tiles. Each has a curve from old to new values: its cumulated histogram, whose bins
    are clipped at `clip` times their mean, the excess spread over all. Between the centres of tiles curves are mixed
    linearly. Integers of up to 1024 values have a bin each; wider ones and floats have 1024, with the curve linear in
    between.

    Parameters
    ----------
    image : Image or (z, y, x) or (y, x) array
        Any real dtype without NaN. An `Image`'s padding stays, and counts as the least value.
    tile_mm, tile_vox : float or one per axis
        Side of a tile, exactly one of them; the nearest that divides the axis into equal tiles is used, at least 2
        voxels.
    clip : float
        Most that contrast may grow, at least 1; 1 leaves a stretched image.
    spacing : floats, optional
        For arrays: millimetres between samples along each axis; 1 where absent.
    channel_axis : int, optional
        For arrays: channels are equalised one by one.

    Raises
    ------
    ValueError
        For a clip below 1 or contradictory lengths.
    ItemError
        `not_finite` when there is NaN or infinity, `no_pixels` without samples.

    References
    ----------
    Zuiderveld (1994), Contrast limited adaptive histogram equalization, Graphics Gems IV, 474-485; tiles, clipping and
    mixing as in OpenCV's `createCLAHE`, extended to three axes.

    Examples
    --------
    >>> ramp = np.tile(np.arange(8, dtype=np.int16), (8, 1))
    >>> clahe(ramp, tile_vox=8, clip=8)[0].tolist()
    [1, 2, 3, 4, 4, 5, 6, 7]
    """
    if not clip >= 1:
        raise ValueError(f"clip must be at least 1, got {clip}")
    padding = image.padding if isinstance(image, Image) else None

    def adapt(array: Array, steps: Spacing) -> Array:
        if array.size == 0:
            raise ItemError("no_pixels")
        if np.issubdtype(array.dtype, np.floating) and not np.isfinite(array).all():
            raise ItemError("not_finite")
        sides = in_voxels("tile", tile_mm, tile_vox, steps)
        counts = tuple(max(1, round(n / max(side, 2.0))) for n, side in zip(array.shape, sides, strict=True))
        return _adapted(array, counts, clip, padding)

    result = on_spatial_axes(image, adapt, spacing=spacing, channel_axis=channel_axis)
    return _without_unit(result)


def _adapted(array: Array, counts: tuple[int, ...], clip: float, padding: float | None) -> Array:
    """CLAHE with a number of tiles along each axis."""
    outside = None if padding is None else array == padding
    if outside is not None and outside.all():
        return array.copy()
    low, high = _range(array, padding)
    if not 0 < high - low < np.inf:
        return array.copy()
    usable = array if outside is None else np.where(outside, array.dtype.type(low), array)
    whole = np.issubdtype(array.dtype, np.integer)
    nodes = int(high - low) + 1 if whole and high - low < _NODES else _NODES
    # a table of all levels for each tile must not take more than the plane itself is worth
    tabled = whole and array.itemsize <= 2 and array.ndim == 2 and (high - low) * math.prod(counts) < array.size
    result = (_by_tables if tabled else _by_curves)(usable, counts, (low, high), nodes, clip)
    if outside is not None:
        result[outside] = array[outside]
    return result


def _by_tables(plane: Array, counts: tuple[int, ...], ends: tuple[float, float], nodes: int, clip: float) -> Array:
    """CLAHE of a plane of 8 or 16 bits."""
    from radlake.imaging.kernels.adaptive_levels import adapted_levels

    low, span = int(ends[0]), int(ends[1] - ends[0]) + 1
    # differences wrap to what they are without a sign, and back
    native, code = plane.dtype.newbyteorder("="), np.dtype(f"u{plane.itemsize}")
    least = np.full(1, low, native)
    codes = np.ascontiguousarray(plane.astype(native, copy=False) - least).view(code)
    found = adapted_levels(codes, (counts[0], counts[1]), span, nodes, clip)
    return np.asarray((found.view(native) + least).astype(plane.dtype, copy=False))


def _by_curves(array: Array, counts: tuple[int, ...], ends: tuple[float, float], nodes: int, clip: float) -> Array:
    """CLAHE of everything else."""
    from radlake.imaging.kernels.adaptive import Levels, adapted

    # float32 holds every value of 16 bits
    work = np.float32 if array.dtype == np.float32 or array.dtype.itemsize < 4 else np.float64
    volume: FloatArray = np.array(array, work, order="C", ndmin=3)
    tiles = (1,) * (3 - array.ndim) + counts
    result = adapted(volume, (tiles[0], tiles[1], tiles[2]), Levels(*ends, nodes), clip)
    return to_dtype(result, array.dtype).reshape(array.shape)


def _range(array: Array, padding: float | None) -> tuple[float, float]:
    """Least and greatest finite sample other than padding."""
    usable = array[np.isfinite(array)] if np.issubdtype(array.dtype, np.floating) else array.reshape(-1)
    usable = usable if padding is None else usable[usable != padding]
    return float(usable.min()), float(usable.max())


def _kept(array: Array, values: NDArray[np.float64], padding: float | None) -> Array:
    """New values in the dtype of the old, which stay where they are no measurement."""
    untouched = np.zeros(array.shape, np.bool_) if padding is None else array == padding
    if np.issubdtype(array.dtype, np.floating):
        untouched |= ~np.isfinite(array)
    values[untouched] = 0.0
    result = to_dtype(values, array.dtype)
    result[untouched] = array[untouched]
    return result


def _without_unit(image: ImageOrArray) -> ImageOrArray:
    """Levels no longer in HU or SUV, nor seen well through the file's window."""
    if isinstance(image, Image):
        return cast(ImageOrArray, image.with_array(image.array, unit="a.u.", window=None))
    return image
