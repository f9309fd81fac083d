"""What PNG, JPEG and TIFF share: pictures whose files know no patient, no spacing and no unit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from radlake.core.fault import ItemError
from radlake.core.image import Array, Geometry, Image
from radlake.core.stage import Row
from radlake.formats.source import MIB, Source
from radlake.formats.volume import Volume, checked

_FILE_LIMIT = 4096 * MIB


def picture(
    source: Source, *, rows: int, columns: int, samples: int, dtype: np.dtype[np.generic], slices: int = 1
) -> Volume:
    """Layout of a picture, or of a stack of equal ones, without physical spacing.

    A resolution in dots per inch describes paper, not the patient, so lengths stay in pixels.

    Parameters
    ----------
    source : Source
        The file.
    rows, columns, slices : int
        Extents; a stack has more than one slice.
    samples : int
        Colours that are kept: 1 or 3.
    dtype : numpy dtype
        Of the decoded samples.

    Raises
    ------
    ItemError
        ``contradictory_header`` or ``bomb``, see `radlake.formats.volume.checked`.
    """
    shape: tuple[int, ...] = (slices, rows, columns) if slices > 1 else (rows, columns)
    axes = "zyx"[-len(shape) :]
    geometry = Geometry((1.0,) * len(shape), calibrated=False)
    if samples > 1:
        shape, axes = (*shape, samples), axes + "c"
    return checked(Volume(shape, axes, dtype, geometry), source)


def load_picture(
    members: Sequence[Row],
    *,
    volume_of: Callable[[Source], Volume],
    decode: Callable[[bytes, Row], Array],
    memory_bytes: int,
) -> Image:
    """Image of a picture file: (y, x) or (y, x, colour); a grey picture's alpha and a coloured one's are dropped.

    Parameters
    ----------
    members : sequence of dict
        One row of `instances`.
    volume_of : callable
        The reader's own header.
    decode : callable
        ``decode(data, member) -> array``; whatever it raises is ``undecodable_pixels``.
    memory_bytes : int
        Most that loading may take.
    """
    member = members[0]
    source = Source(member["uri"], member.get("member_name"))
    volume = volume_of(source)
    needed = volume.loaded_bytes + source.stored_size
    if needed > memory_bytes:
        raise ItemError("too_large", needed_mib=round(needed / MIB), limit_mib=round(memory_bytes / MIB))
    data = source.read_all(limit=_FILE_LIMIT)
    try:
        array = decode(data, member)
    except Exception:  # noqa: BLE001 - codecs raise errors of their own, and of many kinds
        raise ItemError("undecodable_pixels") from None
    return picture_image(without_alpha(array), volume, member)


def without_alpha(array: Array) -> Array:
    """The array without an opacity channel; a single grey channel loses its axis.

    Examples
    --------
    >>> without_alpha(np.zeros((2, 2, 4))).shape, without_alpha(np.zeros((2, 2, 2))).shape
    ((2, 2, 3), (2, 2))
    """
    if array.ndim == 2:
        return array
    return array[..., :3] if array.shape[-1] >= 3 else array[..., 0]


def picture_image(array: Array, volume: Volume, member: Row) -> Image:
    """Image of decoded samples; they must have the extents that the header named."""
    if array.shape != volume.shape:
        raise ItemError("undecodable_pixels")
    return Image(
        np.ascontiguousarray(array),
        volume.geometry,
        kind=member.get("kind") or "other",
        unit=member.get("unit") or "a.u.",
        channel_axis=array.ndim - 1 if "c" in volume.axes else None,
    )
