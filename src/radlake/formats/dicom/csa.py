"""Siemens CSA headers: the private table in which the scanner states how it laid out a mosaic."""

from __future__ import annotations

import struct

_MOST_TAGS = 128  # as nibabel bounds it; real headers hold about 100
_MOST_ITEMS = 1024
_tag = struct.Struct("<64sl4slll").unpack_from
_item = struct.Struct("<4l").unpack_from


def csa_values(data: bytes, names: frozenset[str]) -> dict[str, list[str]]:
    """Values of some tags of a CSA2 ("SV10") header; empty where the bytes are none or break off.

    Parameters
    ----------
    data : bytes
        Value of the element (0029,xx10) of "SIEMENS CSA HEADER".
    names : frozenset of str
        Tags to return.

    References
    ----------
    Layout as documented by nibabel, "Siemens format DICOM with CSA header" (nipy.org/nibabel/dicom/siemens_csa.html).
    """
    values: dict[str, list[str]] = {}
    try:
        count = struct.unpack_from("<L", data, 8)[0]
        if data[:4] != b"SV10" or count > _MOST_TAGS:
            return {}
        p = 16
        for _ in range(count):
            name, _, _, _, items, _ = _tag(data, p)
            if not 0 <= items <= _MOST_ITEMS:
                return values
            found, p = _items(data, p + 84, items)
            if (keyword := _text(name)) in names:
                values[keyword] = found
    except struct.error:  # the header ends early
        return values
    return values


def _items(data: bytes, p: int, count: int) -> tuple[list[str], int]:
    """Texts of the items that begin at p, empty ones left out, and where they end."""
    texts = []
    for _ in range(count):
        length = _item(data, p)[1]
        if not 0 <= length <= len(data):
            raise struct.error
        p += 16
        if text := _text(data[p : p + length]):
            texts.append(text)
        p += -(-length // 4) * 4  # items are filled up to four bytes
    return texts, p


def _text(data: bytes) -> str:
    """Text before the first null byte."""
    return data.split(b"\0", 1)[0].decode("latin-1").strip()
