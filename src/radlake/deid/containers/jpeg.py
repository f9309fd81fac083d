"""JPEG files segment by segment (ITU-T T.81 annex B, T.871 for JFIF).

Tables, frame and scan headers and coded data are copied; of application segments only JFIF's density, Adobe's colour
transform, the numbers of a colour profile and the turn of EXIF stay. Thumbnails and further pictures behind the end go.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import BinaryIO

from radlake.core.fault import ItemError, Term
from radlake.deid.account import AuditRow
from radlake.deid.containers import CHUNK, Account, exactly, exif, icc, piece, told

_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# Table B.1: Huffman and arithmetic tables, scans, quantisation, number of lines, restarts, hierarchies.
_KEPT = _FRAMES | {0xC4, 0xCC, 0xDA, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF}
_APP0, _APP1, _APP2, _APP14, _APP15, _COMMENT = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF, 0xFE
_JFIF, _EXIF, _ICC, _ADOBE = b"JFIF\0", b"Exif\0\0", b"ICC_PROFILE\0", b"Adobe"
_ICC_PIECE = 65_519  # bytes of a profile that one segment holds (ICC.1:2022 B.4)
_MARKER = re.compile(rb"\xff+[\x01-\xcf\xd8-\xfe]")  # not a stuffed zero, no restart


def clean(stream: BinaryIO, out: BinaryIO, *, complete: bool = True) -> list[AuditRow]:
    """Copy a JPEG file without words: only what its pixels need.

    Parameters
    ----------
    stream, out : binary files
        The source from its first byte on, and where the copy goes.
    complete : bool
        False: tables alone are whole as well, as TIFF has them.

    Returns
    -------
    list of AuditRow
        Segments that were left out or written anew; "segment APP1".

    Raises
    ------
    ItemError
        ``unreadable_header``, ``truncated_pixels`` or ``unsupported_format``.
    """
    account: Account = Account()
    profile: dict[int, bytes] = {}
    scans = 0
    if exactly(stream, 2) != bytes([0xFF, _SOI]):
        raise ItemError("unreadable_header")
    out.write(bytes([0xFF, _SOI]))
    for marker, data in _segments(stream):
        if marker in _FRAMES or marker == _SOS:
            out.write(_profiles(profile))
            profile.clear()
        if marker in _KEPT:
            out.write(_segment(marker, data))
        else:
            out.write(_application(marker, data, profile, account))
        if marker == _SOS:
            scans += 1
            _coded(stream, out)
    if complete and not scans:
        raise ItemError("no_pixels")
    out.write(bytes([0xFF, _EOI]))
    if piece(stream, 1):
        account["after the end", "removed"] += 1
    return told(account)


def _segments(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Marker and content of each segment up to the end of the image."""
    while True:
        marker = _marker(stream)
        if marker == _EOI:
            return
        if marker not in _KEPT and not (_APP0 <= marker <= _APP15 or marker == _COMMENT):
            raise ItemError("unsupported_format", format=Term("JPEG with reserved markers"))
        (length,) = struct.unpack(">H", exactly(stream, 2))
        yield marker, exactly(stream, max(length, 2) - 2)


def _marker(stream: BinaryIO) -> int:
    """The next marker; fill bytes before it are passed over."""
    byte = exactly(stream, 1)
    if byte != b"\xff":
        raise ItemError("unreadable_header")
    while byte == b"\xff":
        byte = exactly(stream, 1)
    return byte[0]


def _segment(marker: int, data: bytes) -> bytes:
    """A segment with its length."""
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def _application(marker: int, data: bytes, profile: dict[int, bytes], account: Account) -> bytes:
    """What is left of an application segment or comment; pieces of a colour profile wait for each other."""
    name = "comment" if marker == _COMMENT else f"APP{marker - _APP0}"
    kept = b""
    if marker == _APP0 and data.startswith(_JFIF) and len(data) >= 14:
        kept = _segment(_APP0, data[:12] + b"\0\0")  # without a thumbnail
    elif marker == _APP14 and data.startswith(_ADOBE) and len(data) >= 12:
        kept = _segment(_APP14, data[:12])
    elif marker == _APP1 and data.startswith(_EXIF):
        block = exif.block(exif.orientation(data[len(_EXIF) :]))
        kept = _segment(_APP1, _EXIF + block) if block else b""
    elif marker == _APP2 and data.startswith(_ICC) and len(data) > len(_ICC) + 2:
        profile[data[len(_ICC)]] = data[len(_ICC) + 2 :]
        account["segment APP2", "cleaned"] += 1
        return b""
    if kept != _segment(marker, data):
        account[f"segment {name}", "cleaned" if kept else "removed"] += 1
    return kept


def _profiles(pieces: dict[int, bytes]) -> bytes:
    """Segments of a colour profile without words; none where it is damaged."""
    found = icc.cleaned(b"".join(pieces[number] for number in sorted(pieces))) or b""
    parts = [found[start : start + _ICC_PIECE] for start in range(0, len(found), _ICC_PIECE)]
    return b"".join(
        _segment(_APP2, _ICC + bytes([number, len(parts)]) + part) for number, part in enumerate(parts[:255], 1)
    )


def _coded(stream: BinaryIO, out: BinaryIO) -> None:
    """Copy coded data up to the next marker, where the stream stands then."""
    copied = 0
    while True:
        place = stream.tell()
        data = piece(stream, CHUNK)
        found = _MARKER.search(data)
        end = found.start() if found else len(data.rstrip(b"\xff"))
        copied += out.write(data[:end])
        if found:
            stream.seek(place + end)
            return
        if not data or len(data) < CHUNK:
            raise ItemError("truncated_pixels", expected=copied + 2, found=copied)
        stream.seek(place + end)
