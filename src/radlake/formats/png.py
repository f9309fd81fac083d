"""PNG pictures (W3C Portable Network Graphics, third edition): 8 and 16 bit, grey, colour and palette."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence

import numpy as np

from radlake.core.fault import ItemError
from radlake.core.header import Header
from radlake.core.image import Array, Image
from radlake.core.stage import Row
from radlake.formats.raster import load_picture, picture
from radlake.formats.source import Source
from radlake.formats.volume import Volume, header_of

NAME = "png"
_MAGIC = b"\x89PNG\r\n\x1a\n"
_GREY, _RGB, _PALETTE, _GREY_ALPHA, _RGBA = 0, 2, 3, 4, 6
_DEPTHS = {_GREY: (1, 2, 4, 8, 16), _RGB: (8, 16), _PALETTE: (1, 2, 4, 8), _GREY_ALPHA: (8, 16), _RGBA: (8, 16)}


def sniff(head: bytes, suffix: str) -> bool:
    """Whether the first bytes are PNG's signature."""
    return head.startswith(_MAGIC)


def scan(source: Source) -> list[Header]:
    """Header of the picture; a palette picture whose name says label map keeps its indices as labels."""
    as_grey = header_of(source, _volume(source, as_labels=True), NAME)
    if as_grey.values["kind"] == "label":
        return [as_grey]
    return [header_of(source, _volume(source, as_labels=False), NAME)]


def load(members: Sequence[Row], image: Row, *, memory_bytes: int) -> Image:
    """Image of a PNG file: (y, x) or (y, x, 3)."""
    as_labels = members[0].get("kind") == "label"
    return load_picture(
        members,
        volume_of=lambda source: _volume(source, as_labels=as_labels),
        decode=_decode,
        memory_bytes=memory_bytes,
    )


def _volume(source: Source, *, as_labels: bool) -> Volume:
    """Layout of the picture from its IHDR chunk."""
    head = source.read_at(0, 33)
    if len(head) < 33 or head[12:16] != b"IHDR":
        raise ItemError("unreadable_header")
    columns, rows, depth, colour = struct.unpack(">IIBB", head[16:26])
    if depth not in _DEPTHS.get(colour, ()):
        raise ItemError("unreadable_header")
    grey = colour in (_GREY, _GREY_ALPHA) or (colour == _PALETTE and as_labels)
    dtype = np.dtype(np.uint16 if depth == 16 else np.uint8)
    return picture(source, rows=rows, columns=columns, samples=1 if grey else 3, dtype=dtype)


def _decode(data: bytes, member: Row) -> Array:
    """Samples of the picture; indices of a palette when it is a label map."""
    if data[25] == _PALETTE and member.get("kind") == "label":
        from PIL import Image as Pillow

        with Pillow.open(io.BytesIO(data)) as picture_file:
            return np.asarray(picture_file)
    import imagecodecs

    decoded: Array = imagecodecs.png_decode(data)
    return decoded
