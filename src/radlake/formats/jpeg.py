"""JPEG pictures (ITU-T T.81): 8 bit, grey or colour. Lossy, so never taken for a label map."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

from radlake.core.fault import ItemError, Term
from radlake.core.header import Header, Identity
from radlake.core.image import Array, Image
from radlake.core.stage import Row
from radlake.formats.raster import load_picture, picture
from radlake.formats.source import MIB, Source
from radlake.formats.volume import Volume, image_values

NAME = "jpeg"
_START, _END = b"\xff\xd8\xff", b"\xff\xd9"
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # T.81 table B.1: SOFn without DHT, JPG and DAC
_BARE = frozenset({0x01, *range(0xD0, 0xD8)})  # TEM and RSTn have no length
_HEADER_LIMIT = 16 * MIB  # colour profiles and thumbnails come before the frame header


def sniff(head: bytes, suffix: str) -> bool:
    """Whether the first bytes are a start of image and a marker."""
    return head.startswith(_START)


def scan(source: Source) -> list[Header]:
    """Header of the picture."""
    identity = Identity(study_uid=source.folder_key, series_uid=source.key, instance_uid=f"{source.key}#0")
    return [Header(NAME, identity=identity, values=image_values(source, _volume(source)))]


def load(members: Sequence[Row], image: Row, *, memory_bytes: int) -> Image:
    """Image of a JPEG file: (y, x) or (y, x, 3); a turn that EXIF asks for is not made."""
    return load_picture(members, volume_of=_volume, decode=_decode, memory_bytes=memory_bytes)


def _volume(source: Source) -> Volume:
    """Layout of the picture from its frame header (T.81 B.2.2)."""
    precision, rows, columns, components = struct.unpack(">BHHB", _frame_header(source))
    if precision != 8 or components not in (1, 3):
        raise ItemError("unsupported_format", format=Term("JPEG of other than 8 bit grey or colour"))
    return picture(source, rows=rows, columns=columns, samples=components, dtype=np.dtype(np.uint8))


def _frame_header(source: Source) -> bytes:
    """Precision, rows, columns and components: the start of the frame header, found by walking the markers."""
    position = 2
    while position < _HEADER_LIMIT:
        marker = source.read_at(position, 10)
        if len(marker) < 10 or marker[0] != 0xFF:
            break
        if marker[1] in _FRAMES:
            return marker[4:10]
        if marker[1] == 0xFF or marker[1] in _BARE:
            position += 1 if marker[1] == 0xFF else 2
        else:
            position += 2 + max(2, int.from_bytes(marker[2:4], "big"))
    raise ItemError("unreadable_header")


def _decode(data: bytes, member: Row) -> Array:
    """Samples of the picture; libjpeg fills what is missing with grey, so a file without its end is refused."""
    import imagecodecs

    if data.rfind(_END) < 0:
        raise ItemError("undecodable_pixels")
    decoded: Array = imagecodecs.jpeg8_decode(data)
    return decoded
