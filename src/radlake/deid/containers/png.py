"""PNG files chunk by chunk (W3C Portable Network Graphics, third edition).

Chunks are kept by a closed list. The compressed samples are inflated on the way, only to see that they are whole and
that nothing hides behind them.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from radlake.core.fault import ItemError, Term
from radlake.deid.account import AuditRow
from radlake.deid.containers import CHUNK, Account, exactly, exif, icc, piece, told

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEAD = 13  # bytes of IHDR
# Most bytes of each chunk that is kept: palette, transparency, colour space, significant bits, size of a pixel.
_KEPT = {
    b"PLTE": 768, b"tRNS": 256, b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"cICP": 4, b"mDCV": 24, b"cLLI": 8, b"sBIT": 4,
    b"bKGD": 6, b"hIST": 512, b"pHYs": 9,
}  # fmt: skip
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# Adam7: first row, first column, row step, column step of each pass.
_PASSES = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
_LONGEST_PROFILE = 1 << 24


def clean(stream: BinaryIO, out: BinaryIO) -> list[AuditRow]:
    """Copy a PNG file without words: only what its pixels need.

    Parameters
    ----------
    stream, out : binary files
        The source from its first byte on, and where the copy goes.

    Returns
    -------
    list of AuditRow
        Chunks that were left out or written anew; "chunk tEXt".

    Raises
    ------
    ItemError
        ``unreadable_header``, ``truncated_pixels`` or ``contradictory_header``.
    """
    account: Account = Account()
    out.write(SIGNATURE)
    samples = None
    for name, length in _chunks(stream):
        if name == b"IHDR":
            data = _whole(stream, name, _limited(length, _HEAD))
            samples = _Samples(data)
            out.write(chunk(name, data))
        elif samples is None:
            raise ItemError("unreadable_header")
        elif name == b"IDAT":
            samples.take(stream, out, length)
        elif name in _KEPT and length <= _KEPT[name]:
            out.write(chunk(name, _whole(stream, name, length)))
        elif name in _REWRITTEN and length <= _LONGEST_PROFILE:
            out.write(_REWRITTEN[name](_whole(stream, name, length)))
            account[f"chunk {name.decode()}", "cleaned"] += 1
        elif name != b"IEND":
            _pass_over(stream, length)
            account[f"chunk {_shown(name)}", "removed"] += 1
    if samples is None:
        raise ItemError("unreadable_header")
    samples.check()
    out.write(chunk(b"IEND", b""))
    if piece(stream, 1):
        account["after the end", "removed"] += 1
    return told(account)


def chunk(name: bytes, data: bytes) -> bytes:
    """A chunk with its length and checksum.

    Examples
    --------
    >>> chunk(b"IEND", b"").hex()
    '0000000049454e44ae426082'
    """
    return struct.pack(">L", len(data)) + name + data + struct.pack(">L", zlib.crc32(name + data))


def _chunks(stream: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Name and length of each chunk up to IEND; whoever asks reads its data and checksum."""
    if exactly(stream, len(SIGNATURE)) != SIGNATURE:
        raise ItemError("unreadable_header")
    name = b""
    while name != b"IEND":
        length, name = struct.unpack(">L4s", exactly(stream, 8))
        yield name, length
    _pass_over(stream, length)


def _whole(stream: BinaryIO, name: bytes, length: int) -> bytes:
    """Data of a small chunk whose checksum is right."""
    data = exactly(stream, length)
    if struct.unpack(">L", exactly(stream, 4))[0] != zlib.crc32(name + data):
        raise ItemError("unreadable_header")
    return data


def _limited(length: int, expected: int) -> int:
    """A length, which must be the expected one."""
    if length != expected:
        raise ItemError("unreadable_header")
    return length


def _pass_over(stream: BinaryIO, length: int) -> None:
    """Skip data and checksum of a chunk, which must be there."""
    left = length + 4
    while left:
        left -= len(exactly(stream, min(CHUNK, left)))


def _shown(name: bytes) -> str:
    """A chunk's name; of no letters, as it may be in a damaged file, a word."""
    return name.decode() if name.isalpha() and name.isascii() else "of no name"


def _profile(data: bytes) -> bytes:
    """A colour profile (iCCP) without words, under a name of its own; nothing where it is damaged."""
    _, _, packed = data.partition(b"\0")
    try:
        inflater = zlib.decompressobj()
        found = icc.cleaned(inflater.decompress(packed[1:], _LONGEST_PROFILE))
    except zlib.error:
        return b""
    return chunk(b"iCCP", b"profile\0\0" + zlib.compress(found)) if found else b""


def _turn(data: bytes) -> bytes:
    """EXIF (eXIf) that says how the picture is turned; nothing where it stands upright."""
    block = exif.block(exif.orientation(data))
    return chunk(b"eXIf", block) if block else b""


_REWRITTEN = {b"iCCP": _profile, b"eXIf": _turn}


class _Samples:
    """The compressed samples on their way: how many there must be, and how many came."""

    def __init__(self, header: bytes):
        columns, rows, depth, colour, method, filters, interlace = struct.unpack(">LLBBBBB", header)
        if colour not in _CHANNELS or not (rows and columns) or (method, filters) != (0, 0) or interlace > 1:
            raise ItemError("unreadable_header")
        bits = depth * _CHANNELS[colour]
        passes = _PASSES if interlace else ((0, 0, 1, 1),)
        self.expected = sum(_pass_bytes(rows, columns, bits, *p) for p in passes)
        self.found = 0
        self.inflater = zlib.decompressobj()

    def take(self, stream: BinaryIO, out: BinaryIO, length: int) -> None:
        """Copy one IDAT chunk in pieces; what follows the end of the compressed samples is left out."""
        crc = zlib.crc32(b"IDAT")
        while length:
            data = exactly(stream, min(CHUNK, length))
            length -= len(data)
            crc = zlib.crc32(data, crc)
            used = self._used(data)
            if used:
                out.write(chunk(b"IDAT", data[:used]))
        if struct.unpack(">L", exactly(stream, 4))[0] != crc:
            raise ItemError("undecodable_pixels")

    def check(self) -> None:
        """All samples must have come."""
        if self.found != self.expected or not self.inflater.eof:
            raise ItemError("truncated_pixels", expected=self.expected, found=self.found)

    def _used(self, data: bytes) -> int:
        """How many of these bytes belong to the compressed samples."""
        if self.inflater.eof:
            return 0
        left, full = data, True
        try:
            while not self.inflater.eof and (left or full):
                made = len(self.inflater.decompress(left, CHUNK))
                left, full = self.inflater.unconsumed_tail, made == CHUNK
                self.found += made
                if self.found > self.expected:
                    raise ItemError("contradictory_header", what=Term("more samples than its size holds"))
        except zlib.error:
            raise ItemError("undecodable_pixels") from None
        return len(data) - len(self.inflater.unused_data)


def _pass_bytes(rows: int, columns: int, bits: int, top: int, left: int, down: int, across: int) -> int:
    """Bytes of one pass: a filter byte and the samples of each row."""
    height, width = -(-(rows - top) // down), -(-(columns - left) // across)
    return height * (1 + -(-width * bits // 8)) if height > 0 and width > 0 else 0
