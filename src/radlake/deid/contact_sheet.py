"""A contact sheet of planes with boxes around what looks like text, for the owner's eyes: it shows identities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from radlake.core.image import Array
from radlake.deid.pictures import Picture, display
from radlake.deid.stored_pixels import Box
from radlake.imaging.preview import png_bytes

_LONGEST, _ACROSS = 768, 4  # pixels of a picture, pictures in a row
_BOX_COLOUR = (255, 64, 0)
_GAP = 8


def sheet(planes: Sequence[Array], boxes: Sequence[Box]) -> bytes:
    r"""PNG of the planes beside each other, boxes drawn on each.

    Parameters
    ----------
    planes : sequence of (rows, columns) or (rows, columns, 3) arrays
        Of one size; at least one.
    boxes : sequence of (top, left, bottom, right)
        In pixels.

    Examples
    --------
    >>> sheet([np.zeros((20, 30), np.uint8)], [(2, 2, 8, 20)])[:4]
    b'\x89PNG'
    """
    pictures = [_drawn(display(plane), boxes) for plane in planes]
    height, width = pictures[0].shape[:2]
    rows, columns = -(-len(pictures) // _ACROSS), min(len(pictures), _ACROSS)
    page = np.full((rows * (height + _GAP) - _GAP, columns * (width + _GAP) - _GAP, 3), 128, np.uint8)
    for number, picture in enumerate(pictures):
        top, left = number // _ACROSS * (height + _GAP), number % _ACROSS * (width + _GAP)
        page[top : top + height, left : left + width] = picture
    return png_bytes(page)


def _drawn(picture: Picture, boxes: Sequence[Box]) -> Picture:
    """A grey picture in colours, at most so large, with frames around the boxes."""
    import cv2

    scale = min(1.0, _LONGEST / max(picture.shape))
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    coloured: Picture = cv2.cvtColor(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), cv2.COLOR_GRAY2RGB)
    for top, left, bottom, right in boxes:
        corners = [(round(x * scale), round(y * scale)) for x, y in ((left, top), (right, bottom))]
        cv2.rectangle(coloured, corners[0], corners[1], _BOX_COLOUR, 1)
    return coloured
