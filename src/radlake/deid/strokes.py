"""A cheap screen for lettering on planes that a scanner reconstructed: drawn strokes are of one exact value.

Noise makes equal neighbours rare in measured samples; a program that draws letters sets runs of pixels to one value,
also where edges are smoothed, because stems and bars repeat along their length. The screen counts such runs where they
stand out from what lies beside them. It says nothing of pictures that were compressed with loss or captured from a
screen: those are looked at by the text detector in any case.
"""

from __future__ import annotations

import numpy as np

from radlake.core.image import Array, BoolArray

_RUN = 3  # equal samples in a row: the bar of a letter of ten pixels is longer
_BESIDE = 13  # pixels across a run within which it must stand out
_LEAST_CONTRAST = 0.06  # of the plane's range of values
_AREA = 15  # pixels: a square of which more than half has the run's value is a plane area, no stroke
_WINDOW = (24, 48)  # rows, columns of a few letters
_LEAST_PIXELS = 6  # in runs, within such a window


def has_strokes(plane: Array) -> bool:
    """Whether a plane holds what could be drawn letters.

    Parameters
    ----------
    plane : (rows, columns) or (rows, columns, 3) integer array
        Stored samples, never compressed with loss.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> noise = rng.normal(1000, 20, (64, 64)).astype(np.int16)
    >>> letter = noise.copy()
    >>> letter[10:22, 10:12] = letter[10:22, 18:20] = letter[15:17, 10:20] = 1500
    >>> has_strokes(noise), has_strokes(letter)
    (False, True)
    """
    import cv2

    if min(plane.shape[:2]) <= _BESIDE:
        return False
    values = (plane if plane.ndim == 2 else plane[..., 1]).astype(np.float32)  # green: what is drawn in grey or colours
    runs = np.ascontiguousarray((_runs(values) | _runs(values.T).T) & ~_is_area(values), np.float32)
    height, width = _WINDOW
    counts = cv2.boxFilter(runs, -1, (width, height), normalize=False, borderType=cv2.BORDER_CONSTANT)
    return bool(counts.max() >= _LEAST_PIXELS)


def _runs(values: Array) -> BoolArray:
    """Samples in vertical runs of equal values that differ from what lies beside them."""
    import cv2

    equal = values[1:] == values[:-1]
    starts = np.logical_and.reduce([equal[i : len(equal) - (_RUN - 2) + i] for i in range(_RUN - 1)])
    inside = np.zeros(values.shape, bool)
    for i in range(_RUN):
        inside[i : len(starts) + i] |= starts
    low, high = (float(v) for v in np.percentile(values, (0.5, 99.5)))
    across = np.ones((1, _BESIDE), np.uint8)
    whole = np.ascontiguousarray(values)
    contrast = np.maximum(cv2.dilate(whole, across) - whole, whole - cv2.erode(whole, across))
    found: BoolArray = inside & (contrast >= _LEAST_CONTRAST * max(high - low, 1.0))
    return found


def _is_area(values: Array) -> BoolArray:
    """Samples of the lowest, highest or most common value where most of their surroundings have it too."""
    import cv2

    whole, counts = np.unique(values, return_counts=True)
    area = np.zeros(values.shape, bool)
    for value in {whole[0], whole[-1], whole[int(np.argmax(counts))]}:
        same = np.ascontiguousarray(values == value, np.float32)
        area |= (same > 0) & (cv2.boxFilter(same, -1, (_AREA, _AREA)) > 0.5)
    return area
