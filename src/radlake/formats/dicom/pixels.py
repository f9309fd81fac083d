"""Pixels of the instances of one image to an `Image`, frame by frame into one array.

Besides that array only one frame is in memory at a time. What a sample means is decided by `rescale` and `colour`;
where it lies was decided by `radlake.formats.series`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from radlake.core.fault import ItemError, Term
from radlake.core.image import Array, Image
from radlake.core.stage import Row
from radlake.formats.dicom.colour import palette_of
from radlake.formats.dicom.dataset import float_of, items_of
from radlake.formats.dicom.decode import stored_frame
from radlake.formats.dicom.frames import Frames, open_frames
from radlake.formats.dicom.rescale import (
    Rescale,
    is_turned,
    modality_lut,
    planned_type,
    rescale_of,
    widened,
)
from radlake.formats.series import geometry_of
from radlake.formats.source import MIB

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_MEMORY_BYTES = 2 << 30
_COLOUR = {"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT", "PALETTE COLOR"}

Values = Callable[[Array], Array]


def load(members: Sequence[Row], image: Row, *, memory_bytes: int = _MEMORY_BYTES) -> Image:
    """Pixels of one image, in the unit that its row names.

    Values are HU, SUVbw, Bq/mL or whatever the modality transformation gives: integers stay integers (uint8, int16,
    int32), fractions become float32. Colour is RGB with as many bits as the file allocates. MONOCHROME1 without a
    physical unit is turned round, so that bright means more.

    Parameters
    ----------
    members : sequence of Row
        Rows of `instances` in order, each with `uri`, `member_name` (inside archives) and `frames`: the frames that it
        gives, in order; None for all of them, an empty list for none.
    image : Row
        Row of `images`.
    memory_bytes : int
        Most that loading may take.

    Returns
    -------
    Image
        Axes (time, z, y, x, channel), those that the image lacks left out.

    Raises
    ------
    ItemError
        ``too_large`` before memory is taken; ``no_pixels``, ``truncated_pixels``, ``missing_frames``,
        ``undecodable_pixels``, ``unsupported_syntax``, ``unsupported_format``, ``contradictory_header``, ``bomb``.
    """
    needed = image.get("estimated_bytes") or 0
    if needed > memory_bytes:
        raise ItemError("too_large", needed_mib=-(-needed // MIB), limit_mib=memory_bytes // MIB)
    giving = [m for m in members if m.get("frames") != []]
    if not giving:
        raise ItemError("no_pixels")
    array = _read(giving, image)
    times, slices, channels = image.get("frames"), image.get("slices"), image.get("channels")
    shape = [n for n in (times, slices) if n is not None] + list(array.shape[-2 - (channels is not None) :])
    first = giving[0]
    return Image(
        array=array.reshape(shape),
        geometry=geometry_of(image),
        kind=image.get("kind") or "other",
        unit=image.get("unit") or "a.u.",
        channel_axis=None if channels is None else len(shape) - 1,
        time_axis=None if times is None else 0,
        window=_window(first, image.get("unit")),
        padding=_padding(first, image.get("unit")),
    )


def broken(members: Sequence[Row], image: Row) -> list[tuple[Row, ItemError]]:
    """Members that cannot be decoded, each with its reason; for an image that `load` could not read.

    Parameters
    ----------
    members, image
        As for `load`.
    """
    found = []
    for member in (m for m in members if m.get("frames") != []):
        try:
            with open_frames(member) as frames:
                values = _values(frames, member, image.get("unit"))
                for number in _numbers(member, frames):
                    values(number)
        except ItemError as error:
            found.append((member, error))
    return found


def _read(members: Sequence[Row], image: Row) -> Array:
    """Planes of all members in order, (planes, rows, columns[, channels])."""
    count = (image.get("frames") or 1) * (image.get("slices") or 1)
    unit, channels = image.get("unit"), image.get("channels")
    shape = (count, image["rows"], image["columns"], *([] if channels is None else [channels]))
    array = np.empty(shape, np.result_type(*{planned_type(m, unit) for m in members}))
    done = 0
    for member in members:
        with open_frames(member) as frames:
            values = _values(frames, member, unit)
            for number in _numbers(member, frames):
                planes = _tiles(values(number), member)
                if done + len(planes) > count or planes.shape[1:] != shape[1:]:
                    raise ItemError("contradictory_header", what=Term("more or larger frames than announced"))
                array = widened(array, planes)
                array[done : done + len(planes)] = planes
                done += len(planes)
    if done < count:
        raise ItemError("missing_frames", expected=count, found=done)
    return array


def _numbers(member: Row, frames: Frames) -> Sequence[int]:
    """Frames to read: the listed ones, else all that the object has."""
    listed = member.get("frames")
    return listed if isinstance(listed, list) else range(frames.count)


def _tiles(picture: Array, member: Row) -> Array:
    """The planes that a picture holds: itself, or the tiles of a Siemens mosaic in reading order."""
    tiles = member.get("mosaic_tiles")
    if not tiles:
        return picture[None]
    side = int(np.ceil(np.sqrt(tiles)))
    height, width = picture.shape[0] // side, picture.shape[1] // side
    cut = picture[: side * height, : side * width].reshape(side, height, side, width)
    return cut.transpose(0, 2, 1, 3).reshape(side * side, height, width)[:tiles]


def _values(frames: Frames, member: Row, unit: str | None) -> Callable[[int], Array]:
    """Function from a frame number to that frame's values."""
    layout = frames.layout
    if layout.photometric == "PALETTE COLOR":
        palette = palette_of(frames.dataset)
        return lambda number: palette(stored_frame(frames, number))
    if layout.samples > 1:
        if layout.photometric not in _COLOUR:
            raise ItemError("unsupported_format", format=Term("this colour model"))
        return lambda number: stored_frame(frames, number)
    if member.get("has_modality_lut"):
        return lambda number: modality_lut(stored_frame(frames, number), frames.dataset, turned=is_turned(member, unit))
    rescales = _frame_rescales(frames.dataset, member, unit)
    whole = rescale_of(member, unit)
    return lambda number: (rescales[number] if number < len(rescales) else whole)(stored_frame(frames, number))


def _frame_rescales(dataset: Dataset, member: Row, unit: str | None) -> list[Rescale]:
    """Transformation of each frame, where frames have their own (PS3.3 C.7.6.16.2.9)."""
    found = []
    for group in items_of(dataset, "PerFrameFunctionalGroupsSequence"):
        own = items_of(group, "PixelValueTransformationSequence")
        if not own:
            return []
        changed = {
            "rescale_slope": float_of(own[0], "RescaleSlope"),
            "rescale_intercept": float_of(own[0], "RescaleIntercept"),
        }
        found.append(rescale_of(member | changed, unit))
    return found


def _window(member: Row, unit: str | None) -> tuple[float, float] | None:
    """(centre, width) of the display window, in the unit of the image."""
    centre, width = member.get("window_center"), member.get("window_width")
    if centre is None or not width or width <= 0:
        return None
    if unit == "SUVbw" and member.get("suv_factor"):
        return centre * member["suv_factor"], width * member["suv_factor"]
    if is_turned(member, unit):
        rescale = rescale_of(member, unit)  # turned value = value(low) + value(high) - value
        return rescale.value(rescale.low) + rescale.value(rescale.high) - centre, width
    return centre, width


def _padding(member: Row, unit: str | None) -> float | None:
    """Value of samples outside the imaged field (PS3.3 C.7.5.1.1.2), in the unit of the image."""
    stored = member.get("padding_value")
    if stored is None or (member.get("samples") or 1) > 1 or member.get("has_modality_lut"):
        return None
    rescale = rescale_of(member, unit)
    if stored > rescale.high and member.get("pixel_signed"):  # written as unsigned by mistake
        stored -= 1 << (member.get("bits_allocated") or 16)
    return rescale.value(stored)
