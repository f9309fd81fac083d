"""DICOM files written by pydicom for one test, and the real ones that the package pydicom ships."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence

from radlake.formats.dicom.elements import Elements
from radlake.formats.dicom.reader import read
from radlake.formats.source import Source

CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
MakeDicom = Callable[..., bytes]
MakeElements = Callable[..., Elements]


def data_set(**values: Any) -> Dataset:
    """A pydicom data set from keywords; a list of dicts is a sequence."""
    ds = Dataset()
    for keyword, value in values.items():
        is_sequence = isinstance(value, list) and value and isinstance(value[0], dict)
        setattr(ds, keyword, Sequence([data_set(**item) for item in value]) if is_sequence else value)
    return ds


def dicom_bytes(*, syntax: str = EXPLICIT, sop_class: str = CT, pixels: bytes | None = None, **values: Any) -> bytes:
    """A whole DICOM file."""
    ds = data_set(SOPClassUID=sop_class, SOPInstanceUID="1.2.3", **values)
    if pixels is not None:
        ds.add_new("PixelData", "OW", pixels)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.file_meta.MediaStorageSOPClassUID = sop_class
    ds.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, ds, enforce_file_format=True)
    return buffer.getvalue()


@pytest.fixture
def make_dicom() -> MakeDicom:
    """Function from keywords to the bytes of a DICOM file."""
    return dicom_bytes


@pytest.fixture
def make_elements() -> MakeElements:
    """Function from keywords to what the reader keeps of a file with them."""
    return lambda **values: read(Source("x.dcm", data=dicom_bytes(**values))).elements


@pytest.fixture(scope="session")
def own_files() -> list[Path]:
    """DICOM files inside the package pydicom, broken ones among them."""
    folder = Path(pydicom.__file__).parent / "data"
    files = (path for path in folder.rglob("*") if path.is_file())
    others = {".py", ".pyc", ".json", ".txt", ".md", ".dump", ".icc", ".gz"}
    return sorted(path for path in files if path.suffix not in others and path.name != "README")
