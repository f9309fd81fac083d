"""Thresholds beyond Otsu's two classes: exact multi-Otsu, Li's minimum cross entropy, Zack's triangle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError, Term
from radlake.core.image import Array, BoolArray, Image
from radlake.imaging.arguments import ImageOrArray, on_spatial_axes
from radlake.imaging.channels import scalar
from radlake.imaging.histogram import BINS, Histogram, histogram
from radlake.imaging.segment import CONSTANT, as_mask

_FEW_LEVELS = Term("the image has fewer different values than classes were asked for")
_MOST_CLASSES = 255  # labels are uint8 and 0 is nothing
_COARSE = 256  # bins of the triangle method for values that are not integers of 16 bits


def multi_otsu_thresholds(array: Array, *, classes: int = 3, padding: float | None = None) -> tuple[float, ...]:
    """Values above which samples belong to the next brighter class, ascending, in the unit of the array.

    The thresholds maximise the variance between the classes over the whole histogram (see `histogram`): the optimum
    itself, found by dynamic programming. The best end of a class moves up with the level it ends at, so that one layer
    takes n log n steps for n levels rather than n squared.

    Parameters
    ----------
    array : array of any shape
        Real values; NaN and infinities are left out.
    classes : int
        2 to 255.
    padding : float, optional
        Value that marks samples outside the imaged field; left out.

    Raises
    ------
    ItemError
        `empty_mask` when the image has fewer different values than classes.
    ValueError
        For a number of classes out of range.

    References
    ----------
    Liao, Chen, Chung (2001), A fast algorithm for multilevel thresholding, J Inf Sci Eng 17:713-727 (the criterion);
    Wang and Song (2011), Ckmeans.1d.dp: optimal k-means clustering in one dimension, R Journal 3(2):29-33 (dynamic
    programming); Gronlund et al. (2017), Fast exact k-means in 1D, arXiv:1701.07204 (divide and conquer).

    Examples
    --------
    >>> multi_otsu_thresholds(np.array([1, 2, 2, 10, 11, 30]), classes=3)
    (2.0, 11.0)
    """
    if not 2 <= classes <= _MOST_CLASSES:
        raise ValueError(f"classes must be from 2 to {_MOST_CLASSES}, got {classes}")
    found = histogram(np.asarray(array), padding=padding)
    if len(found.bins) < classes:
        raise ItemError("empty_mask", hint=_FEW_LEVELS)
    return tuple(found.uppers[_class_ends(found, classes)].tolist())


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


def multi_otsu(image: ImageOrArray, *, classes: int = 3, spacing: Sequence[float] | None = None) -> ImageOrArray:
    """Labels of the classes by exact multi-Otsu: 1 the darkest to `classes` the brightest; uint8.

    Parameters
    ----------
    image : Image or (z, y, x) or (y, x) array
        Of a colour image the brightness is used, of a cine the middle time point. NaN and padding get label 0.
    classes : int
        2 to 255.
    spacing : floats, optional
        Of an array; takes no part in the result and is accepted so that all operations are called alike.

    Raises
    ------
    ItemError
        `empty_mask` when the image has fewer different values than classes.
    ValueError
        For a number of classes out of range.

    References
    ----------
    As in `multi_otsu_thresholds`.

    Examples
    --------
    >>> multi_otsu(np.array([[1, 2, 2], [10, 11, 30]]), classes=3).tolist()
    [[1, 1, 1], [2, 2, 3]]
    """

    def labels(array: Array, padding: float | None) -> NDArray[np.uint8]:
        thresholds = multi_otsu_thresholds(array, classes=classes, padding=padding)
        # one comparison a threshold: searchsorted would copy the volume into float64
        result = np.ones(array.shape, np.uint8)
        for threshold in thresholds:
            result += array > threshold
        result[_excluded(array, padding)] = 0
        return result

    return _scalar_labels(image, labels, spacing)


def li(image: ImageOrArray, *, spacing: Sequence[float] | None = None) -> ImageOrArray:
    """Mask of the samples above Li's threshold: bool, on the spatial grid of the input.

    Parameters
    ----------
    image, spacing
        As in `multi_otsu`; NaN and padding are outside.

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
    return _scalar_labels(image, lambda a, p: _above(a, li_threshold(a, padding=p), p), spacing)


def triangle(image: ImageOrArray, *, spacing: Sequence[float] | None = None) -> ImageOrArray:
    """Mask of the samples above Zack's triangle threshold: bool, on the spatial grid of the input.

    Parameters
    ----------
    image, spacing
        As in `multi_otsu`; NaN and padding are outside.

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
    return _scalar_labels(image, lambda a, p: _above(a, triangle_threshold(a, padding=p), p), spacing)


def _contrast(array: Array, padding: float | None) -> Histogram:
    """The histogram of an image that holds something to separate."""
    found = histogram(np.asarray(array), padding=padding)
    if len(found.bins) < 2:
        raise ItemError("empty_mask", hint=CONSTANT)
    return found


def _class_ends(found: Histogram, classes: int) -> NDArray[np.int64]:
    """Index of the last level of each class but the brightest, for the greatest variance between classes."""
    values = found.bins - np.average(found.bins, weights=found.counts)  # centred: squares stay small
    weight = np.concatenate([[0.0], np.cumsum(found.counts)])
    total = np.concatenate([[0.0], np.cumsum(found.counts * values)])
    levels = len(values)
    # best[j]: greatest sum of squares between k classes that end before level j; start[k][j]: where the last one begins
    best = np.concatenate([[-np.inf], total[1:] ** 2 / weight[1:]])
    starts = []
    for _ in range(classes - 1):
        best, start = _one_class_more(best, weight, total)
        starts.append(start)
    ends = np.empty(classes - 1, np.int64)
    at = levels
    for k, start in zip(range(classes - 2, -1, -1), reversed(starts), strict=True):
        at = start[at]
        ends[k] = at - 1
    return ends


def _one_class_more(
    best: NDArray[np.float64], weight: NDArray[np.float64], total: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Best sums with one class more, and where that class begins, for every level it may end before.

    Divide and conquer, all intervals of one depth together: the beginning for a level lies between those of the levels
    to its left and right that are solved already.
    """
    n = len(best) - 1
    more = np.full(n + 1, -np.inf)
    start = np.zeros(n + 2, np.int64)
    start[n + 1] = n
    stride = 1 << (n.bit_length() - 1)
    while stride:
        ends = np.arange(stride, n + 1, 2 * stride)  # level 0 is solved: no class ends there
        low = start[ends - stride]
        high = np.minimum(start[np.minimum(ends + stride, n + 1)], ends - 1)
        more[ends], start[ends] = _best_in(best, weight, total, ends, low, high)
        stride >>= 1
    return more, start[:-1]


def _best_in(
    best: NDArray[np.float64],
    weight: NDArray[np.float64],
    total: NDArray[np.float64],
    ends: NDArray[np.int64],
    low: NDArray[np.int64],
    high: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Greatest value and its first place among the beginnings low..high of each end."""
    lengths = high - low + 1
    offsets = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    begin = np.arange(lengths.sum()) - np.repeat(offsets - low, lengths)
    end = np.repeat(ends, lengths)
    value = best[begin] + (total[end] - total[begin]) ** 2 / (weight[end] - weight[begin])
    greatest = np.maximum.reduceat(value, offsets)
    hits = np.flatnonzero(value == np.repeat(greatest, lengths))
    return greatest, begin[hits[np.searchsorted(hits, offsets)]]


def _above(array: Array, threshold: float, padding: float | None) -> BoolArray:
    """Samples above a threshold that are not padding."""
    return np.asarray((array > threshold) & ~_excluded(array, padding))


def _excluded(array: Array, padding: float | None) -> BoolArray:
    """Padding and NaN."""
    result = np.zeros(array.shape, np.bool_) if padding is None else array == padding
    if np.issubdtype(array.dtype, np.floating):
        result |= np.isnan(array)
    return np.asarray(result)


def _scalar_labels(
    image: ImageOrArray, operation: Callable[[Array, float | None], Array], spacing: Sequence[float] | None
) -> ImageOrArray:
    """Labels of the scalar picture in an image, or of an array."""
    if isinstance(image, Image):
        plain = scalar(image)
        return cast(ImageOrArray, as_mask(plain, operation(plain.array, plain.padding)))
    return on_spatial_axes(image, lambda array, _: operation(array, None), spacing=spacing)
