"""Cleaning of a DICOM file: read up to the pixels, clean, write, copy the pixels byte by byte.

The pixels are neither decoded nor held in memory, so a file may be larger than that. Nothing that follows them is
copied (padding, signatures, stray bytes). The result appears under its name complete or not at all.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from pydicom import dcmread, dcmwrite
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

from radlake.core.errors import UsageError
from radlake.core.fault import Ignored, ItemError, Term
from radlake.deid.dataset import AuditRow, deidentify
from radlake.deid.rows import Profile
from radlake.formats.dicom.elements import silent_pydicom
from radlake.lake.durable import publish, temporary_file

_CHUNK = 1 << 20
_UNDEFINED = 0xFFFFFFFF
_ITEM, _END = 0xFFFEE000, 0xFFFEE0DD
_DIRECTORY = "1.2.840.10008.1.3.10"
_DEFLATED = "1.2.840.10008.1.2.1.99"
_EVIDENCE = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "Modality", "Rows")


def deidentify_file(
    source: Path, dest: Path, *, profile: Profile = "strict", key: bytes, options: Sequence[str] = ()
) -> list[AuditRow]:
    """Write a cleaned copy of a DICOM file, in the same transfer syntax, and say what was done.

    Parameters
    ----------
    source, dest : Path
        Two different files; the folder of `dest` is made where needed.
    profile, key, options
        As in `deidentify`.

    Raises
    ------
    UsageError
        When source and destination are one file, or the profile or an option is unknown.
    ItemError
        ``unreadable_file``, ``unreadable_header``, ``no_pixels``, ``truncated_pixels``, ``contradictory_header`` or
        ``unsupported_syntax`` (deflated); nothing is written then.
    Ignored
        For a DICOMDIR: it lists files by names that the copies do not have.
    """
    source, dest = Path(source), Path(dest)
    if dest.exists() and source.exists() and dest.samefile(source):
        raise UsageError("source and destination are one file; name another destination")
    try:
        stream = source.open("rb")
    except OSError:
        raise ItemError("unreadable_file") from None
    with stream:
        dataset = _read(stream)
        start = stream.tell()
        length = _pixel_span(stream, start, dataset) if stream.read(1) else _check_whole(dataset, start)
        clean, audit = deidentify(dataset, profile=profile, key=key, options=options)
        with temporary_file(dest.parent) as temporary:
            _write(clean, temporary, stream, start, length)
            publish(temporary, dest)
    return audit


def _read(stream: BinaryIO) -> Dataset:
    """All of a data set before its pixels; the stream stands at them, or at its end."""
    try:
        with silent_pydicom():
            dataset = dcmread(stream, stop_before_pixels=True, force=True)
            found = any(name in dataset for name in _EVIDENCE)
            syntax = str(dataset.file_meta.get("TransferSyntaxUID", ""))
            kind = str(dataset.file_meta.get("MediaStorageSOPClassUID", ""))
    except Exception:  # noqa: BLE001 - pydicom documents no closed list of what damaged bytes can raise
        raise ItemError("unreadable_header") from None
    if kind == _DIRECTORY or "DirectoryRecordSequence" in dataset:
        raise Ignored("directory_record")
    if syntax == _DEFLATED:
        raise ItemError("unsupported_syntax", syntax=Term("Deflated Explicit VR Little Endian"))
    if not (found or kind):
        raise ItemError("unreadable_header")
    _check_encoding(dataset, syntax)
    return dataset


def _check_encoding(dataset: Dataset, syntax: str) -> None:
    """The elements are in the encoding of the stated transfer syntax; a file without one gets what it is in."""
    from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    implicit, little = dataset.original_encoding
    if not syntax:
        explicit = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else explicit
        return
    stated = UID(syntax)
    known = stated.is_transfer_syntax and not stated.is_private
    if not known or (stated.is_implicit_VR, stated.is_little_endian) != (implicit, little):
        raise ItemError("contradictory_header", what=Term("the elements are not in the stated transfer syntax"))


def _check_whole(dataset: Dataset, end: int) -> int:
    """No bytes of pixels, in an object that is complete without: pydicom takes the end of a file for its own."""
    if "Rows" in dataset and "BitsAllocated" in dataset:
        raise ItemError("no_pixels")
    last = dataset.get_item(max(dataset.keys()))
    if isinstance(last, RawDataElement) and last.length != _UNDEFINED and last.value_tell + last.length != end:
        raise ItemError("unreadable_header")
    return 0


def _pixel_span(stream: BinaryIO, start: int, dataset: Dataset) -> int:
    """Bytes of the pixel element, its header included."""
    implicit, little = dataset.original_encoding
    order = "<" if little else ">"
    end = stream.seek(0, 2)
    stream.seek(start)
    head = stream.read(8 if implicit else 12)
    if len(head) < (8 if implicit else 12):
        raise ItemError("truncated_pixels", expected=len(head) + 1, found=len(head))
    if not implicit and head[4:6] not in {b"OB", b"OW", b"OF", b"OD", b"UN"}:
        raise ItemError("contradictory_header", what=Term("the pixels are not in the stated transfer syntax"))
    length = struct.unpack(f"{order}L", head[-4:])[0]
    if length != _UNDEFINED:
        if start + len(head) + length > end:
            raise ItemError("truncated_pixels", expected=length, found=end - start - len(head))
        return len(head) + int(length)
    return _end_of_items(stream, end, order) - start


def _end_of_items(stream: BinaryIO, end: int, order: str) -> int:
    """Where the items of encapsulated pixels end (PS3.5 A.4), delimiter included."""
    while True:
        place = stream.tell()
        head = stream.read(8)
        if len(head) < 8:
            raise ItemError("truncated_pixels", expected=place + 8, found=end)
        group, element, length = struct.unpack(f"{order}HHL", head)
        tag = group << 16 | element
        if tag == _END:
            return place + 8
        if tag != _ITEM or place + 8 + length > end:
            raise ItemError("truncated_pixels", expected=place + 8 + length, found=end)
        stream.seek(length, 1)


def _write(clean: Dataset, temporary: Path, stream: BinaryIO, start: int, length: int) -> None:
    """The cleaned data set, then the pixels as they are."""
    try:
        with silent_pydicom(), temporary.open("wb") as out:
            dcmwrite(out, clean, enforce_file_format=True)
    except OSError:
        raise
    except Exception:  # noqa: BLE001 - as in reading
        raise ItemError("contradictory_header", what=Term("it cannot be written as DICOM")) from None
    stream.seek(start)
    with temporary.open("ab") as out:
        while length:
            data = stream.read(min(_CHUNK, length))
            if not data:  # the file became shorter while it was read
                raise ItemError("truncated_pixels", expected=length, found=0)
            out.write(data)
            length -= len(data)
