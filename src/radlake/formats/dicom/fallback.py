"""Reading of odd DICOM files by pydicom: no preamble or meta information, big endian, wrong VRs, cut-off elements.

The result is the same `DicomFile` that `reader` gives. Input is bounded, and whatever pydicom raises means one thing:
the header cannot be read.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING

from radlake.core.fault import ItemError
from radlake.formats.dicom.elements import BINARY, DicomFile, Elements, PixelSpan, silent_pydicom
from radlake.formats.dicom.tags import WANTED
from radlake.formats.source import Source

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_PREFIXES = (256 << 10, 4 << 20, 32 << 20)  # most headers end in the first; none is read beyond the last
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_PIXELS = {0x7FE00008: "FloatPixelData", 0x7FE00009: "DoubleFloatPixelData", 0x7FE00010: "PixelData"}
_BY_TAG = {struct.unpack("<HH", key): wanted for key, wanted in WANTED.items() if not wanted.stop}
_EVIDENCE = ("SOPClassUID", "MediaStorageSOPClassUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality", "Rows")


def read_by_pydicom(source: Source) -> DicomFile:
    """Kept elements of a DICOM file, read by pydicom.

    Raises
    ------
    ItemError
        ``unreadable_header`` when pydicom fails, finds nothing that a DICOM object must have, or would have to inflate.
    """
    for limit in _PREFIXES:
        data = source.read_at(0, limit)
        if _DEFLATED in data[:4096]:  # pydicom would inflate all of it, however much that is
            break
        whole = len(data) < limit
        stream = io.BytesIO(data)
        try:
            with silent_pydicom():
                found = _read(source, stream)
        except Exception:  # noqa: BLE001 - pydicom documents no closed list of what damaged bytes can raise
            if whole:
                break
            continue
        if not any(name in found.elements for name in _EVIDENCE):
            break
        if whole or found.pixels:
            return found
    raise ItemError("unreadable_header")


def _read(source: Source, stream: io.BytesIO) -> DicomFile:
    """What pydicom reads before the pixels, as our own types."""
    import pydicom

    ds = pydicom.dcmread(stream, stop_before_pixels=True, force=True)
    elements = Elements()
    for part in (ds.file_meta, ds):
        _adopt(part, elements)
    return DicomFile(elements, elements.text("TransferSyntaxUID") or _syntax(ds), _pixels(source, stream, ds))


def _syntax(ds: Dataset) -> str | None:
    """Transfer syntax of a file that does not state it, from how pydicom could read it."""
    implicit, little = ds.original_encoding
    if implicit is None or little is None:
        return None
    return "1.2.840.10008.1.2" if implicit else f"1.2.840.10008.1.2.{1 if little else 2}"


def _adopt(ds: Dataset, into: Elements) -> None:
    """Copy the wanted elements of a pydicom data set."""
    from pydicom.dataelem import RawDataElement

    into.order = "<" if ds.original_encoding[1] in (True, None) else ">"
    for tag in ds.keys():  # noqa: SIM118 - iterating a Dataset converts every element
        wanted = _BY_TAG.get((tag >> 16, tag & 0xFFFF))
        if wanted is None:
            continue
        element = ds.get_item(tag)
        vr = str(element.VR or "UN").encode()
        vr = wanted.vr if vr == b"UN" else vr
        if vr == b"SQ":
            items = into.sequences[wanted.name] = []
            for item in ds[tag].value:
                items.append(Elements(parent=into))
                _adopt(item, items[-1])
        elif isinstance(element, RawDataElement):
            into.values[wanted.name] = (vr, element.value or b"")
        else:  # pydicom has decoded it on its way: the character set, the meta information, empty values
            into.values[wanted.name] = (vr, _encoded(vr, element.value, into.order))


def _encoded(vr: bytes, value: object, order: str) -> bytes:
    """Bytes of a value that pydicom has decoded."""
    parts = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    parts = [part for part in parts if part is not None]
    if (order, vr) in BINARY:
        return b"".join(BINARY[order, vr].pack(part) for part in parts if part != "")
    return "\\".join(map(str, parts)).encode("latin-1", "replace")


def _pixels(source: Source, stream: io.BytesIO, ds: Dataset) -> PixelSpan | None:
    """The pixels where pydicom stopped, if it stopped at some."""
    at = stream.tell()
    head = stream.read(12)
    little = ds.original_encoding[1] is not False
    if len(head) < 12:
        return None
    order = "<" if little else ">"
    group, number, short, long = struct.unpack(f"{order}HHL", head[:8]) + struct.unpack(f"{order}L", head[8:])
    name = _PIXELS.get(group << 16 | number)
    if name is None:
        return None
    wide = not ds.original_encoding[0] and head[4:6].isalpha()
    return PixelSpan(name, min(long if wide else short, source.size - at - (12 if wide else 8)))
