"""Cleaning of a DICOM file: read up to the pixels, clean, write, copy the pixels byte by byte.

The pixels are neither decoded nor held in memory, so a file may be larger than that. Nothing that follows them is
copied (padding, signatures, stray bytes). A deflated file is inflated into a temporary file without a name, and
deflated again. The result appears under its name complete or not at all.
"""

from __future__ import annotations

import shutil
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

from pydicom import dcmread
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset, read_preamble
from pydicom.filewriter import write_dataset, write_file_meta_info

from radlake.core.errors import UsageError
from radlake.core.fault import Ignored, ItemError, Term
from radlake.deid.account import AuditRow
from radlake.deid.dataset import deidentify
from radlake.deid.rows import Profile
from radlake.deid.rules import Rulebook
from radlake.formats.dicom.dataset import DEFLATED, PIXEL_TAGS
from radlake.formats.dicom.elements import silent_pydicom
from radlake.formats.source import MAX_INFLATED_BYTES
from radlake.lake.durable import publish, temporary_file
from radlake.lake.errors import storage_errors

_CHUNK = 1 << 20
_META_BYTES = 4096  # of a file's beginning in which its transfer syntax is looked for
_UNDEFINED = 0xFFFFFFFF
_ITEM, _END = 0xFFFEE000, 0xFFFEE0DD
_DIRECTORY = "1.2.840.10008.1.3.10"
_EVIDENCE = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "Modality", "Rows")


@dataclass(frozen=True)
class DicomObject:
    """An open DICOM file.

    Parameters
    ----------
    stream : BinaryIO
        The file, or its inflated copy.
    dataset : pydicom.Dataset
        Everything before the pixels.
    start, length : int
        Where the pixel element lies in the stream, its header included; length 0: there is none.
    """

    stream: BinaryIO
    dataset: Dataset
    start: int
    length: int


def deidentify_file(
    source: Path, dest: Path, *, profile: Profile | Path | Rulebook = "strict", key: bytes, options: Sequence[str] = ()
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
        ``bomb``; nothing is written then.
    Ignored
        For a DICOMDIR: it lists files by names that the copies do not have.
    LakeError
        When the disk fails where the copy goes.
    """
    source, dest = Path(source), Path(dest)
    if dest.exists() and source.exists() and dest.samefile(source):
        raise UsageError("source and destination are one file; name another destination")
    with open_object(source) as found:
        clean, audit = deidentify(found.dataset, profile=profile, key=key, options=options)
        write_object(clean, dest, found)
    return audit


@contextmanager
def open_object(source: Path) -> Iterator[DicomObject]:
    """Open a DICOM file for cleaning. Errors as in `deidentify_file`."""
    try:
        stream = source.open("rb")
    except OSError:
        raise ItemError("unreadable_file") from None
    with stream, _read(stream) as (plain, dataset):
        start = plain.tell()
        length = _pixel_span(plain, start, dataset) if plain.read(1) else _check_whole(dataset, start)
        yield DicomObject(plain, dataset, start, length)


def write_object(clean: Dataset, dest: Path, found: DicomObject, pixels: Iterable[bytes] | None = None) -> None:
    """Write a cleaned data set and pixels, whole or not at all.

    Parameters
    ----------
    clean : pydicom.Dataset
        With file meta information, without pixels.
    dest : Path
    found : DicomObject
        Its pixel element is copied byte by byte.
    pixels : iterable of bytes, optional
        The pixel element, its header included, to write in its place.
    """
    head, body = _encoded(clean)
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS) if clean.file_meta.TransferSyntaxUID == DEFLATED else None
    with storage_errors(), temporary_file(dest.parent) as temporary:
        size = 0
        with temporary.open("wb") as out:
            out.write(head)
            for part in chain((body,), pixels or _pixels(found)):
                size += out.write(deflate.compress(part) if deflate else part)
            if deflate:
                size += out.write(deflate.flush())
                out.write(b"\0" * (size % 2))  # PS3.5 A.5: padded to an even length
        publish(temporary, dest)


@contextmanager
def _read(stream: BinaryIO) -> Iterator[tuple[BinaryIO, Dataset]]:
    """All of a data set before its pixels, and the plain stream, which stands at them or at its end."""
    deflated = DEFLATED.encode() in stream.read(_META_BYTES)
    stream.seek(0)
    with TemporaryFile() if deflated else nullcontext(stream) as plain:
        try:
            with silent_pydicom():
                dataset = (
                    _read_deflated(stream, plain) if deflated else dcmread(stream, stop_before_pixels=True, force=True)
                )
                _check_kind(dataset)
        except ItemError:
            raise
        except Exception:  # noqa: BLE001 - pydicom documents no closed list of what damaged bytes can raise
            raise ItemError("unreadable_header") from None
        yield plain, dataset


def _check_kind(dataset: Dataset) -> None:
    """It is a DICOM object, no directory of others, in the encoding that it states."""
    found = any(name in dataset for name in _EVIDENCE)
    syntax = str(dataset.file_meta.get("TransferSyntaxUID", ""))
    kind = str(dataset.file_meta.get("MediaStorageSOPClassUID", ""))
    if kind == _DIRECTORY or "DirectoryRecordSequence" in dataset:
        raise Ignored("directory_record")
    if not (found or kind):
        raise ItemError("unreadable_header")
    _check_encoding(dataset, syntax)


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


def _encoded(clean: Dataset) -> tuple[bytes, bytes]:
    """Preamble and meta information, and the data set, as they stand in a file (PS3.10 7.1)."""
    implicit, little = clean.original_encoding
    meta, body = DicomBytesIO(), DicomBytesIO()
    body.is_implicit_VR, body.is_little_endian = bool(implicit), bool(little)
    try:
        with silent_pydicom():
            write_file_meta_info(meta, clean.file_meta, enforce_standard=True)
            write_dataset(body, clean)
    except Exception:  # noqa: BLE001 - as in reading
        raise ItemError("contradictory_header", what=Term("it cannot be written as DICOM")) from None
    return bytes(128) + b"DICM" + meta.getvalue(), body.getvalue()


def _pixels(found: DicomObject) -> Iterator[bytes]:
    """The pixel element as it is, in pieces."""
    left = found.length
    found.stream.seek(found.start)
    while left:
        try:
            data = found.stream.read(min(_CHUNK, left))
        except OSError:
            raise ItemError("unreadable_file") from None
        if not data:  # the file became shorter while it was read
            raise ItemError("truncated_pixels", expected=left, found=0)
        yield data
        left -= len(data)


def _read_deflated(stream: BinaryIO, plain: BinaryIO) -> Dataset:
    """As `dcmread`, of a deflated data set (PS3.5 A.5) that is inflated into another stream."""
    preamble = read_preamble(stream, force=True)
    meta = read_dataset(stream, False, True, stop_when=lambda tag, _vr, _length: tag.group != 2)
    if str(meta.get("TransferSyntaxUID", "")) != DEFLATED:  # the UID stood somewhere else
        stream.seek(0)
        shutil.copyfileobj(stream, plain)
        plain.seek(0)
        return dcmread(plain, stop_before_pixels=True, force=True)
    _inflate(stream, plain)
    plain.seek(0)
    body = read_dataset(plain, False, True, stop_when=lambda tag, _vr, _length: tag in PIXEL_TAGS)
    dataset = FileDataset(plain, body, preamble, FileMetaDataset(meta), is_implicit_VR=False, is_little_endian=True)
    dataset.set_original_encoding(False, True, body._character_set)
    return dataset


def _inflate(stream: BinaryIO, plain: BinaryIO) -> None:
    """Inflate what is left of a stream into another."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    stored = written = 0
    try:
        while not inflater.eof and (data := stream.read(_CHUNK)):
            stored += len(data)
            while data and not inflater.eof:
                written += plain.write(inflater.decompress(data, _CHUNK))
                data = inflater.unconsumed_tail
            if written > MAX_INFLATED_BYTES:
                raise ItemError("bomb", promised_mib=written >> 20, stored_mib=stored >> 20)
    except zlib.error:
        raise ItemError("undecodable_pixels", hint=Term("export the file uncompressed")) from None
    if not inflater.eof:
        raise ItemError("truncated_pixels", expected=stored + 1, found=stored)
