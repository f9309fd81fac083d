"""Planes as 8-bit pictures: as a person would look at them, and with equal contrast everywhere, for a text detector."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radlake.core.image import Array

Picture = NDArray[np.uint8]
_NEAR, _AROUND = 41, 83  # pixels of the squares of the local mean and of the local spread: more than a letter of 40
_LEAST_SPREAD = 13.0  # of 255 levels: weaker noise stays weak
_CONTRAST = 64.0  # levels to one standard deviation
_BEYOND = 127.0  # levels below and above the percentiles that still show


def display(plane: Array) -> Picture:
    """A plane as an 8-bit picture: percentiles 0.5 to 99.5 of its grey values.

    Parameters
    ----------
    plane : (rows, columns) or (rows, columns, 3) array
    """
    grey = _greys(plane)[0]
    low, high = _range(grey)
    return np.asarray(np.clip((grey - low) * (255.0 / (high - low)), 0, 255).astype(np.uint8))


def even(plane: Array, *, weakest: float = _LEAST_SPREAD) -> list[Picture]:
    """A plane with equal contrast everywhere, as 8-bit pictures: its grey values, and the brightest of its colours.

    Each value less the mean of its surroundings, over their standard deviation: letters show on bone, on soft tissue
    and on air alike, whatever window a person would need to see them.

    Parameters
    ----------
    plane : (rows, columns) or (rows, columns, 3) array
    weakest : float
        Grey levels, of 255 from the percentiles 0.5 to 99.5, that are added to the standard deviation: what differs by
        less stays weak.
    """
    return [_evened(grey, weakest) for grey in _greys(plane)]


def _greys(plane: Array) -> list[NDArray[np.float32]]:
    """Grey values; of colours their mean, and their highest where hue alone may tell letters from what is behind."""
    if plane.ndim == 2:
        return [np.nan_to_num(plane.astype(np.float32))]
    colours = np.nan_to_num(plane[..., :3].astype(np.float32))
    mean = colours.mean(axis=-1)
    return [mean, colours.max(axis=-1)] if np.ptp(colours, axis=-1).any() else [mean]


def _evened(grey: NDArray[np.float32], weakest: float) -> Picture:
    """Local mean and standard deviation taken out."""
    import cv2

    low, high = _range(grey)
    grey = np.clip((grey - low) * (255.0 / (high - low)), -_BEYOND, 255 + _BEYOND)
    above = grey - cv2.blur(grey, (_NEAR, _NEAR), borderType=cv2.BORDER_REFLECT)
    squares = cv2.blur(above * above, (_AROUND, _AROUND), borderType=cv2.BORDER_REFLECT)
    spread = np.sqrt(np.maximum(squares, 0)) + weakest  # running sums may end a little below zero
    return np.asarray(np.clip(128.0 + above * (_CONTRAST / spread), 0, 255).astype(np.uint8))


def _range(grey: NDArray[np.float32]) -> tuple[float, float]:
    """Percentiles 0.5 and 99.5; where they are equal, least and greatest value."""
    low, high = (float(v) for v in np.percentile(grey, (0.5, 99.5)))
    return (low, high) if high > low else (float(grey.min()), float(grey.max()) + 1.0)
