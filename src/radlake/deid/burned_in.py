"""Finding text that is burned into pictures: where it is, what it says, and whether it may stay.

A text detector (rapidocr, PP-OCR) looks at each plane through several windows, because one that shows bones hides grey
letters on soft tissue: the usual percentiles, the display window of the file, and the plane without its background.
What it finds is read; shapes that no text has, and shapes in which nothing can be read, are left out.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from radlake.core.errors import RadlakeError
from radlake.core.image import Array, BoolArray
from radlake.deid.marks import is_allowed
from radlake.deid.stored_pixels import Box, blank
from radlake.deid.strokes import has_strokes

Picture = NDArray[np.uint8]
_LEAST_SIDE = 32  # pixels that the detector needs
_SMALL, _LARGE = 720, 1600  # longer side below which planes are enlarged, above which they are looked at in tiles
_REDUCED = 1024  # longer side of a large plane as a whole: for letters that are larger than a tile shows
_TILE, _OVERLAP = 512, 96  # pixels; the overlap is longer than a word of small letters
_ENLARGED = 1.5
_BACKGROUND = 31  # pixels of the median that is taken for background: more than two strokes, less than a letter of 40
_SURE = 0.6  # the detector's score from which a shape of a line of text needs no reading
_READ = 0.55  # mean score of the characters from which a reading counts
_ROUNDS = 3  # of reading, blanking and reading again
_TALLEST = 0.12  # of the plane's shorter side: what is higher must be legible beyond doubt
_LEGIBLE = 0.8  # score of the characters of which that is true
_ASIDE, _ABOVE = 0.7, 0.25  # of a line's height: what boxes are widened by, because outer letters are often missed


class MissingExtra(RadlakeError):  # noqa: N818 - names the problem
    """Reading of text is not installed."""


class Text(NamedTuple):
    """A line of text on a plane: its box in pixels (half open), what it says, how sure."""

    top: int
    left: int
    bottom: int
    right: int
    words: str
    score: float

    @property
    def may_stay(self) -> bool:
        """Whether it is made of marks that identify nobody."""
        return self.score >= _READ and is_allowed(self.words)


@dataclass(frozen=True)
class Finder:
    """A text detector and reader: one a process, one thread.

    Parameters
    ----------
    detect : callable
        (rows, columns, 3) uint8 -> list of (4 corners x, y; score).
    read : callable
        list of (rows, columns, 3) uint8 -> list of (text, score).
    """

    detect: Callable[[Picture], list[tuple[NDArray[np.float32], float]]]
    read: Callable[[Sequence[Picture]], list[tuple[str, float]]]


@functools.cache
def finder() -> Finder:
    """The finder of this process; its models are loaded at the first call and come with the package.

    Raises
    ------
    MissingExtra
        When the extra is not installed.
    """
    try:
        from rapidocr import RapidOCR
        from rapidocr.ch_ppocr_rec import TextRecInput
    except ImportError:
        raise MissingExtra(
            "reading of burned-in text is not installed: pip install 'radlake[ocr]', or choose --pixels off"
        ) from None
    threads = {f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")}
    engine: Any = RapidOCR(
        params={**threads, "Global.log_level": "critical", "Det.box_thresh": 0.4, "Det.limit_side_len": _LEAST_SIDE}
    )
    detector, reader = engine._load_det_model(), engine._load_rec_model()  # the package offers no call for each alone

    def detect(picture: Picture) -> list[tuple[NDArray[np.float32], float]]:
        found = detector(picture)
        return [] if found.boxes is None else list(zip(found.boxes, found.scores, strict=True))

    def read(pictures: Sequence[Picture]) -> list[tuple[str, float]]:
        found = reader(TextRecInput(img=list(pictures), return_word_box=False))
        return list(zip(found.txts, found.scores, strict=True))

    return Finder(detect, read)


def find_texts(
    plane: Array, window: tuple[float, float] | None = None, *, drawn: bool = False, using: Finder | None = None
) -> list[Text]:
    """Lines of text on one plane.

    Parameters
    ----------
    plane : (rows, columns) or (rows, columns, 3) array
        Stored samples of a frame.
    window : (centre, width), optional
        The file's display window, in stored values.
    drawn : bool
        The samples were never compressed with loss: of a large plane, only parts with drawn strokes are looked at in
        full resolution.
    using : Finder, optional
        This process's own by default.

    Returns
    -------
    list of Text
        From top to bottom; boxes are a little larger than the letters.

    Raises
    ------
    MissingExtra
        When the extra is not installed.
    """
    using = using or finder()
    side = min(plane.shape[:2])
    pictures = windows(plane, window)
    if max(plane.shape[:2]) <= _LARGE:
        return _merged(text for picture in pictures for text in _in_picture(picture, using, side))
    scale = _REDUCED / max(plane.shape[:2])
    found = [text for picture in (pictures[0], *pictures[2:]) for text in _in_picture(picture, using, side, scale)]
    for top, left in ((y, x) for y in _starts(plane.shape[0]) for x in _starts(plane.shape[1])):
        tile = np.s_[top : top + _TILE, left : left + _TILE]
        if not drawn or has_strokes(plane[tile]):
            parts = (picture[tile] for picture in pictures)
            found += [_moved(text, top, left) for part in parts for text in _in_picture(part, using, side)]
    return _merged(found)


def to_blank(
    planes: Sequence[Array],
    window: tuple[float, float] | None = None,
    *,
    photometric: str = "MONOCHROME2",
    drawn: bool = False,
) -> tuple[list[Box], bool]:
    """Boxes of all text that may not stay on planes of one object, and whether nothing is left to read without them.

    Planes are read again once the boxes are blanked: the rest of a line, or a letter at its end, is often seen only
    then.

    Parameters
    ----------
    planes : sequence of (rows, columns) or (rows, columns, 3) arrays
    window, drawn
        As in `find_texts`.
    photometric : str
        Decides which value is black.
    """
    boxes: list[Box] = []
    left = list(planes)
    for _ in range(_ROUNDS):
        shown = [(plane, find_texts(blank(plane, boxes, photometric), window, drawn=drawn)) for plane in left]
        fresh = {t[:4] for _, texts in shown for t in texts if not t.may_stay}
        boxes = sorted({*boxes, *fresh})
        left = [plane for plane, texts in shown if any(not t.may_stay for t in texts)]
        if not left:
            return boxes, True
    return boxes, False


def covered(texts: Iterable[Text], shape: tuple[int, int]) -> BoolArray:
    """Mask of the pixels that texts lie on.

    Examples
    --------
    >>> covered([Text(0, 1, 1, 3, "x", 1.0)], (2, 3)).tolist()
    [[False, True, True], [False, False, False]]
    """
    mask = np.zeros(shape, bool)
    for text in texts:
        mask[text.top : text.bottom, text.left : text.right] = True
    return mask


def windows(plane: Array, window: tuple[float, float] | None = None) -> list[Picture]:
    """A plane as 8-bit pictures: percentiles 0.5 to 99.5, without its background, its colours, and the file's window.

    Parameters
    ----------
    plane : (rows, columns) or (rows, columns, 3) array
    window : (centre, width), optional
        Left out where it shows the same as the percentiles.
    """
    grey = plane[..., :3].astype(np.float32).mean(axis=-1) if plane.ndim == 3 else plane.astype(np.float32)
    grey = np.nan_to_num(grey)
    low, high = _range(grey)
    pictures = [_scaled(grey, low, high), _without_background(grey, low, high)]
    if plane.ndim == 3 and np.ptp(plane[..., :3], axis=-1).any():  # letters may differ from what is behind by hue alone
        brightest = plane[..., :3].max(axis=-1).astype(np.float32)
        pictures.append(_scaled(brightest, *_range(brightest)))
    if window is not None and window[1] > 0:
        left, right = window[0] - window[1] / 2, window[0] + window[1] / 2
        if min(right, high) - max(left, low) < 0.5 * (max(right, high) - min(left, low)):
            pictures.append(_scaled(grey, left, right))
    return pictures


def _range(grey: NDArray[np.float32]) -> tuple[float, float]:
    """Percentiles 0.5 and 99.5; where they are equal, least and greatest value."""
    low, high = (float(v) for v in np.percentile(grey, (0.5, 99.5)))
    return (low, high) if high > low else (float(grey.min()), float(grey.max()) + 1.0)


def _scaled(grey: NDArray[np.float32], low: float, high: float) -> Picture:
    """Values from low to high as 0 to 255."""
    return np.asarray(np.clip((grey - low) * (255.0 / (high - low)), 0, 255).astype(np.uint8))


def _without_background(grey: NDArray[np.float32], low: float, high: float) -> Picture:
    """What differs from the median of its surroundings, stretched: thin strokes, whatever lies behind them."""
    import cv2

    picture = _scaled(grey, low, high)
    size = min(_BACKGROUND, (min(picture.shape) - 1) // 2 * 2 + 1)
    if size < 3:
        return picture
    above = picture.astype(np.float32) - cv2.medianBlur(picture, size)
    spread = max(float(np.percentile(np.abs(above), 99)), 8.0)
    return np.asarray(np.clip(128.0 + above * (110.0 / spread), 0, 255).astype(np.uint8))


def _starts(length: int) -> list[int]:
    """Where tiles begin along an axis."""
    step = _TILE - _OVERLAP
    return list(range(0, max(1, length - _OVERLAP), step))


def _in_picture(picture: Picture, using: Finder, side: int, scale: float | None = None) -> list[Text]:
    """Lines of text in one 8-bit picture, looked at in another scale; small ones are enlarged."""
    import cv2

    if scale is None:
        scale = _ENLARGED if max(picture.shape) < _SMALL else 1.0
    if scale != 1:
        smooth = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=smooth)
    coloured = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
    found = using.detect(coloured)
    if not found:
        return []
    readings = using.read([_upright(coloured, corners) for corners, _ in found])
    return [
        _text(corners / scale, words, read, picture.shape, scale)
        for (corners, score), (words, read) in zip(found, readings, strict=True)
        if _is_text(score, words, read, tall=min(_sides(corners)) > max(_TALLEST * side * scale, 48))
    ]


def _is_text(score: float, words: str, read: float, *, tall: bool) -> bool:
    """Whether two characters or more can be read, or the detector is sure of them; one alone names nobody."""
    characters = sum(c.isalnum() for c in words)
    if tall:  # a thorax and a skull are round, and are taken for a line with an "0" in it
        return characters >= 3 and read >= _LEGIBLE
    return characters >= 2 and (read >= _READ or score >= _SURE)


def _sides(corners: NDArray[np.float32]) -> tuple[float, float]:
    """Lengths of the first two sides."""
    return float(np.linalg.norm(corners[1] - corners[0])), float(np.linalg.norm(corners[3] - corners[0]))


def _upright(picture: Picture, corners: NDArray[np.float32]) -> Picture:
    """The part of a picture inside four corners, turned so that the long side lies."""
    import cv2

    width, height = (max(1, round(side)) for side in _sides(corners))
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    turn = cv2.getPerspectiveTransform(corners.astype(np.float32), target)
    part: Picture = cv2.warpPerspective(picture, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.rot90(part) if height >= 1.5 * width else part


def _text(corners: NDArray[np.float32], words: str, score: float, shape: tuple[int, ...], scale: float) -> Text:
    """A line with its box, widened and cut to the plane."""
    width, height = _sides(corners)
    line = min(width, height)
    along, across = (_ASIDE * line, _ABOVE * line) if width >= height else (_ABOVE * line, _ASIDE * line)
    margin = np.array([along, across]) + 2
    low = np.floor(corners.min(axis=0) - margin).astype(int)
    high = np.ceil(corners.max(axis=0) + margin).astype(int)
    rows, columns = (round(extent / scale) for extent in shape[:2])
    left, right = (int(v) for v in np.clip((low[0], high[0]), 0, columns))
    top, bottom = (int(v) for v in np.clip((low[1], high[1]), 0, rows))
    return Text(top, left, bottom, right, words, float(score))


def _moved(text: Text, top: int, left: int) -> Text:
    """A text of a tile in the plane's coordinates."""
    return text._replace(top=text.top + top, bottom=text.bottom + top, left=text.left + left, right=text.right + left)


def _merged(found: Iterable[Text]) -> list[Text]:
    """One text for readings of the same place, the surest with the box of all; without texts inside others that go."""
    kept: list[Text] = []
    for text in sorted(found, key=lambda t: (-t.score, t)):
        same = next((i for i, other in enumerate(kept) if _overlap(text, other) >= 0.5), None)
        if same is None:
            kept.append(text)
        else:
            kept[same] = _union(kept[same], text)
    gone = [t for t in kept if not t.may_stay]
    inside = {
        t for t in kept for o in gone if o != t and _area(_common(t, o)) >= 0.8 * _area(t) and _area(o) > _area(t)
    }
    return sorted(t for t in kept if t not in inside)


def _overlap(one: Text, other: Text) -> float:
    """Common area over the area of both."""
    common = _area(_common(one, other))
    return common / max(1, _area(one) + _area(other) - common)


def _union(one: Text, other: Text) -> Text:
    """The first with the box of both."""
    top, left = min(one.top, other.top), min(one.left, other.left)
    return one._replace(top=top, left=left, bottom=max(one.bottom, other.bottom), right=max(one.right, other.right))


def _common(one: Text, other: Text) -> Text:
    """The box that two have in common; of no area where there is none."""
    top, left = max(one.top, other.top), max(one.left, other.left)
    return one._replace(top=top, left=left, bottom=min(one.bottom, other.bottom), right=min(one.right, other.right))


def _area(text: Text) -> int:
    """Pixels of a box."""
    return max(0, text.bottom - text.top) * max(0, text.right - text.left)
