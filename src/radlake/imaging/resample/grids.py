"""Images on other grids: another spacing, or another image's grid.

Grids keep their place in space: every result carries the geometry of its own samples. Values are interpolated as the
IBSI says: masks are interpolated like images and cut at one half.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray

from radlake.core.fault import ItemError
from radlake.core.image import Array, Geometry, Image
from radlake.imaging.arguments import ImageOrArray, Spacing, on_spatial_axes, spacing_of
from radlake.imaging.resample.extent import placed_at, spatial_shape
from radlake.imaging.rounding import to_dtype

Interpolation = Literal["nearest", "linear", "cubic"]
_ORDERS: dict[Interpolation, int] = {"nearest": 0, "linear": 1, "cubic": 3}
_MEMORY = 8 << 30
_HALF = 0.5 - 1e-6  # IBSI counts one half as inside; interpolation in float32 may miss it by its rounding
_NEARLY = 1e-6  # of a voxel: how far rounded spacings may be off
_IN_PLANE_MM = 0.01


def to_spacing(
    image: ImageOrArray,
    *,
    spacing_mm: float | Sequence[float],
    interpolation: Interpolation = "linear",
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
    out_dtype: DTypeLike | None = None,
    memory_bytes: int = _MEMORY,
) -> ImageOrArray:
    """Image with another distance between its samples, in the unit of the input.

    The new grid has ceil(n s / s') samples along an axis of n samples at s mm, and its centre on the centre of the
    old one. Outside the old samples the nearest one goes on; a cubic spline is mirrored there.

    Parameters
    ----------
    image : Image or (z, y, x) or (y, x) array
        Any real dtype; a bool array is a mask and stays one. NaN spreads over the samples that use it.
    spacing_mm : float or one per axis
        New distance in millimetres; 0 leaves an axis as it is.
    interpolation : {"nearest", "linear", "cubic"}
        "cubic" is the interpolating B-spline. Label maps of several values take "nearest" only.
    spacing : floats, optional
        For arrays: old distance along each axis; 1 where absent.
    channel_axis : int, optional
        For arrays: channels are resampled one by one.
    out_dtype : dtype, optional
        Integers are rounded to the nearest and clipped. Where absent: float32, the input's dtype for "nearest", and
        bool for masks.
    memory_bytes : int
        Refuse results that need more.

    Raises
    ------
    ValueError
        For a spacing that is negative or not finite, or labels to be interpolated.
    ItemError
        `too_large` when the result does not fit `memory_bytes`; `no_pixels` for an image without samples.

    References
    ----------
    Zwanenburg et al. (2016), IBSI reference manual, arXiv:1612.07003, section 2.4 and 2.4.1: alignment of grid centres,
    masks by partial volume fraction 0.5.

    Examples
    --------
    >>> to_spacing(np.array([[0.0, 2.0]]), spacing_mm=(0, 0.5)).tolist()
    [[0.0, 0.5, 1.5, 2.0]]
    """
    given = image.geometry.spacing if isinstance(image, Image) else None
    axes = len(given) if given else np.ndim(cast(Array, image)) - (channel_axis is not None)
    old = given or spacing_of(axes, spacing)
    new = _new_spacing(spacing_mm, old)
    _refuse_labels(image, interpolation)

    def resampled(array: Array, steps: Spacing) -> Array:
        shape, start, step = _aligned(array.shape, steps, new)
        _fits(shape, memory_bytes)
        return _interpolate(array, np.diag(step), start, shape, interpolation, out_dtype, None)

    result = on_spatial_axes(image, resampled, spacing=spacing, channel_axis=channel_axis)
    if not isinstance(image, Image):
        return result
    _, start, _ = _aligned(spatial_shape(image), old, new)
    return cast(ImageOrArray, placed_at(cast(Image, result), image.geometry, start, new))


def to_grid(
    image: Image,
    reference: Image,
    *,
    interpolation: Interpolation = "linear",
    outside: float | None = None,
    out_dtype: DTypeLike | None = None,
) -> Image:
    """Image sampled where another image has its samples, in the unit of the input.

    Parameters
    ----------
    image : Image
        As in `to_spacing`; time points and channels go one by one.
    reference : Image
        Its geometry and spatial shape are taken; as many spatial axes as `image`.
    interpolation, out_dtype
        As in `to_spacing`.
    outside : float, optional
        Value of samples that lie outside the image by more than half a voxel; the image's padding value where
        absent, or 0.

    Raises
    ------
    ValueError
        When one image is 2-D and the other 3-D, two slices do not lie in one plane, or labels are to be interpolated.
    ItemError
        `no_pixels` for an image without samples.

    References
    ----------
    DICOM PS3.3 C.7.6.2.1.1, equation C.7.6.2.1-1: from indices to millimetres, here of one grid and back of the other.

    Examples
    --------
    >>> a = Image(np.array([[1, 2, 3]], np.int16), Geometry((1.0, 1.0)))
    >>> b = Image(np.zeros((1, 2)), Geometry((1.0, 1.0), origin=(1.5, 0.0, 0.0)))
    >>> to_grid(a, b, outside=-1).array.tolist()
    [[2.5, 3.0]]
    """
    if image.geometry.ndim != reference.geometry.ndim:
        raise ValueError(f"image has {image.geometry.ndim} spatial axes, reference {reference.geometry.ndim}")
    _refuse_labels(image, interpolation)
    shape = spatial_shape(reference)
    matrix, start = _between(reference.geometry, image.geometry)
    fill = outside if outside is not None else image.padding or 0.0

    def resampled(array: Array, _: Spacing) -> Array:
        return _interpolate(array, matrix, start, shape, interpolation, out_dtype, fill)

    return replace(on_spatial_axes(image, resampled), geometry=reference.geometry)


def _interpolate(
    array: Array,
    matrix: NDArray[np.float64],
    start: NDArray[np.float64],
    shape: tuple[int, ...],
    interpolation: Interpolation,
    out_dtype: DTypeLike | None,
    outside: float | None,
) -> Array:
    """Samples at matrix @ index + start; `outside` beyond half a voxel, or the nearest sample where None."""
    if array.size == 0:
        raise ItemError("no_pixels")
    order = _ORDERS[interpolation]
    values = _nearest(array, matrix, start, shape) if order == 0 else _spline(array, matrix, start, shape, order)
    if outside is not None:
        values[_beyond(matrix, start, shape, array.shape)] = outside
    if array.dtype == np.bool_ and out_dtype is None:
        return np.asarray(values >= _HALF)
    return to_dtype(values, out_dtype if out_dtype is not None else values.dtype if order == 0 else np.float32)


def _nearest(array: Array, matrix: NDArray[np.float64], start: NDArray[np.float64], shape: tuple[int, ...]) -> Array:
    """The sample nearest to each point; of two equally near ones the one with the greater index."""
    flat = np.zeros(shape, np.int64)
    for points, size, stride in zip(_points(matrix, start, shape), array.shape, _strides(array.shape), strict=True):
        flat += np.clip(np.floor(points + 0.5 + _NEARLY), 0, size - 1).astype(np.int64) * stride
    return np.asarray(array.reshape(-1)[flat])


def _spline(
    array: Array, matrix: NDArray[np.float64], start: NDArray[np.float64], shape: tuple[int, ...], order: int
) -> Array:
    """Linear or cubic B-spline interpolation by scipy, in float64 where the array has it, else in float32."""
    from scipy import ndimage

    work = array.astype(np.float64 if array.dtype == np.float64 else np.float32)
    # A spline that is mirrored at the ends passes through the samples there too; scipy's "nearest" does not
    coefficients = ndimage.spline_filter(work, order=order, output=np.float64, mode="mirror") if order > 1 else work
    diagonal = np.diag(matrix)
    scaling = diagonal if np.array_equal(matrix, np.diag(diagonal)) and np.all(diagonal > 0) else matrix
    border = "mirror" if order > 1 else "nearest"
    return np.asarray(
        ndimage.affine_transform(
            coefficients, scaling, start, shape, order=order, mode=border, prefilter=False, output=work.dtype
        )
    )


def _beyond(
    matrix: NDArray[np.float64], start: NDArray[np.float64], shape: tuple[int, ...], old: tuple[int, ...]
) -> NDArray[np.bool_]:
    """Points that lie outside every voxel of the old grid."""
    result = np.zeros(shape, np.bool_)
    for points, size in zip(_points(matrix, start, shape), old, strict=True):
        result |= (points < -0.5 - _NEARLY) | (points > size - 0.5 + _NEARLY)
    return result


def _points(
    matrix: NDArray[np.float64], start: NDArray[np.float64], shape: tuple[int, ...]
) -> Iterator[NDArray[np.float64]]:
    """Coordinate along each old axis of every new sample; broadcast along the axes it does not depend on."""
    grid = np.ogrid[tuple(slice(0, n) for n in shape)]
    for row, first in zip(matrix, start, strict=True):
        parts = [weight * index for weight, index in zip(row, grid, strict=True) if weight]
        yield np.asarray(sum(parts, start=np.full((1,) * len(shape), first)))


def _strides(shape: tuple[int, ...]) -> list[int]:
    """Samples between neighbours along each axis of a contiguous array."""
    return [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]


def _new_spacing(spacing_mm: float | Sequence[float], old: Spacing) -> Spacing:
    """Checked new spacing; 0 stands for the old one."""
    values = np.broadcast_to(np.asarray(spacing_mm, np.float64), (len(old),))
    if not np.all(np.isfinite(values)) or np.any(values < 0):
        raise ValueError(f"spacing_mm must be finite and not negative, got {spacing_mm}")
    return tuple(float(new) or step for new, step in zip(values, old, strict=True))


def _aligned(
    shape: tuple[int, ...], old: Spacing, new: Spacing
) -> tuple[tuple[int, ...], NDArray[np.float64], NDArray[np.float64]]:
    """Shape of the new grid, its first sample and its step in old voxels; the centres of both grids coincide."""
    step = np.asarray(new) / np.asarray(old)
    sizes = [max(1, math.ceil(n / s - _NEARLY)) for n, s in zip(shape, step.tolist(), strict=True)]
    return tuple(sizes), (np.asarray(shape) - 1 - (np.asarray(sizes, np.float64) - 1) * step) / 2, step


def _between(target: Geometry, source: Geometry) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Matrix and start that take indices of the target grid to indices of the source grid."""
    to_source = np.linalg.pinv(source.affine[:3, :-1])
    matrix = to_source @ target.affine[:3, :-1]
    start = to_source @ (target.affine[:3, -1] - source.affine[:3, -1])
    miss = source.affine[:3, :-1] @ np.column_stack([matrix, start]) - np.column_stack(
        [target.affine[:3, :-1], target.affine[:3, -1] - source.affine[:3, -1]]
    )
    if np.abs(miss).max() > _IN_PLANE_MM:
        raise ValueError("the slices do not lie in one plane")
    matrix[np.abs(matrix) < _NEARLY * np.abs(matrix).max()] = 0.0  # rounded direction cosines
    return matrix, start


def _fits(shape: tuple[int, ...], memory_bytes: int) -> None:
    """Refuse a grid whose samples do not fit into memory at 8 bytes each."""
    needed = math.prod(shape) * 8
    if needed > memory_bytes:
        raise ItemError("too_large", needed_mib=needed >> 20, limit_mib=memory_bytes >> 20)


def _refuse_labels(image: Image | Array, interpolation: Interpolation) -> None:
    """Between labels 1 and 3 there is no label 2."""
    if interpolation not in _ORDERS:
        raise ValueError(f"interpolation must be one of {', '.join(_ORDERS)}; got {interpolation!r}")
    if isinstance(image, Image) and image.kind == "label" and image.array.dtype != np.bool_ and _ORDERS[interpolation]:
        raise ValueError('labels of several values can only be resampled by interpolation="nearest"')
