"""Elements as they lie in a file (PS3.5 7.1, 7.5): thousands of texts are planted in each, which here costs little."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

_ITEM = 0xFFFEE000
_ZERO_PADDED = frozenset({"OB", "SQ", "UI", "UN"})  # all others with a blank (PS3.5 6.2)


@dataclass(frozen=True)
class Encoding:
    r"""How a data set is encoded.

    Parameters
    ----------
    implicit : bool
        Without VRs.
    little : bool
        Little endian.

    Examples
    --------
    >>> plain = Encoding(implicit=False, little=True)
    >>> name = plain.element(BaseTag(0x00100010), "PN", "Quux^1")
    >>> plain.item({name.tag: name})[8:]
    b'\x10\x00\x10\x00PN\x06\x00Quux^1'
    """

    implicit: bool
    little: bool

    @classmethod
    def of(cls, dataset: Dataset) -> Encoding:
        """That in which a data set was read; explicit little endian for one that was not."""
        implicit, little = dataset.original_encoding
        return cls(bool(implicit), little is not False)

    def element(self, tag: BaseTag, vr: str, value: str | bytes) -> RawDataElement:
        """An element that holds an ASCII text, or bytes, of even length."""
        data = value.encode("ascii") if isinstance(value, str) else value
        data += (b"\0" if vr in _ZERO_PADDED else b" ") * (len(data) % 2)
        return RawDataElement(tag, vr, len(data), data, 0, self.implicit, self.little)

    def item(self, elements: Mapping[BaseTag, RawDataElement]) -> bytes:
        """An item of a sequence with elements in the order of their tags."""
        body = b"".join(self._head(elements[tag]) + (elements[tag].value or b"") for tag in sorted(elements))
        return struct.pack(f"{'<' if self.little else '>'}HHL", _ITEM >> 16, _ITEM & 0xFFFF, len(body)) + body

    def _head(self, element: RawDataElement) -> bytes:
        """Tag, VR and length of an element."""
        order, vr, length = "<" if self.little else ">", element.VR or "UN", element.length
        place = element.tag >> 16, element.tag & 0xFFFF
        if self.implicit:
            return struct.pack(f"{order}HHL", *place, length)
        if vr in EXPLICIT_VR_LENGTH_32:
            return struct.pack(f"{order}HH2s2xL", *place, vr.encode(), length)
        return struct.pack(f"{order}HH2sH", *place, vr.encode(), length)
