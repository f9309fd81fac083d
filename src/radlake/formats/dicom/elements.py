"""Kept elements of a DICOM data set and the decoding of their values: text in its character set, numbers by VR.

`reader` and `fallback` fill an `Elements`; `header` and its neighbours ask it. Values stay bytes until somebody asks.
"""

from __future__ import annotations

import functools
import logging
import math
import re
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from pydicom.charset import convert_encodings, decode_bytes, python_encoding

from radlake.formats.dicom.tags import PRIVATE, PRIVATE_NAMES

_DELIMITERS = set(b"\\\r\n\t\f^=")  # PS3.5 6.1.2.5.3: after these the first character set is active again
_ANY_CHARACTERS = {b"LO", b"LT", b"PN", b"SH", b"ST", b"UC", b"UT"}  # PS3.5 6.1.2.2: only these obey the character set
_ONE_TEXT = {b"ST", b"LT", b"UT", b"UR"}  # PS3.5 6.2: a backslash is part of the value
_TEXT_NUMBERS = {b"DS", b"IS"}
_CODES = {"US": "H", "SS": "h", "UL": "L", "SL": "l", "UV": "Q", "SV": "q", "FL": "f", "FD": "d", "AT": "H"}
_CODES["US or SS"] = "H"  # the dictionary's VR where the file states none: whoever asks knows PixelRepresentation
BINARY = {(order, vr.encode()): struct.Struct(order + code) for order in "<>" for vr, code in _CODES.items()}
_ENCODINGS = frozenset(python_encoding.values())
_ESCAPES = re.compile(r"\x1b(?:\$[()]?.|[()\-.].)")  # PS3.5 6.1.2.5: Python's codecs leave some of them in the text


@contextmanager
def silent_pydicom() -> Iterator[None]:
    """Keep pydicom from warning and logging: its messages quote values of the file."""
    logger = logging.getLogger("pydicom")
    before = logger.disabled
    logger.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = before


@functools.lru_cache(maxsize=64)
def _encodings(terms: str) -> tuple[str, ...]:
    """Python's names of the character sets in a SpecificCharacterSet; latin-1 where they are none."""
    try:
        found = convert_encodings([term.strip(" \0") for term in terms.split("\\")])
    except (LookupError, ValueError):
        found = []
    # Python knows codecs that no DICOM file may ask for, some of them slow.
    return tuple(name for name in found if name in _ENCODINGS) or ("iso8859",)


@dataclass(slots=True)
class Elements:
    """Kept elements of a data set or of an item in a sequence, by keyword.

    Parameters
    ----------
    values : dict
        VR and undecoded value of each element.
    sequences : dict
        Items of each sequence.
    parent : Elements or None
        The data set around an item: its character set holds inside, too (PS3.5 7.5.3).
    order : {"<", ">"}
        Byte order of binary numbers.
    """

    values: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)
    sequences: dict[str, list[Elements]] = field(default_factory=dict)
    parent: Elements | None = None
    order: str = "<"

    def __contains__(self, keyword: str) -> bool:
        return keyword in self.values or keyword in self.sequences

    def text(self, keyword: str) -> str | None:
        """First value of a text element without padding; None where there is none."""
        found = self.values.get(keyword)
        if found is None:
            return None
        vr, data = found
        text = data.decode() if data.isascii() and b"\x1b" not in data else self._text(vr, data)
        if "\\" in text and vr not in _ONE_TEXT:
            text = text.split("\\", 1)[0]
        return text.strip(" \0") or None

    def texts(self, keyword: str) -> list[str]:
        """All values of a text element without padding; empty where there are none."""
        found = self.values.get(keyword)
        if found is None:
            return []
        vr, data = found
        text = data.decode() if data.isascii() and b"\x1b" not in data else self._text(vr, data)
        text = text.strip(" \0")
        if vr in _ONE_TEXT or "\\" not in text:
            return [text] if text else []
        return [value.strip(" \0") for value in text.split("\\")]

    def number(self, keyword: str) -> float | None:
        """First value of a numeric element; None where there is none or it is not finite."""
        found = self.values.get(keyword)
        if found is None:
            return None
        vr, data = found
        if not data:
            return None
        try:
            if vr in _TEXT_NUMBERS:
                number = float(data.split(b"\\", 1)[0].rstrip(b" \0") if b"\\" in data or b"\0" in data else data)
            else:
                number = BINARY[self.order, vr].unpack_from(data)[0]
        except (ValueError, KeyError, struct.error):  # no number, a VR that holds none, too few bytes
            return None
        return number if math.isfinite(number) else None

    def integer(self, keyword: str) -> int | None:
        """First value of a numeric element, cut to an integer of 64 bits; None where there is none."""
        number = self.number(keyword)
        return int(number) if number is not None and abs(number) < 2**53 else None

    def numbers(self, keyword: str) -> list[float]:
        """All values of a numeric element; empty unless all are finite numbers."""
        return self._numbers(*self.values.get(keyword, (b"", b"")))

    def tag(self, keyword: str) -> int | None:
        """Value of an attribute tag element as group * 65536 + element."""
        pair = self._numbers(*self.values.get(keyword, (b"", b"")))
        return int(pair[0]) << 16 | int(pair[1]) if len(pair) >= 2 else None

    def items(self, keyword: str) -> list[Elements]:
        """Items of a sequence; empty where it is absent."""
        return self.sequences.get(keyword, [])

    def first(self, keyword: str) -> Elements:
        """First item of a sequence; without elements where there is none."""
        items = self.sequences.get(keyword)
        return items[0] if items else Elements()

    def private(self, keyword: str) -> str | None:
        """Name under which a private element of `tags.PRIVATE` is kept in this file; None where it is absent."""
        creator = PRIVATE[keyword].creator
        for name, creator_name in PRIVATE_NAMES[keyword]:
            if name in self.values and self.text(creator_name) == creator:
                return name
        return None

    def _numbers(self, vr: bytes, data: bytes) -> list[float]:
        """Finite numbers of an element; none if one of them is not."""
        try:
            if vr in _TEXT_NUMBERS:
                numbers = list(map(float, data.rstrip(b" \0").split(b"\\")))
            else:
                form = BINARY[self.order, vr]
                numbers = [value for (value,) in form.iter_unpack(data[: len(data) // form.size * form.size])]
        except (ValueError, KeyError):
            return []
        return numbers if all(map(math.isfinite, numbers)) else []

    def _text(self, vr: bytes, data: bytes) -> str:
        """Text beyond ASCII."""
        if vr not in _ANY_CHARACTERS:
            return data.decode("latin-1")
        holder: Elements | None = self
        while holder is not None and "SpecificCharacterSet" not in holder.values:
            holder = holder.parent
        terms = holder.values["SpecificCharacterSet"][1].decode("latin-1").strip(" \0") if holder else ""
        with silent_pydicom():
            return _ESCAPES.sub("", decode_bytes(data, list(_encodings(terms)), _DELIMITERS))


class PixelSpan(NamedTuple):
    """Where the pixels are.

    Parameters
    ----------
    name : str
        PixelData, FloatPixelData or DoubleFloatPixelData.
    stored_bytes : int
        Bytes that the file holds from where the value begins, at most the length that it states.
    """

    name: str
    stored_bytes: int


class DicomFile(NamedTuple):
    """What the reader found: the kept elements, the transfer syntax, and the pixels if there are any."""

    elements: Elements
    transfer_syntax: str | None
    pixels: PixelSpan | None
