"""Text that can be read in pixels, by rapidocr (extra `ocr`), through a percentile window and the file's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radlake.core.errors import UsageError
from radlake.core.fault import ItemError
from radlake.core.image import Image
from radlake.deid.verify.leak import Leak
from radlake.deid.verify.needles import Needles, words
from radlake.deid.verify.text import in_text
from radlake.formats.read import read_image
from radlake.imaging.window import Window, apply_window, display_window

_SURE = 0.8  # of rapidocr's confidence; below it anatomy is taken for letters
_ALIKE = 16  # grey levels by which two windows differ on average when both show the same
_LEAST = 4  # characters of a word that says something
# Marks of technologists and projections, scales and units: nobody's.
_MARKS = frozenset({
    "left", "right", "portable", "supine", "prone", "erect", "upright", "semi", "semiupright", "decub", "decubitus",
    "lateral", "oblique", "standing", "sitting", "inspiration", "expiration", "axial", "sagittal", "coronal", "weight",
    "bearing", "mobile",
})  # fmt: skip
_ALONE = re.compile(r"[\W\d_]*")


def is_there() -> bool:
    """Whether the extra that reads pixels is installed."""
    from importlib.util import find_spec

    return find_spec("rapidocr") is not None and find_spec("onnxruntime") is not None


@cache
def _reader() -> Any:
    """The model, once for each process."""
    try:
        from rapidocr import RapidOCR
    except ImportError:
        raise UsageError("reading pixels needs an extra: pip install 'radlake[ocr]', or --pixels off") from None
    return RapidOCR(params={"Global.log_level": "critical"})


def leaks(path: Path, needles: Needles) -> Iterator[Leak]:
    """What can be read in an image; nothing where there are no pixels to see."""
    try:
        image = read_image(path)
    except (ItemError, ValueError):  # several images, or none: headers alone
        return
    seen: dict[Leak, None] = {}
    for place, plane in planes(image):
        for text in _texts(plane):
            seen.update(dict.fromkeys(_judged(text, place, needles)))
    yield from seen


def planes(image: Image) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Place and grey levels of what is read of an image, each through two windows where these differ.

    The first, middle and last plane, and the highest and lowest value that each pixel has over all planes: text in any
    of them shows there, as far as it is brighter or darker than what the others show.
    """
    array = np.asarray(image.array)
    colour = array.shape[-1] in {3, 4} and array.ndim > 2
    stack = array.reshape(-1, *array.shape[-3 if colour else -2 :])
    chosen = {f"plane {number}": stack[number] for number in sorted({0, len(stack) // 2, len(stack) - 1})}
    if len(stack) > len(chosen):
        chosen |= {"highest of all planes": stack.max(axis=0), "lowest of all planes": stack.min(axis=0)}
    for place, shown in chosen.items():
        plane = np.nan_to_num(shown.astype(np.float64))
        low, high = np.percentile(plane, [1, 99])
        first = apply_window(plane, Window((low + high) / 2, max(high - low, 1)))
        second = apply_window(plane, display_window(image))
        yield place, first
        if np.abs(first.astype(np.int16) - second).mean() > _ALIKE:
            yield place, second


def _texts(plane: NDArray[np.uint8]) -> list[str]:
    """Texts that the model is sure of."""
    picture = plane[..., :3] if plane.ndim == 3 else np.repeat(plane[..., None], 3, axis=2)
    found = _reader()(np.ascontiguousarray(picture))
    return [t for t, score in zip(found.txts or (), found.scores or (), strict=True) if score >= _SURE]


def _judged(text: str, place: str, needles: Needles) -> Iterator[Leak]:
    """A text in pixels: a known identifier, a shape, or any word that is no mark."""
    yield from in_text(text, place, needles)
    long = [word for word in words(text) if len(word) >= _LEAST and word not in _MARKS]
    if long and not _ALONE.fullmatch(text):
        yield Leak("text in pixels", place)
