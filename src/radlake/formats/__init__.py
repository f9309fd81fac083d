"""One file per format: bytes to `Header`, to `Image`, to masks. `READERS` lists them; order decides who is asked first.

No reader's library is imported here.
"""

from __future__ import annotations

from collections.abc import Sequence

from radlake.core.fault import ItemError, Term
from radlake.core.header import Header
from radlake.core.image import BoolArray, Image
from radlake.core.stage import Row
from radlake.formats.detect import unreadable_kind
from radlake.formats.reader import Lazy, Reader
from radlake.formats.source import HEAD_BYTES, Source

__all__ = ["READERS", "Reader", "Source", "load_image", "load_regions", "scan_file"]

_MEMORY_BYTES = 2 << 30
_HERE = "radlake.formats"


def _reader(name: str, module: str, *suffixes: str, labels: bool = True, pixels: bool = True) -> Reader:
    """A reader whose functions have the usual names in one module of this room."""
    path = f"{_HERE}.{module}"
    return Reader(
        name,
        suffixes,
        sniff=Lazy(path, "sniff"),
        scan=Lazy(path, "scan"),
        load=Lazy(path, "load") if pixels else None,
        load_regions=Lazy(f"{_HERE}.labelmap", "load_regions") if labels and pixels else None,
    )


def _dicom_regions(member: Row, image: Image, *, memory_bytes: int) -> list[tuple[str, BoolArray]]:
    """Masks of a SEG or an RTSTRUCT, by the role of the member."""
    module = {"segmentation": "seg", "structures": "rtstruct"}[member["role"]]
    found: list[tuple[str, BoolArray]] = Lazy(f"{_HERE}.dicom.{module}", "load_regions")(
        member, image, memory_bytes=memory_bytes
    )
    return found


READERS: dict[str, Reader] = {
    reader.name: reader
    for reader in (
        Reader(
            "dicom",
            (".dcm", ".dicom", ".ima"),
            sniff=Lazy(f"{_HERE}.dicom.header", "sniff"),
            scan=Lazy(f"{_HERE}.dicom.header", "scan"),
            load=Lazy(f"{_HERE}.dicom.pixels", "load"),
            load_regions=_dicom_regions,
        ),
        _reader("nifti", "nifti", ".nii", ".hdr", ".img"),
        _reader("nrrd", "nrrd", ".nrrd", ".nhdr"),
        _reader("metaimage", "metaimage", ".mha", ".mhd"),
        _reader("png", "png", ".png"),
        _reader("jpeg", "jpeg", ".jpg", ".jpeg", labels=False),
        _reader("tiff", "tiff", ".tif", ".tiff"),
        _reader("npy", "npy", ".npy"),
        _reader("npz", "npz", ".npz", labels=False),
        Reader("zip", (".zip",), Lazy(f"{_HERE}.zip_", "sniff"), Lazy(f"{_HERE}.zip_", "scan"), container=True),
        _reader("fhir", "fhir", ".json", ".ndjson", pixels=False),
        _reader("cda", "cda", ".xml", pixels=False),
        _reader("report", "report", ".txt", pixels=False),
    )
}


def scan_file(source: Source, *, faults: list[ItemError] | None = None) -> list[Header]:
    """What a file holds, one header a member; no pixel is decoded.

    The reader is found by content, by suffix where the content says nothing.

    Parameters
    ----------
    source : Source
        The file.
    faults : list, optional
        Takes the problems of single members of an archive, when others could be read.

    Raises
    ------
    Ignored
        ``side_file`` for texts, tables, scripts and the pixel part of a two-file format; the DICOM reader's reasons.
    ItemError
        ``not_an_image``, ``empty_file``, or what the reader found wrong.

    Examples
    --------
    >>> scan_file(Source("notes.py", data=b"print(1)"))
    Traceback (most recent call last):
    radlake.core.fault.Ignored: accompanies other data (text, table, script), no image
    """
    reader = find_reader(source)
    return reader.scan(source, faults=faults) if reader.container else reader.scan(source)


def find_reader(source: Source) -> Reader:
    """The reader that knows a file, by its content first, then by its name.

    Raises
    ------
    Ignored, ItemError
        Where none does, as `scan_file`.
    """
    head = source.read_at(0, HEAD_BYTES)
    for reader in READERS.values():
        if reader.sniff(head, source.suffix):
            return reader
    raise unreadable_kind(source, head)


def load_image(members: Sequence[Row], image: Row, *, memory_bytes: int = _MEMORY_BYTES) -> Image:
    """Pixels of one image.

    Parameters
    ----------
    members : sequence of dict
        Rows of `instances` that make up the image, in order, each with `uri` and, where there are any, `member_name`
        and `frames`.
    image : dict
        The row of `images`.
    memory_bytes : int
        Most that loading may take.

    Raises
    ------
    ItemError
        ``no_pixels``, ``too_large``, ``truncated_pixels``, or what else the reader found wrong.
    """
    load = READERS[members[0]["format"]].load
    if load is None:
        raise ItemError("no_pixels")
    return load(members, image, memory_bytes=memory_bytes)


def load_regions(member: Row, image: Image, *, memory_bytes: int = _MEMORY_BYTES) -> list[tuple[str, BoolArray]]:
    """Masks that a SEG, RTSTRUCT or label file holds, on the grid of an image, with names that are safe to show.

    Raises
    ------
    ItemError
        ``misaligned_mask``, ``empty_mask``, or what else the reader found wrong.
    """
    load = READERS[member["format"]].load_regions
    if load is None:
        raise ItemError("unsupported_format", format=Term("regions in this format"))
    return load(member, image, memory_bytes=memory_bytes)
