"""Burned-in text of a DICOM object: whether there is any, and the pixel element without it.

Everything that is captured or projected is read; what a scanner reconstructed only where the screen for drawn strokes
says so. What is found on some frames is blanked on all. Before anything is written the blanked frames are read again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from radlake.core.image import Array
from radlake.deid import pixel_text, strokes
from radlake.deid.burned_in import to_blank
from radlake.deid.dataset_file import DicomObject
from radlake.deid.ledger import PixelText
from radlake.deid.stored_pixels import Box
from radlake.formats.dicom.dataset import float_of, value_of
from radlake.formats.dicom.decode import stored_frame
from radlake.formats.dicom.frames import Frames, frames_of

Mode = Literal["redact", "review", "off"]
_READ_FRAMES = 8  # of a longer object so many are read, and the brightest and darkest value of each pixel over all
_MOST_AREA = 0.5  # of a plane; more than that is no text
_LOSSY = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in ("50", "51", "53", "55", "81", "91", "93", "203", "111", "112"))


@dataclass(frozen=True)
class Examined:
    """What was found on the pixels of an object.

    Parameters
    ----------
    state : {"clean", "redacted", "unsure"}
        redacted: blanking the boxes leaves nothing to read. unsure: it does not.
    boxes : list of (top, left, bottom, right)
        What to blank in every frame.
    planes : list of arrays
        The frames that were read, for a contact sheet.
    """

    state: PixelText
    boxes: list[Box] = field(default_factory=list)
    planes: list[Array] = field(default_factory=list)


def frames_in(found: DicomObject) -> Frames:
    """The frames of an open object. ItemError as in `formats.dicom.frames.open_frames`."""
    found.stream.seek(found.start)
    return frames_of(found.stream, found.dataset, pixel_text.row_of(found.dataset))


def examine(frames: Frames) -> Examined:
    """Read what is burned into the frames of an object.

    Raises
    ------
    ItemError
        When a frame cannot be decoded: then nobody knows what it shows.
    MissingExtra
        When reading of text is not installed.
    """
    row = pixel_text.row_of(frames.dataset)
    if pixel_text.is_computed(row):
        return Examined("clean")
    planes = _planes(frames)
    reconstructed = pixel_text.state(row) == "clean" and frames.syntax not in _LOSSY
    if reconstructed and not any(strokes.has_strokes(plane) for plane in planes):
        return Examined("clean")
    drawn = frames.syntax not in _LOSSY
    boxes, gone = to_blank(planes, _window(frames.dataset), photometric=frames.layout.photometric, drawn=drawn)
    if not gone or _share(boxes, frames) > _MOST_AREA:
        return Examined("unsure", boxes, planes)
    return Examined("redacted" if boxes else "clean", boxes, planes)


def _share(boxes: list[Box], frames: Frames) -> float:
    """Share of a plane that boxes take."""
    mask = np.zeros((frames.layout.rows, frames.layout.columns), bool)
    for top, left, bottom, right in boxes:
        mask[top:bottom, left:right] = True
    return float(mask.mean())


def _planes(frames: Frames) -> list[Array]:
    """All frames of a short object; of a long one some, and the highest and lowest value of each pixel."""
    if frames.count <= _READ_FRAMES:
        return [stored_frame(frames, index) for index in range(frames.count)]
    chosen = set(np.linspace(0, frames.count - 1, _READ_FRAMES).astype(int).tolist())
    kept: list[Array] = []
    high = low = first = stored_frame(frames, 0)
    for index in range(frames.count):
        plane = stored_frame(frames, index) if index else first
        high, low = np.maximum(high, plane), np.minimum(low, plane)
        if index in chosen:
            kept.append(plane)
    return [*kept, high, low]


def _window(dataset: Dataset) -> tuple[float, float] | None:
    """The display window (centre, width) in stored values; None where there is none."""
    centre, width = (_first(dataset, name) for name in ("WindowCenter", "WindowWidth"))
    slope, intercept = float_of(dataset, "RescaleSlope") or 1.0, float_of(dataset, "RescaleIntercept") or 0.0
    if centre is None or width is None or width <= 0:
        return None
    return (centre - intercept) / slope, width / abs(slope)


def _first(dataset: Dataset, keyword: str) -> float | None:
    """The first of the numbers of an attribute; None where there is none."""
    value = value_of(dataset, keyword)
    numbers = value if isinstance(value, list | MultiValue) else [value]
    try:
        return float(numbers[0])
    except (TypeError, ValueError, IndexError):
        return None
