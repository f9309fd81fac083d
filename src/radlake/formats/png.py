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
_COLOUR_AT = 25  # of the colour type in the file
_GREY, _RGB, _PALETTE, _GREY_ALPHA, _RGBA = 0, 2, 3, 4, 6
_DEPTHS = {_GREY: (1, 2, 4, 8, 16), _RGB: (8, 16), _PALETTE: (1, 2, 4, 8), _GREY_ALPHA: (8, 16), _RGBA: (8, 16)}


def sniff(head: bytes, suffix: str) -> bool:
    """Whether the first bytes are PNG's signature."""
    return head.startswith(_MAGIC)


def scan(source: Source) -> list[Header]:
    """Header of the picture.

    A palette's indices are labels where the name says label map; colours are where the image it belongs to lies
    beside it, too.
    """
    as_labels = header_of(source, _volume(source, as_labels=True), NAME)
    coloured = source.read_at(_COLOUR_AT, 1)[0] in (_RGB, _RGBA)
    if as_labels.role == "label" or (as_labels.values["kind"] == "label" and not coloured):
        return [as_labels]
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
    grey = as_labels or colour in (_GREY, _GREY_ALPHA)
    dtype = np.dtype(np.uint16 if depth == 16 else np.uint8)
    return picture(source, rows=rows, columns=columns, samples=1 if grey else 3, dtype=dtype)


def _decode(data: bytes, member: Row) -> Array:
    """Samples of the picture; of a label map the indices of its palette, or numbers for its colours."""
    as_labels = member.get("kind") == "label"
    if data[_COLOUR_AT] == _PALETTE and as_labels:
        from PIL import Image as Pillow

        with Pillow.open(io.BytesIO(data)) as picture_file:
            return np.asarray(picture_file)
    import imagecodecs

    decoded: Array = imagecodecs.png_decode(data)
    return numbered(decoded[..., :3]) if as_labels and decoded.ndim == 3 and decoded.shape[-1] >= 3 else decoded


def numbered(colours: Array) -> Array:
    """Labels of a picture that marks regions by colour: 0 for black, then 1, 2 ... by red, green, blue.

    A picture in greys keeps its values.

    Examples
    --------
    >>> numbered(np.array([[[0, 0, 0], [0, 255, 0], [255, 0, 0]]], np.uint8)).tolist()
    [[0, 1, 2]]
    """
    if (colours == colours[..., :1]).all():
        return np.asarray(colours[..., 0])
    flat = colours.reshape(-1, 3).astype(np.int64)
    packed = (flat[:, 0] << 32) | (flat[:, 1] << 16) | flat[:, 2]
    values, labels = np.unique(packed, return_inverse=True)
    background = int(values[0] == 0)
    return np.asarray(labels.reshape(colours.shape[:2]) + 1 - background, dtype=np.int32)
