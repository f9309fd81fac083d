"""NIfTI-1 and NIfTI-2 files: the header field by field, no extension, and the voxels as they are stored.

Field offsets are those of nifti1.h and nifti2.h (https://nifti.nimh.nih.gov). A header with its voxels in a second
file (.hdr and .img) becomes one file.
"""

from __future__ import annotations

import gzip
import math
import struct
from collections.abc import Mapping
from io import BufferedIOBase
from typing import BinaryIO

from radlake.core.fault import ItemError, Term
from radlake.deid.account import AuditRow
from radlake.deid.containers import Account, copied, piece, told
from radlake.deid.text import GAP, clean_text
from radlake.formats.nifti import parse, samples_of
from radlake.formats.source import Source

_LARGEST = 540
_EXTENSION = 4  # bytes behind the header that say whether there are extensions; they come in any case
# First and last byte of the fields that are copied: geometry, type, scaling, display range, timing, transforms.
_KEPT: Mapping[int, tuple[tuple[int, int], ...]] = {
    348: ((0, 4), (39, 56), (68, 108), (112, 140), (252, 328)),
    540: ((0, 16), (16, 80), (104, 168), (176, 240), (344, 508), (524, 525)),
}
_PARAMETERS = {348: (56, 68), 540: (80, 104)}  # of the statistic that the intent names
_TEXTS = {
    348: {"descrip": (148, 228), "intent_name": (328, 344)},
    540: {"descrip": (240, 320), "intent_name": (508, 524)},
}
_EMPTIED = {348: {"data_type": (4, 14), "db_name": (14, 32), "aux_file": (228, 252)}, 540: {"aux_file": (320, 344)}}
_OFFSET = {348: ("f", 108), 540: ("q", 168)}
_MAGIC = {348: (344, b"n+1\0"), 540: (4, b"n+2\0\r\n\x1a\n")}
_INTENT = {348: ("h", 68), 540: ("i", 504)}
_STATISTICS = range(2, 25)  # intent codes whose parameters are numbers of a distribution
_CIFTI = range(3000, 3100)  # what its matrix means stands in an extension
_BITS = {
    1: 1, 2: 8, 4: 16, 8: 32, 16: 32, 32: 64, 64: 64, 128: 24, 256: 8, 512: 16, 768: 32, 1024: 64, 1280: 64, 1536: 128,
    1792: 128, 2048: 256, 2304: 32,
}  # fmt: skip
_PACKED_LEVEL = 6


def clean(source: Source, out: BinaryIO) -> list[AuditRow]:
    """Copy a NIfTI file with only those words that the vocabulary has; voxels are equal to the bit.

    Parameters
    ----------
    source : Source
        A .nii file, packed or not, or a .hdr file with its .img beside it.
    out : binary file
        Where the copy goes, packed as the source is.

    Returns
    -------
    list of AuditRow
        Fields and extensions that were changed; "field descrip".

    Raises
    ------
    ItemError
        ``unreadable_header``, ``unsupported_format``, ``not_cleanable`` (CIFTI), ``no_pixels``, ``truncated_pixels`` or
        ``damaged_archive``.
    """
    head = source.read_at(0, _LARGEST)
    fields = parse(head)
    order = fields.byte_order
    (size,) = struct.unpack_from(f"{order}i", head)
    _check(head, size, order)
    account: Account = Account()
    new = _header(head[:size], size, order, account)
    bits = _BITS.get(fields.datatype)
    if bits is None:
        raise ItemError("unsupported_format", format=Term("NIfTI with this type of samples"))
    samples = samples_of(source, fields)
    if not fields.paired and fields.offset > size + _EXTENSION:
        account["extension", "removed"] += 1
    length = -(-math.prod(max(extent, 1) for extent in fields.dim) * bits // 8)
    with samples.open() as stream:
        stream.seek(fields.offset)
        if is_packed(source):
            with gzip.GzipFile(filename="", mode="wb", fileobj=out, compresslevel=_PACKED_LEVEL, mtime=0) as packed:
                _write(stream, packed, new, length)
        else:
            _write(stream, out, new, length)
        if piece(stream, 1):
            account["after the voxels", "removed"] += 1
    return told(account)


def is_packed(source: Source) -> bool:
    """Whether the copy of a file is packed, as its samples are."""
    return samples_of(source, parse(source.read_at(0, _LARGEST))).gzipped


def _check(head: bytes, size: int, order: str) -> None:
    """Refuse what would lose its meaning."""
    kind, place = _INTENT[size]
    if struct.unpack_from(order + kind, head, place)[0] in _CIFTI:
        raise ItemError("not_cleanable", format=Term("CIFTI"))


def _header(head: bytes, size: int, order: str, account: Account) -> bytes:
    """The header with the fields that pass, and four bytes that say there is no extension."""
    new = bytearray(size + _EXTENSION)
    for start, end in _KEPT[size]:
        new[start:end] = head[start:end]
    kind, place = _INTENT[size]
    if struct.unpack_from(order + kind, head, place)[0] in _STATISTICS:
        start, end = _PARAMETERS[size]
        new[start:end] = head[start:end]
    for name, (start, end) in _TEXTS[size].items():
        text = head[start:end].split(b"\0")[0].decode("latin-1")
        kept = _words(text).encode("ascii", "ignore")[: end - start - 1]
        new[start : start + len(kept)] = kept
        if kept.decode() != text:
            account[f"field {name}", "cleaned" if kept else "emptied"] += 1
    for name, (start, end) in _EMPTIED[size].items():
        if head[start:end].strip(b"\0"):
            account[f"field {name}", "emptied"] += 1
    kind, place = _OFFSET[size]
    struct.pack_into(order + kind, new, place, size + _EXTENSION)
    place, magic = _MAGIC[size]
    new[place : place + len(magic)] = magic
    return bytes(new)


def _words(text: str) -> str:
    """What the vocabulary leaves of a text; nothing where that is no word."""
    cleaned = clean_text(text)
    return cleaned if any(c.isalnum() for c in cleaned.replace(GAP, "")) else ""


def _write(stream: BinaryIO, out: BinaryIO | BufferedIOBase, header: bytes, length: int) -> None:
    """Header and voxels."""
    out.write(header)
    copied(stream, out, length)
