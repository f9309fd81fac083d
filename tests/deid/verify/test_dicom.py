from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from radlake import deid
from radlake.deid.verify import dicom
from radlake.deid.verify.leak import Leak
from radlake.deid.verify.sources import Sources, collect
from tests.deid.verify.test_init import KEY, cleaned, person


def _nested(ds: Dataset, keyword: str, value: str) -> None:
    inner, outer = Dataset(), Dataset()
    setattr(inner, keyword, value)
    outer.RequestAttributesSequence = Sequence([inner])
    ds.SourceImageSequence = Sequence([Dataset(), outer])


def _private(ds: Dataset, vr: str, value: object) -> None:
    ds.private_block(0x0029, "SOME CREATOR", create=True).add_new(0x10, vr, value)


# Each plants one thing into a cleaned file; the kind and place at which it must be found.
PLANTS: dict[str, tuple[Callable[[Dataset], object], str, str]] = {
    "name": (lambda ds: setattr(ds, "StudyDescription", "CT of Xenia Q"), "name", "(0008,1030)"),
    "in a sequence": (
        lambda ds: _nested(ds, "CodeMeaning", "quuxberg"), "name", "(0008,2112)[1](0040,0275)[0](0008,0104)",
    ),
    "id in a number": (lambda ds: setattr(ds, "SeriesNumber", "471108"), "patient id", "(0020,0011)"),
    "accession": (lambda ds: setattr(ds, "StudyID", "ACC99731"), "accession number", "(0020,0010)"),
    "institution": (lambda ds: setattr(ds, "ImageComments", "SANKT-QUIRIN-KLINIK"), "institution", "(0020,4000)"),
    "day in a text": (lambda ds: setattr(ds, "ImageComments", "11.8.1947"), "date", "(0020,4000)"),
    "private text": (lambda ds: _private(ds, "LO", "Xenia"), "name", "(0029,1010)"),
    "private bytes": (lambda ds: _private(ds, "OB", b"\1\2\3Quuxberg\0"), "name", "(0029,1010)"),
    "wide letters": (lambda ds: _private(ds, "UN", "Quuxberg".encode("utf-16-le")), "name", "(0029,1010)"),
    "shape": (lambda ds: setattr(ds, "ImageComments", "x@y.example.org"), "mail address", "(0020,4000)"),
    "kept day": (lambda ds: setattr(ds, "ContentDate", "20240615"), "date kept", "(0008,0023)"),
    "no mark": (lambda ds: delattr(ds, "PatientIdentityRemoved"), "not marked as cleaned", "(0012,0062)"),
    "meta": (
        lambda ds: setattr(ds.file_meta, "SourceApplicationEntityTitle", "QUUXBERG"), "name", "(0002,0016)",
    ),
    "preamble": (lambda ds: setattr(ds, "preamble", b"Quuxberg".ljust(128, b"\0")), "name", "preamble"),
    "curve": (lambda ds: ds.add_new(0x50003000, "OW", b"Quuxberg"), "name", "(5000,3000)"),
}  # fmt: skip


@pytest.mark.parametrize("case", PLANTS)
def test_what_is_planted_in_a_cleaned_file_is_found(case: str, tmp_path: Path) -> None:
    plant, kind, place = PLANTS[case]
    dest, source = cleaned(tmp_path, PatientID="471108")
    path, sources = dest / "a.dcm", collect(source)
    assert list(dicom.leaks(path, sources)) == []
    ds = dcmread(path)
    plant(ds)
    ds.save_as(path)
    assert (kind, place) in [(leak.kind, leak.place) for leak in dicom.leaks(path, sources)]


@pytest.mark.parametrize(
    ("institution", "keyword", "found"),
    [
        ("Siemens Medical", "InstitutionName", True),  # it stayed where it was
        ("Siemens Medical", "ImageComments", True),
        ("Siemens Medical", "Manufacturer", False),
        ("Medical Siemens", "Manufacturer", False),  # other words than the maker's: looked for like any other
        ("Medical Siemens", "ImageComments", True),
    ],
)
def test_an_institution_called_like_its_maker_counts_as_a_whole_value_only(
    institution: str, keyword: str, found: bool, tmp_path: Path
) -> None:
    dest, source = cleaned(tmp_path, InstitutionName=institution, Manufacturer="Siemens Medical Systems")
    ds, sources = dcmread(dest / "a.dcm"), collect(source)
    ds.Manufacturer = "Siemens Medical Systems"
    if keyword != "Manufacturer":
        setattr(ds, keyword, institution)
    ds.save_as(dest / "a.dcm")
    assert ({leak.kind for leak in dicom.leaks(dest / "a.dcm", sources)} == {"institution"}) is found


def test_ids_are_looked_for_even_if_a_maker_is_called_so(tmp_path: Path) -> None:
    dest, source = cleaned(tmp_path, PatientID="Siemens77", Manufacturer="Siemens77")
    ds = dcmread(dest / "a.dcm")
    ds.ImageComments = "Siemens77"
    ds.save_as(dest / "a.dcm")
    assert Leak("patient id", "(0020,4000)") in set(dicom.leaks(dest / "a.dcm", collect(source)))


def test_bytes_behind_the_end_and_in_the_pixels_are_read(tmp_path: Path) -> None:
    dest, source = cleaned(tmp_path)
    path, sources = dest / "a.dcm", collect(source)
    whole = path.read_bytes()
    path.write_bytes(whole + struct.pack("<HH2sHL", 0xFFFC, 0xFFFC, b"OB", 0, 16) + b"Quuxberg^Xenia  ")
    assert {"name", "person name"} <= {leak.kind for leak in dicom.leaks(path, Sources())} | {
        leak.kind for leak in dicom.leaks(path, sources)
    }
    path.write_bytes(whole[:-100] + b"\0Quuxberg\0" + whole[-90:])
    assert [(leak.kind, leak.place) for leak in dicom.leaks(path, sources)] == [("name", "raw bytes from 0")]


def test_days_of_the_own_source_are_found_and_those_of_others_are_not(tmp_path: Path) -> None:
    dest, source = cleaned(tmp_path, "research")
    path, sources = dest / "a.dcm", collect(source)
    ds = dcmread(path)
    ds.ContentDate = "20240228"
    ds.save_as(path)
    assert [leak.kind for leak in dicom.leaks(path, sources)] == ["date"]
    ds.PixelData = bytes(len(ds.PixelData))  # another object: the same day may be that of somebody else
    ds.save_as(path)
    assert list(dicom.leaks(path, sources)) == []
    ds.ContentTime = "101530"  # but not with the very second
    ds.StudyDate, ds.StudyTime = "20240228", "101530"
    ds.save_as(path)
    assert [leak.place for leak in dicom.leaks(path, sources)] == ["a day with its time"]


def test_what_was_kept_on_purpose_is_no_finding(tmp_path: Path) -> None:
    source = person(tmp_path / "in")
    out = tmp_path / "out.dcm"
    deid.deidentify_file(source, out, key=KEY, options=["retain-uids"])
    assert list(dicom.leaks(out, collect(tmp_path / "in"))) == []


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.dcm"
    path.write_bytes(b"\0" * 128 + b"DICM")
    assert [leak.kind for leak in dicom.leaks(path, Sources())] == ["unreadable"]
