from __future__ import annotations

import io
import re
import struct
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread, dcmwrite
from pydicom.data import get_testdata_file
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from radlake import deid
from radlake.core.errors import UsageError
from radlake.deid import pseudonyms
from radlake.deid.selftest.plant import NEEDED

KEY = b"k" * 32
FOLDER = Path(pydicom.__file__).parent / "data" / "test_files"


def readable_files() -> list[Path]:
    """pydicom's own files, but for those without what every DICOM file must have."""
    bare = {
        "no_meta.dcm", "meta_missing_tsyntax.dcm", "ExplVR_LitEndNoMeta.dcm", "empty_charset_LEI.dcm",
        "nested_priv_SQ.dcm", "SC_rgb_jpeg.dcm",
    }  # fmt: skip
    return [p for p in sorted(FOLDER.glob("*.dcm")) if p.name not in bare]


def values(ds: Dataset) -> Iterator[tuple[str, object]]:
    """Keyword and value of all elements at all depths."""
    for element in ds.iterall():
        if element.VR != "SQ":
            yield element.keyword, element.value


def person() -> Dataset:
    """A CT of an invented person."""
    ds = dcmread(get_testdata_file("CT_small.dcm"))
    ds.PatientName, ds.PatientID, ds.AccessionNumber = "Quuxberg^Xenia", "4711-0815", "ACC99"
    ds.StudyDescription = "Chest CT of Xenia Quuxberg, 12 mm nodule"
    ds.PatientAge, ds.PatientBirthDate, ds.StudyDate, ds.SeriesDate = "097Y", "19270101", "20240228", "20240301"
    return ds


def test_what_geometry_and_intensity_need_stays(quiet: None) -> None:
    for path in readable_files():
        if path.name == "badVR.dcm":  # one frame, written as 1A, is no number
            continue
        ds = dcmread(path, force=True)
        clean, _ = deid.deidentify(ds, profile="strict", key=KEY)
        before, after = ([(k, v) for k, v in values(d) if k in NEEDED] for d in (ds, clean))
        listed = {"IconImageSequence", "ContentSequence"} & {e.keyword for e in ds.iterall()}
        if not listed:
            assert after == before, path.name


def test_names_in_texts_go_and_findings_stay() -> None:
    clean, _ = deid.deidentify(person(), profile="strict", key=KEY)
    assert clean.StudyDescription == "Chest CT of [...], 12 mm nodule"


def test_ids_are_the_pseudonyms_of_the_lake() -> None:
    clean, _ = deid.deidentify(person(), profile="strict", key=KEY)
    assert clean.PatientID == clean.PatientName == pseudonyms.patient(KEY, "4711-0815")
    assert clean.AccessionNumber == (pseudonyms.accession(KEY, "ACC99") or "")[:16]


def test_research_moves_dates_by_one_constant_and_caps_ages() -> None:
    ds = person()
    clean, _ = deid.deidentify(ds, profile="research", key=KEY)
    first, second = (date.fromisoformat(d) for d in (clean.StudyDate, clean.SeriesDate))
    assert (second - first).days == 2
    assert first.isoformat() == pseudonyms.shifted_day(KEY, "20240228", clean.PatientID)
    assert (clean.PatientAge, clean.PatientBirthDate) == ("090Y", "")
    assert clean.LongitudinalTemporalInformationModified == "MODIFIED"


def test_retained_characteristics_hold_numbers_and_codes_only(quiet: None) -> None:
    ds = person()
    ds.PatientWeight, ds.PatientSex, ds.EthnicGroup = 71.5, "F", "Quuxberg"
    ds["PatientSize"] = RawDataElement(Tag(0x00101020), "DS", 8, b"Quuxberg", 0, False, True)
    clean, _ = deid.deidentify(ds, profile="research", key=KEY)
    assert (clean.PatientWeight, clean.PatientSex) == (71.5, "F")
    assert not clean.PatientSize
    assert clean.EthnicGroup == "REMOVED"


def test_defined_terms_stay_even_where_a_place_is_called_so() -> None:
    ds = person()
    ds.InstitutionName, ds.BodyPartExamined, ds.ScanOptions = "Primary Abdomen Chest", "ABDOMEN", "CHEST"
    clean, _ = deid.deidentify(ds, profile="strict", key=KEY)
    assert (clean.ImageType[1], clean.BodyPartExamined, clean.ScanOptions) == ("PRIMARY", "ABDOMEN", "CHEST")


def test_strict_keeps_no_date_and_no_age() -> None:
    clean, _ = deid.deidentify(person(), profile="strict", key=KEY)
    dates = [e.value for e in clean.iterall() if e.VR in {"DA", "DT"}]
    assert set(dates) <= {"", "19000101"}
    assert "PatientAge" not in clean
    assert clean.LongitudinalTemporalInformationModified == "REMOVED"


def test_the_input_stays_as_it_is() -> None:
    ds = person()
    before = str(ds)
    deid.deidentify(ds, profile="research", key=KEY)
    assert str(ds) == before


def test_two_processes_give_the_same_file(tmp_path: Path) -> None:
    source = tmp_path / "in.dcm"
    person().save_as(source)
    script = (
        "import sys, pathlib; from radlake import deid; a, b = map(pathlib.Path, sys.argv[1:]);"
        "deid.deidentify_file(a, b, profile='research', key=b'k' * 32)"
    )
    for name in ("a.dcm", "b.dcm"):
        subprocess.run([sys.executable, "-c", script, str(source), str(tmp_path / name)], check=True)
    assert (tmp_path / "a.dcm").read_bytes() == (tmp_path / "b.dcm").read_bytes()


def test_references_still_resolve() -> None:
    image, report = person(), Dataset()
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = image.SOPClassUID, image.SOPInstanceUID
    report.SourceImageSequence = [reference]
    clean_image, _ = deid.deidentify(image, key=KEY)
    clean_report, _ = deid.deidentify(report, key=KEY)
    found = clean_report.SourceImageSequence[0]
    assert found.ReferencedSOPInstanceUID == clean_image.SOPInstanceUID != image.SOPInstanceUID
    assert found.ReferencedSOPClassUID == image.SOPClassUID
    assert clean_image.file_meta.MediaStorageSOPInstanceUID == clean_image.SOPInstanceUID


def test_private_attributes_stay_only_where_the_standard_calls_them_safe() -> None:
    ds = person()
    block = ds.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    block.add_new(0x0C, "IS", 1000)
    block.add_new(0x0F, "SH", "Quuxberg")
    ds.private_block(0x0029, "QUUXBERG", create=True).add_new(1, "LO", "Quuxberg")
    strict, _ = deid.deidentify(ds, profile="strict", key=KEY)
    research, _ = deid.deidentify(ds, profile="research", key=KEY)
    assert not [e for e in strict if e.tag.is_private]
    kept = research.private_block(0x0019, "SIEMENS MR HEADER")
    assert kept[0x0C].value == 1000
    assert 0x0F not in kept
    assert "Quuxberg" not in str(research)
    assert "QUUXBERG" not in str(research)


def test_content_items_follow_their_concept_names(quiet: None) -> None:
    def item(code: str, kind: str, name: str, value: str) -> Dataset:
        concept, found = Dataset(), Dataset()
        concept.CodeValue, concept.CodingSchemeDesignator, concept.CodeMeaning = code, "DCM", "Comment"
        found.ConceptNameCodeSequence, found.ValueType = [concept], kind
        setattr(found, name, value)
        return found

    ds = Dataset()
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.33"
    ds.ContentSequence = Sequence([
        item("121106", "TEXT", "TextValue", "Quuxberg has a 5 mm nodule"),  # Comment: X, cleaned with descriptors
        item("125010", "TEXT", "TextValue", "4711-0815"),  # Identifier: X
        item("112347", "TEXT", "TextValue", "Quuxberg"),  # Component ID: D
        item("121008", "PNAME", "PersonName", "Quuxberg^Xenia"),  # Person Observer Name: D
    ])  # fmt: skip
    ds.PatientName = "Quuxberg^Xenia"
    clean, _ = deid.deidentify(ds, profile="strict", key=KEY)
    texts = [i.get("TextValue", i.get("PersonName")) for i in clean.ContentSequence]
    assert texts == ["[...] has a 5 mm nodule", "REMOVED", "REMOVED"]


def test_overlays_curves_and_icons_go() -> None:
    ds = person()
    ds.add_new(0x60000010, "US", 16)
    ds.add_new(0x60003000, "OW", b"ab")
    ds.add_new(0x60024000, "LT", "Quuxberg")
    ds.add_new(0x50001001, "CS", "Y")
    ds.IconImageSequence = [Dataset()]
    clean, _ = deid.deidentify(ds, profile="strict", key=KEY)
    assert [f"{t:08X}" for t in clean.keys() if t.group in {0x5000, 0x6000, 0x6002}] == []  # noqa: SIM118
    assert "IconImageSequence" not in clean


def test_unlisted_texts_are_denied_unless_the_vocabulary_knows_them() -> None:
    ds = person()
    ds.SegmentLabel, ds.Manufacturer, ds.ManufacturerModelName = "Smitherson", "SIEMENS", "MAGNETOM Vision plus"
    ds.add_new(0x00189100, "SH", "1H")
    ds.add_new(0x00080103, "SH", "Smitherson")
    ds.add_new(0x00280010, "LO", "Smitherson")  # Rows under a wrong VR
    ds.add_new(0x12340011, "US", 7)  # no attribute of the standard
    clean, _ = deid.deidentify(ds, profile="strict", key=KEY)
    assert "Smitherson" not in str(clean)
    assert (clean.Manufacturer, clean.ManufacturerModelName) == ("SIEMENS", "MAGNETOM Vision plus")
    assert clean[0x00189100].value == "1H"
    assert 0x12340011 not in clean


def test_methods_are_written_and_earlier_ones_kept() -> None:
    ds = person()
    before = Dataset()
    before.CodeValue, before.CodingSchemeDesignator, before.CodeMeaning = "113102", "DCM", "Quuxberg"
    ds.DeidentificationMethodCodeSequence = [before]
    clean, _ = deid.deidentify(ds, profile="strict", key=KEY, options=["clean-pixel-data"])
    codes = {i.CodeValue: i.CodeMeaning for i in clean.DeidentificationMethodCodeSequence}
    assert set(codes) == {"113100", "113101", "113102", "113103", "113104", "113105"}
    assert codes["113102"] == "Clean Recognizable Visual Features Option"
    assert (clean.PatientIdentityRemoved, clean.BurnedInAnnotation) == ("YES", "NO")


def test_retained_uids_stay_everywhere() -> None:
    ds = person()
    clean, _ = deid.deidentify(ds, key=KEY, options=["retain-uids"])
    assert [v for k, v in values(clean) if k.endswith("InstanceUID")] == [
        v for k, v in values(ds) if k.endswith("InstanceUID")
    ]
    assert clean.file_meta.MediaStorageSOPInstanceUID == ds.SOPInstanceUID


def test_the_audit_tells_the_way_through_sequences_over_all_items() -> None:
    ds, request, inner = person(), Dataset(), Dataset()
    request.RequestedProcedureDescription, inner.PatientID = "Quuxberg", "4711"
    request.StudiesContainingOtherReferencedInstancesSequence = [inner]
    ds.RequestAttributesSequence = [request, request]
    _, audit = deid.deidentify(ds, profile="strict", key=KEY)
    rows = {(r.path, r.action): r.count for r in audit}
    assert rows["0040,0275/0032,1060", "removed"] == 2
    assert rows["0040,0275/0008,1200/0010,0020", "pseudonym"] == 2
    assert rows["0010,0020", "pseudonym"] == 1


def test_numbers_that_are_equal_to_an_id_by_chance_stay() -> None:
    ds = person()
    ds.PatientID, ds.OtherPatientIDs = "4711", "00000"
    ds.InstanceNumber, ds.RescaleSlope, ds.WindowWidth, ds.SeriesNumber = "4711", "1.00000", "4711", "2"
    clean, _ = deid.deidentify(ds, profile="strict", key=KEY)
    assert (clean.InstanceNumber, clean.RescaleSlope, clean.WindowWidth) == (4711, 1, 4711)
    ds.PatientID = ds.SeriesNumber = "4711081"
    clean, _ = deid.deidentify(ds, profile="strict", key=KEY)
    assert str(clean.SeriesNumber) == ""


def test_long_codes_of_local_schemes_become_keyed_ones_and_others_stay() -> None:
    ds = person()
    codes = []
    for scheme, code in (("99KLINIK", "4711081500"), ("SCT", "113091000"), ("99KLINIK", "CT47"), ("SDM", "T-A0100")):
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code, scheme, "Chest"
        codes.append(item)
    ds.AnatomicRegionSequence = codes
    clean, _ = deid.deidentify(ds, profile="strict", key=KEY)
    local, *others = [(item.CodingSchemeDesignator, item.CodeValue) for item in clean.AnatomicRegionSequence]
    assert others == [("SCT", "113091000"), ("99LOCAL", "CT47"), ("SDM", "T-A0100")]
    assert local[0] == "99LOCAL"
    assert re.fullmatch(r"code-[a-z2-7]{11}", local[1])
    again, _ = deid.deidentify(ds, profile="research", key=KEY)
    assert again.AnatomicRegionSequence[0].CodeValue == local[1]


def test_names_in_private_attributes_are_known_elsewhere() -> None:
    ds, item = person(), Dataset()
    item.add_new(0x00291011, "PN", "Achieva^Zwoisen")
    ds.private_block(0x0029, "SOME CREATOR", create=True).add_new(0x10, "SQ", [item])
    ds.ManufacturerModelName, ds.SoftwareVersions = "Achieva", "R5"
    clean, _ = deid.deidentify(ds, profile="strict", key=KEY)
    assert (str(clean.ManufacturerModelName), clean.SoftwareVersions) == ("REMOVED", "R5")


def test_names_in_private_items_of_unknown_kind_are_known_elsewhere(tmp_path: Path) -> None:
    """As some scanners write them: items in implicit VR under the VR UN."""
    name = struct.pack("<HHL", 0x0070, 0x0084, 8) + b"Achieva "
    items = struct.pack("<HHL", 0xFFFE, 0xE000, len(name)) + name
    ds = dcmread(FOLDER / "MR_small.dcm")
    ds.ManufacturerModelName = "Achieva"
    ds.private_block(0x2001, "Philips Imaging DD 129", create=True).add_new(0x00, "UN", items)
    ds.save_as(tmp_path / "a.dcm")
    clean, _ = deid.deidentify(dcmread(tmp_path / "a.dcm"), profile="strict", key=KEY)
    assert "Achieva" not in str(clean.ManufacturerModelName)


def test_a_name_made_of_ordinary_words_goes_as_a_whole() -> None:
    ds = person()
    ds.PatientName, ds.StudyDescription = "Modality^LUT^Test", "Modality LUT Test of chest, test LUT-Modality"
    clean, _ = deid.deidentify(ds, profile="strict", key=KEY)
    assert clean.StudyDescription == "[...] of chest, [...]"


def test_an_encapsulated_document_is_replaced() -> None:
    ds = person()
    ds.SOPClassUID, ds.MIMETypeOfEncapsulatedDocument = "1.2.840.10008.5.1.4.1.1.104.1", "application/pdf"
    ds.EncapsulatedDocument, ds.DocumentTitle = b"%PDF-1.7 Quuxberg", "Letter about Quuxberg"
    clean, _ = deid.deidentify(ds, profile="strict", key=KEY)
    assert (clean.EncapsulatedDocument, "uuxberg" in str(clean)) == (b"\0\0", False)


def test_the_audit_counts_and_holds_no_value() -> None:
    _, audit = deid.deidentify(person(), profile="strict", key=KEY)
    assert ("0010,0020", "pseudonym", 1) in [(r.path, r.action, r.count) for r in audit]
    assert "uuxberg" not in str(audit)
    assert "4711" not in str(audit)


def test_whole_dates_stay_on_request_if_they_are_dates(quiet: None) -> None:
    ds = person()
    ds["SeriesDate"] = RawDataElement(Tag(0x00080021), "DA", 8, b"Quuxberg", 0, False, True)
    clean, _ = deid.deidentify(ds, key=KEY, options=["retain-full-dates"])
    assert (clean.StudyDate, clean.SeriesDate) == ("20240228", "")
    assert clean.LongitudinalTemporalInformationModified == "UNMODIFIED"


def test_an_empty_key_is_refused() -> None:
    with pytest.raises(UsageError, match="expected the owner's key"):
        deid.deidentify(person(), key=b"")


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 35), st.integers(0, 255)), max_size=4))
def test_names_in_damaged_sequences_never_pass(damage: list[tuple[int, int]]) -> None:
    item = b"\x08\x00\x30\x10LO\x08\x00Quuxberg\x08\x00\x70\x00LO\x04\x00Zora"
    data = bytearray(b"\xfe\xff\x00\xe0\x1c\x00\x00\x00" + item)
    for place, byte in damage:
        data[place] = byte
    tag = Tag(0x52009229)
    ds = Dataset({tag: RawDataElement(tag, "SQ", len(data), bytes(data), 0, False, True)})
    ds.SOPClassUID, ds.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.3"
    ds.set_original_encoding(False, True)
    clean, _ = deid.deidentify(ds, profile="strict", key=KEY)
    clean.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    stream = io.BytesIO()
    dcmwrite(stream, clean, enforce_file_format=True)
    assert b"uuxber" not in stream.getvalue()
    assert b"Zora" not in stream.getvalue()


@settings(max_examples=25)
@given(st.binary(max_size=40), st.sampled_from(["LO", "DA", "DS", "UI", "SQ", "PN", "IS", "AS", "CS", "DT", "US"]))
def test_damaged_values_never_pass_nor_raise(data: bytes, vr: str) -> None:
    ds = Dataset()
    for number in (0x00081030, 0x00280010, 0x00189100, 0x00080020, 0x00101010):
        tag = Tag(number)
        ds[tag] = RawDataElement(tag, vr, len(data) + 11, b"Quuxberg777" + data, 0, False, True)
    clean, _ = deid.deidentify(ds, profile="strict", key=KEY)
    clean.set_original_encoding(False, True)
    clean.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    clean.SOPClassUID, clean.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3"
    stream = io.BytesIO()
    dcmwrite(stream, clean, enforce_file_format=True)
    assert b"Quuxberg777" not in stream.getvalue()
