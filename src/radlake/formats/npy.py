"""Single arrays in NumPy's .npy format (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).

Pickled objects are never opened: they can run code.
"""

from __future__ import annotations

import tokenize
from collections.abc import Sequence
from typing import BinaryIO

import numpy as np

from radlake.core.fault import ItemError, Term
from radlake.core.header import Header
from radlake.core.image import Geometry, Image
from radlake.core.stage import Row
from radlake.formats.source import HEAD_BYTES, Source
from radlake.formats.volume import Volume, checked, header_of, image_of, read_samples

NAME = "npy"
_MAGIC = b"\x93NUMPY"


def sniff(head: bytes, suffix: str) -> bool:
    """Whether the first bytes are the magic of a .npy file."""
    return head.startswith(_MAGIC)


def scan(source: Source) -> list[Header]:
    """Header of the array, when it is a picture or a volume of numbers."""
    with source.open() as stream:
        return [header_of(source, _volume(stream, source), NAME)]


def load(members: Sequence[Row], image: Row, *, memory_bytes: int) -> Image:
    """Image of an array: (y, x), (z, y, x) or (y, x, colour); spacing unknown."""
    member = members[0]
    source = Source(member["uri"], member.get("member_name"))
    with source.open() as stream:
        volume = _volume(stream, source)
        return image_of(read_samples(stream, volume, memory_bytes=memory_bytes), volume, member)


def array_header(stream: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    """Shape, whether in Fortran order, and type of a .npy stream, which then stands at the first sample.

    Raises
    ------
    ItemError
        ``unreadable_header``; ``unsupported_format`` for pickled objects, texts, records and complex numbers.
    """
    try:
        version = np.lib.format.read_magic(stream)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read(stream, max_header_size=HEAD_BYTES)
    except (ValueError, EOFError, SyntaxError, tokenize.TokenError, TypeError, RecursionError, MemoryError):
        raise ItemError("unreadable_header") from None
    if dtype.kind not in "biuf" or dtype.itemsize > 8:
        raise ItemError("unsupported_format", format=Term("array of other than real numbers"))
    return shape, fortran, dtype


def axes_of(shape: tuple[int, ...]) -> str:
    """Axes of one picture or volume of this shape; a last axis of three or four is colour.

    Examples
    --------
    >>> axes_of((28, 28)), axes_of((28, 28, 3)), axes_of((28, 28, 28))
    ('yx', 'yxc', 'zyx')
    """
    if len(shape) not in (2, 3, 4) or (len(shape) == 4 and shape[-1] not in (3, 4)):
        raise ItemError("unsupported_format", format=Term("array that is no picture or volume"))
    coloured = len(shape) > 2 and shape[-1] in (3, 4)
    spatial = len(shape) - coloured
    return "zyx"[-spatial:] + "c" * coloured


def _volume(stream: BinaryIO, source: Source) -> Volume:
    """Layout of the samples."""
    shape, fortran, dtype = array_header(stream)
    axes = axes_of(shape)
    stored_shape, stored_axes = (shape[::-1], axes[::-1]) if fortran else (shape, axes)
    stored = np.dtype(np.uint8) if dtype.kind == "b" else dtype
    spatial = len(axes.replace("c", ""))
    geometry = Geometry((1.0,) * spatial, calibrated=False)
    return checked(Volume(stored_shape, stored_axes, stored, geometry), source)
