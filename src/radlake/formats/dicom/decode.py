"""Coded frames to stored samples, one function a family of transfer syntaxes, in one table.

The codecs are imagecodecs' (libjpeg-turbo, CharLS, OpenJPEG, libjxl); 8-bit colour comes out as RGB. A codestream's
own header is read first, so a picture of other size than the DICOM header's is refused before memory is taken.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from radlake.core.fault import ItemError, Term
from radlake.core.image import Array
from radlake.formats.dicom.colour import expand_422, ybr_to_rgb
from radlake.formats.dicom.frames import Frames, Layout
from radlake.formats.source import MIB

_SUSPECT_BYTES = 64 * MIB  # smaller frames are decoded whatever their ratio
_RLE_HEADER_BYTES = 64
_MAX_RATIO = 20_000  # an empty 512 x 512 x 16 bit frame is about 5,000:1 in JPEG 2000


class Codestream(NamedTuple):
    """What a codestream's own header says: size, bits a sample, and whether its colours are YCbCr (None: unsaid)."""

    rows: int
    columns: int
    samples: int
    precision: int
    ybr: bool | None


def stored_frame(frames: Frames, index: int) -> Array:
    """Stored samples of one frame: (rows, columns) or (rows, columns, samples), colour as RGB.

    Unused high bits are cleared and the sign is extended from the highest bit in use (PS3.5 8.1.1).

    Parameters
    ----------
    frames : Frames
        An open object.
    index : int
        Frame number from 0.

    Raises
    ------
    ItemError
        ``unsupported_syntax``, ``undecodable_pixels``, ``truncated_pixels``, ``contradictory_header``, ``bomb``.
    """
    layout, coded = frames.layout, frames.coded(index)
    if frames.native:
        return _native(coded, layout, index)
    decoder = DECODERS.get(frames.syntax)
    if decoder is None:
        raise ItemError("unsupported_syntax", syntax=_name_of(frames.syntax))
    if layout.frame_bytes > max(_SUSPECT_BYTES, _MAX_RATIO * len(coded)):
        raise ItemError("bomb", promised_mib=layout.frame_bytes // MIB, stored_mib=round(len(coded) / MIB, 3))
    try:
        return decoder(coded, layout)
    except ItemError:
        raise
    except Exception:  # noqa: BLE001 - codecs have an error class each, with no common base
        raise ItemError("undecodable_pixels") from None


def _name_of(syntax: str) -> Term:
    """Registered name of a transfer syntax; never an unregistered UID, which may identify."""
    from pydicom._uid_dict import UID_dictionary

    return Term(UID_dictionary[syntax][0] if syntax in UID_dictionary else "(private)")


def _sample_type(layout: Layout) -> np.dtype[np.generic]:
    """Type of the samples in memory; 1-bit samples take a byte."""
    kind = "f" if layout.float_bytes else "i" if layout.signed else "u"
    return np.dtype(f"{kind}{max(1, layout.allocated // 8)}")


def _use_bits(samples: Array, layout: Layout, *, stored: int, high_bit: int) -> Array:
    """Samples in the layout's type, with only the bits in use and their sign."""
    target = _sample_type(layout)
    width = 8 * target.itemsize
    unsigned = samples.astype(f"u{target.itemsize}", copy=False)
    if stored == width:
        return unsigned.view(target)
    # Left to drop what lies above the highest bit in use, right to drop what lies below (arithmetic when signed).
    lifted: Array = np.left_shift(unsigned, width - 1 - high_bit).view(target)
    return lifted >> (width - stored)


def _native(coded: bytes, layout: Layout, index: int) -> Array:
    """Uncompressed samples (PS3.5 8.2 and annexes A and D)."""
    if layout.allocated == 1:
        return _unpack_bits(coded, layout, skip=index * layout.frame_bits % 8)
    if layout.swapped:
        skip = index * layout.frame_bytes % 2
        coded = np.frombuffer(coded, ">u2").astype("<u2").tobytes()[skip : skip + layout.frame_bytes]
    kind = _sample_type(layout)
    flat = np.frombuffer(coded, kind.newbyteorder(">" if layout.big_endian else "<"))
    flat = flat.astype(kind, copy=False)
    if layout.subsampled:
        return ybr_to_rgb(expand_422(flat, layout.rows, layout.columns))
    if not layout.float_bytes:
        flat = _use_bits(flat, layout, stored=layout.stored, high_bit=layout.high_bit)
    return _coloured(_shaped(flat, layout, planar=layout.planar), layout)


def _unpack_bits(coded: bytes | bytearray, layout: Layout, *, skip: int) -> Array:
    """Samples of one bit, the first one in the lowest bit of a byte (PS3.5 8.1.1)."""
    count = layout.rows * layout.columns
    bits = np.unpackbits(np.frombuffer(coded, np.uint8), bitorder="little")
    return bits[skip : skip + count].reshape(layout.rows, layout.columns)


def _shaped(flat: Array, layout: Layout, *, planar: bool) -> Array:
    """A flat array as (rows, columns) or (rows, columns, samples)."""
    if layout.samples == 1:
        return flat.reshape(layout.rows, layout.columns)
    if planar:
        return flat.reshape(layout.samples, layout.rows, layout.columns).transpose(1, 2, 0)
    return flat.reshape(layout.rows, layout.columns, layout.samples)


def _coloured(samples: Array, layout: Layout) -> Array:
    """RGB from full-range YCbCr; everything else as it is."""
    is_ybr = samples.ndim == 3 and layout.photometric in {"YBR_FULL", "YBR_FULL_422"}
    return ybr_to_rgb(samples) if is_ybr else samples


def _rle(coded: bytes, layout: Layout) -> Array:
    """RLE Lossless (PS3.5 annex G): one segment a byte of each sample, the most significant byte first."""
    width, count = (
        max(1, layout.allocated // 8),
        -(-layout.rows * layout.columns // (8 if layout.allocated == 1 else 1)),
    )
    segments = _rle_segments(coded)
    if len(segments) != layout.samples * width:
        raise ItemError("contradictory_header", what=Term("the number of RLE segments"))
    planes = np.empty((layout.samples, count, width), dtype=np.uint8)
    for number, segment in enumerate(segments):
        data = _unpack_bytes(segment)
        if len(data) < count:
            raise ItemError("truncated_pixels", expected=count, found=len(data))
        planes[number // width, :, width - 1 - number % width] = np.frombuffer(data, np.uint8, count)
    if layout.allocated == 1:
        return _unpack_bits(planes.tobytes(), layout, skip=0)
    flat = planes.reshape(-1).view(f"<u{width}")
    flat = _use_bits(flat, layout, stored=layout.stored, high_bit=layout.high_bit)
    return _coloured(_shaped(flat, layout, planar=True), layout)


def _rle_segments(coded: bytes) -> list[bytes]:
    """Segments by the offsets in the RLE header, checked here because the codecs trust them (PS3.5 G.5)."""
    if len(coded) < _RLE_HEADER_BYTES:
        raise ItemError("truncated_pixels", expected=_RLE_HEADER_BYTES, found=len(coded))
    count, *offsets = struct.unpack_from("<16I", coded)
    edges = [*offsets[: min(count, 15)], len(coded)]
    if edges != sorted(edges) or edges[0] < _RLE_HEADER_BYTES:
        raise ItemError("undecodable_pixels")
    return [coded[low:high] for low, high in pairwise(edges)]


def _unpack_bytes(segment: bytes) -> bytes:
    """A PackBits segment (PS3.5 G.3.2), without the byte that may fill it up to an even length."""
    import imagecodecs

    try:
        return bytes(imagecodecs.packbits_decode(segment))
    except imagecodecs.ImcdError:
        return bytes(imagecodecs.packbits_decode(segment[:-1]))


def _deflated_frame(coded: bytes, layout: Layout) -> Array:
    """Deflated Image Frame Compression (PS3.5 A.4.13): each frame by itself."""
    data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(coded, layout.frame_bytes)
    if len(data) < layout.frame_bytes:
        raise ItemError("truncated_pixels", expected=layout.frame_bytes, found=len(data))
    return _native(data, layout, 0)


def _uncompressed_frame(coded: bytes, layout: Layout) -> Array:
    """Encapsulated Uncompressed Explicit VR Little Endian (PS3.5 A.4.11)."""
    if len(coded) < layout.frame_bytes:
        raise ItemError("truncated_pixels", expected=layout.frame_bytes, found=len(coded))
    return _native(coded[: layout.frame_bytes], layout, 0)


def _jpeg_lossy(coded: bytes, layout: Layout) -> Array:
    """JPEG with 8 or 12 bits, sequential or progressive (ISO/IEC 10918-1 processes 1 to 12)."""
    import imagecodecs

    head = _fitting(jpeg_header(coded), layout)
    if head.samples == 1:
        samples = imagecodecs.jpeg_decode(coded)
    else:
        is_ybr = layout.photometric.startswith("YBR") if head.ybr is None else head.ybr
        samples = imagecodecs.jpeg_decode(coded, colorspace="YCBCR" if is_ybr else "RGB", outcolorspace="RGB")
    return _use_bits(samples, layout, stored=head.precision, high_bit=head.precision - 1)


def _jpeg_lossless(coded: bytes, layout: Layout) -> Array:
    """JPEG lossless (ISO/IEC 10918-1 process 14)."""
    import imagecodecs

    _fitting(jpeg_header(coded), layout)
    samples = _use_bits(imagecodecs.jpeg_decode(coded), layout, stored=layout.stored, high_bit=layout.stored - 1)
    return _coloured(samples, layout)


def _jpeg_ls(coded: bytes, layout: Layout) -> Array:
    """JPEG-LS (ISO/IEC 14495-1); it knows no sign, so the sign comes from the DICOM header."""
    import imagecodecs

    head = _fitting(jpeg_header(coded), layout)
    samples = imagecodecs.jpegls_decode(coded, out=_empty(layout, 1 if head.precision <= 8 else 2))
    return _coloured(_use_bits(samples, layout, stored=head.precision, high_bit=head.precision - 1), layout)


def _jpeg_2000(coded: bytes, layout: Layout) -> Array:
    """JPEG 2000 and High-Throughput JPEG 2000 (ISO/IEC 15444-1 and -15); a sign that DICOM denies is undone."""
    import imagecodecs

    head = _fitting(jpeg_2000_header(coded), layout)
    samples = imagecodecs.jpeg2k_decode(coded)
    samples = _use_bits(samples, layout, stored=head.precision, high_bit=head.precision - 1)
    return samples if head.ybr else _coloured(samples, layout)


def _jpeg_xl(coded: bytes, layout: Layout) -> Array:
    """JPEG XL (ISO/IEC 18181); the prepared output refuses a picture of another size."""
    import imagecodecs

    samples = imagecodecs.jpegxl_decode(coded, out=_empty(layout, max(1, layout.allocated // 8)))
    return _use_bits(samples, layout, stored=layout.stored, high_bit=layout.stored - 1)


def _empty(layout: Layout, item: int) -> Array:
    """Room for one frame of unsigned samples; a codec refuses it when the codestream says otherwise."""
    shape = (layout.rows, layout.columns, layout.samples)
    return np.empty(shape[: 2 if layout.samples == 1 else 3], dtype=f"u{item}")


def _fitting(head: Codestream, layout: Layout) -> Codestream:
    """The codestream's header when it agrees with the DICOM header."""
    if (head.rows, head.columns, head.samples) != (layout.rows, layout.columns, layout.samples):
        raise ItemError("contradictory_header", what=Term("the size of the compressed picture"))
    if head.precision > max(8, layout.allocated):
        raise ItemError("contradictory_header", what=Term("the bits of the compressed picture"))
    return head


def jpeg_header(coded: bytes) -> Codestream:
    """Size, precision and colour space of a JPEG or JPEG-LS codestream.

    Colours are YCbCr after a JFIF mark or Adobe transform 1, and RGB after Adobe transform 0 or component ids "RGB".

    Raises
    ------
    ItemError
        ``undecodable_pixels`` when there is no frame header.

    References
    ----------
    ISO/IEC 10918-1 B.2; ISO/IEC 14495-1 C.2; ISO/IEC 10918-6 for the marks of colour.
    """
    ybr: bool | None = None
    position = 2
    while position + 4 <= len(coded) and coded[position] == 0xFF:
        marker = coded[position + 1]
        if marker == 0xFF:  # fill byte
            position += 1
            continue
        length = struct.unpack_from(">H", coded, position + 2)[0]
        body = coded[position + 4 : position + 2 + length]
        if marker == 0xF7 or (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)):
            return _frame_header(body, ybr)
        if marker == 0xE0 and body.startswith(b"JFIF"):
            ybr = True
        elif marker == 0xEE and body.startswith(b"Adobe") and len(body) >= 12:
            ybr = body[11] == 1
        position += 2 + length
    raise ItemError("undecodable_pixels")


def _frame_header(body: bytes, ybr: bool | None) -> Codestream:
    """A start-of-frame segment: precision, rows, columns, then the components."""
    if len(body) < 6:
        raise ItemError("undecodable_pixels")
    precision, rows, columns, samples = struct.unpack_from(">BHHB", body)
    is_rgb = body[6:15:3] in (b"RGB", b"rgb")
    return Codestream(rows, columns, samples, precision, False if is_rgb else ybr)


def jpeg_2000_header(coded: bytes) -> Codestream:
    """Size and precision of a JPEG 2000 codestream, bare or in a JP2 file; `ybr`: the codec turns it into RGB itself.

    Raises
    ------
    ItemError
        ``undecodable_pixels`` when there is no image size segment.

    References
    ----------
    ISO/IEC 15444-1 A.5.1 (SIZ) and A.6.1 (COD).
    """
    start = coded.find(b"\xff\x4f\xff\x51", 0, 1 << 16)
    if start < 0 or len(coded) < start + 45:
        raise ItemError("undecodable_pixels")
    right, bottom, left, top = struct.unpack_from(">4I", coded, start + 8)
    samples, depth = struct.unpack_from(">HB", coded, start + 40)
    mark = coded.find(b"\xff\x52", start + 42, start + (1 << 16))
    transformed = mark >= 0 and len(coded) > mark + 8 and coded[mark + 8] == 1
    return Codestream(bottom - top, right - left, samples, (depth & 0x7F) + 1, transformed)


_J = "1.2.840.10008.1.2.4."
DECODERS: dict[str, Callable[[bytes, Layout], Array]] = {
    "1.2.840.10008.1.2.5": _rle,
    "1.2.840.10008.1.2.8.1": _deflated_frame,
    "1.2.840.10008.1.2.1.98": _uncompressed_frame,
    **dict.fromkeys([_J + n for n in ("50", "51", "53", "55")], _jpeg_lossy),
    **dict.fromkeys([_J + n for n in ("57", "70")], _jpeg_lossless),
    **dict.fromkeys([_J + n for n in ("80", "81")], _jpeg_ls),
    **dict.fromkeys([_J + n for n in ("90", "91", "92", "93", "201", "202", "203")], _jpeg_2000),
    **dict.fromkeys([_J + n for n in ("110", "111", "112")], _jpeg_xl),
}
