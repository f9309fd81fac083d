"""Odd files, read by pydicom: the same result as for their ordinary twins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest

from radlake.core.fault import ItemError
from radlake.formats.dicom.elements import DicomFile
from radlake.formats.dicom.fallback import read_by_pydicom
from radlake.formats.dicom.reader import DEFLATED, read
from radlake.formats.source import Source

MakeDicom = Callable[..., bytes]
KEYWORDS = ("Modality", "Rows", "PatientName", "PixelSpacing", "SpecificCharacterSet", "SOPClassUID")


def facts(file: DicomFile) -> list[object]:
    e = file.elements
    return [e.texts(k) if k not in ("Rows", "PixelSpacing") else e.numbers(k) for k in KEYWORDS]


def test_reads_what_the_partial_reader_reads(own_files: list[Path]) -> None:
    for name in ("CT_small.dcm", "MR_small.dcm", "rtdose.dcm", "liver_1frame.dcm", "chrH31.dcm", "reportsi.dcm"):
        path = next(p for p in own_files if p.name == name)
        ours, theirs = read(Source(str(path))), read_by_pydicom(Source(str(path)))
        assert facts(ours) == facts(theirs)
        assert ours.pixels == theirs.pixels
        assert ours.transfer_syntax == theirs.transfer_syntax
        assert ours.elements.sequences.keys() == theirs.elements.sequences.keys()


@pytest.mark.parametrize(
    ("odd", "ordinary"),
    [
        ("MR_small_bigendian.dcm", "MR_small.dcm"),
        ("rtdose_expb.dcm", "rtdose.dcm"),
        ("liver_expb_1frame.dcm", "liver_1frame.dcm"),
    ],
)
def test_big_endian_files_equal_their_little_endian_twins(own_files: list[Path], odd: str, ordinary: str) -> None:
    by_name = {path.name: path for path in own_files}
    big, little = (read(Source(str(by_name[name]))) for name in (odd, ordinary))
    assert facts(big) == facts(little)
    assert big.pixels == little.pixels


def test_a_file_without_preamble_and_meta_is_read(make_dicom: MakeDicom) -> None:
    whole = make_dicom(Modality="CT", Rows=7, PatientName="A^B", pixels=b"\0\0")
    start = whole.index(b"\x08\x00\x16\x00UI")
    bare = read(Source("x", data=whole[start:]))
    assert facts(bare) == facts(read(Source("x", data=whole)))
    assert bare.transfer_syntax == "1.2.840.10008.1.2.1"
    assert bare.pixels is not None


@pytest.mark.parametrize(
    "data", [b"", b"x", bytes(5000), b"DICM" * 500, bytes(range(256)) * 40, bytes(128) + b"DICM" + bytes(500)]
)
def test_bytes_that_are_no_dicom_are_unreadable(data: bytes) -> None:
    with pytest.raises(ItemError) as caught:
        read_by_pydicom(Source("x", data=data))
    assert caught.value.code in ("unreadable_header", "empty_file")


def test_nothing_is_inflated_by_pydicom(make_dicom: MakeDicom, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("pydicom was asked to inflate")

    monkeypatch.setattr(pydicom, "dcmread", fail)
    with pytest.raises(ItemError, match="header"):
        read_by_pydicom(Source("x", data=make_dicom(syntax=DEFLATED)))
