"""Intensities made comparable between images: z-score, histogram matching, Nyul's landmarks, N4 bias field."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError, Term
from radlake.core.image import Array, BoolArray, Image, Unit
from radlake.imaging.arguments import ImageOrArray, spacing_of
from radlake.imaging.channels import scalar

# Nyul, Udupa, Zhang (2000): the deciles between the tails that are cut off
_PERCENTILES = (1.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 99.0)
_FLAT = Term("the values inside the region are constant")


@dataclass(frozen=True)
class Landmarks:
    """What Nyul's method learned from a cohort: a plain table that can be saved and applied elsewhere.

    Parameters
    ----------
    percentiles : tuple of floats
        Where the landmarks of an image are taken, ascending, 0 to 100.
    scale : tuple of floats
        The value that each of them shall have.
    """

    percentiles: tuple[float, ...]
    scale: tuple[float, ...]

    def to_json(self) -> dict[str, list[float]]:
        """Lists of numbers by name, ready for `json.dumps`."""
        return {name: list(values) for name, values in asdict(self).items()}

    @classmethod
    def from_json(cls, saved: dict[str, Any]) -> Landmarks:
        """What `to_json` gave.

        Raises
        ------
        ValueError
            When the lists do not hold as many ascending percentiles as values.
        """
        percentiles = tuple(float(v) for v in saved["percentiles"])
        scale = tuple(float(v) for v in saved["scale"])
        ascending = len(percentiles) == len(scale) >= 2 and all(np.diff(percentiles) > 0) and all(np.diff(scale) >= 0)
        if not ascending or percentiles[0] < 0 or percentiles[-1] > 100:
            raise ValueError("expected two ascending lists of one length, percentiles from 0 to 100")
        return cls(percentiles, scale)


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
    plain = _plain(image)
    array, values = _inside(plain, mask)
    deviation = values.std(ddof=1)
    return _comparable(plain, (array.astype(np.float64) - values.mean()) / deviation)


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
    ours, counts = np.unique(_usable(image), return_counts=True)
    theirs, their_counts = np.unique(_usable(reference), return_counts=True)
    if not ours.size or not theirs.size:
        raise ItemError("no_pixels")
    ranks = np.cumsum(counts) / counts.sum()
    values = np.interp(ranks, np.cumsum(their_counts) / their_counts.sum(), theirs)
    result = np.interp(array.astype(np.float64), ours, values)
    if np.issubdtype(array.dtype, np.floating):
        result[np.isnan(array)] = np.nan
    return _comparable(image, result, unit=reference.unit if isinstance(reference, Image) else "a.u.")


def fit_nyul(
    images: Iterable[Image | Array],
    *,
    masks: Iterable[Image | Array] | None = None,
    percentiles: Sequence[float] = _PERCENTILES,
    low: float = 0.0,
    high: float = 100.0,
) -> Landmarks:
    """Standard scale of a cohort: the mean place of each percentile between the first and the last.

    Images are looked at one by one; a generator that loads them is enough.

    Parameters
    ----------
    images : Images or arrays
        Of one kind and protocol, such as T1-weighted MR.
    masks : Images or arrays, optional
        What counts of each, in the same order; everything where absent.
    percentiles : floats
        Ascending, at least two, from 0 to 100.
    low, high : float
        Ends of the standard scale.

    Raises
    ------
    ItemError
        `empty_mask` when an image has no contrast inside its mask.
    ValueError
        Without images, or for percentiles or ends out of order.

    References
    ----------
    Nyul, Udupa, Zhang (2000), New variants of a method of MRI scale standardization, IEEE TMI 19:143-150;
    deciles as landmarks.

    Examples
    --------
    >>> fit_nyul([np.arange(101), np.arange(101) * 7.0], percentiles=(0, 50, 100)).scale
    (0.0, 50.0, 100.0)
    """
    ordered = len(percentiles) >= 2 and all(np.diff(percentiles) > 0) and low < high
    if not ordered or percentiles[0] < 0 or percentiles[-1] > 100:
        raise ValueError("expected ascending percentiles from 0 to 100 and low < high")
    pairs = zip(images, masks, strict=True) if masks is not None else ((image, None) for image in images)
    scaled = []
    for image, mask in pairs:
        marks = np.percentile(_inside(_plain(image), mask)[1], percentiles)
        if marks[0] == marks[-1]:
            raise ItemError("empty_mask", hint=_FLAT)
        scaled.append(low + (marks - marks[0]) * (high - low) / (marks[-1] - marks[0]))
    if not scaled:
        raise ValueError("expected at least one image")
    return Landmarks(tuple(float(p) for p in percentiles), tuple(np.mean(scaled, axis=0).tolist()))


def apply_nyul(image: ImageOrArray, landmarks: Landmarks, *, mask: Image | Array | None = None) -> ImageOrArray:
    """Image on the standard scale of a cohort: float32, without a unit.

    Each landmark of the image moves to its value on the scale; between them values move linearly, and beyond the ends
    by the slope of the nearest part.

    Parameters
    ----------
    image : Image or array
        Any real dtype; NaN stays. Of colours the brightness is used, of a cine the middle time point.
    landmarks : Landmarks
        From `fit_nyul`.
    mask : Image or array, optional
        Where the landmarks are taken, as when they were fitted.

    Raises
    ------
    ItemError
        `empty_mask` when the image has no contrast inside the mask.

    References
    ----------
    Nyul, Udupa, Zhang (2000), New variants of a method of MRI scale standardization, IEEE TMI 19:143-150.

    Examples
    --------
    >>> apply_nyul(np.array([[0.0, 5.0, 10.0, 20.0]]), Landmarks((0.0, 50.0), (0.0, 30.0))).tolist()
    [[0.0, 20.0, 40.0, 80.0]]
    """
    plain = _plain(image)
    array, values = _inside(plain, mask)
    marks, first = np.unique(np.percentile(values, landmarks.percentiles), return_index=True)
    if marks.size < 2:
        raise ItemError("empty_mask", hint=_FLAT)
    scale = np.asarray(landmarks.scale)[first]
    slopes = np.diff(scale) / np.diff(marks)
    part = np.clip(np.searchsorted(marks, array, side="right") - 1, 0, slopes.size - 1)
    result = scale[part] + (array.astype(np.float64) - marks[part]) * slopes[part]
    return _comparable(plain, result)


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
    plain = _plain(image)
    array = plain.array if isinstance(plain, Image) else np.asarray(plain)
    steps = plain.geometry.spacing if isinstance(plain, Image) else spacing_of(array.ndim, spacing)
    inside = _region(plain, mask) & (array > 0)
    _two_values(array[inside])
    even = (array / np.exp(_log_field(array, inside, steps, shrink, iterations))).astype(np.float32)
    return cast(ImageOrArray, plain.with_array(even) if isinstance(plain, Image) else even)


def nyul(
    image: ImageOrArray,
    *,
    percentiles: Sequence[float],
    scale: Sequence[float],
    mask: Image | Array | None = None,
) -> ImageOrArray:
    """Image on the standard scale of a cohort by landmarks that were saved: float32, without a unit.

    `apply_nyul` with the lists that `Landmarks.to_json` gives.

    Parameters
    ----------
    image, mask
        As in `apply_nyul`.
    percentiles, scale : floats
        As in `Landmarks`.

    Raises
    ------
    ItemError, ValueError
        As in `apply_nyul` and `Landmarks.from_json`.

    References
    ----------
    Nyul, Udupa, Zhang (2000), New variants of a method of MRI scale standardization, IEEE TMI 19:143-150.

    Examples
    --------
    >>> nyul(np.array([[0.0, 5.0, 10.0, 20.0]]), percentiles=[0, 50], scale=[0, 30]).tolist()
    [[0.0, 20.0, 40.0, 80.0]]
    """
    return apply_nyul(image, Landmarks.from_json({"percentiles": percentiles, "scale": scale}), mask=mask)


def _plain(image: ImageOrArray) -> ImageOrArray:
    """The scalar picture in an image; an array as it is."""
    return cast(ImageOrArray, scalar(image)) if isinstance(image, Image) else image


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


def _region(image: Image | Array, mask: Image | Array | None) -> BoolArray:
    """Samples that count: inside the mask, finite and not padding."""
    array = image.array if isinstance(image, Image) else np.asarray(image)
    result = np.ones(array.shape, np.bool_)
    if mask is not None:
        given = mask.array if isinstance(mask, Image) else np.asarray(mask)
        if given.shape != array.shape:
            raise ItemError("misaligned_mask", what=Term("the shapes differ"))
        result = given != 0
    if np.issubdtype(array.dtype, np.floating):
        result &= np.isfinite(array)
    if isinstance(image, Image) and image.padding is not None:
        result &= array != image.padding
    return result


def _inside(image: Image | Array, mask: Image | Array | None) -> tuple[Array, NDArray[np.float64]]:
    """The array, and the values that count in float64, of which there are two different ones."""
    array = image.array if isinstance(image, Image) else np.asarray(image)
    values = array[_region(image, mask)].astype(np.float64)
    _two_values(values)
    return array, values


def _usable(image: Image | Array) -> Array:
    """Finite values that are not padding."""
    array = image.array if isinstance(image, Image) else np.asarray(image)
    return np.asarray(array[_region(image, None)])


def _two_values(values: Array) -> None:
    """Refuse what has no contrast."""
    if not values.size or values.min() == values.max():
        raise ItemError("empty_mask", hint=_FLAT)


def _comparable(image: ImageOrArray, values: NDArray[np.float64], *, unit: Unit = "a.u.") -> ImageOrArray:
    """New values as float32 in what the image was; padding is what its samples became, the window no longer holds."""
    result = values.astype(np.float32)
    if not isinstance(image, Image):
        return cast(ImageOrArray, result)
    outside = np.zeros(0) if image.padding is None else result[image.array == image.padding]
    padding = float(outside[0]) if outside.size else None
    return cast(ImageOrArray, image.with_array(result, unit=unit, window=None, padding=padding))
