"""Two images side by side as a person would look at them: one window for both, a mask as an outline, a scale bar."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from radlake.core.image import Image
from radlake.imaging.channels import scalar
from radlake.imaging.preview import thumbnail
from radlake.imaging.window import display_window

Picture = NDArray[np.uint8]
# RGB, clear on grey and from each other also for the colour-blind: Okabe and Ito (2008)
_OUTLINES = ((230, 90, 40), (86, 180, 233), (240, 228, 66), (0, 158, 115), (204, 121, 167), (230, 159, 0))
_GAP = 8
_COVERED = 32  # of 255: how much of a pixel a mask must cover, little enough that thin edges stay when shrunk
_BAR_SHARE = 0.3  # of the picture's width, at most


def side_by_side(original: Image, result: Image, *, shared: bool = True, longest: int = 512) -> Picture:
    """Original on the left, result on the right, shape (h, w, 3) RGB.

    Volumes show their middle slice, or the one with most of the mask.

    Parameters
    ----------
    original : Image
        Any kind; shown in its file's or its modality's window.
    result : Image
        A mask or labels on the same grid are drawn as outlines on the original.
    shared : bool
        Show the result in the original's window where it is in the same unit; otherwise in one of its own, as for
        edges.
    longest : int
        Pixels on the longer side of each half; smaller images are enlarged by a whole number.

    Examples
    --------
    >>> from radlake.core.image import Geometry
    >>> image = Image(np.zeros((40, 30), np.int16), Geometry((1.0, 1.0)))
    >>> side_by_side(image, image.with_array(image.array == 0, kind="label"), longest=90).shape
    (80, 128, 3)
    """
    plain = scalar(original)
    masked = result.kind == "label" or result.array.dtype == np.bool_
    if masked and result.array.shape == plain.array.shape:
        return _outlined(plain if result.geometry.ndim == 3 else original, result, longest)
    one_window = shared and original.channel_axis is None and original.unit == result.unit
    shown = result.with_array(result.array.astype(np.uint8) if result.array.dtype == np.bool_ else result.array)
    # "other" has no window of its own: a response or a slope is seen between its percentiles
    shown = replace(shown, window=display_window(original)) if one_window else replace(shown, window=None, kind="other")
    left = _with_bar(_picture(original, longest), original)
    right = _picture(shown, longest)
    return _joined(left, right if result.geometry == original.geometry else _with_bar(right, result))


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


def _picture(image: Image, longest: int) -> Picture:
    """An image in three channels; where it is small, each pixel several times."""
    picture = thumbnail(image, longest=longest)
    times = max(1, longest // max(picture.shape[:2]))
    colours = np.repeat(picture[..., None], 3, axis=2) if picture.ndim == 2 else picture
    return colours.repeat(times, axis=0).repeat(times, axis=1)


def _outlined(original: Image, labels: Image, longest: int) -> Picture:
    """The original, and beside it the same with the outline of every label in a colour of its own."""
    import cv2

    array = labels.array
    if labels.geometry.ndim == 3 and array.size:
        most = int(np.argmax(np.count_nonzero(array, axis=(1, 2)))) if array.any() else len(array) // 2
        original, array = original.with_array(original.array[most : most + 1]), array[most : most + 1]
    left = _picture(original, longest)
    drawn = left.copy()
    for place, label in enumerate(n for n in np.unique(array) if n):
        levels = labels.with_array((array == label).astype(np.uint8) * 255, window=(127.5, 255.0), padding=None)
        inside = (_picture(levels, longest)[..., 0] >= _COVERED).astype(np.uint8)
        outlines, _ = cv2.findContours(inside, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(drawn, outlines, -1, _OUTLINES[place % len(_OUTLINES)], 1)
    return _joined(_with_bar(left, original), drawn)


def _joined(left: Picture, right: Picture) -> Picture:
    """Two pictures with a white gap; the lower one is filled up with white."""
    height = max(len(left), len(right))
    halves = [np.pad(half, ((0, height - len(half)), (0, 0), (0, 0)), constant_values=255) for half in (left, right)]
    gap = np.full((height, _GAP, 3), 255, np.uint8)
    return np.ascontiguousarray(np.concatenate([halves[0], gap, halves[1]], axis=1))


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
