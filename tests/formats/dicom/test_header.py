"""Headers of whole files: roles, columns, and twenty thousand damaged files."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.core import schema
from radlake.core.fault import Ignored, ItemError
from radlake.core.header import Header
from radlake.core.image import KINDS, UNITS
from radlake.formats.dicom.elements import silent_pydicom
from radlake.formats.dicom.header import scan, sniff
from radlake.formats.source import Source

MakeDicom = Callable[..., bytes]
STORAGE = "1.2.840.10008.5.1.4.1.1."
PICTURE = {"Rows": 2, "Columns": 2, "BitsAllocated": 16, "SamplesPerPixel": 1, "pixels": bytes(8)}


def scan_bytes(data: bytes) -> Header:
    (header,) = scan(Source("x.dcm", data=data))
    return header


def by_name(files: list[Path], name: str) -> Header:
    (header,) = scan(Source(str(next(path for path in files if path.name == name))))
    return header


def test_slices_without_a_series_uid_belong_together_by_folder_study_and_patient(make_dicom: MakeDicom) -> None:
    def series_of(uri: str, patient: str) -> str | None:
        data = make_dicom(**PICTURE, Modality="CT", PatientID=patient)
        (header,) = scan(Source(uri, data=data))
        return header.identity.series_uid

    first = series_of("/export/one/1.dcm", "A")
    assert first is not None
    assert series_of("/export/one/2.dcm", "A") == first
    assert series_of("/export/two/1.dcm", "A") != first
    assert series_of("/export/one/3.dcm", "B") != first


# --- roles ------------------------------------------------------------------------------------------------------------


def test_a_ct_slice_has_the_columns_that_a_volume_needs(own_files: list[Path]) -> None:
    """Values as DICOM dumps of the file show them."""
    header = by_name(own_files, "CT_small.dcm")
    expected = {
        "modality": "CT", "kind": "ct", "unit": "HU", "rows": 128, "columns": 128, "frames": 1, "samples": 1,
        "photometric": "MONOCHROME2", "bits_allocated": 16, "bits_stored": 16, "pixel_signed": True,
        "spacing_y": 0.661468, "spacing_x": 0.661468, "spacing_source": "pixel_spacing", "slice_thickness": 5.0,
        "position": [-158.135803, -179.035797, -75.699997], "orientation": [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        "rescale_slope": 1.0, "rescale_intercept": -1024.0, "kvp": 120.0, "manufacturer": "GE MEDICAL SYSTEMS",
        "sex": "O", "age_years": 0.0, "image_type": "ORIGINAL\\PRIMARY\\AXIAL", "localizer": False,
        "padding_value": -2000.0, "pixel_bytes": 32768, "stored_bytes": 32768, "gantry_tilt": 0.0,
    }  # fmt: skip
    assert {name: header.values.get(name) for name in expected} == expected
    assert header.role == "image"
    assert header.study_date == "20040119"
    assert header.identity.patient_id == "1CT1"
    assert "CompressedSamples^CT1" in header.identity.known_texts


@pytest.mark.parametrize(
    ("tail", "code"),
    [("11.1", "presentation_only"), ("88.59", "selection_only"), ("481.5", "plan_only"), ("9.1.1", "waveform_only")],
)
def test_objects_with_nothing_to_keep_are_ignored(make_dicom: MakeDicom, tail: str, code: str) -> None:
    with pytest.raises(Ignored) as caught:
        scan_bytes(make_dicom(sop_class=STORAGE + tail))
    assert caught.value.code == code


def test_an_image_without_pixels_is_a_fault_and_other_objects_are_ignored(make_dicom: MakeDicom) -> None:
    with pytest.raises(ItemError, match="should hold pixels") as caught:
        scan_bytes(make_dicom(Modality="CT"))
    assert not caught.value.ignored
    with pytest.raises(ItemError, match="should hold pixels"):
        scan_bytes(make_dicom(sop_class="1.2.3.4", Rows=5))
    with pytest.raises(Ignored, match="holds no image"):
        scan_bytes(make_dicom(sop_class=STORAGE + "66"))


def test_a_segmentation_names_its_segments(make_dicom: MakeDicom) -> None:
    liver = {"SegmentNumber": 1, "SegmentLabel": "Liver"}
    typed = {"SegmentNumber": 2, "SegmentedPropertyTypeCodeSequence": [{"CodeMeaning": "Spleen"}]}
    for tail in ("66.4", "66.7"):
        header = scan_bytes(make_dicom(sop_class=STORAGE + tail, SegmentSequence=[liver, typed, {}], **PICTURE))
        assert (header.role, header.rois) == ("segmentation", ["Liver", "Spleen", ""])
        assert (header.values["kind"], header.values["unit"]) == ("label", "label")


def test_a_structure_set_names_its_regions_in_file_order(make_dicom: MakeDicom) -> None:
    rois = [{"ROINumber": 2, "ROIName": "GTV-1"}, {"ROINumber": 1, "ROIName": "Lung L"}]
    header = scan_bytes(make_dicom(sop_class=STORAGE + "481.3", StructureSetROISequence=rois))
    assert (header.role, header.rois) == ("structures", ["GTV-1", "Lung L"])


def test_a_report_holds_its_statements(own_files: list[Path]) -> None:
    header = by_name(own_files, "test-SR.dcm")
    assert header.role == "document"
    assert len(header.texts) > 5


def test_every_real_header_fits_the_table(own_files: list[Path], shared: Path) -> None:
    roles: Counter[str] = Counter()
    for path in own_files + sorted((shared / "dicom").rglob("*.dcm")):
        try:
            (header,) = scan(Source(str(path)))
        except ItemError as error:
            roles[error.code] += 1
            continue
        roles[header.role] += 1
        assert schema.to_table("instances", [header.values]).num_rows == 1
        assert header.values["kind"] in KINDS
        assert header.values.get("unit", "a.u.") in UNITS
        count = header.values.get("frames", 0)
        assert len(header.values.get("frame_positions", [])) in (0, 3 * count)
        assert len(header.values.get("frame_stack", [])) in (0, count)
    assert roles["image"] > 300
    assert roles["segmentation"] > 15
    assert roles["unreadable_header"] <= 3


# --- what counts as DICOM ---------------------------------------------------------------------------------------------


def test_dicom_is_recognised_by_its_first_bytes_or_its_name(own_files: list[Path]) -> None:
    for path in own_files:
        if path.name != "no_meta.dcm":
            assert sniff(path.read_bytes()[:8192], "")
    assert sniff(b"", ".dcm")
    assert sniff(b"garbage", ".ima")


@pytest.mark.parametrize(
    "head",
    [b"", b"\x08\x00", b"PK\x03\x04" + bytes(200), b"\x89PNG\r\n\x1a\n", bytes(348),
     b"\x08\x00\x05\x00\xff\xff\xff\x7f" * 9, b"\x00\x08" + b"z" * 200, b"NRRD0004\n", b"patient,label\n1,2\n"],
)  # fmt: skip
def test_other_formats_are_not_taken_for_dicom(head: bytes) -> None:
    assert not sniff(head, ".bin")


# --- damaged files ----------------------------------------------------------------------------------------------------

SAMPLES = """
    CT_small.dcm MR_small.dcm MR_small_bigendian.dcm JPEG2000.dcm image_dfl.dcm liver_1frame.dcm rtstruct.dcm
    test-SR.dcm reportsi.dcm rtdose_1frame.dcm examples_ybr_color.dcm ExplVR_LitEndNoMeta.dcm UN_sequence.dcm badVR.dcm
    nested_priv_SQ.dcm rtplan.dcm chrH31.dcm examples_palette.dcm
"""
TOKENS = [
    b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f", b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0",
    b"\xfe\xff\xdd\xe0",
    b"SQ\0\0", b"UN\0\0", b"OB", b"nan", b"1e999", b"-1", b"9" * 16, b"\\" * 6, b"\x1b$)A\xff", b"\xff\xfe\x80",
    b"ISO 2022 IR 87", b"GB18030", b"1.2.840.10008.1.2.1.99", b"\xe0\x7f\x10\x00",
]  # fmt: skip


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Cut off, flipped, overwritten, copied within, or with something put in."""
    changed, kind = bytearray(data), rng.randrange(6)
    place = rng.randrange(len(changed))
    early = rng.randrange(min(len(changed), 6000))
    if kind == 0:
        del changed[place:]
    elif kind == 1:
        for _ in range(rng.randrange(1, 20)):
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    elif kind == 2:
        for _ in range(rng.randrange(1, 8)):
            changed[rng.randrange(min(len(changed), 4000))] = rng.randrange(256)
    elif kind == 3:
        count = rng.randrange(1, 200)
        changed[early : early + count] = changed[place : place + count]
    elif kind == 4:
        token = rng.choice(TOKENS)
        changed[early : early + len(token)] = token
    else:
        changed[early:early] = rng.randbytes(rng.randrange(1, 16))
    return bytes(changed)


def outcomes(files: list[Path], *, seed: int, count: int) -> Counter[str]:
    """What became of so many damaged files; anything but a header or a fault passes through."""
    rng = random.Random(seed)
    samples = [next(p for p in files if p.name == name).read_bytes()[:40_000] for name in SAMPLES.split()]
    found: Counter[str] = Counter()
    for _ in range(count):
        data = damaged(rng.choice(samples), rng)
        started = time.perf_counter()
        try:
            header = scan_bytes(data)
            schema.to_table("instances", [header.values])
            found["header"] += 1
        except ItemError as error:
            found[error.code] += 1
        assert time.perf_counter() - started < 2.0
    return found


@pytest.mark.slow
def test_twenty_thousand_damaged_files_give_headers_or_faults(own_files: list[Path]) -> None:
    found = outcomes(own_files, seed=20_000, count=20_000)
    assert found.total() == 20_000
    assert found["header"] > 5_000
    assert found["unreadable_header"] > 1_000


@pytest.mark.soak
def test_a_million_damaged_files_give_headers_or_faults(own_files: list[Path]) -> None:
    for seed in range(50):
        assert outcomes(own_files, seed=seed, count=20_000).total() == 20_000


@settings(max_examples=500)
@given(st.binary(max_size=600), st.sampled_from(["magic", "meta", "bare"]))
def test_random_bytes_give_headers_or_faults(data: bytes, start: str) -> None:
    meta = bytes(128) + b"DICM" + b"\x02\x00\x10\x00UI\x14\x001.2.840.10008.1.2.1\x00"
    prefix = {"magic": meta[:132], "meta": meta, "bare": b""}[start]
    try:
        scan_bytes(prefix + data)
    except ItemError as error:
        assert str(error)  # its message is made of our own words and numbers


@settings(max_examples=100)
@given(st.binary(max_size=40), st.sampled_from(["Rows", "PixelSpacing", "NumberOfFrames", "ImagePositionPatient"]))
def test_any_bytes_in_a_numeric_element_are_survived(value: bytes, keyword: str) -> None:
    ds = pydicom.Dataset()
    ds.SOPClassUID, ds.Rows, ds.Columns = STORAGE + "2", 2, 2
    tag = pydicom.datadict.tag_for_keyword(keyword)
    vr = pydicom.datadict.dictionary_VR(keyword)
    body = b"".join(
        group.to_bytes(2, "little") + number.to_bytes(2, "little") + kind + len(content).to_bytes(2, "little") + content
        for group, number, kind, content in sorted(
            [(0x28, 0x10, b"US", b"\2\0"), (0x28, 0x11, b"US", b"\2\0"), (tag >> 16, tag & 0xFFFF, vr.encode(), value)]
        )
    )
    pixels = b"\xe0\x7f\x10\x00OW\0\0\x08\0\0\0" + bytes(8)
    meta = bytes(128) + b"DICM" + b"\x02\x00\x10\x00UI\x14\x001.2.840.10008.1.2.1\x00"
    try:
        header = scan_bytes(meta + body + pixels)
        schema.to_table("instances", [header.values])
    except ItemError as error:
        assert error.code in ("bomb", "contradictory_header")


def test_a_fault_never_quotes_the_file(own_files: list[Path]) -> None:
    """Nothing printed, warned or logged either: pydicom's own messages are kept silent."""
    with silent_pydicom():
        planted = next(p for p in own_files if p.name == "CT_small.dcm").read_bytes().replace(b"1CT1", b"ZQX7")
    rng = random.Random(5)
    for _ in range(300):
        try:
            scan_bytes(damaged(planted, rng))
        except ItemError as error:
            assert "ZQX7" not in f"{error!r} {error} {error.hint} {error.values}"
