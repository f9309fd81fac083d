"""A partial DICOM reader: the elements listed in `tags`, from the first bytes of a file.

Reads a window of 8 KiB, walks the elements in it, keeps the listed ones and skips the rest by their length; the window
moves on until the pixels begin. Anything odd (no preamble, big endian, a wrong VR, ...) goes to `fallback`, which asks
pydicom. No pixels, no meaning: that is `pixels` and `header`.
"""

from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Mapping
from typing import NamedTuple, Protocol

from radlake.core.fault import ItemError
from radlake.formats.dicom.elements import DicomFile, Elements, PixelSpan
from radlake.formats.dicom.tags import WANTED, Wanted
from radlake.formats.source import Source

DEFLATED = "1.2.840.10008.1.2.1.99"
IMPLICIT = "1.2.840.10008.1.2"
BIG_ENDIAN = "1.2.840.10008.1.2.2"

_WINDOW = 8192
_STEP = 1 << 20
_MOST = 128 << 20  # a longer element before the pixels is no header
_DEPTH = 64
_UNDEFINED = 0xFFFFFFFF
_ENDLESS = sys.maxsize
_ITEM, _ITEM_END, _SEQUENCE_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0", b"\xfe\xff\xdd\xe0"
_NOTHING: dict[bytes, Wanted] = {}

# PS3.5 7.1.2: VRs whose length has four bytes after two reserved ones, and those with two.
_WIDE = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_NARROW = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())

# Tag and VR of the narrow elements that are kept, and of those met so far that are not: one look-up for both, which
# only saves time. Bounded, because damaged files hold tags without end.
_KEPT = {tag + w.vr: (w.name, w.vr) for tag, w in WANTED.items() if w.vr in _NARROW}
_SKIPPED: set[bytes] = set()
_MOST_SKIPPED = 1 << 16

_keyed = struct.Struct("<6sH").unpack_from
_explicit = struct.Struct("<4s2sH").unpack_from
_implicit = struct.Struct("<4sL").unpack_from
_length = struct.Struct("<L").unpack_from


class _OddError(Exception):
    """The file leaves the paths that this reader knows."""


class _ShortError(Exception):
    """The window ends inside an element that is to be kept."""


def read(source: Source) -> DicomFile:
    """Kept elements of a DICOM file.

    Parameters
    ----------
    source : Source
        The file, with or without preamble and meta information, in any byte order or deflated.

    Raises
    ------
    ItemError
        ``unreadable_header`` when the bytes are no DICOM file or its header is damaged.
    """
    try:
        return _read(source)
    except _OddError:
        from radlake.formats.dicom.fallback import read_by_pydicom

        return read_by_pydicom(source)


class _Bytes(Protocol):
    """Anything with bytes at offsets."""

    def read_at(self, offset: int, count: int) -> bytes: ...


class _Inflated:
    """Bytes of a deflated data set (PS3.5 A.5), inflated only as far as asked."""

    def __init__(self, source: Source, start: int) -> None:
        self._stored = source.read_at(start, _MOST)
        self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
        self._data = bytearray()

    def read_at(self, offset: int, count: int) -> bytes:
        """Up to `count` bytes from `offset`; fewer at the end or at the limit."""
        wanted = min(offset + count, _MOST)
        try:
            while len(self._data) < wanted and (
                part := self._stream.decompress(self._stored, wanted - len(self._data))
            ):
                self._data += part
                self._stored = self._stream.unconsumed_tail
        except zlib.error:
            raise ItemError("unreadable_header") from None
        return bytes(self._data[offset : offset + count])


def _read(source: Source) -> DicomFile:
    """The fast path."""
    window = source.read_at(0, _WINDOW)
    if window[128:132] != b"DICM":
        raise _OddError
    elements = Elements()
    start = _read_meta(window, elements)
    syntax = elements.text("TransferSyntaxUID")
    if syntax is None or syntax == BIG_ENDIAN:
        raise _OddError
    if syntax == DEFLATED:
        return DicomFile(elements, syntax, _read_deflated(source, start, elements))
    explicit = syntax != IMPLICIT
    if not explicit and window[start + 4 : start + 6] in _WIDE:
        raise _OddError  # says implicit, is explicit
    stop = _read_data_set(source, window, start, explicit, elements)
    return DicomFile(elements, syntax, stop and stop.span(source.size, explicit))


def _read_deflated(source: Source, start: int, into: Elements) -> PixelSpan | None:
    """Keep the elements of a deflated data set; what is stored of the pixels is taken to be the whole file."""
    data = _Inflated(source, start)
    try:
        stop = _read_data_set(data, data.read_at(0, _WINDOW), 0, True, into)
    except _OddError:  # pydicom would inflate all of it, however much that is
        raise ItemError("unreadable_header") from None
    return stop and stop.span(source.size + stop.at, True)


def _read_meta(window: bytes, into: Elements) -> int:
    """Keep the meta information, which is explicit little endian (PS3.10 7.1); return where it ends."""
    p = 132
    while window[p : p + 2] == b"\x02\x00":
        try:
            tag, vr, length = _explicit(window, p)
            q = p + 8
            if vr in _WIDE:
                length, q = _length(window, q)[0], p + 12
        except struct.error:
            raise _OddError from None
        if tag in WANTED:
            into.values[WANTED[tag].name] = (vr, window[q : q + length])
        p = q + length
    if p + 8 > len(window):
        raise _OddError
    return p


class _Stop(NamedTuple):
    """The element at which reading ended: its offset and its first bytes."""

    at: int
    head: bytes

    def span(self, size: int, explicit: bool) -> PixelSpan | None:
        """Name and stored bytes of the pixels in a file of this size; None if it is no pixel element."""
        name = WANTED[self.head[:4]].name
        if not name.endswith("PixelData"):
            return None
        wide = explicit and self.head[4:6] in _WIDE
        length = (
            _length(self.head, 8)[0] if wide else (_explicit(self.head)[2] if explicit else _implicit(self.head)[1])
        )
        return PixelSpan(name, min(length, max(0, size - self.at - (12 if wide else 8))))


def _read_data_set(data: _Bytes, window: bytes, p: int, explicit: bool, into: Elements) -> _Stop | None:
    """Keep the listed elements of a data set from position p of the first window; return where reading ended.

    The window moves on; when an element that is to be kept does not fit, it grows.
    """
    at, size = 0, _WINDOW
    while True:
        p = _walk(window, p, _ENDLESS, explicit, into, 0)
        stop = WANTED.get(window[p : p + 4])
        if stop is not None and stop.stop and p + 12 <= len(window):
            return _Stop(at + p, window[p : p + 12])
        if len(window) < size:
            if p > len(window) or p + 8 <= len(window):
                raise _OddError  # an element runs past the end of the file
            return None
        size = min(size * 2, _STEP) if p else size * 4
        if size > _MOST:
            raise ItemError("unreadable_header")
        at, p, window = at + p, 0, data.read_at(at + p, size)


def _walk(  # noqa: PLR0912 - the loop, see below
    b: bytes, p: int, end: int, explicit: bool, into: Elements, depth: int, wanted: Mapping[bytes, Wanted] = WANTED
) -> int:
    """Keep wanted elements from p until the end, an item's end or a stop; return the position.

    At depth 0 the position may be that of an element which the window does not hold whole. One loop with few calls,
    because it runs once an element: reading a header spends nearly all of its time in the first lines.
    """
    n, values = len(b), into.values
    kept = _KEPT if wanted is WANTED else {}
    try:
        while p < end:
            if explicit:
                key, length = _keyed(b, p)
                if key in _SKIPPED:
                    p += length + 8
                    continue
                q = p + 8
                if key in kept:
                    if q + length > n:
                        raise _ShortError
                    name, vr = kept[key]
                    p = q + length
                    values[name] = vr, b[q:p]
                    continue
                tag, vr = key[:4], key[4:]
                if vr in _NARROW:
                    p = _narrow(b, q, length, key, into, wanted)
                    continue
                if vr not in _WIDE:
                    if tag == _ITEM_END and depth:
                        return p + 8
                    raise _OddError
                q, length = p + 12, _length(b, p + 8)[0]
            else:
                tag, length = _implicit(b, p)
                if tag == _ITEM_END and depth:
                    return p + 8
                q, vr = p + 8, b""
            if tag in wanted and not (depth and wanted[tag].stop):
                if wanted[tag].stop:
                    return p
                p = _keep(b, q, length, vr, wanted[tag], into, depth)
            elif length != _UNDEFINED:
                p = q + length
            else:
                p = _items(b, q, length, explicit and vr != b"UN", depth)
    except (_ShortError, struct.error):
        if depth:
            raise
    return p


def _narrow(b: bytes, q: int, length: int, key: bytes, into: Elements, wanted: Mapping[bytes, Wanted]) -> int:
    """Keep an element with an unusual VR, or skip one and remember that its like are skipped; return where it ends."""
    tag = key[:4]
    if tag in wanted:
        if q + length > len(b):
            raise _ShortError
        into.values[wanted[tag].name] = (key[4:], b[q : q + length])
    elif tag not in WANTED and len(_SKIPPED) < _MOST_SKIPPED:
        _SKIPPED.add(key)
    return q + length


def _keep(b: bytes, q: int, length: int, vr: bytes, entry: Wanted, into: Elements, depth: int) -> int:
    """Keep one element whose value begins at q; return where the next one begins. No VR: implicit."""
    explicit = bool(vr) and vr != b"UN"  # PS3.5 6.2.2: a sequence sent as UN is implicit inside
    if not explicit:
        vr = entry.vr
    if vr == b"SQ":
        return _items(b, q, length, explicit, depth, into, entry.name)
    if length == _UNDEFINED:
        raise _OddError
    if q + length > len(b):
        raise _ShortError
    into.values[entry.name] = (vr, b[q : q + length])
    return q + length


def _items(
    b: bytes, q: int, length: int, explicit: bool, depth: int, parent: Elements | None = None, name: str = ""
) -> int:
    """Keep the items of a sequence whose value begins at q, or without a parent skip them; return where it ends."""
    if depth >= _DEPTH:
        raise ItemError("unreadable_header")
    items: list[Elements] = []
    end = _ENDLESS if length == _UNDEFINED else q + length
    if end != _ENDLESS and end > len(b):
        raise _ShortError
    while q < end:
        tag, size = _implicit(b, q)
        q += 8
        if tag == _SEQUENCE_END and end == _ENDLESS:
            end = q
            break
        if tag != _ITEM:
            raise _OddError
        last = _ENDLESS if size == _UNDEFINED else q + size
        if parent is None and last != _ENDLESS:
            q = last
            continue
        items.append(Elements(parent=parent))
        q = _walk(b, q, last, explicit, items[-1], depth + 1, _NOTHING if parent is None else WANTED)
        if last not in (q, _ENDLESS):
            raise _OddError
    if parent is not None:
        parent.sequences[name] = items
    return end
