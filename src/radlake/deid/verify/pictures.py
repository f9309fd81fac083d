"""NIfTI, PNG, JPEG and TIFF files: header texts, extensions, text chunks, EXIF, bytes before and after pixels."""

from __future__ import annotations

import gzip
import struct
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

from radlake.deid.verify.leak import Leak
from radlake.deid.verify.needles import Needles
from radlake.deid.verify.text import in_bytes, in_stream, in_text

_MOST = 1 << 28  # bytes of a picture, or of a header's extensions, that are taken apart
_SIZES = frozenset({348, 540})
_LARGEST_HEADER = 540
_PACKED_NAME = 512
_TIMES = frozenset({306, 36867, 36868, 29})  # EXIF DateTime, DateTimeOriginal, DateTimeDigitized, GPSDateStamp
_GPS, _EXIF = 0x8825, 0x8769
_NOBODYS = frozenset({
    "IHDR", "PLTE", "IDAT", "IEND", "tRNS", "gAMA", "cHRM", "sRGB", "sBIT", "bKGD", "hIST", "pHYs", "acTL", "fcTL",
    "fdAT",
})  # fmt: skip


def nifti(path: Path, needles: Needles) -> Iterator[Leak]:
    """Header, extensions and voxels of a NIfTI file; its texts are wherever letters are before the voxels begin."""
    try:
        with path.open("rb") as stream:
            yield from in_bytes(_packed_name(stream.read(_PACKED_NAME)), "file name inside", needles)
        with _unpacked(path) as unpacked:
            head = unpacked.read(_LARGEST_HEADER)
            size, start = _extent(head)
            yield from in_bytes(head[:size], "header", needles)
            yield from in_bytes(head[size:] + unpacked.read(max(0, start - len(head))), "extension", needles)
            yield from in_stream(unpacked, needles, place="voxels")
    except (OSError, EOFError, zlib.error, struct.error, ValueError, OverflowError):
        yield Leak("unreadable", "whole file")


def _unpacked(path: Path) -> IO[bytes]:
    """The file's content."""
    return cast(IO[bytes], gzip.open(path) if path.suffix == ".gz" else path.open("rb"))


def _packed_name(head: bytes) -> bytes:
    """Name and comment that a packer wrote into its file (RFC 1952 2.3); empty where it is not packed."""
    if head[:2] != b"\x1f\x8b":
        return b""
    flags, place = head[3], 10
    if flags & 4:
        place += 2 + struct.unpack("<H", head[10:12])[0]
    texts = head[place:].split(b"\0")[: bool(flags & 8) + bool(flags & 16)]
    return b" ".join(texts)


def _extent(head: bytes) -> tuple[int, int]:
    """Bytes of the header, and where the voxels begin: a float at 108 in NIfTI-1, a long at 168 in NIfTI-2."""
    order = "<" if struct.unpack("<i", head[:4])[0] in _SIZES else ">"
    size = struct.unpack(f"{order}i", head[:4])[0]
    if size not in _SIZES:
        raise ValueError
    first = (
        struct.unpack(f"{order}f", head[108:112])[0] if size == 348 else struct.unpack(f"{order}q", head[168:176])[0]
    )
    return size, min(max(size, int(first)), _MOST)


def picture(path: Path, needles: Needles) -> Iterator[Leak]:
    """Texts, EXIF and stray bytes of a PNG, JPEG or TIFF file."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # the library warns, and goes on, where it cannot read what is there
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # nothing is decoded here
            form, found = _described(path, needles)
    except (OSError, ValueError, SyntaxError, struct.error, UserWarning, Image.DecompressionBombError):
        yield Leak("unreadable", "whole file")
        return
    yield from found
    with path.open("rb") as stream:
        data = stream.read(_MOST)
        stream.seek(0)
        if form == "PNG":
            yield from _in_chunks(data, needles)
        yield from _behind(data, form, needles)
        yield from in_stream(stream, needles)


def _described(path: Path, needles: Needles) -> tuple[str, list[Leak]]:
    """Format of a picture, and what its texts and EXIF give away."""
    from PIL import Image

    with Image.open(path) as image:
        found = [*_in_info(image.info, needles), *_in_exif(image.getexif(), needles)]
        if image.format == "TIFF":
            found += _in_tags(dict(getattr(image, "tag_v2", {})), "tag", needles)
        return image.format or "", found


def _in_info(info: dict[Any, Any], needles: Needles) -> Iterator[Leak]:
    """Texts that the reader found: PNG text chunks, JPEG comments, XMP."""
    for name, value in info.items():
        if name in {"exif", "icc_profile", "photoshop"}:
            continue
        for text in value if isinstance(value, list | tuple) else [value]:
            if isinstance(text, bytes):
                yield from in_bytes(text, "comment", needles)
            elif isinstance(text, str):
                yield from in_text(text, "text chunk", needles)


def _in_exif(exif: Any, needles: Needles) -> Iterator[Leak]:
    """EXIF with its inner directories."""
    yield from _in_tags(dict(exif), "EXIF", needles)
    yield from _in_tags(dict(exif.get_ifd(_EXIF)), "EXIF", needles)
    if exif.get_ifd(_GPS):
        yield Leak("place of taking", "EXIF GPS")


def _in_tags(tags: dict[int, Any], where: str, needles: Needles) -> Iterator[Leak]:
    """Texts and times among tags."""
    for number, value in tags.items():
        place = f"{where} {number}"
        if number in _TIMES and str(value).strip(" :\0"):
            yield Leak("date kept", place)
        elif isinstance(value, bytes):
            yield from in_bytes(value, place, needles)
        elif isinstance(value, str):
            yield from in_text(value, place, needles)


def _in_chunks(data: bytes, needles: Needles) -> Iterator[Leak]:
    """PNG chunks that no picture needs, private ones among them."""
    place = 8
    while place + 8 <= len(data):
        length, name = struct.unpack(">L4s", data[place : place + 8])
        kind = name.decode("latin-1")
        if kind == "tIME":
            yield Leak("date kept", "chunk tIME")
        elif kind not in _NOBODYS and kind not in {"tEXt", "zTXt", "iTXt", "iCCP", "eXIf"}:
            yield from in_bytes(data[place + 8 : place + 8 + length], "other chunk", needles)
        place += 12 + length
        if kind == "IEND":
            break


def _behind(data: bytes, form: str, needles: Needles) -> Iterator[Leak]:
    """Bytes after the end of the picture."""
    mark = {"PNG": b"IEND\xaeB`\x82", "JPEG": b"\xff\xd9", "MPO": b"\xff\xd9"}.get(form)
    end = data.rfind(mark) if mark else -1
    if end >= 0:
        yield from in_bytes(data[end + len(mark or b"") :], "after the end", needles)
