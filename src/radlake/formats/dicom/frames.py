"""Random access to the coded frames of one DICOM object: where they lie and how they are laid out.

Frames are read one at a time from the open stream, so a 4 GiB multi-frame object never needs more memory than one
frame. Turning bytes into samples is `decode`; what samples mean is `rescale` and `colour`.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from radlake.core.fault import ItemError, Term
from radlake.core.stage import Row
from radlake.formats.dicom.dataset import (
    DEFLATED,
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    PIXEL_TAGS,
    integer_of,
    open_dataset,
    value_of,
)

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

NATIVE = frozenset({IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG, DEFLATED})

_UNDEFINED = 0xFFFFFFFF
_ITEM = 0xFFFEE000
_END_OF_CODESTREAM = b"\xff\xd9"  # JPEG and JPEG 2000
_PIXEL_VRS = {"OB", "OW", "OF", "OD", "UN"}
_ALLOCATED = (1, 8, 16, 32, 64)


class Span(NamedTuple):
    """A range of bytes in the stream."""

    offset: int
    length: int


@dataclass(frozen=True)
class Layout:
    """How one frame is stored: the Image Pixel module (PS3.3 C.7.6.3).

    Parameters
    ----------
    rows, columns, samples : int
        Size of a frame.
    allocated, stored, high_bit : int
        Bits of a sample in memory, bits in use, and the position of the highest one.
    signed : bool
        Two's complement.
    planar : bool
        Colour planes one after the other instead of interleaved.
    photometric : str
        Photometric interpretation.
    float_bytes : int
        4 or 8 for float pixel data, else 0.
    big_endian, swapped : bool
        Byte order of the samples; `swapped` means 8-bit samples stored as big-endian words (PS3.5 annex D).
    """

    rows: int
    columns: int
    samples: int = 1
    allocated: int = 16
    stored: int = 16
    high_bit: int = 15
    signed: bool = False
    planar: bool = False
    photometric: str = "MONOCHROME2"
    float_bytes: int = 0
    big_endian: bool = False
    swapped: bool = False

    @property
    def frame_bits(self) -> int:
        """Bits of one uncompressed frame as stored.

        Examples
        --------
        >>> Layout(512, 512).frame_bits // 8
        524288
        """
        samples = 2 if self.subsampled else self.samples
        return self.rows * self.columns * samples * self.allocated

    @property
    def frame_bytes(self) -> int:
        """Bytes of one uncompressed frame, the last one filled up."""
        return -(-self.frame_bits // 8)

    @property
    def subsampled(self) -> bool:
        """Uncompressed YBR_FULL_422 holds two samples a pixel (PS3.3 C.7.6.3.1.2)."""
        return self.photometric == "YBR_FULL_422" and self.samples == 3


@dataclass(frozen=True)
class Frames:
    """The frames of an open DICOM object.

    Parameters
    ----------
    stream : BinaryIO
        The open file (or its inflated copy).
    dataset : pydicom Dataset
        Everything before the pixels.
    syntax : str
        Transfer syntax UID.
    native : bool
        Uncompressed.
    count : int
        Frames that the header announces.
    layout : Layout
        How a frame is stored.
    spans : list of list of Span
        Byte ranges that make up each frame.
    """

    stream: BinaryIO
    dataset: Dataset
    syntax: str
    native: bool
    count: int
    layout: Layout
    spans: list[list[Span]]

    def coded(self, index: int) -> bytes:
        """Bytes of one frame as stored.

        Raises
        ------
        ItemError
            ``missing_frames`` when the object has fewer, ``truncated_pixels`` when the file ends before the frame.
        """
        if index >= len(self.spans):
            raise ItemError("missing_frames", expected=index + 1, found=len(self.spans))
        parts = []
        for offset, length in self.spans[index]:
            self.stream.seek(offset)
            parts.append(self.stream.read(length))
            if len(parts[-1]) < length:
                raise ItemError("truncated_pixels", expected=length, found=len(parts[-1]))
        return parts[0] if len(parts) == 1 else b"".join(parts)


@contextmanager
def open_frames(member: Row) -> Iterator[Frames]:
    """Open the pixels of one instance; closes the file at the end.

    Parameters
    ----------
    member : Row
        A row of `instances` with `uri` and, inside an archive, `member_name`.

    Raises
    ------
    ItemError
        ``unreadable_header``, ``no_pixels``, ``truncated_pixels``, ``contradictory_header``, ``unsupported_format``,
        ``bomb``.
    """
    with open_dataset(member) as (stream, dataset):
        yield frames_of(stream, dataset, member)


def frames_of(stream: BinaryIO, dataset: Dataset, member: Row) -> Frames:
    """The frames of a stream that stands at the pixel element of a data set. Errors as in `open_frames`."""
    element = _pixel_element(stream, dataset)
    layout = _layout(member, dataset, element)
    syntax = _syntax(dataset)
    count = max(1, integer_of(dataset, "NumberOfFrames") or 1)
    native = syntax in NATIVE and element.length != _UNDEFINED
    spans = _native_spans(element, layout, count) if native else _frame_spans(stream, element, dataset, count)
    return Frames(stream, dataset, syntax, native, count, layout, spans)


class _Element(NamedTuple):
    """The pixel element: where its value starts, stated length, bytes that are there, VR, bytes of a float."""

    offset: int
    length: int
    available: int
    vr: str
    float_bytes: int


def _pixel_element(stream: BinaryIO, dataset: Dataset) -> _Element:
    """Read the header of the pixel element at the stream's position (PS3.5 7.1.2)."""
    order = ">" if dataset.original_encoding[1] is False else "<"
    head = stream.read(12)
    if len(head) < 12:
        raise ItemError("no_pixels")
    # Some writers switch to implicit VR on the way. A VR cannot be mistaken for a length: lengths are even, "O" is odd.
    vr = head[4:6].decode("latin-1")
    explicit = vr in _PIXEL_VRS
    offset = stream.tell() - (0 if explicit else 4)
    group, element = struct.unpack(order + "HH", head[:4])
    length = struct.unpack_from(order + "I", head, 8 if explicit else 4)[0]
    tag = group << 16 | element
    if tag not in PIXEL_TAGS or length == 0:
        raise ItemError("no_pixels")
    available = stream.seek(0, io.SEEK_END) - offset
    return _Element(offset, length, available, vr if explicit else "OW", PIXEL_TAGS[tag])


def _syntax(dataset: Dataset) -> str:
    """Transfer syntax UID; where the file meta information lacks it, the one that the encoding implies."""
    stated = value_of(getattr(dataset, "file_meta", {}), "TransferSyntaxUID")
    if stated:
        return str(stated)
    implicit, little = dataset.original_encoding
    return IMPLICIT_LITTLE if implicit else EXPLICIT_BIG if little is False else EXPLICIT_LITTLE


def _layout(member: Row, dataset: Dataset, element: _Element) -> Layout:
    """Layout from the row that the header reader made; what the row lacks comes from the dataset."""
    rows, columns = member.get("rows") or 0, member.get("columns") or 0
    if rows <= 0 or columns <= 0:
        raise ItemError("contradictory_header", what=Term("no rows or columns"))
    allocated = 8 * element.float_bytes or member.get("bits_allocated") or 0
    if allocated not in _ALLOCATED:
        raise ItemError("unsupported_format", format=Term("samples of this many bits"))
    stored = min(member.get("bits_stored") or allocated, allocated)
    high_bit = integer_of(dataset, "HighBit")
    big_endian = dataset.original_encoding[1] is False
    return Layout(
        rows=rows,
        columns=columns,
        samples=member.get("samples") or 1,
        allocated=allocated,
        stored=stored,
        high_bit=high_bit if high_bit is not None and stored - 1 <= high_bit < allocated else stored - 1,
        signed=bool(member.get("pixel_signed")),
        planar=integer_of(dataset, "PlanarConfiguration") == 1,
        photometric=member.get("photometric") or "MONOCHROME2",
        float_bytes=element.float_bytes,
        big_endian=big_endian,
        swapped=big_endian and allocated == 8 and element.vr == "OW",
    )


def _native_spans(element: _Element, layout: Layout, count: int) -> list[list[Span]]:
    """Byte ranges of uncompressed frames; a frame of 1-bit samples may begin inside a byte (PS3.5 8.1.1)."""
    bits = layout.frame_bits
    expected = -(-count * bits // 8)
    found = min(element.length, element.available)
    if found < expected:
        raise ItemError("truncated_pixels", expected=expected, found=found)
    unit = 16 if layout.swapped else 8  # words that were swapped are read whole
    edges = ((i * bits // unit * unit // 8, -(-(i + 1) * bits // unit) * unit // 8) for i in range(count))
    return [[Span(element.offset + low, high - low)] for low, high in edges]


def _frame_spans(stream: BinaryIO, element: _Element, dataset: Dataset, count: int) -> list[list[Span]]:
    """Byte ranges of compressed frames (PS3.5 A.4): by offset table, one fragment each, or end-of-codestream marks."""
    if element.length != _UNDEFINED:  # non-conformant, but seen: a bare codestream with a defined length
        return [[Span(element.offset, min(element.length, element.available))]]
    fragments = _fragments(stream, element.offset)
    if not fragments:
        raise ItemError("truncated_pixels", expected=count, found=0)
    table, fragments = fragments[0], fragments[1:]
    stream.seek(table.offset)
    offsets = _offsets(dataset, stream.read(table.length))
    if len(fragments) == count:
        return [[f] for f in fragments]
    if count == 1:
        return [fragments]
    if len(offsets) == count and fragments:
        return _by_offsets(fragments, offsets)
    return _by_marks(stream, fragments)


def _fragments(stream: BinaryIO, offset: int) -> list[Span]:
    """Values of the items of an encapsulated pixel element, the basic offset table first."""
    found: list[Span] = []
    stream.seek(offset)
    while len(head := stream.read(8)) == 8:
        group, element, length = struct.unpack("<HHI", head)
        if group << 16 | element != _ITEM or length == _UNDEFINED:
            break
        found.append(Span(stream.tell(), length))
        stream.seek(length, io.SEEK_CUR)
    return found


def _offsets(dataset: Dataset, table: bytes) -> list[int]:
    """Frame offsets from the extended offset table (PS3.3 C.7.6.3.1.8), else from the basic one."""
    extended = value_of(dataset, "ExtendedOffsetTable")
    if isinstance(extended, bytes) and len(extended) >= 8:
        return list(struct.unpack(f"<{len(extended) // 8}Q", extended[: len(extended) // 8 * 8]))
    return list(struct.unpack(f"<{len(table) // 4}I", table[: len(table) // 4 * 4]))


def _by_offsets(fragments: list[Span], offsets: list[int]) -> list[list[Span]]:
    """Fragments dealt out to frames: offsets count from the first fragment's item tag."""
    start = fragments[0].offset
    frames: list[list[Span]] = [[] for _ in offsets]
    index = 0
    for fragment in fragments:
        while index + 1 < len(offsets) and fragment.offset - start >= offsets[index + 1]:
            index += 1
        frames[index].append(fragment)
    return frames


def _by_marks(stream: BinaryIO, fragments: list[Span]) -> list[list[Span]]:
    """Fragments dealt out to frames: a codestream's end mark closes a frame."""
    frames: list[list[Span]] = [[]]
    for fragment in fragments:
        frames[-1].append(fragment)
        stream.seek(fragment.offset + max(0, fragment.length - 10))  # padding may follow the mark
        if _END_OF_CODESTREAM in stream.read(min(10, fragment.length)):
            frames.append([])
    return frames if frames[-1] else frames[:-1]
