"""NRRD: header and pixels of attached (.nrrd) and detached (.nhdr) files.

Field names are those of the definition at https://teem.sourceforge.net/nrrd/format.html. Only the axis order changes:
the file's fastest axis is the array's last.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError, Term
from radlake.core.header import Header
from radlake.core.image import Geometry, Image
from radlake.core.stage import Row
from radlake.formats.source import MIB, Source, inflated
from radlake.formats.volume import (
    Volume,
    checked,
    geometry_from_axes,
    header_of,
    image_of,
    read_samples,
    skip_lines,
)

NAME = "nrrd"
_MAGIC = b"NRRD000"
_HEADER_LIMIT = MIB
_TYPES = {
    "i1": "signed char|int8|int8_t",
    "u1": "uchar|unsigned char|uint8|uint8_t",
    "i2": "short|short int|signed short|signed short int|int16|int16_t",
    "u2": "ushort|unsigned short|unsigned short int|uint16|uint16_t",
    "i4": "int|signed int|int32|int32_t",
    "u4": "uint|unsigned int|uint32|uint32_t",
    "i8": "longlong|long long|long long int|signed long long|signed long long int|int64|int64_t",
    "u8": "ulonglong|unsigned long long|unsigned long long int|uint64|uint64_t",
    "f4": "float",
    "f8": "double",
}
_TYPE_OF = {name: code for code, names in _TYPES.items() for name in names.split("|")}
Encoding = Literal["raw", "gzip", "bzip2"]
_ENCODINGS: dict[str, Encoding] = {"raw": "raw", "gzip": "gzip", "gz": "gzip", "bzip2": "bzip2", "bz2": "bzip2"}
_SIGNS = {"right": -1, "r": -1, "left": 1, "l": 1, "anterior": -1, "a": -1, "posterior": 1, "p": 1,
          "superior": 1, "s": 1, "inferior": -1, "i": -1}  # fmt: skip
_COLOURS = {"rgb-color": 3, "rgba-color": 4, "3-color": 3, "4-color": 4, "3-vector": 3, "4-vector": 4, "vector": 3}

Fields = dict[str, str]


def sniff(head: bytes, suffix: str) -> bool:
    """Whether the first bytes are NRRD's magic."""
    return head.startswith(_MAGIC)


def scan(source: Source) -> list[Header]:
    """Header of the one volume in a NRRD file."""
    fields, _ = parse(source)
    return [header_of(source, _volume(fields, source), NAME)]


def load(members: Sequence[Row], image: Row, *, memory_bytes: int) -> Image:
    """Image of a NRRD file: (z, y, x), with time first and colour last where there are any."""
    member = members[0]
    source = Source(member["uri"], member.get("member_name"))
    fields, offset = parse(source)
    volume = _volume(fields, source)
    samples = _samples_of(source, fields)
    # A data file that is a gzip file of its own has been unwrapped by its source.
    encoding = "raw" if samples is not source and samples.gzipped else _encoding(fields)
    with samples.open() as stream:
        stream.seek(offset if samples is source else 0)
        skip_lines(stream, _whole(fields.get("line skip", "0")))
        skip = _whole(fields.get("byte skip", "0"))
        if encoding == "raw":
            stream.seek(samples.size - volume.stored_bytes if skip == -1 else stream.tell() + skip)
            return image_of(read_samples(stream, volume, memory_bytes=memory_bytes), volume, member)
        with inflated(stream, samples.stored_size, encoding) as plain:
            plain.seek(max(skip, 0))
            return image_of(read_samples(plain, volume, memory_bytes=memory_bytes), volume, member)


def parse(source: Source) -> tuple[Fields, int]:
    """Fields of the header by lower-case name, and the offset of what follows it.

    Raises
    ------
    ItemError
        ``unreadable_header`` when the header does not end within 1 MiB or a line is no field.
    """
    head = source.read_at(0, 8192)
    end = _end(head)
    if end is None:
        head = source.read_at(0, _HEADER_LIMIT)
        # A detached header may end with the file instead of an empty line.
        end = _end(head) or (len(head), len(head))
        if end[1] == _HEADER_LIMIT:
            raise ItemError("unreadable_header")
    fields: Fields = {}
    for line in head[: end[0]].decode("latin-1").splitlines()[1:]:
        name, colon, value = line.partition(":")
        if colon and not line.startswith("#") and not value.startswith("="):  # ":=" is a key of the user's own
            fields[name.strip().lower()] = value.strip()
    return fields, end[1]


def _end(head: bytes) -> tuple[int, int] | None:
    """Where the header's text and its closing empty line end."""
    found = re.search(rb"\r?\n\r?\n", head)
    return found.span() if found else None


def _volume(fields: Fields, source: Source) -> Volume:
    """Layout of the samples that the fields describe."""
    sizes = [_whole(v) for v in _field(fields, "sizes").split()]
    if len(sizes) != _whole(_field(fields, "dimension")) or not 2 <= len(sizes) <= 5:
        raise ItemError("unsupported_format", format=Term("NRRD with other than 2 to 5 axes"))
    letters = _letters(fields, sizes)
    _encoding(fields)
    volume = Volume(tuple(reversed(sizes)), "".join(reversed(letters)), _dtype(fields), _geometry(fields, letters))
    return checked(volume, _samples_of(source, fields))


def _letters(fields: Fields, sizes: list[int]) -> list[str]:
    """What each axis is, fastest first: x, y, z in order for the spatial ones, c for colours, t for anything else."""
    directions = re.findall(r"none|\([^)]*\)", fields.get("space directions", ""))
    kinds = fields.get("kinds", "").lower().split()
    if len(directions) == len(sizes):
        spatial = [d != "none" for d in directions]
    elif len(kinds) == len(sizes):
        spatial = [k in ("domain", "space", "???", "none") for k in kinds]
    else:
        spatial = [i < 3 for i in range(len(sizes))]
    names = iter("xyz")
    letters = [
        (next(names, "") if is_space else _other(kinds, i, n))
        for i, (is_space, n) in enumerate(zip(spatial, sizes, strict=True))
    ]
    if "y" not in letters or "" in letters or len(set(letters)) != len(letters):
        raise ItemError("unsupported_format", format=Term("NRRD with this set of axes"))
    return letters


def _other(kinds: list[str], axis: int, size: int) -> str:
    """Letter c for a fastest axis that holds colours, t for any other axis outside space."""
    colours = _COLOURS.get(kinds[axis]) if axis < len(kinds) else None
    return "c" if axis == 0 and colours == size else "t"


def _geometry(fields: Fields, letters: list[str]) -> Geometry:
    """LPS geometry; without directions the spacings along unrotated axes, without these a grid of pixels."""
    spatial = [letters.index(name) for name in "zyx" if name in letters]
    signs = _space_signs(fields.get("space", ""))
    directions = re.findall(r"none|\([^)]*\)", fields.get("space directions", ""))
    if len(directions) == len(letters):
        steps = [_vector(directions[axis]) * signs for axis in spatial]
        origin = _vector(fields.get("space origin", "(0,0,0)")) * signs
        return geometry_from_axes(steps, origin)
    sizes = [_number(v) for v in fields.get("spacings", "").split()]
    spacing = [sizes[axis] for axis in spatial] if len(sizes) == len(letters) else []
    if not spacing or not all(np.isfinite(s) and s > 0 for s in spacing):
        return Geometry((1.0,) * len(spatial), calibrated=False)
    return Geometry(tuple(spacing))


def _space_signs(space: str) -> NDArray[np.float64]:
    """Signs that turn the file's world into LPS; a space without anatomical axes is taken for LPS, as ITK does."""
    text = space.strip('"').lower()
    parts = text.split("-") if "-" in text else list(text)
    if len(parts) < 3 or any(part not in _SIGNS for part in parts[:3]):
        return np.ones(3)
    return np.array([_SIGNS[part] for part in parts[:3]], dtype=np.float64)


def _dtype(fields: Fields) -> np.dtype[np.generic]:
    """Type of the stored samples, with their byte order."""
    code = _TYPE_OF.get(_field(fields, "type").lower())
    if code is None:
        raise ItemError("unsupported_format", format=Term("NRRD with this sample type"))
    return np.dtype((">" if fields.get("endian", "little").lower() == "big" else "<") + code)


def _encoding(fields: Fields) -> Encoding:
    """How the samples are stored."""
    encoding = _ENCODINGS.get(_field(fields, "encoding").lower())
    if encoding is None:
        raise ItemError("unsupported_format", format=Term("NRRD with text encoding"))
    return encoding


def _samples_of(source: Source, fields: Fields) -> Source:
    """The source that holds the samples: the file itself, or the one that it names."""
    name = fields.get("data file", fields.get("datafile"))
    if name is None:
        return source
    if name.startswith("LIST") or "%" in name:
        raise ItemError("unsupported_format", format=Term("NRRD with one file per slice"))
    found = source.sibling(name) if "/" not in name and "\\" not in name else None
    if found is None:
        raise ItemError("no_pixels")
    return found


def _field(fields: Fields, name: str) -> str:
    """A field that must be there."""
    if name not in fields:
        raise ItemError("unreadable_header")
    return fields[name]


def _vector(text: str) -> NDArray[np.float64]:
    """Two or three numbers written as (a,b,c), the third zero where it is absent."""
    values = [_number(part) for part in text.strip("()").split(",")]
    if len(values) not in (2, 3):
        raise ItemError("unsupported_format", format=Term("NRRD in other than two or three dimensions of space"))
    return np.array([*values, 0.0][:3])


def _number(text: str) -> float:
    """A number, or ItemError."""
    try:
        return float(text)
    except ValueError:
        raise ItemError("unreadable_header") from None


def _whole(text: str) -> int:
    """A whole number, or ItemError."""
    try:
        return int(text)
    except ValueError:
        raise ItemError("unreadable_header") from None
