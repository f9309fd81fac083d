"""Burned-in text of a DICOM object or of an image of a lake: whether there is any, and the pixels without it.

Everything is read but computed maps. What a header says of text only makes the look stricter: beside the regions of an
ultrasound picture, where machines print who it is, whatever looks like a line counts; and where the header says that
text is burned in, an object without any found is set aside. What is found on some frames is blanked on all. Around the
blanked boxes frames are read again before anything is written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from radlake.core.image import Array, Image
from radlake.deid import pixel_text
from radlake.deid.burned_in import to_blank
from radlake.deid.dataset_file import DicomObject
from radlake.deid.ledger import PixelText
from radlake.deid.stored_pixels import Box, blank
from radlake.formats.dicom.decode import stored_frame
from radlake.formats.dicom.frames import Frames, frames_of

Mode = Literal["redact", "review", "off"]
_READ_FRAMES = 8  # of a longer object so many are read, and the brightest and darkest value of each pixel over all
_MOST_AREA = 0.5  # of a plane; more than that is no text


@dataclass(frozen=True)
class Examined:
    """What was found on the pixels of an object.

    Parameters
    ----------
    state : {"clean", "redacted", "unsure"}
        redacted: blanking the boxes leaves nothing to read. unsure: it does not, or the header says that there is text
        and none was found.
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
    planes = planes_to_read(frames.count, lambda index: stored_frame(frames, index))
    shape = (frames.layout.rows, frames.layout.columns)
    boxes, gone = to_blank(planes, margin=pixel_text.margin(frames.dataset, shape))
    hidden = row["burned_in"] == "YES" and not boxes
    if hidden or not gone or share_of(boxes, shape) > _MOST_AREA:
        return Examined("unsure", boxes, planes)
    return Examined("redacted" if boxes else "clean", boxes, planes)


def share_of(boxes: Sequence[Box], shape: tuple[int, ...]) -> float:
    """Share of a plane that boxes take.

    Examples
    --------
    >>> share_of([(0, 0, 1, 2), (0, 1, 1, 2)], (2, 2))
    0.5
    """
    mask = np.zeros(shape[:2], bool)
    for top, left, bottom, right in boxes:
        mask[top:bottom, left:right] = True
    return float(mask.mean())


def planes_to_read(count: int, plane: Callable[[int], Array]) -> list[Array]:
    """All planes of a short object; of a long one some, and the highest and lowest value of each pixel over all.

    Parameters
    ----------
    count : int
        Planes there are.
    plane : callable
        From a number to a plane; called once for each, in order.

    Examples
    --------
    >>> [int(p.max()) for p in planes_to_read(20, lambda n: np.full((2, 2), n))]
    [0, 2, 5, 8, 10, 13, 16, 19, 19, 0]
    """
    if count <= _READ_FRAMES:
        return [plane(index) for index in range(count)]
    chosen = set(np.linspace(0, count - 1, _READ_FRAMES).astype(int).tolist())
    kept: list[Array] = []
    high = low = first = plane(0)
    for index in range(count):
        current = plane(index) if index else first
        high, low = np.maximum(high, current), np.minimum(low, current)
        if index in chosen:
            kept.append(current)
    return [*kept, high, low]


def blank_image(image: Image) -> tuple[Image, PixelText, int]:
    """An image without burned-in text, what can be said of it then, and the number of boxes on each plane.

    Parameters
    ----------
    image : Image
        Any kind; of many slices or time points some are read, and what is found is blanked on all.

    Raises
    ------
    MissingExtra
        When reading of text is not installed.
    """
    last, channels = image.array.ndim - 1, image.channel_axis
    array = image.array if channels is None else np.moveaxis(image.array, channels, last)
    plane_shape = array.shape[-2:] if channels is None else array.shape[-3:]
    planes = array.reshape(-1, *plane_shape)
    boxes, gone = to_blank(planes_to_read(len(planes), planes.__getitem__))
    if not gone or share_of(boxes, plane_shape[:2]) > _MOST_AREA:
        return image, "unsure", len(boxes)
    if not boxes:
        return image, "clean", 0
    blanked = np.stack([blank(plane, boxes, "MONOCHROME2") for plane in planes]).reshape(array.shape)
    return (
        image.with_array(blanked if channels is None else np.moveaxis(blanked, last, channels)),
        "redacted",
        len(boxes),
    )
