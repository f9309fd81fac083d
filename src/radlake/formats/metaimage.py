"""MetaImage: header and pixels of .mha and .mhd files.

Keys are those of https://itk.org/Wiki/ITK/MetaIO/Documentation. World coordinates are LPS already, as ITK writes them;
the file's fastest axis is the array's last.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from radlake.core.fault import ItemError, Term
from radlake.core.header import Header
from radlake.core.image import Geometry, Image
from radlake.core.stage import Row
from radlake.formats.source import HEAD_BYTES, MIB, Source, inflated
from radlake.formats.volume import Volume, checked, header_of, image_of, read_samples

NAME = "metaimage"
_DATA_KEY = "ElementDataFile"
_TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_UINT": "u4",
    "MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}  # fmt: skip
_FIRST_KEYS = re.compile(rb"\s*(ObjectType|NDims|Comment|ObjectSubType|TransformType|Name|ID)\s*=")

Fields = dict[str, str]


def sniff(head: bytes, suffix: str) -> bool:
    """Whether the first line is a MetaImage key and the keys of an image follow."""
    return _FIRST_KEYS.match(head) is not None and b"NDims" in head and b"DimSize" in head


def scan(source: Source) -> list[Header]:
    """Header of the one volume in a MetaImage file."""
    fields, _ = parse(source)
    return [header_of(source, _volume(fields, source), NAME)]


def load(members: Sequence[Row], image: Row, *, memory_bytes: int) -> Image:
    """Image of a MetaImage file: (z, y, x), with time first and colour last where there are any."""
    member = members[0]
    source = Source(member["uri"], member.get("member_name"))
    fields, offset = parse(source)
    volume = _volume(fields, source)
    samples = _samples_of(source, fields)
    skip = int(_numbers(fields.get("HeaderSize", "0"), 1)[0])
    with samples.open() as stream:
        start = offset if samples is source else 0
        if skip == -1:  # MetaIO: the samples are the last bytes of the file
            start = samples.size - volume.stored_bytes
        stream.seek(max(start, skip))
        if not _true(fields, "CompressedData"):
            return image_of(read_samples(stream, volume, memory_bytes=memory_bytes), volume, member)
        with inflated(stream, samples.stored_size, "zlib") as plain:
            return image_of(read_samples(plain, volume, memory_bytes=memory_bytes), volume, member)


def parse(source: Source) -> tuple[Fields, int]:
    """Fields of the header, and the offset of what follows its last line.

    Raises
    ------
    ItemError
        ``unreadable_header`` when the key that ends a header is not within the first 64 KiB.
    """
    for size in (HEAD_BYTES, MIB // 16):
        head = source.read_at(0, size)
        last = re.search(rb"^[ \t]*" + _DATA_KEY.encode() + rb"[ \t]*=[^\n]*(\n|\Z)", head, re.MULTILINE)
        if last is not None:
            lines = head[: last.end()].decode("latin-1").splitlines()
            pairs = (line.partition("=") for line in lines)
            return {key.strip(): value.strip() for key, equals, value in pairs if equals}, last.end()
    raise ItemError("unreadable_header")


def _volume(fields: Fields, source: Source) -> Volume:
    """Layout of the samples that the fields describe."""
    ndim = int(_numbers(fields.get("NDims", ""), 1)[0])
    if ndim not in (2, 3, 4):
        raise ItemError("unsupported_format", format=Term("MetaImage with other than 2 to 4 axes"))
    shape = [int(v) for v in reversed(_numbers(fields.get("DimSize", ""), ndim))]
    axes = "tzyx"[-ndim:]
    channels = int(_numbers(fields.get("ElementNumberOfChannels", "1"), 1)[0])
    if channels not in (1, 3, 4):
        raise ItemError("unsupported_format", format=Term("MetaImage with vectors"))
    if channels > 1:
        shape, axes = [*shape, channels], axes + "c"
    volume = Volume(tuple(shape), axes, _dtype(fields), _geometry(fields, ndim))
    return checked(volume, _samples_of(source, fields))


def _dtype(fields: Fields) -> np.dtype[np.generic]:
    """Type of the stored samples, with their byte order."""
    code = _TYPES.get(fields.get("ElementType", "").upper().removesuffix("_ARRAY"))
    if code is None:
        raise ItemError("unsupported_format", format=Term("MetaImage with this sample type"))
    big = _true(fields, "BinaryDataByteOrderMSB") or _true(fields, "ElementByteOrderMSB")
    return np.dtype((">" if big else "<") + code)


def _geometry(fields: Fields, ndim: int) -> Geometry:
    """LPS geometry; a file without spacing is a grid of pixels."""
    spacing_text = fields.get("ElementSpacing", fields.get("ElementSize"))
    space = min(ndim, 3)
    if spacing_text is None:
        return Geometry((1.0,) * space, calibrated=False)
    spacing = [abs(v) for v in _numbers(spacing_text, ndim)[:space]]
    origin = [*_first(fields, ("Offset", "Position", "Origin"), ndim, "0 " * ndim)[:space], 0.0][:3]
    # Row i is the direction of file axis i (MetaIO keeps ITK's direction matrix transposed).
    identity = " ".join(str(v) for v in np.eye(ndim).ravel())
    matrix = _first(fields, ("TransformMatrix", "Rotation", "Orientation"), ndim * ndim, identity)
    rows = np.zeros((space, 3))
    rows[:, :space] = np.reshape(matrix, (ndim, ndim))[:space, :space]
    if min(spacing) <= 0 or not rows.any(axis=1).all():
        raise ItemError("contradictory_header", what=Term("voxel size or direction"))
    directions = [(float(x), float(y), float(z)) for x, y, z in rows / np.linalg.norm(rows, axis=1)[:, None]]
    return Geometry(tuple(spacing[::-1]), (origin[0], origin[1], origin[2]), tuple(directions[::-1]))


def _samples_of(source: Source, fields: Fields) -> Source:
    """The source that holds the samples: the file itself, or the one that it names."""
    name = fields[_DATA_KEY]
    if name.upper() == "LOCAL":
        return source
    if name.upper().startswith("LIST") or "%" in name:
        raise ItemError("unsupported_format", format=Term("MetaImage with one file per slice"))
    found = source.sibling(name) if "/" not in name and "\\" not in name else None
    if found is None:
        raise ItemError("no_pixels")
    return found


def _true(fields: Fields, key: str) -> bool:
    """Whether a key says True; absent means False."""
    return fields.get(key, "False").lower() in ("true", "1")


def _first(fields: Fields, keys: tuple[str, ...], count: int, default: str) -> list[float]:
    """Numbers of the first key that is there, or of the default."""
    return _numbers(next((fields[key] for key in keys if key in fields), default), count)


def _numbers(text: str, count: int) -> list[float]:
    """Exactly `count` finite numbers."""
    try:
        values = [float(part) for part in text.split()]
    except ValueError:
        values = []
    if len(values) != count or not all(math.isfinite(v) for v in values):
        raise ItemError("unreadable_header")
    return values
