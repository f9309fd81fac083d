"""Of EXIF only how a picture is turned: without that it would be shown lying on its side."""

from __future__ import annotations

import struct

_ORIENTATION, _SHORT = 0x0112, 3
_UPRIGHT = 1
_TURNS = range(1, 9)  # Exif 2.32, 4.6.4: Orientation
_MOST_TAGS = 512


def orientation(exif: bytes) -> int:
    """How a picture is turned, 1 (upright) to 8; 1 where nothing readable says so.

    Parameters
    ----------
    exif : bytes
        From the byte order mark on.

    Examples
    --------
    >>> orientation(block(6)), orientation(b"MM junk")
    (6, 1)
    """
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return _UPRIGHT
    try:
        (start,) = struct.unpack_from(f"{order}L", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, start)
        for number in range(min(count, _MOST_TAGS)):
            tag, kind, _, value = struct.unpack_from(f"{order}HHLH", exif, start + 2 + 12 * number)
            if (tag, kind) == (_ORIENTATION, _SHORT) and value in _TURNS:
                return int(value)
    except struct.error:
        return _UPRIGHT
    return _UPRIGHT


def block(turn: int) -> bytes:
    """EXIF that says how a picture is turned and nothing else; no bytes where it stands upright."""
    if turn == _UPRIGHT:
        return b""
    return b"II*\0" + struct.pack("<LHHHLHHL", 8, 1, _ORIENTATION, _SHORT, 1, turn, 0, 0)
