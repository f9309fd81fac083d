"""Edges per millimetre: Sobel, Prewitt, Scharr, Laplacian, Laplacian of Gaussian, Canny; in two and three axes.

Derivatives are estimates of the true slope: an image that grows by 3 a millimetre has the gradient 3, whatever the
operator and the spacing. Nothing is rescaled or cut to 8 bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
from numpy.typing import DTypeLike

from radlake.core.image import Array, FloatArray, Image
from radlake.imaging.arguments import Border, ImageOrArray, Lengths, Spacing, in_voxels, known_border, on_spatial_axes
from radlake.imaging.edges.weights import curving, smoothing
from radlake.imaging.kernels.threads import by_slabs
from radlake.imaging.rounding import to_dtype
from radlake.imaging.separable import OPENCV_BORDERS, correlate

if TYPE_CHECKING:
    from radlake.imaging.kernels.slopes import Field

Operator = Literal["sobel", "prewitt", "scharr", "central"]
# Weights across the derivative, of the neighbour and of the sample itself, with sum 1.
# Scharr (2000), Optimale Operatoren in der Digitalen Bildverarbeitung, thesis, Heidelberg: 3, 10, 3.
_ACROSS: dict[Operator, tuple[float, float]] = {
    "sobel": (0.25, 0.5),
    "prewitt": (1 / 3, 1 / 3),
    "scharr": (3 / 16, 10 / 16),
    "central": (0.0, 1.0),
}
_OPENCV = ("u1", "u2", "i2", "f4")  # dtypes that OpenCV takes second differences of


def gradient(
    image: ImageOrArray,
    *,
    axis: int,
    operator: Operator = "sobel",
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
    border: Border = "reflect",
    out_dtype: DTypeLike = np.float32,
) -> ImageOrArray:
    """Slope along one axis, in the unit of the input per millimetre.

    Parameters
    ----------
    image : Image or (z, y, x) or (y, x) array
        Any real dtype. NaN spreads over the 3 samples a side that the operator sees.
    axis : int
        Spatial axis in array order (z, y, x); positive where values grow with the index.
    operator : {"sobel", "prewitt", "scharr", "central"}
        Central differences, smoothed across by 1 2 1, 1 1 1, 3 10 3 or not at all.
    spacing : floats, optional
        For arrays: millimetres between samples along each axis; 1 where absent.
    channel_axis : int, optional
        For arrays: channels are taken one by one.
    border : {"reflect", "nearest", "mirror", "wrap", "constant"}
        How the image goes on outside, named as in scipy.ndimage; "constant" is zero.
    out_dtype : dtype
        Integers are rounded to the nearest and clipped. float64 is computed in float64, all else in float32.

    Raises
    ------
    ValueError
        For an unknown operator or border, or an axis that is not there.

    References
    ----------
    Gonzalez and Woods (2018), Digital Image Processing, 4th ed., section 10.2 (first derivatives).

    Examples
    --------
    >>> gradient(np.array([[0, 2, 4]]), axis=1, spacing=(1, 0.5)).tolist()
    [[2.0, 4.0, 2.0]]
    """

    def slope(array: Array, steps: Spacing) -> Array:
        if not 0 <= axis < array.ndim:
            raise ValueError(f"axis must be from 0 to {array.ndim - 1}, got {axis}")
        from radlake.imaging.kernels.slopes import slopes_of

        field = gradient_field(array, steps, operator=operator, border=border, out_dtype=out_dtype)
        return to_dtype(slopes_of(field, axis + 3 - array.ndim).reshape(array.shape), out_dtype)

    return _per_length(on_spatial_axes(image, slope, spacing=spacing, channel_axis=channel_axis))


def gradient_magnitude(
    image: ImageOrArray,
    *,
    operator: Operator = "central",
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
    border: Border = "reflect",
    out_dtype: DTypeLike = np.float32,
) -> ImageOrArray:
    """Length of the gradient, in the unit of the input per millimetre.

    Parameters
    ----------
    image, operator, spacing, channel_axis, border, out_dtype
        As in `gradient`.

    Raises
    ------
    ValueError
        For an unknown operator or border.

    References
    ----------
    Gonzalez and Woods (2018), Digital Image Processing, 4th ed., section 10.2 (gradient).

    Examples
    --------
    >>> gradient_magnitude(np.array([[0, 0, 0], [0, 3, 6], [0, 6, 12]]))[1, 1].tolist()
    4.242640495300293
    """

    def length(array: Array, steps: Spacing) -> Array:
        from radlake.imaging.kernels.slopes import LENGTH, slopes_of

        field = gradient_field(array, steps, operator=operator, border=border, out_dtype=out_dtype)
        return to_dtype(slopes_of(field, LENGTH).reshape(array.shape), out_dtype)

    return _per_length(on_spatial_axes(image, length, spacing=spacing, channel_axis=channel_axis))


def sobel(
    image: ImageOrArray,
    *,
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
    border: Border = "reflect",
    out_dtype: DTypeLike = np.float32,
) -> ImageOrArray:
    """Length of the gradient by Sobel's operator, in the unit of the input per millimetre.

    Parameters
    ----------
    image, spacing, channel_axis, border, out_dtype
        As in `gradient`.

    Raises
    ------
    ValueError
        For an unknown border.

    References
    ----------
    Duda and Hart (1973), Pattern Classification and Scene Analysis, chapter 7 (after Sobel); here divided by its sum
    of weights and the distance it spans.

    Examples
    --------
    >>> sobel(np.tile([0, 1, 2], (3, 1)), spacing=(1, 0.5))[1].tolist()
    [1.0, 2.0, 1.0]
    """
    return gradient_magnitude(
        image, operator="sobel", spacing=spacing, channel_axis=channel_axis, border=border, out_dtype=out_dtype
    )


def prewitt(
    image: ImageOrArray,
    *,
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
    border: Border = "reflect",
    out_dtype: DTypeLike = np.float32,
) -> ImageOrArray:
    """Length of the gradient by Prewitt's operator, in the unit of the input per millimetre.

    Parameters
    ----------
    image, spacing, channel_axis, border, out_dtype
        As in `gradient`.

    Raises
    ------
    ValueError
        For an unknown border.

    References
    ----------
    Prewitt (1970), Object enhancement and extraction, in Picture Processing and Psychopictorics, 75-149.

    Examples
    --------
    >>> prewitt(np.tile([0, 1, 2], (3, 1))).round(6)[1].tolist()
    [0.5, 1.0, 0.5]
    """
    return gradient_magnitude(
        image, operator="prewitt", spacing=spacing, channel_axis=channel_axis, border=border, out_dtype=out_dtype
    )


def scharr(
    image: ImageOrArray,
    *,
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
    border: Border = "reflect",
    out_dtype: DTypeLike = np.float32,
) -> ImageOrArray:
    """Length of the gradient by Scharr's operator, in the unit of the input per millimetre.

    Parameters
    ----------
    image, spacing, channel_axis, border, out_dtype
        As in `gradient`.

    Raises
    ------
    ValueError
        For an unknown border.

    References
    ----------
    Scharr (2000), Optimale Operatoren in der Digitalen Bildverarbeitung, thesis, Heidelberg.

    Examples
    --------
    >>> scharr(np.tile([0, 1, 2], (3, 1)))[1].tolist()
    [0.5, 1.0, 0.5]
    """
    return gradient_magnitude(
        image, operator="scharr", spacing=spacing, channel_axis=channel_axis, border=border, out_dtype=out_dtype
    )


def laplacian(
    image: ImageOrArray,
    *,
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
    border: Border = "reflect",
    out_dtype: DTypeLike = np.float32,
) -> ImageOrArray:
    """Sum of the second derivatives, in the unit of the input per square millimetre.

    Parameters
    ----------
    image, spacing, channel_axis, border, out_dtype
        As in `gradient`.

    Raises
    ------
    ValueError
        For an unknown border.

    References
    ----------
    Gonzalez and Woods (2018), Digital Image Processing, 4th ed., section 10.2 (weights 1 -2 1 along each
    axis).

    Examples
    --------
    >>> laplacian(np.array([[0, 0, 1, 0, 0]], np.uint8), spacing=(1, 0.5)).tolist()
    [[0.0, 4.0, -8.0, 4.0, 0.0]]
    """

    def curvature(array: Array, steps: Spacing) -> Array:
        from radlake.imaging.kernels.slopes import laplacian_of

        mode, planar = known_border(border), array.ndim == 2
        single = array.dtype.str[1:] in _OPENCV and np.dtype(out_dtype) != np.float64
        if planar and single and array.size and steps[0] == steps[1] and mode in OPENCV_BORDERS:
            return to_dtype(_laplacian_by_opencv(array, steps[0], mode), out_dtype)
        around = (1.0, *steps) if planar else steps
        found = laplacian_of(_volume(array, out_dtype), around, mode, planar=planar)
        return to_dtype(found.reshape(array.shape), out_dtype)

    return _per_length(on_spatial_axes(image, curvature, spacing=spacing, channel_axis=channel_axis))


def laplacian_of_gaussian(
    image: ImageOrArray,
    *,
    sigma_mm: Lengths | None = None,
    sigma_vox: Lengths | None = None,
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
    border: Border = "reflect",
    out_dtype: DTypeLike = np.float32,
) -> ImageOrArray:
    """Laplacian of the image smoothed by a Gaussian, in the unit of the input per square millimetre.

    Parameters
    ----------
    image, spacing, channel_axis, border, out_dtype
        As in `gradient`.
    sigma_mm, sigma_vox : float or one per axis
        Standard deviation in millimetres or in voxels, exactly one of them, above 0; the kernel ends at 4 sigma.

    Raises
    ------
    ValueError
        For contradictory lengths, a sigma of 0 or an unknown border.

    References
    ----------
    Marr and Hildreth (1980), Theory of edge detection, Proc R Soc Lond B 207:187-217. The sampled kernel is corrected
    to be 0 on constants and exact on parabolas; without, as in `scipy.ndimage.gaussian_laplace`, a constant of 1000
    at a sigma of 0.8 gives -0.8.

    Examples
    --------
    >>> x = np.arange(41.0)[None] ** 2
    >>> laplacian_of_gaussian(np.tile(x, (41, 1)), sigma_vox=2.0)[20, 20].round(2).tolist()
    2.0
    """

    def curvature(array: Array, steps: Spacing) -> Array:
        sigmas = in_voxels("sigma", sigma_mm, sigma_vox, steps)
        if min(sigmas) <= 0:
            raise ValueError("sigma must be above 0 along every axis")
        along = []
        for axis, step in enumerate(steps):
            kernels = [smoothing(sigma) for sigma in sigmas]
            kernels[axis] = curving(sigmas[axis]) / step**2
            # float64: weights in float32 would not add up to 0
            along.append(correlate(array, kernels, border, np.float64))
            if axis:
                _add(along[0], along.pop())
        return to_dtype(along[0], out_dtype)

    return _per_length(on_spatial_axes(image, curvature, spacing=spacing, channel_axis=channel_axis))


def gradient_field(
    array: Array, spacing: Spacing, *, operator: Operator, border: Border, out_dtype: DTypeLike
) -> Field:
    """What slopes are taken of, for `kernels.slopes`; planes are volumes of one slice.

    Raises
    ------
    ValueError
        For an unknown operator or border.

    Examples
    --------
    >>> step = np.array([[0, 2, 4]])
    >>> gradient_field(step, (1, 0.5), operator="sobel", border="nearest", out_dtype=float).scales.tolist()
    [0.0, 0.5, 1.0]
    """
    from radlake.imaging.kernels.slopes import field_of

    if operator not in _ACROSS:
        raise ValueError(f"operator must be one of {', '.join(_ACROSS)}; got {operator!r}")
    volume, planar = _volume(array, out_dtype), array.ndim == 2
    around = (1.0, *spacing) if planar else spacing
    return field_of(volume, around, _ACROSS[operator], known_border(border), planar=planar)


def _per_length(result: ImageOrArray) -> ImageOrArray:
    """HU per millimetre are no HU, and the file's window is for HU."""
    if isinstance(result, Image):
        return cast(ImageOrArray, result.with_array(result.array, unit="a.u.", window=None, padding=None))
    return result


def _laplacian_by_opencv(plane: Array, step: float, border: str) -> FloatArray:
    """Of a plane of square samples."""
    import cv2

    native = np.ascontiguousarray(plane, plane.dtype.newbyteorder("="))
    found: FloatArray = cv2.Laplacian(native, cv2.CV_32F, borderType=OPENCV_BORDERS[border])
    return found if step == 1 else np.multiply(found, np.float32(step**-2), out=found)


def _add(total: Array, more: Array) -> None:
    """Add an array to another one."""

    def slabs(start: int, stop: int) -> None:
        total[start:stop] += more[start:stop]

    by_slabs(slabs, len(total))


def _volume(array: Array, out_dtype: DTypeLike) -> FloatArray:
    """The array as a volume, in the floating dtype to compute in."""
    work = np.float64 if np.dtype(out_dtype) == np.float64 else np.float32
    return np.require(to_dtype(array, work), requirements=("C", "W")).reshape((1,) * (3 - array.ndim) + array.shape)
