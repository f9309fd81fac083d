"""Thresholds between several classes: multi-Otsu, solved exactly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError, Term
from radlake.core.image import Array
from radlake.imaging.arguments import ImageOrArray
from radlake.imaging.histogram import Histogram, histogram
from radlake.imaging.segment.picture import excluded, scalar_labels

_FEW_LEVELS = Term("the image has fewer different values than classes were asked for")
_MOST_CLASSES = 255  # labels are uint8 and 0 is nothing


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
        result[excluded(array, padding)] = 0
        return result

    return scalar_labels(image, labels, spacing)


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
