"""Colour profiles without words: the curves, tables and primaries of an ICC profile, and nothing that somebody wrote.

Profiles name who made them, when, for which device and sometimes for which room. Colours hang on none of that.

References
----------
ICC.1:2022, Image technology colour management: 7.2 (header), 7.3 (tag table), 9.2 (tags), 10 (types).
"""

from __future__ import annotations

import struct

_HEADER = 128
_MOST_TAGS = 100
_ENTRY = 12
_NUMBERS = frozenset({
    b"A2B0", b"A2B1", b"A2B2", b"A2B3", b"B2A0", b"B2A1", b"B2A2", b"B2A3", b"D2B0", b"D2B1", b"D2B2", b"D2B3", b"B2D0",
    b"B2D1", b"B2D2", b"B2D3", b"bXYZ", b"bTRC", b"bkpt", b"chad", b"chrm", b"cicp", b"gXYZ", b"gTRC", b"gamt",
    b"kTRC", b"lumi", b"meas", b"pre0", b"pre1", b"pre2", b"rXYZ", b"rTRC", b"tech", b"wtpt",
})  # fmt: skip
_TYPES = frozenset({
    b"XYZ ", b"chrm", b"cicp", b"curv", b"mAB ", b"mBA ", b"meas", b"mft1", b"mft2", b"mpet", b"para", b"sf32", b"sig ",
})  # fmt: skip
# Header fields that say nothing of anybody: size, version, class, spaces, platform-free flags, intent, illuminant.
_KEPT = ((8, 24), (36, 40), (44, 48), (64, 80))
_NEUTRAL = b"none"


def cleaned(profile: bytes) -> bytes | None:
    """The profile with its numbers only; None where it is damaged, then the picture does without.

    Examples
    --------
    >>> cleaned(b"no profile") is None
    True
    """
    if len(profile) < _HEADER + 4 or profile[36:40] != b"acsp":
        return None
    (count,) = struct.unpack_from(">L", profile, _HEADER)
    if count > _MOST_TAGS or len(profile) < _HEADER + 4 + _ENTRY * count:
        return None
    parts: list[tuple[bytes, bytes]] = [(b"desc", _text(profile)), (b"cprt", _text(profile))]
    for number in range(count):
        name, start, length = struct.unpack_from(">4sLL", profile, _HEADER + 4 + _ENTRY * number)
        data = profile[start : start + length]
        if len(data) != length:
            return None
        if name in _NUMBERS and data[:4] in _TYPES:
            parts.append((name, data))
    return _built(profile, parts)


def _text(profile: bytes) -> bytes:
    """The word that stands in a text which every profile must have, in the type of its version."""
    if profile[8] >= 4:  # multiLocalizedUnicodeType, one record
        word = _NEUTRAL.decode().encode("utf-16-be")
        return struct.pack(">4s4xLL2s2sLL", b"mluc", 1, 12, b"en", b"US", len(word), 28) + word
    return struct.pack(">4s4xL", b"desc", len(_NEUTRAL) + 1) + _NEUTRAL + bytes(1 + 4 + 4 + 2 + 1 + 67)


def _built(profile: bytes, parts: list[tuple[bytes, bytes]]) -> bytes:
    """A profile of these tags; equal data is stored once, as it was."""
    header = bytearray(_HEADER)
    for start, end in _KEPT:
        header[start:end] = profile[start:end]
    table, body, places = [struct.pack(">L", len(parts))], b"", dict[bytes, int]()
    first = _HEADER + 4 + _ENTRY * len(parts)
    for name, data in parts:
        if data not in places:
            body += bytes(-len(body) % 4)
            places[data] = first + len(body)
            body += data
        table.append(struct.pack(">4sLL", name, places[data], len(data)))
    body += bytes(-len(body) % 4)
    struct.pack_into(">L", header, 0, first + len(body))
    return bytes(header) + b"".join(table) + body
