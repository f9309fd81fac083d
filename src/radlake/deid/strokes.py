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
_SURROUNDINGS = 15  # pixels: a square in which strokes are the smaller part, so that its median is the background
_LEAST_CONTRAST = 12  # of 255 levels between the percentiles 0.5 and 99.5
_WINDOW = (24, 48)  # rows, columns of a few letters
_LEAST_PIXELS = 5  # in runs, within such a window


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

    if min(plane.shape[:2]) <= _SURROUNDINGS:
        return False
    values = plane if plane.ndim == 2 else plane[..., 1]  # green: what is drawn in grey or in most colours
    runs = (_runs(values) | _runs(values.T).T) & _stands_out(values)
    height, width = _WINDOW
    counted = np.ascontiguousarray(runs, np.float32)
    counts = cv2.boxFilter(counted, -1, (width, height), normalize=False, borderType=cv2.BORDER_CONSTANT)
    return bool(counts.max() >= _LEAST_PIXELS)


def _runs(values: Array) -> BoolArray:
    """Samples in vertical runs of equal values."""
    equal = values[1:] == values[:-1]
    starts = np.logical_and.reduce([equal[i : len(equal) - (_RUN - 2) + i] for i in range(_RUN - 1)])
    inside = np.zeros(values.shape, bool)
    for i in range(_RUN):
        inside[i : len(starts) + i] |= starts
    return inside


def _stands_out(values: Array) -> BoolArray:
    """Samples that differ from the median of their surroundings."""
    import cv2

    low, high = (float(v) for v in np.percentile(values, (0.5, 99.5)))
    scaled = np.clip((values.astype(np.float32) - low) * (255.0 / max(high - low, 1.0)), 0, 255).astype(np.uint8)
    found: BoolArray = cv2.absdiff(scaled, cv2.medianBlur(scaled, _SURROUNDINGS)) >= _LEAST_CONTRAST
    return found
