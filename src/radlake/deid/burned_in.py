"""Finding text that is burned into pictures: where it is, what it says, and whether it may stay.

A text detector (rapidocr, PP-OCR) looks at each plane with equal contrast everywhere, wherever thin strokes run both
ways, in several sizes. What it finds is read; shapes that no text has, and shapes in which nothing can be read, are
left out.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from radlake.core.errors import RadlakeError
from radlake.core.image import Array, BoolArray
from radlake.deid.marks import is_allowed
from radlake.deid.pictures import Picture, even
from radlake.deid.stored_pixels import Box
from radlake.deid.strokes import Part, likeliest

_LEAST_SIDE = 32  # pixels that the detector needs
_ENLARGED = (2.0, 1.5)  # small print is found more often; the second, where there is much to look at
_MUCH = 300_000  # pixels
_MOST_PIXELS = 1.3e6  # enlarged, of a grey plane: a megapixel takes a second or more
_REDUCTIONS = (1, 2, 4, 8)  # for letters of 10 to 40 pixels and for such as are larger
_SMALLEST = 40  # pixels of a reduced plane's shorter side
_SURE = 0.6  # the detector's score from which a shape of a line of text needs no reading
_READ = 0.55  # mean score of the characters from which a reading counts
_ROUNDS = 3  # of reading, blanking and reading again
_TALLEST = 0.12  # of the plane's shorter side: what is higher must be legible beyond doubt
_LEGIBLE = 0.8  # score of the characters of which that is true
_ASIDE, _ABOVE = 3.0, 0.25  # of a line's height: what boxes are widened by, because outer letters are often missed
_HIGHEST = 64  # pixels of a box whose line is looked at again in a picture; higher ones in a smaller picture
_ALONG = 4.0  # of a line's height: within it, on the same line, whatever the detector finds belongs to it
_KEEN = 4.0  # of 255 levels, for `even`: around lines weaker letters are looked for
_RIM = 12  # pixels around what is looked at
_AROUND = 64  # pixels around a blanked box that are looked at again


class MissingExtra(RadlakeError):  # noqa: N818 - names the problem
    """Reading of text is not installed."""


class Text(NamedTuple):
    """A line of text on a plane: its box in pixels (half open), what it says, how sure; not legible: by its place."""

    top: int
    left: int
    bottom: int
    right: int
    words: str
    score: float
    legible: bool = True

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
        params={**threads, "Global.log_level": "critical", "Det.box_thresh": 0.3, "Det.limit_side_len": _LEAST_SIDE}
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
    plane: Array, *, near: Sequence[Box] | None = None, margin: BoolArray | None = None, using: Finder | None = None
) -> list[Text]:
    """Lines of text on one plane.

    Parameters
    ----------
    plane : (rows, columns) or (rows, columns, 3) array
        Stored samples of a frame.
    near : sequence of (top, left, bottom, right), optional
        Boxes around which to look; without, wherever letters could be.
    margin : (rows, columns) bool array, optional
        Where the file says that there is no anatomy: what is there needs no reading to be taken for text.
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
    look = _Look(using or finder(), (plane.shape[0], plane.shape[1]), margin, near or ())
    found: list[Text] = []
    for reduction, picture, parts in parts_of(plane, near):
        found += [text for part in parts for text in look.at(picture, part, reduction, _scale(parts))]
    return sorted(_widened(text, look.shape) for text in _merged(found))


def parts_of(plane: Array, near: Sequence[Box] | None = None) -> Iterator[tuple[int, Picture, list[Part]]]:
    """Where a detector looks at a plane: by how much it was reduced, a picture, and parts of that.

    Of a grey plane that is noise at the scale of letters only the likeliest; screens, in colours, are seen whole.
    """
    if near is not None:
        for reduction in _reductions(plane):
            if parts := _around(near, reduction, plane.shape):
                pictures = even(_reduced(plane, reduction), weakest=_KEEN)
                yield from ((reduction, picture, parts) for picture in pictures)
        return
    shown = [(reduction, picture) for reduction in _reductions(plane) for picture in even(_reduced(plane, reduction))]
    most = _MOST_PIXELS if plane.ndim == 2 else math.inf
    found = likeliest([picture for _, picture in shown], _pixels, most)
    yield from ((*one, parts) for one, parts in zip(shown, found, strict=True))


def _scale(parts: Sequence[Part]) -> float:
    """By how much parts of a picture are enlarged."""
    return _ENLARGED[sum((p.bottom - p.top) * (p.right - p.left) for p in parts) > _MUCH]


def _pixels(parts: Sequence[Sequence[Part]]) -> float:
    """Pixels that the detector gets to see, in parts of several pictures."""
    areas = [sum((p.bottom - p.top + 2 * _RIM) * (p.right - p.left + 2 * _RIM) for p in some) for some in parts]
    return sum(_scale(some) ** 2 * area for some, area in zip(parts, areas, strict=True))


def _reductions(plane: Array) -> list[int]:
    """By how much a plane is reduced, so that something is left of it."""
    return [n for n in _REDUCTIONS if n == 1 or min(plane.shape[:2]) >= n * _SMALLEST]


def to_blank(planes: Sequence[Array], *, margin: BoolArray | None = None) -> tuple[list[Box], bool]:
    """Boxes of all text that may not stay on planes of one object, and whether nothing is left to read without them.

    Around the boxes planes are read again without what is in them: the rest of a line, or a letter at its end, is often
    seen only then.

    Parameters
    ----------
    planes : sequence of (rows, columns) or (rows, columns, 3) arrays
    margin
        As in `find_texts`.
    """
    boxes: list[Box] = []
    near: list[Box] | None = None
    left = list(planes)
    for _ in range(_ROUNDS):
        shown = [(plane, find_texts(_without(plane, boxes), near=near, margin=margin)) for plane in left]
        near = sorted({t[:4] for _, texts in shown for t in texts if not t.may_stay})
        boxes = sorted({*boxes, *near})
        left = [plane for plane, texts in shown if any(not t.may_stay for t in texts)]
        if not left:
            return boxes, True
    legible = (t for _, texts in shown for t in texts if t.legible)
    return boxes, all(t.may_stay for t in legible)


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


def _reduced(plane: Array, reduction: int) -> Array:
    """A plane with fewer pixels."""
    import cv2

    if reduction == 1:
        return plane
    size = (plane.shape[1] // reduction, plane.shape[0] // reduction)
    return np.asarray(cv2.resize(plane.astype(np.float32), size, interpolation=cv2.INTER_AREA))


def _without(plane: Array, boxes: Sequence[Box]) -> Array:
    """A plane whose boxes hold the mean of what lies at their edges: no letters, and hardly a new edge."""
    changed = plane.copy()
    for top, left, bottom, right in boxes:
        edges = (
            plane[top, left:right],
            plane[bottom - 1, left:right],
            plane[top:bottom, left],
            plane[top:bottom, right - 1],
        )
        changed[top:bottom, left:right] = np.concatenate(edges).mean(axis=0).astype(plane.dtype)
    return changed


def _around(boxes: Sequence[Box], reduction: int, shape: tuple[int, ...]) -> list[Part]:
    """Parts of a reduced picture around boxes whose lines it shows in a size that can be read."""
    rows, columns = (extent // reduction for extent in shape[:2])
    parts = set()
    for box in boxes:
        top, left, bottom, right = (round(edge / reduction) for edge in box)
        least = _HIGHEST // 2 if reduction > 1 else 0
        if least < bottom - top <= _HIGHEST:
            top, left = max(0, top - _AROUND), max(0, left - _AROUND)
            parts.add(Part(top, left, min(rows, bottom + _AROUND), min(columns, right + _AROUND)))
    return sorted(parts)


@dataclass(frozen=True)
class _Look:
    """Looking at parts of one plane's pictures."""

    using: Finder
    shape: tuple[int, int]
    margin: BoolArray | None
    lines: Sequence[Box]

    def at(self, picture: Picture, part: Part, reduction: int, scale: float) -> Iterator[Text]:
        """Lines of text in a part of a picture that was reduced, in the plane's coordinates."""
        import cv2

        crop = picture[part.top : part.bottom, part.left : part.right]
        crop = np.pad(crop, _RIM, mode="edge")  # lines at the very edge are found, too
        enlarged = cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        coloured = cv2.cvtColor(enlarged, cv2.COLOR_GRAY2BGR)
        found = self.using.detect(coloured)
        if not found:
            return
        readings = self.using.read([_upright(coloured, corners) for corners, _ in found])
        for (corners, score), (words, read) in zip(found, readings, strict=True):
            inside = (corners / scale + np.array([part.left, part.top]) - _RIM) * reduction
            text = _text(inside, words, read, self.shape)
            tall = min(_sides(inside)) > max(_TALLEST * min(self.shape), 32 * reduction)
            expected = self._is_outside(text) or any(_continues(text, line) for line in self.lines)
            if _is_text(score, words, read, tall=tall):
                yield text
            elif expected and not tall:
                yield text._replace(legible=False)

    def _is_outside(self, text: Text) -> bool:
        """Whether a box lies where there is no anatomy."""
        if self.margin is None:
            return False
        part = self.margin[text.top : text.bottom, text.left : text.right]
        return bool(part.size and part.mean() > 0.5)


def _continues(text: Text, line: Box) -> bool:
    """Whether a box lies beside another one on the same line."""
    height = line[2] - line[0]
    common = min(text.bottom, line[2]) - max(text.top, line[0])
    gap = max(text.left - line[3], line[1] - text.right)
    return common >= 0.5 * max(height, text.bottom - text.top) and gap <= _ALONG * height


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


def _text(corners: NDArray[np.float32], words: str, score: float, shape: tuple[int, int]) -> Text:
    """A line with its box, cut to the plane."""
    low, high = np.floor(corners.min(axis=0)).astype(int), np.ceil(corners.max(axis=0)).astype(int)
    left, right = (int(v) for v in np.clip((low[0], high[0]), 0, shape[1]))
    top, bottom = (int(v) for v in np.clip((low[1], high[1]), 0, shape[0]))
    return Text(top, left, bottom, right, words, float(score))


def _widened(text: Text, shape: tuple[int, int]) -> Text:
    """A line with what is around it, cut to the plane."""
    height, width = text.bottom - text.top, text.right - text.left
    line = min(width, height)
    aside, above = (_ASIDE, _ABOVE) if width >= height else (_ABOVE, _ASIDE)
    beside, over = round(aside * line) + 2, round(above * line) + 2
    return text._replace(
        top=max(0, text.top - over), bottom=min(shape[0], text.bottom + over),
        left=max(0, text.left - beside), right=min(shape[1], text.right + beside),
    )  # fmt: skip


def _merged(found: Iterable[Text]) -> list[Text]:
    """One text for readings of the same place, the surest with the box of all; without texts inside others that go.

    A reading that may stay counts against one that may not in the very same place alone: it may be the legible half of
    it, or its neighbour.
    """
    kept: list[Text] = []
    for text in sorted(found, key=lambda t: (-t.score, t)):
        same = next((i for i, other in enumerate(kept) if _is_same(text, other)), None)
        if same is None:
            kept.append(text)
        else:
            kept[same] = _union(kept[same], text)
    gone = [t for t in kept if not t.may_stay]
    inside = {
        t for t in kept for o in gone if o != t and _area(_common(t, o)) >= 0.8 * _area(t) and _area(o) > _area(t)
    }
    return sorted(t for t in kept if t not in inside)


def _is_same(one: Text, other: Text) -> bool:
    """Whether two readings are of one place."""
    return _overlap(one, other) >= (0.5 if one.may_stay == other.may_stay else 0.8)


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
