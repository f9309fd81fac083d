"""Thresholds between two classes: Otsu's, Li's minimum cross entropy, Zack's triangle; at every level of 16 bits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from radlake.core.fault import ItemError, Term
from radlake.core.image import Array, BoolArray
from radlake.imaging.arguments import ImageOrArray
from radlake.imaging.histogram import BINS, Histogram, histogram
from radlake.imaging.labels import largest as largest_part
from radlake.imaging.segment.picture import excluded, scalar_labels

_CONSTANT = Term("the image is constant: there is nothing to separate")
_COARSE = 256  # bins of the triangle method for values that are not integers of 16 bits


def otsu_threshold(array: Array, *, padding: float | None = None) -> float:
    """Value above which samples belong to the brighter class, in the unit of the array.

    The threshold maximises the variance between the classes over the histogram of all finite samples: exact for
    integers that span at most 65536 values, otherwise on 65536 equal bins (the bin's upper edge is returned).

    Parameters
    ----------
    array : array of any shape
        Real values; NaN and infinities are left out.
    padding : float, optional
        Value that marks samples outside the imaged field; left out.

    Raises
    ------
    ItemError
        `empty_mask` when fewer than two different values are left.

    References
    ----------
    Otsu (1979), A threshold selection method from gray-level histograms, IEEE SMC 9:62-66, equation 18.

    Examples
    --------
    >>> otsu_threshold(np.array([1, 2, 2, 9, 10]))
    2.0
    """
    uppers, bins, counts = _contrast(array, padding)
    below = np.cumsum(counts)[:-1].astype(np.float64)
    sum_below = np.cumsum(counts * bins).astype(np.float64)
    total, total_sum = float(counts.sum()), sum_below[-1]
    # Between-class variance (equation 18) of the bin numbers, multiplied out: no division of small by small
    variance = (total * sum_below[:-1] - below * total_sum) ** 2 / (below * (total - below))
    return float(uppers[int(np.argmax(variance))])


def li_threshold(array: Array, *, padding: float | None = None) -> float:
    """Value above which samples belong to the brighter class: least cross entropy, in the unit of the array.

    The best of all thresholds, where iterations stop at the first good one. Intensities are counted from the least
    value, because the criterion needs logarithms.

    Parameters
    ----------
    array : array of any shape
        Real values; NaN and infinities are left out.
    padding : float, optional
        Value that marks samples outside the imaged field; left out.

    Raises
    ------
    ItemError
        `empty_mask` when fewer than two different values are left.

    References
    ----------
    Li and Lee (1993), Minimum cross entropy thresholding, Pattern Recognition 26:617-625, equation 13.

    Examples
    --------
    >>> li_threshold(np.array([1, 2, 2, 3, 30, 31]))
    3.0
    """
    uppers, bins, counts = _contrast(array, padding)
    values = (bins - bins[0]).astype(np.float64)
    below, sum_below = np.cumsum(counts)[:-1].astype(np.float64), np.cumsum(counts * values)[:-1]
    above, sum_above = counts.sum() - below, (counts * values).sum() - sum_below
    mean_below, mean_above = sum_below / below, sum_above / above
    # 0 log 0 is 0: the lower class may hold the least value alone
    gain = sum_below * np.log(np.where(mean_below > 0, mean_below, 1.0)) + sum_above * np.log(mean_above)
    return float(uppers[int(np.argmax(gain))])


def triangle_threshold(array: Array, *, padding: float | None = None) -> float:
    """Value above which samples belong to the brighter class, from the flank of a one-peaked histogram.

    The bin farthest from the line between the peak and the far end of the histogram. Made for one large background
    and little foreground: fluorescence, vessels, lesions.

    Parameters
    ----------
    array : array of any shape
        Real values; NaN and infinities are left out. Integers that span at most 65536 values have a bin each, others
        256 bins.
    padding : float, optional
        Value that marks samples outside the imaged field; left out.

    Raises
    ------
    ItemError
        `empty_mask` when fewer than two different values are left.

    References
    ----------
    Zack, Rogers, Latt (1977), Automatic measurement of sister chromatid exchange frequency, J Histochem Cytochem
    25:741-753.

    Examples
    --------
    >>> triangle_threshold(np.repeat([0, 1, 2, 3, 4, 9], [90, 40, 5, 3, 2, 1]))
    2.0
    """
    found = _contrast(array, padding)
    exact = np.issubdtype(np.asarray(array).dtype, np.integer) and found.uppers[-1] - found.uppers[0] < BINS
    width = 1 if exact else BINS // _COARSE
    counts = np.bincount((found.bins - found.bins[0]) // width, weights=found.counts)
    peak, last = int(np.argmax(counts)), len(counts) - 1
    left = peak > last - peak  # the longer flank
    flank = counts[: peak + 1][::-1] if left else counts[peak:]
    steps = np.arange(len(flank))
    # distance from the line between the ends, up to a constant factor
    away = (flank[0] - flank[-1]) * steps + (flank - flank[0]) * (len(flank) - 1)
    at = int(np.argmin(away))
    at = peak - at if left else peak + at
    return float(found.uppers[np.searchsorted(found.bins - found.bins[0], (at + 1) * width) - 1])


def otsu(image: ImageOrArray, *, largest: bool = False, spacing: Sequence[float] | None = None) -> ImageOrArray:
    """Mask of the samples above Otsu's threshold: bool, on the spatial grid of the input.

    Parameters
    ----------
    image : Image or (z, y, x) or (y, x) array
        Of a colour image the brightness is used, of a cine the middle time point; an `Image`'s padding value is left
        out, and NaN belongs to no class.
    largest : bool
        Only the largest connected part, through corners too; of equal ones the first in array order.
    spacing : floats, optional
        Of an array; takes no part in the result and is accepted so that all operations are called alike.

    Raises
    ------
    ItemError
        `empty_mask` when the image is constant or holds no finite sample.

    References
    ----------
    Otsu (1979), A threshold selection method from gray-level histograms, IEEE SMC 9:62-66.

    Examples
    --------
    >>> otsu(np.array([[0, 1, 7], [0, 8, 9]])).astype(int).tolist()
    [[0, 0, 1], [0, 1, 1]]
    """
    return scalar_labels(image, lambda a, p: _above(a, otsu_threshold(a, padding=p), p, largest), spacing)


def li(image: ImageOrArray, *, largest: bool = False, spacing: Sequence[float] | None = None) -> ImageOrArray:
    """Mask of the samples above Li's threshold: bool, on the spatial grid of the input.

    Parameters
    ----------
    image, largest, spacing
        As in `otsu`; NaN and padding are outside.

    Raises
    ------
    ItemError
        `empty_mask` when the image is constant or holds no finite sample.

    References
    ----------
    Li and Lee (1993), Minimum cross entropy thresholding, Pattern Recognition 26:617-625.

    Examples
    --------
    >>> li(np.array([[1, 2, 2], [3, 30, 31]])).astype(int).tolist()
    [[0, 0, 0], [0, 1, 1]]
    """
    return scalar_labels(image, lambda a, p: _above(a, li_threshold(a, padding=p), p, largest), spacing)


def triangle(image: ImageOrArray, *, largest: bool = False, spacing: Sequence[float] | None = None) -> ImageOrArray:
    """Mask of the samples above Zack's triangle threshold: bool, on the spatial grid of the input.

    Parameters
    ----------
    image, largest, spacing
        As in `otsu`; NaN and padding are outside.

    Raises
    ------
    ItemError
        `empty_mask` when the image is constant or holds no finite sample.

    References
    ----------
    Zack, Rogers, Latt (1977), J Histochem Cytochem 25:741-753.

    Examples
    --------
    >>> triangle(np.repeat([[0, 1, 2, 9]], [9, 4, 1, 1], axis=1)).sum().item()
    1
    """
    return scalar_labels(image, lambda a, p: _above(a, triangle_threshold(a, padding=p), p, largest), spacing)


def _contrast(array: Array, padding: float | None) -> Histogram:
    """The histogram of an image that holds something to separate."""
    found = histogram(np.asarray(array), padding=padding)
    if len(found.bins) < 2:
        raise ItemError("empty_mask", hint=_CONSTANT)
    return found


def _above(array: Array, threshold: float, padding: float | None, only_largest: bool) -> BoolArray:
    """Samples above a threshold that are not padding."""
    found = np.asarray((array > threshold) & ~excluded(array, padding))
    return largest_part(found) if only_largest else found
