"""Nyul's standard scale: landmarks of each image, their mean place in a cohort, images moved to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

import numpy as np

from radlake.core.fault import ItemError
from radlake.core.image import Array, Image
from radlake.imaging.arguments import ImageOrArray
from radlake.imaging.enhance.inside import FLAT, comparable, plain_of, values_inside
from radlake.imaging.kernels.pointwise import pointwise

# Nyul, Udupa, Zhang (2000): the deciles between the tails that are cut off
PERCENTILES = (1.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 99.0)


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


def fit_nyul(
    images: Iterable[Image | Array],
    *,
    masks: Iterable[Image | Array] | None = None,
    percentiles: Sequence[float] = PERCENTILES,
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
    _check(percentiles, low, high)
    pairs = zip(images, masks, strict=True) if masks is not None else ((image, None) for image in images)
    return scale_of([landmarks_of(image, mask, percentiles) for image, mask in pairs], percentiles, low=low, high=high)


def landmarks_of(image: Image | Array, mask: Image | Array | None, percentiles: Sequence[float]) -> tuple[float, ...]:
    """Percentiles of an image inside a mask, in its unit; of colours the brightness, of a cine the middle time point.

    Raises
    ------
    ItemError
        `empty_mask` when the first and the last are equal.

    Examples
    --------
    >>> landmarks_of(np.arange(101), None, (0, 50, 100))
    (0.0, 50.0, 100.0)
    """
    marks = np.percentile(values_inside(plain_of(cast(Image, image)), mask)[1], percentiles)
    if marks[0] == marks[-1]:
        raise ItemError("empty_mask", hint=FLAT)
    return tuple(marks.tolist())


def scale_of(
    cohort: Sequence[Sequence[float]], percentiles: Sequence[float], *, low: float = 0.0, high: float = 100.0
) -> Landmarks:
    """Standard scale of the landmarks of many images: their mean place between the first and the last.

    Parameters
    ----------
    cohort : lists of floats
        Of `landmarks_of`; the mean is taken in the order given.
    percentiles, low, high
        As in `fit_nyul`.

    Raises
    ------
    ValueError
        As in `fit_nyul`.

    Examples
    --------
    >>> scale_of([(0.0, 2.0, 10.0), (5.0, 9.0, 15.0)], (0, 50, 100)).scale
    (0.0, 30.0, 100.0)
    """
    _check(percentiles, low, high)
    if not cohort:
        raise ValueError("expected at least one image")
    marks = np.array(cohort, np.float64)
    least, span = marks[:, :1], marks[:, -1:] - marks[:, :1]
    scale = np.mean(low + (marks - least) * (high - low) / span, axis=0)
    return Landmarks(tuple(float(p) for p in percentiles), tuple(scale.tolist()))


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
    plain = plain_of(image)
    array, values = values_inside(plain, mask)
    marks, first = np.unique(np.percentile(values, landmarks.percentiles), return_index=True)
    if marks.size < 2:
        raise ItemError("empty_mask", hint=FLAT)
    scale = np.asarray(landmarks.scale)[first]
    slopes = np.diff(scale) / np.diff(marks)

    def scaled(values: Array) -> Array:
        part = np.clip(np.searchsorted(marks, values, side="right") - 1, 0, slopes.size - 1)
        return np.asarray(scale[part] + (values.astype(np.float64) - marks[part]) * slopes[part])

    return comparable(plain, pointwise(array, scaled, np.float32))


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


def _check(percentiles: Sequence[float], low: float, high: float) -> None:
    """Refuse percentiles or ends out of order."""
    ordered = len(percentiles) >= 2 and all(np.diff(percentiles) > 0) and low < high
    if not ordered or percentiles[0] < 0 or percentiles[-1] > 100:
        raise ValueError("expected ascending percentiles from 0 to 100 and low < high")
