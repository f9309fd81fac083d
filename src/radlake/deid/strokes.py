"""Where letters could be: places in which thin strokes lie close together, upright ones beside level ones.

Letters are made of both; vessels, ribs and edges mostly run one way within the length of a word. The screen is cheap
and sees nearly every letter (measured in benchmarks/pixel_text.py), so that a text detector need not look at the rest.
Where noise at the scale of letters leaves too much to look at, the likeliest places are chosen: their strokes stand out
of the noise and go on longer than its grains.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from radlake.core.image import BoolArray

_CELL = 32  # pixels
_LEAST_CONTRAST = 18  # grey levels by which a stroke differs from what lies on both sides of it
_REACH = (1, 2, 3)  # pixels from the middle of a stroke to what lies beside it: strokes of 1 to 5 pixels
_WORD = (32, 8)  # columns, rows of a few letters of 10 pixels
_LEAST_SHARE = 0.15  # of such a window, in strokes of either direction
_LONG = (4, 3)  # pixels that upright and level strokes go on in the smallest letters
_NOISE = 129  # pixels of a square whose mean stroke is noise: more than a line of text with what is around it
_ABOVE_NOISE, _MOST_NOISE = 5.0, 32  # times that mean, up to so many grey levels: a page of text is no noise
_STRONG = 96  # grey levels: so strong a stroke counts whole, weaker ones in part
_LONG_SHARES = (0.01, 0.013, 0.016, 0.02, 0.025, 0.032, 0.04, 0.05)  # of a window; more than the last is sure
_ABOVE, _ASIDE = 1, 2  # cells around those with strokes: what belongs to a line is seen as a whole
_FILLED = 0.5  # share of a rectangle that must be wanted, else it is split


class Part(NamedTuple):
    """A rectangle of a plane in pixels, half open."""

    top: int
    left: int
    bottom: int
    right: int


def places(picture: NDArray[np.uint8]) -> list[Part]:
    """Rectangles in which letters of 10 to 40 pixels could be, from top to bottom; they may overlap.

    Parameters
    ----------
    picture : (rows, columns) uint8 array
        Brought to equal contrast everywhere.

    Examples
    --------
    >>> page = np.full((96, 320), 128, np.uint8)
    >>> places(page)
    []
    >>> page[40:52, 100:140:4] = page[40:52:5, 100:140] = 250
    >>> places(page)
    [Part(top=0, left=32, bottom=96, right=224)]
    """
    return _rectangles(_shares(picture) >= _LEAST_SHARE)


def likeliest(
    pictures: Sequence[NDArray[np.uint8]], cost: Callable[[list[list[Part]]], float], most: float
) -> list[list[Part]]:
    """Places as of `places` in several pictures; where to look at all costs too much, the likeliest.

    Those of the longest and strongest strokes are. No place is left out for its cost alone: what is surely stroked
    stays, and where that is half of it, everything does, as on a page of text.

    Parameters
    ----------
    pictures : sequence of (rows, columns) uint8 arrays
        Brought to equal contrast everywhere.
    cost : callable
        Of looking at places, a list for each picture.
    most : float
        What it may cost.
    """
    found = [places(picture) for picture in pictures]
    if cost(found) <= most:
        return found
    shares = [_shares(picture, long=True) for picture in pictures]
    for least in _LONG_SHARES:
        likely = [_rectangles(share >= least) for share in shares]
        if cost(likely) <= most:
            return likely
    return likely if cost(likely) <= cost(found) / 2 else found


def _rectangles(lettered: BoolArray) -> list[Part]:
    """Rectangles that hold given pixels and their surroundings."""
    cells = _cells(lettered)
    if not cells.any():
        return []
    import cv2

    wanted = cv2.dilate(cells.view(np.uint8), np.ones((2 * _ABOVE + 1, 2 * _ASIDE + 1), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(wanted, connectivity=8)
    found: set[Part] = set()
    for left, top, width, height, _ in stats[1:count].tolist():
        found |= _split(wanted > 0, Part(top, left, top + height, left + width))
    rows, columns = lettered.shape
    return sorted(
        Part(p.top * _CELL, p.left * _CELL, min(p.bottom * _CELL, rows), min(p.right * _CELL, columns)) for p in found
    )


def _shares(picture: NDArray[np.uint8], *, long: bool = False) -> NDArray[np.float32]:
    """Share of the surroundings of each pixel in upright or in level strokes, the smaller, all bright or all dark."""
    import cv2

    shares = []
    for widen in (cv2.dilate, cv2.erode):
        both = []
        for upright in (True, False):
            strokes = np.zeros(picture.shape, np.uint8)
            for reach in _REACH:
                sides = np.zeros((1, 2 * reach + 1), np.uint8)
                sides[0, [0, -1]] = 1
                beside = widen(picture, sides if upright else sides.T, borderType=cv2.BORDER_REPLICATE)
                above = cv2.subtract(picture, beside) if widen is cv2.dilate else cv2.subtract(beside, picture)
                strokes = cv2.max(strokes, above)
            seen = _long(strokes, upright=upright) if long else (strokes >= _LEAST_CONTRAST).astype(np.float32)
            both.append(cv2.boxFilter(seen, -1, _WORD, borderType=cv2.BORDER_CONSTANT))
        shares.append(cv2.min(both[0], both[1]))
    return np.asarray(cv2.max(shares[0], shares[1]))


def _long(strokes: NDArray[np.uint8], *, upright: bool) -> NDArray[np.float32]:
    """Strength of strokes that stand out of the noise and go on, 0 to 1."""
    import cv2

    around = cv2.boxFilter(strokes.astype(np.float32), -1, (_NOISE, _NOISE), borderType=cv2.BORDER_REFLECT)
    seen = strokes >= np.clip(_ABOVE_NOISE * around, _LEAST_CONTRAST, _MOST_NOISE)
    along = np.ones((_LONG[0], 1) if upright else (1, _LONG[1]), np.uint8)
    opened = cv2.morphologyEx(seen.view(np.uint8), cv2.MORPH_OPEN, along)
    return np.asarray(opened * (np.minimum(strokes, _STRONG) / np.float32(_STRONG)))


def _cells(found: BoolArray) -> BoolArray:
    """Squares that hold any of the pixels."""
    rows, columns = (-(-extent // _CELL) for extent in found.shape)
    padded = np.zeros((rows * _CELL, columns * _CELL), bool)
    padded[: found.shape[0], : found.shape[1]] = found
    return np.asarray(padded.reshape(rows, _CELL, columns, _CELL).any(axis=(1, 3)))


def _split(wanted: BoolArray, part: Part) -> set[Part]:
    """Rectangles of cells that cover what is wanted in a part, without much else; halves overlap by a line's height."""
    rows, columns = np.nonzero(wanted[part.top : part.bottom, part.left : part.right])
    if not len(rows):
        return set()
    part = Part(
        part.top + int(rows.min()), part.left + int(columns.min()),
        part.top + int(rows.max()) + 1, part.left + int(columns.max()) + 1,
    )  # fmt: skip
    height, width = part.bottom - part.top, part.right - part.left
    if len(rows) >= _FILLED * height * width or max(height, width) <= 2 * _ASIDE + 2:
        return {part}
    if height >= width:
        middle = part.top + height // 2
        halves = part._replace(bottom=middle + _ABOVE), part._replace(top=middle - _ABOVE)
    else:
        middle = part.left + width // 2
        halves = part._replace(right=middle + _ASIDE), part._replace(left=middle - _ASIDE)
    return _split(wanted, halves[0]) | _split(wanted, halves[1])
