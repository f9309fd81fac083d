"""TIFF and BigTIFF files page by page (TIFF 6.0): tags by a closed list, strips and tiles as they are stored.

The copy is built anew in the byte order of the source, so nothing that lies between its parts comes along. Inner
directories (EXIF, GPS, pyramids) stay behind; of ImageJ's description the numbers of its stack are kept.
"""

from __future__ import annotations

import io
import logging
import re
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from radlake.core.fault import ItemError, Term
from radlake.deid.account import AuditRow
from radlake.deid.containers import Account, copied, icc, jpeg, piece, told
from radlake.formats.tiff import pages_of

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage, TiffTag

_DESCRIPTION, _PROFILE, _TABLES = 270, 34675, 347
_STRIPS, _TILES = (273, 279), (324, 325)
# TIFF 6.0: how samples are laid out, what their values mean, how large they are on paper.
_KEPT = frozenset({
    254, 255, 256, 257, 258, 259, 262, 263, 266, 274, 277, 278, 280, 281, 282, 283, 284, 290, 291, 292, 293, 296, 297,
    301, 317, 318, 319, 320, 321, 322, 323, 332, 334, 336, 338, 339, 340, 341, 529, 530, 531, 532, 32997,
})  # fmt: skip
_NUMBERS = frozenset({1, 3, 4, 5, 6, 8, 9, 10, 11, 12, 16, 17, 18})  # types that hold no text
_ASCII, _UNDEFINED, _LONG, _LONG8 = 2, 7, 4, 16
_LARGEST_VALUE = 1 << 20
_NONE, _JPEG = 1, 7
# Uncompressed, CCITT, LZW, JPEG, deflate, PackBits, LZMA, Zstandard: streams without room for words of their own.
_CODINGS = frozenset({_NONE, 2, 3, 4, 5, _JPEG, 8, 32773, 32946, 34925, 50000})
_IMAGEJ = re.compile(
    r"ImageJ=\d{1,2}\.\d{1,3}[a-z]?|(?:images|channels|slices|frames)=\d{1,5}|hyperstack=(?:true|false)|loop=(?:true|false)|"
    r"mode=(?:grayscale|gray|color|composite)|unit=(?:pixel|mm|cm|um|micron|\\u00B5m|inch)|"
    r"(?:spacing|finterval|fps)=\d{1,4}(?:\.\d{1,17})?|(?:min|max)=-?\d{1,6}(?:\.\d{1,17})?"
)


def clean(stream: BinaryIO, out: BinaryIO) -> list[AuditRow]:
    """Copy a TIFF file without words: only what its pixels need.

    Parameters
    ----------
    stream, out : binary files
        The source, and where the copy goes; both can be sought in.

    Returns
    -------
    list of AuditRow
        Tags that were left out or written anew; "tag 270".

    Raises
    ------
    ItemError
        ``unreadable_header``, ``no_pixels``, ``truncated_pixels``, ``unsupported_format`` or ``contradictory_header``.
    """
    from tifffile import TiffFile, logger

    logger().setLevel(logging.CRITICAL)  # it writes values of damaged tags to the log
    account: Account = Account()
    size = stream.seek(0, 2)
    stream.seek(0)
    try:
        file = TiffFile(stream)
        pages = list(pages_of(file))
        _check_stacks(file, len(pages))
    except ItemError:
        raise
    except OSError:
        raise ItemError("unreadable_file") from None
    except Exception:  # noqa: BLE001 - damaged directories raise errors of many kinds
        raise ItemError("unreadable_header") from None
    chain = _Chain(out, file.byteorder, big=file.is_bigtiff)
    try:
        for page in pages:
            chain.add(_entries(page, stream, chain, account))
            if out.tell() > size + _LARGEST_VALUE:  # pages that share samples, or lie inside each other
                raise ItemError("contradictory_header", what=Term("parts that overlap"))
    except (ItemError, OSError):  # a full disk is no fault of the file
        raise
    except Exception:  # noqa: BLE001 - as above
        raise ItemError("unreadable_header") from None
    if not pages:
        raise ItemError("no_pixels")
    return told(account)


def _check_stacks(file: TiffFile, pages: int) -> None:
    """Refuse files whose further planes only a maker's own description finds."""
    described = (file.imagej_metadata or {}).get("images", 1) if file.is_imagej else 1
    if file.is_stk or described > pages:
        raise ItemError("unsupported_format", format=Term("TIFF with planes behind one page"))


@dataclass
class _Chain:
    """Directories as they are written one after the other."""

    out: BinaryIO
    order: str
    big: bool
    _link: int = field(init=False)  # where the place of the next directory is to be written

    def __post_init__(self) -> None:
        mark = b"II" if self.order == "<" else b"MM"
        self.out.write(mark + struct.pack(f"{self.order}HHH" if self.big else f"{self.order}H", *self._version))
        self._link = self.out.tell()
        self.out.write(bytes(8 if self.big else 4))

    @property
    def _version(self) -> tuple[int, ...]:
        return (43, 8, 0) if self.big else (42,)

    @property
    def offset_type(self) -> tuple[int, str]:
        """Type of a tag that holds offsets, and its struct code."""
        return (_LONG8, "Q") if self.big else (_LONG, "L")

    def align(self) -> int:
        """The next even place."""
        if self.out.tell() % 2:
            self.out.write(b"\0")
        return self.out.tell()

    def add(self, entries: dict[int, tuple[int, int, bytes]]) -> None:
        """Write a directory of type, count and value by tag, and tell the one before where it lies."""
        room, code = (8, "Q") if self.big else (4, "L")
        table = []
        for tag, (kind, count, value) in sorted(entries.items()):
            if len(value) > room:
                place = struct.pack(self.order + code, self.align())
                self.out.write(value)
            else:
                place = value.ljust(room, b"\0")
            table.append(struct.pack(f"{self.order}HH{code}", tag, kind, count) + place)
        start = self.align()
        self.out.write(struct.pack(self.order + ("Q" if self.big else "H"), len(table)) + b"".join(table))
        end = self.out.tell()
        self.out.write(bytes(room))
        self.out.seek(self._link)
        self.out.write(struct.pack(self.order + code, start))
        self.out.seek(0, 2)
        self._link = end


def _entries(page: TiffPage, stream: BinaryIO, chain: _Chain, account: Account) -> dict[int, tuple[int, int, bytes]]:
    """Tags of a page for its copy, whose samples are written before them."""
    if page.compression not in _CODINGS:
        raise ItemError("unsupported_format", format=Term("TIFF with this compression"))
    entries = _samples(page, stream, chain)
    for tag in page.tags:
        if tag.code in {*_STRIPS, *_TILES}:
            continue
        value = _value(tag, stream)
        kept = _kept(tag, value)
        if kept is not None:
            entries[tag.code] = kept
        if kept is None or kept[2] != value:
            account[f"tag {tag.code}", "removed" if kept is None else "cleaned"] += 1
    return entries


def _value(tag: TiffTag, stream: BinaryIO) -> bytes:
    """Bytes of a tag's value, in the order of the file; none of one that no kept tag needs."""
    if tag.valuebytecount > _LARGEST_VALUE:
        return b""
    stream.seek(tag.valueoffset)
    return piece(stream, tag.valuebytecount)


def _kept(tag: TiffTag, value: bytes) -> tuple[int, int, bytes] | None:
    """Type, count and value of a tag in the copy; None when it goes."""
    if tag.code in _KEPT and tag.dtype in _NUMBERS and value:
        return int(tag.dtype), tag.count, value
    if tag.code == _TABLES:
        tables = io.BytesIO()
        jpeg.clean(io.BytesIO(value), tables, complete=False)
        return _UNDEFINED, len(tables.getvalue()), tables.getvalue()
    if tag.code == _PROFILE and (profile := icc.cleaned(value)):
        return _UNDEFINED, len(profile), profile
    if tag.code == _DESCRIPTION and (text := _stack(value)):
        return _ASCII, len(text), text
    return None


def _stack(value: bytes) -> bytes:
    """Lines of ImageJ's description that tell how its pages make a stack; none of any other description."""
    lines = value.rstrip(b"\0").decode("latin-1").split("\n")
    if not lines[0].startswith("ImageJ="):
        return b""
    return "".join(f"{line}\n" for line in lines if _IMAGEJ.fullmatch(line)).encode() + b"\0"


def _samples(page: TiffPage, stream: BinaryIO, chain: _Chain) -> dict[int, tuple[int, int, bytes]]:
    """Copy strips or tiles; the tags that say where they lie and how long they are."""
    places, lengths = [], []
    for number, (offset, length) in enumerate(zip(page.dataoffsets, page.databytecounts, strict=True)):
        if not length:  # a tile that was never written
            places.append(0)
            lengths.append(0)
            continue
        places.append(chain.align())
        stream.seek(offset)
        if page.compression == _JPEG:
            jpeg.clean(io.BytesIO(piece(stream, length)), chain.out)
        else:
            needed = _plain_bytes(page, number) if page.compression == _NONE else length
            copied(stream, chain.out, min(needed, length))
        lengths.append(chain.out.tell() - places[-1])
    if not places:
        raise ItemError("no_pixels")
    kind, code = chain.offset_type
    where, how_long = _TILES if page.is_tiled else _STRIPS
    return {
        tag: (kind, len(numbers), struct.pack(f"{chain.order}{len(numbers)}{code}", *numbers))
        for tag, numbers in ((where, places), (how_long, lengths))
    }


def _plain_bytes(page: TiffPage, number: int) -> int:
    """Bytes that an uncompressed strip or tile needs; what follows them is no picture."""
    together = page.samplesperpixel if page.planarconfig == 1 else 1
    if page.is_tiled:
        rows, columns = page.tilelength * page.tiledepth, page.tilewidth
    else:
        a_plane = -(-page.imagelength // page.rowsperstrip)
        rows, columns = min(page.rowsperstrip, page.imagelength - number % a_plane * page.rowsperstrip), page.imagewidth
    return int(rows * -(-columns * together * page.bitspersample // 8))
