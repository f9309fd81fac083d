"""Two images side by side as a person would look at them: one window for both, a mask as an outline, a scale bar."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radlake.core.image import Image
from radlake.imaging.preview import thumbnail
from radlake.imaging.window import display_window

Picture = NDArray[np.uint8]
_OUTLINE = (230, 60, 40)  # RGB, clear on grey
_GAP = 8
_BAR_SHARE = 0.3  # of the picture's width, at most


def side_by_side(original: Image, result: Image, *, longest: int = 512) -> Picture:
    """Original on the left, result on the right, shape (h, w, 3) RGB.

    Parameters
    ----------
    original : Image
        Any kind; shown in its modality's or its file's window.
    result : Image
        Same grid; a bool image is drawn as an outline on the original, anything else in the original's window.
    longest : int
        Pixels on the longer side of each half.

    Examples
    --------
    >>> from radlake.core.image import Geometry
    >>> image = Image(np.zeros((40, 30), np.int16), Geometry((1.0, 1.0)))
    >>> side_by_side(image, image.with_array(image.array == 0)).shape
    (40, 68, 3)
    """
    window = None if original.channel_axis is not None else display_window(original)
    left = _rgb(thumbnail(original, longest=longest))
    if result.array.dtype == np.bool_:
        levels = result.with_array(result.array.astype(np.uint8) * 255, window=(127.5, 255.0), padding=None)
        right = _outlined(left, thumbnail(levels, longest=longest))
    else:
        right = _rgb(thumbnail(result.with_array(result.array, window=window or result.window), longest=longest))
    gap = np.full((left.shape[0], _GAP, 3), 255, np.uint8)
    joined = np.concatenate([_with_bar(left, original), gap, right], axis=1)
    return np.ascontiguousarray(joined)


def bar_length(width_mm: float) -> float:
    """A round length that is easy to read: 1, 2 or 5 times a power of ten, at most 0.3 of the width.

    Examples
    --------
    >>> bar_length(300.0), bar_length(40.0), bar_length(1.0)
    (50.0, 10.0, 0.2)
    """
    most = width_mm * _BAR_SHARE
    power = 10.0 ** np.floor(np.log10(most))
    return float(max(step * power for step in (1, 2, 5) if step * power <= most * (1 + 1e-9)))


def _rgb(picture: Picture) -> Picture:
    """Three channels."""
    return np.repeat(picture[..., None], 3, axis=2) if picture.ndim == 2 else picture


def _outlined(picture: Picture, mask: Picture) -> Picture:
    """The picture with the outline of a mask that is shown as a picture of its own."""
    import cv2

    inside = (mask > 127).astype(np.uint8)
    outlines, _ = cv2.findContours(inside, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(picture.copy(), outlines, -1, _OUTLINE, 1), np.uint8)


def _with_bar(picture: Picture, image: Image) -> Picture:
    """A white bar with its length in the lower left corner; none where lengths are unknown."""
    import cv2

    if not image.geometry.calibrated:
        return picture
    height, width = picture.shape[:2]
    axis = image.array.ndim - 1 - (image.channel_axis == image.array.ndim - 1)
    width_mm = image.array.shape[axis] * image.geometry.spacing[-1]
    length = bar_length(width_mm)
    pixels = max(1, round(length / width_mm * width))
    drawn = picture.copy()
    foot = height - 6
    cv2.rectangle(drawn, (6, foot - 2), (6 + pixels, foot), (255, 255, 255), -1)
    text = f"{length:g} mm"
    cv2.putText(drawn, text, (6, foot - 7), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255), 1, cv2.LINE_AA)
    return drawn
