"""Intensities made comparable: z-score, histogram matching, N4 bias field; Nyul's way is in `standard_scale`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError, Term
from radlake.core.image import Array, BoolArray, Image
from radlake.imaging.arguments import ImageOrArray, spacing_of
from radlake.imaging.enhance.inside import comparable, plain_of, refuse_flat, region_of, usable, values_inside
from radlake.imaging.kernels.pointwise import pointwise


def z_score(image: ImageOrArray, *, mask: Image | Array | None = None) -> ImageOrArray:
    """Image with mean 0 and standard deviation 1 inside a mask: float32, without a unit.

    Parameters
    ----------
    image : Image or array
        Any real dtype. NaN and an `Image`'s padding are not counted; NaN stays. Of colours the brightness is used, of
        a cine the middle time point.
    mask : Image or array, optional
        Where mean and standard deviation (n - 1) are taken, of the image's shape; everywhere where absent. The
        transformation is applied to all samples.

    Raises
    ------
    ItemError
        `empty_mask` when fewer than two different values are inside; `misaligned_mask` for another shape.

    References
    ----------
    Reinhold et al. (2019), Evaluating the impact of intensity normalization on MR image synthesis, SPIE Medical
    Imaging 10949 (Z-score).

    Examples
    --------
    >>> z_score(np.array([[1, 2, 3, 100]]), mask=np.array([[1, 1, 1, 0]])).tolist()
    [[-1.0, 0.0, 1.0, 98.0]]
    """
    plain = plain_of(image)
    array, values = values_inside(plain, mask)
    deviation = values.std(ddof=1)
    mean = values.mean()
    return comparable(plain, pointwise(array, lambda part: (part.astype(np.float64) - mean) / deviation, np.float32))


def match_histogram(image: ImageOrArray, reference: Image | Array) -> ImageOrArray:
    """Image whose values are distributed like those of another: float32, in the unit of the reference.

    A value becomes the reference's value of equal rank (share of samples up to it), linear between its values.

    Parameters
    ----------
    image : Image or array
        Any real dtype. NaN stays and is not counted, nor is an `Image`'s padding.
    reference : Image or array
        Of any shape.

    Raises
    ------
    ItemError
        `no_pixels` when one of them holds no finite sample.

    References
    ----------
    Gonzalez and Woods (2018), Digital Image Processing, 4th ed., section 3.3 (histogram matching).

    Examples
    --------
    >>> match_histogram(np.array([[1, 2, 3]]), np.array([[10, 30, 20]])).tolist()
    [[10.0, 20.0, 30.0]]
    """
    array = image.array if isinstance(image, Image) else np.asarray(image)
    ours, counts = np.unique(usable(image), return_counts=True)
    theirs, their_counts = np.unique(usable(reference), return_counts=True)
    if not ours.size or not theirs.size:
        raise ItemError("no_pixels")
    ranks = np.cumsum(counts) / counts.sum()
    values = np.interp(ranks, np.cumsum(their_counts) / their_counts.sum(), theirs)

    def new(part: Array) -> Array:
        result: Array = np.interp(part.astype(np.float64), ours, values)
        if np.issubdtype(part.dtype, np.floating):
            result[np.isnan(part)] = np.nan
        return result

    result = pointwise(array, new, np.float32)
    return comparable(image, result, unit=reference.unit if isinstance(reference, Image) else "a.u.")


def n4(
    image: ImageOrArray,
    *,
    mask: Image | Array | None = None,
    shrink: int = 4,
    iterations: Sequence[int] = (50, 50, 50, 50),
    spacing: Sequence[float] | None = None,
) -> ImageOrArray:
    """MR image without its slowly changing bias field (N4), float32, in the unit of the input.

    Computed by SimpleITK on one thread, the field on a shrunk image, its division at full resolution.

    Parameters
    ----------
    image : Image or (z, y, x) or (y, x) array
        Positive intensities inside the mask; of colours the brightness is used, of a cine the middle time point.
    mask : Image or array, optional
        Where the field is estimated; where intensities are above 0 where absent.
    shrink : int
        Factor along each axis at which the field is estimated, from 1; axes of fewer than 4 * shrink samples are not
        shrunk.
    iterations : ints
        At most so many steps at each level of the spline's refinement.
    spacing : floats, optional
        For arrays: millimetres between samples along each axis; 1 where absent.

    Raises
    ------
    ItemError
        `empty_mask` without contrast inside the mask or for a single line of samples; `misaligned_mask` for another
        shape.
    ValueError
        For a shrink factor below 1.

    References
    ----------
    Tustison et al. (2010), N4ITK: improved N3 bias correction, IEEE TMI 29:1310-1320.

    Examples
    --------
    >>> field = np.linspace(1, 2, 32)
    >>> flat = n4(100 * np.repeat(field[None], 32, axis=0) + np.arange(32)[:, None] % 2, shrink=1)
    >>> bool(np.ptp(flat) < 20)
    True
    """
    if shrink < 1:
        raise ValueError(f"shrink must be at least 1, got {shrink}")
    plain = plain_of(image)
    array = plain.array if isinstance(plain, Image) else np.asarray(plain)
    steps = plain.geometry.spacing if isinstance(plain, Image) else spacing_of(array.ndim, spacing)
    inside = region_of(plain, mask) & (array > 0)
    refuse_flat(array[inside])
    even = (array / np.exp(_log_field(array, inside, steps, shrink, iterations))).astype(np.float32)
    return cast(ImageOrArray, plain.with_array(even) if isinstance(plain, Image) else even)


def _log_field(
    array: Array, inside: BoolArray, spacing: Sequence[float], shrink: int, iterations: Sequence[int]
) -> NDArray[np.float32]:
    """Logarithm of the bias field by N4; axes of one sample are left out, because a spline needs two."""
    import SimpleITK

    wide = [axis for axis, size in enumerate(array.shape) if size > 1]
    if len(wide) < 2:
        raise ItemError("empty_mask", hint=Term("a bias field needs an image of two axes or more"))
    steps, shape = [spacing[axis] for axis in wide], [array.shape[axis] for axis in wide]
    picture = _itk(np.where(np.isfinite(array), array, 0).astype(np.float32).reshape(shape), steps)
    region = _itk(inside.astype(np.uint8).reshape(shape), steps)
    factors = [shrink if n >= 4 * shrink else 1 for n in shape[::-1]]
    corrector = SimpleITK.N4BiasFieldCorrectionImageFilter()
    corrector.SetNumberOfThreads(1)
    corrector.SetMaximumNumberOfIterations([int(i) for i in iterations])
    corrector.Execute(SimpleITK.Shrink(picture, factors), SimpleITK.Shrink(region, factors))
    field = SimpleITK.GetArrayFromImage(corrector.GetLogBiasFieldAsImage(picture))
    return np.asarray(field.reshape(array.shape))


def _itk(array: Array, spacing: Sequence[float]) -> Any:
    """An array as SimpleITK image with its spacing."""
    import SimpleITK

    image = SimpleITK.GetImageFromArray(array)
    image.SetSpacing([float(s) for s in spacing][::-1])
    return image
