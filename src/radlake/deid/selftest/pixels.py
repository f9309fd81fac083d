"""Planting in pixels: an invented name in every frame, which must be gone afterwards, and everything else as it was.

Decoding, drawing and encoding are pydicom's and OpenCV's, so that a fault of the cleaner's own decoder shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels.utils import compress, pixel_array, set_pixel_data
from pydicom.uid import UID

from radlake.core.fault import ItemError
from radlake.core.image import Array, BoolArray
from radlake.deid.files import Input, Settings, clean
from radlake.deid.rows import Profile
from radlake.deid.selftest.names import Inventor
from radlake.deid.selftest.score import Sheet

_AGAIN = ("1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.80")  # RLE and JPEG-LS, which pydicom writes
_JPEG_2000 = "1.2.840.10008.1.2.4.90"  # without loss; what comes in another transfer syntax is written uncompressed
_DRAWN = frozenset({"MONOCHROME1", "MONOCHROME2", "RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"})
_MAPS = frozenset({"SEG", "RTDOSE", "RWV"})  # computed: nobody writes on them, and nobody reads them
_HEIGHTS = (14, 20, 28)  # pixels of a capital with its surroundings
_FONT = 0  # OpenCV's FONT_HERSHEY_SIMPLEX
_FEWEST = 5  # letters that are a name
_SMALLEST = 96  # pixels of a side on which a name fits
_MOST_BYTES = 1 << 26
_HIDDEN, _RETAINED = 0.95, 0.99  # of the ink, in each frame; of the samples beside the line
_AROUND = 1.5  # of a line's height that belongs to the line


@dataclass(frozen=True)
class Drawn:
    """What was drawn into every frame.

    Parameters
    ----------
    ink : (rows, columns) bool array
        Pixels of the letters.
    line : (rows, columns) bool array
        The line with its surroundings.
    """

    ink: BoolArray
    line: BoolArray


def examine(path: Path, folder: Path, *, seed: int, profile: Profile, key: bytes) -> Sheet | None:
    """Marks of "pixels hidden" and "pixels retained" on a copy of a file; None where nothing can be drawn.

    Letters count as hidden in a frame when 95% of their pixels, and of those up to two pixels beside them, have one
    value. The rest of a frame counts as retained when at least 99% of the samples beside the line are equal to the
    bit, and the others have that value: text that was there before may go, too. A file that was set aside is wrong on
    both counts.

    Parameters
    ----------
    path : Path
        A DICOM file; it stays as it is.
    folder : Path
        For the copies.
    seed : int
        Chooses name, place and size.
    profile : {"strict", "research"}
    key : bytes

    Raises
    ------
    MissingExtra
        When reading of text is not installed.
    """
    planted, out = folder / "planted.dcm", folder / "cleaned"
    drawn = plant(path, planted, seed)
    if drawn is None:
        return None
    sheet = Sheet()
    place = f"pixels of {path.suffix or 'a file'}"
    try:
        cleaned = clean(Input(planted, "planted.dcm", "fi-selftest"), out, Settings(key, profile))
    except ItemError:
        sheet.mark("pixels hidden", good=False, place=place)
        sheet.mark("pixels retained", good=False, place=place)
        return sheet
    before, after = samples(dcmread(planted)), samples(dcmread(out / cleaned.name))
    (out / cleaned.name).unlink()
    if before.shape != after.shape:
        sheet.mark("pixels retained", good=False, place=place)
        return sheet
    for old, new in zip(before, after, strict=True):
        mark_frame(old, new, drawn, sheet)
    return sheet


def mark_frame(before: Array, after: Array, drawn: Drawn, sheet: Sheet) -> None:
    """Marks of one frame, with samples as (rows, columns) or (rows, columns, 3)."""
    import cv2

    outlined = cv2.dilate(drawn.ink.view(np.uint8), np.ones((5, 5), np.uint8)) > 0
    values, counts = np.unique(after[outlined], axis=0, return_counts=True)
    black = _equal(after, values[counts.argmax()])
    sheet.mark("pixels hidden", bool(black[outlined].mean() >= _HIDDEN), "letters in pixels")
    same, beside = _equal(after, before), ~drawn.line
    good = not beside.any() or (same[beside].mean() >= _RETAINED and bool((same | black)[beside].all()))
    sheet.mark("pixels retained", bool(good), "samples beside the letters")


def plant(source: Path, target: Path, seed: int) -> Drawn | None:
    """Write a copy of a file with a name in each frame; None where it cannot hold one, or cannot be written again."""
    try:
        dataset = dcmread(source)
        if not _can_hold(dataset):
            return None
        frames = samples(dataset)
        drawn = _line(frames, np.random.default_rng(seed), Inventor(seed).name().upper())
        if drawn is None:
            return None
        syntax = str(dataset.file_meta.TransferSyntaxUID)
        for frame in frames:
            frame[drawn.ink] = _visible(frame, drawn, dataset)
        whole: Any = frames if len(frames) > 1 else frames[0]
        colour = "RGB" if frames.ndim == 4 else str(dataset.PhotometricInterpretation)
        set_pixel_data(dataset, whole, colour, int(dataset.BitsStored), generate_instance_uid=False)
        if syntax in _AGAIN:
            compress(dataset, syntax, generate_instance_uid=False)
        elif syntax == _JPEG_2000:
            _compress_jpeg_2000(dataset, frames)
        dataset.BurnedInAnnotation = "NO"  # as many files say that hold names all the same
        dcmwrite(target, dataset, enforce_file_format=True)
        dcmread(target)
    except Exception:  # noqa: BLE001 - pydicom documents no closed list of what damaged files can raise
        return None
    return drawn


def _compress_jpeg_2000(dataset: Dataset, frames: Array) -> None:
    """Frames in JPEG 2000 Lossless, which pydicom decodes everywhere but encodes with further packages only."""
    import imagecodecs

    bits = None if int(dataset.PixelRepresentation) else int(dataset.BitsStored)
    coded = [
        bytes(imagecodecs.jpeg2k_encode(f, level=0, reversible=True, mct=False, codecformat="j2k", bitspersample=bits))
        for f in frames
    ]
    dataset.PixelData = encapsulate(coded)
    dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
    dataset.file_meta.TransferSyntaxUID = UID(_JPEG_2000)


def samples(dataset: Dataset) -> Array:
    """Stored samples of all frames, (frames, rows, columns) or (frames, rows, columns, 3), colours as RGB."""
    found: Array = pixel_array(dataset)
    colour = int(dataset.SamplesPerPixel) > 1
    return np.array(found.reshape(-1, *found.shape[-3 if colour else -2 :]))


def _can_hold(dataset: Dataset) -> bool:
    """Whether its pixels are a picture with room for a name, of a size that can be held in memory."""
    pixels = int(dataset.get("Rows", 0)) * int(dataset.get("Columns", 0)) * int(dataset.get("NumberOfFrames", 1) or 1)
    small = min(int(dataset.get("Rows", 0)), int(dataset.get("Columns", 0))) < _SMALLEST
    known = str(dataset.get("PhotometricInterpretation", "")) in _DRAWN and int(dataset.get("BitsAllocated", 0)) in (
        8,
        16,
    )
    picture = "PixelData" in dataset and str(dataset.get("Modality", "")) not in _MAPS
    return picture and known and not small and pixels * int(dataset.SamplesPerPixel) * 2 <= _MOST_BYTES


def _line(frames: Array, rng: np.random.Generator, words: str) -> Drawn | None:
    """A name somewhere in a frame; None where it does not fit."""
    import cv2

    rows, columns = frames.shape[1:3]
    height = int(rng.choice(_HEIGHTS))
    scale, thick = height / 30, max(1, height // 12)
    words = next(
        (w for w in _shorter(words) if cv2.getTextSize(w, _FONT, scale, thick)[0][0] + 2 * thick < columns), ""
    )
    (width, tall), base = cv2.getTextSize(words, _FONT, scale, thick)
    around = round(_AROUND * height)
    if not words or tall + base + 2 * thick >= rows:
        return None
    left = int(rng.integers(thick, columns - width - thick))
    top = int(rng.integers(thick, rows - tall - base - thick))
    page: NDArray[np.uint8] = np.zeros((rows, columns), np.uint8)
    cv2.putText(page, words, (left, top + tall), _FONT, scale, 255, thick)
    line = np.zeros((rows, columns), bool)
    line[max(0, top - around) : top + tall + base + around, max(0, left - 2 * around) : left + width + 2 * around] = (
        True
    )
    return Drawn(page > 0, line)


def _shorter(words: str) -> Iterator[str]:
    """A name, and its beginnings."""
    for letters in range(len(words), _FEWEST - 1, -1):
        yield words[:letters]


def _visible(frame: Array, drawn: Drawn, dataset: Dataset) -> object:
    """The value that differs most from what lies behind the letters."""
    if frame.ndim == 3:
        return 255 if frame[drawn.ink].mean() < 128 else 0
    low, high = float(frame.min()), float(frame.max())
    if high - low < 50:  # an empty frame
        high = low + min(200, (1 << int(dataset.BitsStored) - int(dataset.PixelRepresentation)) - 1 - low)
    return high if float(np.median(frame[drawn.ink])) - low < (high - low) / 2 else low


def _equal(frame: Array, other: Array) -> BoolArray:
    """Pixels in which all samples are equal."""
    same: BoolArray = frame == other
    return same if frame.ndim == 2 else np.asarray(same.all(axis=-1))
