"""A device is called what it is called, and a code means what it means; elsewhere the same words are somebody's."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from radlake.deid.verify import dicom
from radlake.deid.verify.public import as_written, devices
from radlake.deid.verify.sources import collect
from tests.deid.verify.test_init import cleaned, person

MODEL = 0x00081090


def coded(value: str, scheme: str) -> Sequence:
    """A sequence of one code."""
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, "Finding"
    return Sequence([code])


def _model(ds: Dataset, value: str) -> None:
    ds.ManufacturerModelName = value


def _code(ds: Dataset, value: str, scheme: str) -> None:
    ds.AnatomicRegionSequence = coded(value, scheme)


# What a cleaned copy holds, and what that tells of the other person, who is called Achieva and has number 121071, and
# of a third with number 1234.
COPIES: dict[str, tuple[Callable[[Dataset], object], set[str]]] = {
    "its model": (lambda ds: _model(ds, "Achieva 3T"), set()),
    "no value of a source": (lambda ds: _model(ds, "Achieva Nora"), {"name"}),
    "a text": (lambda ds: setattr(ds, "ImageComments", "Achieva 3T"), {"name"}),
    "another attribute of the equipment": (lambda ds: setattr(ds, "SequenceName", "Achieva 3T"), {"name"}),
    "a public code": (lambda ds: _code(ds, "121071", "DCM"), set()),
    "somebody's own code": (lambda ds: _code(ds, "121071", "99LOCAL"), {"accession number", "record number"}),
    "no code of the scheme": (lambda ds: _code(ds, "7121071", "DCM"), {"patient id"}),
    "a code that fills a field": (lambda ds: _code(ds, "1234", "99LOCAL"), set()),
    "what fills a field, elsewhere": (lambda ds: setattr(ds, "StudyID", "1234"), {"accession number"}),
    "a number": (lambda ds: setattr(ds, "ImageComments", "121071"), {"accession number", "record number"}),
}  # fmt: skip


@pytest.mark.parametrize("case", COPIES)
def test_a_word_is_public_only_where_it_says_what_it_is(case: str, tmp_path: Path) -> None:
    plant, kinds = COPIES[case]
    dest, source = cleaned(tmp_path, ManufacturerModelName="Achieva 3T")
    other = person(tmp_path / "other", PatientName="Achieva^Nora", AccessionNumber="121071", PatientID="7121071")
    other.rename(source / "other.dcm")
    person(tmp_path / "third", AccessionNumber="1234").rename(source / "third.dcm")
    ds = dcmread(dest / "a.dcm")
    _model(ds, "")
    plant(ds)
    ds.save_as(dest / "a.dcm")
    found = {leak.kind for leak in dicom.leaks(dest / "a.dcm", collect(source))}
    assert found == kinds


def test_a_name_that_stands_for_a_model_in_the_persons_own_file_is_found(tmp_path: Path) -> None:
    dest, source = cleaned(tmp_path, ManufacturerModelName="Quuxberg")
    ds = dcmread(dest / "a.dcm")
    _model(ds, "Quuxberg")
    ds.save_as(dest / "a.dcm")
    found = {(leak.kind, leak.place) for leak in dicom.leaks(dest / "a.dcm", collect(source))}
    assert found == {("name", "(0008,1090)"), ("name", "raw bytes from 0")}


def test_consoles_that_sign_with_their_own_name_are_no_people() -> None:
    inner, ds = Dataset(), Dataset()
    inner.ContentCreatorName = "Achieva"
    ds.SourceImageSequence, ds.ManufacturerModelName, ds.SequenceName = Sequence([inner]), "ACHIEVA", "Quuxberg T1"
    ds.OperatorsName = "Quuxberg^Xenia"
    assert set(devices(ds)) == {(MODEL, ("achieva",))}


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"])
def test_elements_are_passed_over_as_they_are_written(syntax: str) -> None:
    ds, stream = Dataset(), io.BytesIO()
    ds.ManufacturerModelName, ds.ImageComments = ["Achieva", "3T"], "Achieva"
    ds.AnatomicRegionSequence = coded("121071", "DCM")
    ds.SOPClassUID, ds.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.4", "1.2.3"
    implicit, little = syntax.endswith(".2") and len(syntax) == 17, not syntax.endswith(".2.2")
    dcmwrite(stream, ds, implicit_vr=implicit, little_endian=little, force_encoding=True)
    pattern = as_written(ds, {(MODEL, ("achieva",)), (MODEL, ("3", "t"))})
    assert pattern is not None
    left = pattern.sub(b"\0", stream.getvalue())
    assert (stream.getvalue().count(b"Achieva"), left.count(b"Achieva")) == (2, 1)
    assert b"121071" not in left
    assert as_written(ds, set()) is not None
    del ds.AnatomicRegionSequence
    assert as_written(ds, set()) is None
