"""Blanking boxes and faces in the stored samples of a DICOM object, and encoding them again without loss.

Uncompressed samples are changed in place: all others stay bit by bit. Compressed frames are decoded, blanked and
encoded in the same transfer syntax where it has a lossless form that a library writes, else in JPEG-LS Lossless.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import UID

from radlake.core.fault import ItemError, Term
from radlake.core.image import Array, BoolArray
from radlake.formats.dicom.decode import DECODERS, stored_frame
from radlake.formats.dicom.frames import Frames, Layout

Box = tuple[int, int, int, int]  # top, left, bottom, right; half open
_J = "1.2.840.10008.1.2.4."
JPEG_LS_LOSSLESS = _J + "80"
_YBR_BLACK = (0, 128, 128)  # PS3.3 C.7.6.3.1.2
_NEAREST_WHITE = "MONOCHROME1"  # the lowest value is white
_OFFSET_TABLES = (0x7FE00001, 0x7FE00002)  # Extended Offset Table and its lengths


class Blanked(NamedTuple):
    """A pixel element without what lay in the boxes.

    Parameters
    ----------
    parts : iterator of bytes
        The element, its header included, frame by frame.
    syntax : str
        Transfer syntax UID of the result.
    """

    parts: Iterator[bytes]
    syntax: str


def blanked(frames: Frames, boxes: Sequence[Box], clean: Dataset, face: BoolArray | None = None) -> Blanked:
    """The pixel element with boxes blanked in every frame, and what a mask shows.

    Parameters
    ----------
    frames : Frames
        The open object.
    boxes : sequence of (top, left, bottom, right)
        In pixels, half open.
    clean : pydicom.Dataset
        What describes the pixels (photometric interpretation, planar configuration, transfer syntax, offset tables) is
        brought up to date in it.
    face : (frames, rows, columns) bool array, optional
        Pixels to blank in each frame of an object of one sample a pixel.

    Raises
    ------
    ItemError
        ``unsupported_format`` for samples of one bit and words in swapped order, ``undecodable_pixels`` where a frame
        does not come back from its encoding as it went in, ``face_left`` where the mask does not fit.
    """
    layout = frames.layout
    if face is not None and (layout.samples > 1 or face.shape != (frames.count, layout.rows, layout.columns)):
        raise ItemError("face_left", why=Term("the frames are not those of the volume"))
    if frames.native:
        if frames.layout.allocated == 1 or frames.layout.swapped:
            raise ItemError("unsupported_format", format=Term("blanking of samples stored in this way"))
        return Blanked(_native(frames, boxes, clean, face), frames.syntax)
    syntax = frames.syntax if frames.syntax in ENCODERS else JPEG_LS_LOSSLESS
    clean.file_meta.TransferSyntaxUID = UID(syntax)
    for tag in _OFFSET_TABLES:
        clean.pop(tag, None)
    if frames.layout.samples > 1:  # decoding has brought colours to RGB
        clean.PhotometricInterpretation, clean.PlanarConfiguration = "RGB", 0
    return Blanked(_encapsulated(frames, boxes, syntax, face), syntax)


def blank(samples: Array, boxes: Sequence[Box], photometric: str, mask: BoolArray | None = None) -> Array:
    """A copy of decoded samples with black boxes, and black where a mask is.

    Parameters
    ----------
    samples : (rows, columns) or (rows, columns, 3) array
        Stored values, colours as RGB.
    boxes : sequence of (top, left, bottom, right)
    photometric : str
        Decides which grey value is black.
    mask : (rows, columns) bool array, optional

    Examples
    --------
    >>> blank(np.array([[5, 6, 7]]), [(0, 1, 1, 3)], "MONOCHROME2").tolist()
    [[5, 5, 5]]
    """
    value = _black(samples, photometric)
    changed = samples.copy()
    for top, left, bottom, right in boxes:
        changed[top:bottom, left:right] = value
    if mask is not None:
        changed[mask] = value
    return changed


def _black(samples: Array, photometric: str) -> object:
    """The darkest value of a frame."""
    if samples.ndim == 3:
        return 0
    return samples.max() if photometric == _NEAREST_WHITE else samples.min()


def _native(frames: Frames, boxes: Sequence[Box], clean: Dataset, face: BoolArray | None) -> Iterator[bytes]:
    """An uncompressed pixel element (PS3.5 7.1.2), of an even number of bytes."""
    length = frames.count * frames.layout.frame_bits // 8
    implicit, little = clean.original_encoding
    order = "<" if little else ">"
    tag = {0: 0x0010, 4: 0x0008, 8: 0x0009}[frames.layout.float_bytes]
    head = struct.pack(f"{order}HH", 0x7FE0, tag)
    if not implicit:
        head += (b"OF", b"OD")[frames.layout.float_bytes == 8] if frames.layout.float_bytes else b"OW"
        head += bytes(2)
    yield head + struct.pack(f"{order}L", length + length % 2)
    for index in range(frames.count):
        yield _blank_native(frames.coded(index), boxes, frames.layout, None if face is None else face[index])
    yield bytes(length % 2)


def _blank_native(coded: bytes, boxes: Sequence[Box], layout: Layout, mask: BoolArray | None = None) -> bytes:
    """Bytes of one uncompressed frame with black boxes and mask; all other bits stay."""
    if layout.subsampled:
        pairs = np.frombuffer(coded, np.uint8).copy().reshape(layout.rows, layout.columns // 2, 4)
        for top, left, bottom, right in boxes:
            pairs[top:bottom, left // 2 : -(-right // 2)] = (0, 0, 128, 128)  # Y1 Y2 Cb Cr
        return pairs.tobytes()
    order = ">" if layout.big_endian else "<"
    kind = np.dtype(f"{order}{'f' if layout.float_bytes else 'i' if layout.signed else 'u'}{layout.allocated // 8}")
    flat = np.frombuffer(coded, kind).copy()
    if layout.samples == 1:
        frame: Array = flat.reshape(layout.rows, layout.columns)
        value = _black(frame, layout.photometric)
    else:
        shape = (layout.samples, layout.rows, layout.columns)
        planes = flat.reshape(shape) if layout.planar else flat.reshape(*shape[1:], shape[0]).transpose(2, 0, 1)
        frame, value = planes.transpose(1, 2, 0), _YBR_BLACK if layout.photometric.startswith("YBR") else 0
    for top, left, bottom, right in boxes:
        frame[top:bottom, left:right] = value
    if mask is not None:
        frame[mask] = value
    return flat.tobytes()


def _encapsulated(frames: Frames, boxes: Sequence[Box], syntax: str, face: BoolArray | None) -> Iterator[bytes]:
    """An encapsulated pixel element (PS3.5 A.4) with an empty offset table and one fragment a frame."""
    yield struct.pack("<HH2sHL", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF) + struct.pack("<HHL", 0xFFFE, 0xE000, 0)
    for index in range(frames.count):
        mask = None if face is None else face[index]
        changed = blank(stored_frame(frames, index), boxes, frames.layout.photometric, mask)
        coded = _encoded(changed, syntax, frames.layout)
        yield struct.pack("<HHL", 0xFFFE, 0xE000, len(coded)) + coded
    yield struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)


def _encoded(samples: Array, syntax: str, layout: Layout) -> bytes:
    """A frame in a transfer syntax, of even length; it is decoded again to be sure that nothing else changed."""
    try:
        coded = ENCODERS[syntax](samples, layout)
        coded += bytes(len(coded) % 2)
        described = replace(layout, photometric="RGB", planar=False) if samples.ndim == 3 else layout
        back = DECODERS[syntax](coded, described)
    except ItemError:
        raise
    except Exception:  # noqa: BLE001 - codecs have an error class each, with no common base
        raise ItemError("undecodable_pixels") from None
    if back.shape != samples.shape or not np.array_equal(back, samples):
        raise ItemError("undecodable_pixels")
    return coded


def _rle(samples: Array, layout: Layout) -> bytes:
    """RLE Lossless (PS3.5 annex G): a segment for each byte of each sample, rows packed one by one."""
    import imagecodecs

    planes = samples[None] if samples.ndim == 2 else np.moveaxis(samples, -1, 0)
    width = samples.dtype.itemsize
    segments = []
    for plane in planes:
        bytes_ = np.ascontiguousarray(plane).view(np.uint8).reshape(*plane.shape, width)
        for byte in reversed(range(width)):  # the most significant first
            packed = b"".join(imagecodecs.packbits_encode(row.tobytes()) for row in bytes_[..., byte])
            segments.append(packed + bytes(len(packed) % 2))
    edges = np.cumsum([64, *(len(s) for s in segments)])[:-1].tolist()
    return struct.pack("<16L", len(segments), *edges, *[0] * (15 - len(edges))) + b"".join(segments)


def _jpeg_ls(samples: Array, layout: Layout) -> bytes:
    """JPEG-LS without loss; it knows no sign, so samples go as they lie in memory."""
    import imagecodecs

    return bytes(imagecodecs.jpegls_encode(np.ascontiguousarray(samples).view(f"u{samples.dtype.itemsize}"), level=0))


def _jpeg_2000(samples: Array, layout: Layout) -> bytes:
    """JPEG 2000, reversible, without a transformation of colours."""
    import imagecodecs

    bits = None if layout.signed else min(layout.stored, 8 * samples.dtype.itemsize)
    whole = np.ascontiguousarray(samples)
    return bytes(
        imagecodecs.jpeg2k_encode(whole, level=0, reversible=True, mct=False, codecformat="j2k", bitspersample=bits)
    )


def _jpeg_xl(samples: Array, layout: Layout) -> bytes:
    """JPEG XL without loss."""
    import imagecodecs

    return bytes(
        imagecodecs.jpegxl_encode(np.ascontiguousarray(samples).view(f"u{samples.dtype.itemsize}"), lossless=True)
    )


def _uncompressed(samples: Array, layout: Layout) -> bytes:
    """Encapsulated uncompressed samples (PS3.5 A.4.11)."""
    return samples.astype(samples.dtype.newbyteorder("<")).tobytes()


def _deflated(samples: Array, layout: Layout) -> bytes:
    """Deflated Image Frame Compression (PS3.5 A.4.13)."""
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflate.compress(_uncompressed(samples, layout)) + deflate.flush()


# Syntaxes that have a lossless form which a library writes; others become JPEG-LS Lossless.
ENCODERS: dict[str, Callable[[Array, Layout], bytes]] = {
    "1.2.840.10008.1.2.5": _rle,
    "1.2.840.10008.1.2.8.1": _deflated,
    "1.2.840.10008.1.2.1.98": _uncompressed,
    **dict.fromkeys([_J + n for n in ("80", "81")], _jpeg_ls),
    **dict.fromkeys([_J + n for n in ("90", "91")], _jpeg_2000),
    **dict.fromkeys([_J + n for n in ("110", "112")], _jpeg_xl),
}
