"""Opening a DICOM file for its pixels or sequences: the dataset before the pixels, and the stream that holds them.

Fast header reading for whole archives is `header`; this is pydicom, used once a file's content is wanted.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

from radlake.core.fault import ItemError
from radlake.core.stage import Row
from radlake.formats.dicom.elements import silent_pydicom
from radlake.formats.source import MIB, Source, read_up_to

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

DEFLATED = "1.2.840.10008.1.2.1.99"
IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"

_ROOM_BYTES = 64 * MIB  # for everything but pixels in a deflated dataset
PIXEL_TAGS = {0x7FE00010: 0, 0x7FE00008: 4, 0x7FE00009: 8}  # Pixel Data, Float and Double Float: bytes of a float


@contextmanager
def open_dataset(member: Row) -> Iterator[tuple[BinaryIO, Dataset]]:
    """Open an instance: a stream that stands at the pixel element, and the dataset before it.

    Parameters
    ----------
    member : Row
        A row of `instances` with `uri` and, inside an archive, `member_name`.

    Raises
    ------
    ItemError
        ``unreadable_file``, ``unreadable_header``, ``bomb``.
    """
    with Source(member["uri"], member.get("member_name")).open() as file, silent_pydicom():
        yield _read(file, member)


def _read(file: BinaryIO, member: Row) -> tuple[BinaryIO, Dataset]:
    """Stream and dataset of an open file."""
    import pydicom
    from pydicom.filebase import DicomIO

    try:
        if member.get("transfer_syntax") == DEFLATED:
            return _inflate(file, limit=(member.get("pixel_bytes") or 0) + _ROOM_BYTES)
        # DicomIO hides from pydicom that the stream is a BufferedReader, of which it demands a name.
        return file, pydicom.dcmread(DicomIO(file), stop_before_pixels=True, force=True)
    except ItemError:
        raise
    except Exception:  # noqa: BLE001 - a damaged file provokes any error, and its text may quote the file
        raise ItemError("unreadable_header") from None


def _inflate(file: BinaryIO, *, limit: int) -> tuple[BinaryIO, Dataset]:
    """A deflated dataset (PS3.5 A.5), inflated up to a limit and read up to its pixels."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.filereader import read_dataset, read_preamble

    preamble = read_preamble(file, force=True)
    meta = read_dataset(file, False, True, stop_when=lambda tag, _vr, _length: tag.group != 2)
    stored = read_up_to(file, limit)
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    stream = io.BytesIO(inflater.decompress(stored, limit))
    if inflater.unconsumed_tail:
        raise ItemError("bomb", promised_mib=-(-limit // MIB), stored_mib=round(len(stored) / MIB, 3))
    body = read_dataset(stream, False, True, stop_when=lambda tag, _vr, _length: tag in PIXEL_TAGS)
    return stream, FileDataset(
        stream, body, preamble, FileMetaDataset(meta), is_implicit_VR=False, is_little_endian=True
    )


def value_of(dataset: Any, keyword: str) -> Any:
    """An attribute's value; None where it is absent, empty or damaged.

    Examples
    --------
    >>> from pydicom.dataset import Dataset
    >>> value_of(Dataset(), "HighBit") is None
    True
    """
    try:
        value = dataset.get(keyword)
    except Exception:  # noqa: BLE001 - pydicom converts on access and raises whatever a damaged value provokes
        return None
    return None if value is None or value == "" else value


def integer_of(dataset: Any, keyword: str) -> int | None:
    """An attribute as an integer; None where it is absent or damaged."""
    try:
        return int(value_of(dataset, keyword))
    except (TypeError, ValueError, OverflowError):
        return None


def float_of(dataset: Any, keyword: str) -> float | None:
    """An attribute as a number; None where it is absent or damaged."""
    try:
        return float(value_of(dataset, keyword))
    except (TypeError, ValueError, OverflowError):
        return None


def items_of(dataset: Any, keyword: str) -> list[Any]:
    """Items of a sequence; empty where it is absent or damaged."""
    value = value_of(dataset, keyword)
    return list(value) if isinstance(value, (list, tuple)) or type(value).__name__ == "Sequence" else []
