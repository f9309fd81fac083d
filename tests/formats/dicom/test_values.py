"""Technical columns: layout, age, unit, padding, private b-values, and refusal of absurd sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.core.fault import ItemError
from radlake.core.image import UNITS
from radlake.formats.dicom import values
from radlake.formats.dicom.elements import DicomFile, Elements, PixelSpan

MakeElements = Callable[..., Elements]
CT = "1.2.840.10008.5.1.4.1.1.2"
JPEG = "1.2.840.10008.1.2.4.70"
PICTURE = {
    "Rows": 4,
    "Columns": 5,
    "BitsAllocated": 16,
    "BitsStored": 12,
    "PixelRepresentation": 0,
    "SamplesPerPixel": 1,
}


def columns(elements: Elements, *, syntax: str = "1.2.840.10008.1.2.1", stored: int = 40, modality: str = "CT") -> Any:
    pixels = PixelSpan("PixelData", stored)
    return values.image_values(DicomFile(elements, syntax, pixels), pixels, CT, modality)


def test_layout_and_size_of_a_picture(make_elements: MakeElements) -> None:
    found = columns(make_elements(**PICTURE, NumberOfFrames=3, PhotometricInterpretation="MONOCHROME2"))
    expected = {
        "rows": 4, "columns": 5, "frames": 3, "samples": 1, "bits_allocated": 16, "bits_stored": 12,
        "pixel_signed": False, "float_pixels": False, "pixel_bytes": 120, "stored_bytes": 40,
    }  # fmt: skip
    assert expected.items() <= found.items()


@pytest.mark.parametrize(("written", "tesla"), [("1.5", 1.5), ("15000", 1.5), ("30000", 3.0), ("0", None)])
def test_field_strength_is_in_tesla_also_where_it_was_written_in_gauss(
    make_elements: MakeElements, written: str, tesla: float | None
) -> None:
    assert columns(make_elements(**PICTURE, MagneticFieldStrength=written))["field_strength"] == tesla


@pytest.mark.parametrize("change", [{"Rows": 0}, {"Columns": 0}])
def test_pixels_without_extent_are_a_contradiction(make_elements: MakeElements, change: dict[str, int]) -> None:
    with pytest.raises(ItemError, match="contradicts"):
        columns(make_elements(**PICTURE | change))


def test_absurd_promises_are_refused_before_memory_is_taken(make_elements: MakeElements) -> None:
    large = PICTURE | {"Rows": 60_000, "Columns": 60_000}
    with pytest.raises(ItemError, match="promises 6866 MiB"):
        columns(make_elements(**large), syntax=JPEG)
    with pytest.raises(ItemError, match="promises"):
        columns(make_elements(**large, NumberOfFrames=1000))
    # Uncompressed and within reason: a truncated file, which is for the pixel reader to find.
    assert columns(make_elements(**large))["pixel_bytes"] == 7_200_000_000


@pytest.mark.parametrize(
    ("header", "years"),
    [
        ({"PatientAge": "045Y"}, 45.0),
        ({"PatientAge": "018M"}, 1.5),
        ({"PatientAge": "026W"}, 26 * 7 / 365.25),
        ({"PatientAge": "010D"}, 10 / 365.25),
        ({"PatientAge": "090Y"}, 90.0),
        ({"PatientAge": "103Y"}, 90.0),
        ({"PatientBirthDate": "19500101", "StudyDate": "20200101"}, 25567 / 365.25),
        ({"PatientBirthDate": "19000101", "StudyDate": "20200101"}, 90.0),
        ({"PatientBirthDate": "20210101", "StudyDate": "20200101"}, None),
        ({"PatientBirthDate": "15000101", "StudyDate": "20200101"}, None),
        ({"PatientBirthDate": "19500101"}, None),
        ({}, None),
    ],
)
def test_age_comes_from_either_source_and_ends_at_90(
    make_elements: MakeElements, header: dict[str, str], years: float | None
) -> None:
    assert values.age_years(make_elements(**header)) == (None if years is None else pytest.approx(years))


@settings(max_examples=100)
@given(st.text(alphabet="0123456789YMWDX .-", max_size=6))
def test_age_of_any_text_is_in_range(text: str) -> None:
    years = values.age_years(Elements({"PatientAge": (b"AS", text.encode())}))
    assert years is None or 0 <= years <= 90


@pytest.mark.parametrize(
    ("header", "unit"),
    [
        ({"ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"]}, "HU"),
        ({}, "HU"),
        ({"RescaleType": "HU", "ImageType": ["DERIVED", "SECONDARY"]}, "HU"),
        ({"ImageType": ["DERIVED", "PRIMARY", "AXIAL"]}, "HU"),
        ({"ImageType": ["DERIVED", "SECONDARY", "PERFUSION"]}, "a.u."),
        ({"RescaleType": "MGML"}, "a.u."),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "a.u."),
    ],
)
def test_hounsfield_units_need_a_rescaled_ct(make_elements: MakeElements, header: dict[str, Any], unit: str) -> None:
    rescale = {"RescaleSlope": 1, "RescaleIntercept": -1024}
    assert columns(make_elements(**PICTURE, **rescale, **header))["unit"] == unit
    assert columns(make_elements(**PICTURE, **header))["unit"] == "a.u."
    assert unit in UNITS


@pytest.mark.parametrize(
    ("vr", "data", "signed", "expected"),
    [
        (b"US", b"\x30\xf8", 1, -2000.0),  # written as unsigned although the pixels are signed
        (b"SS", b"\x30\xf8", 1, -2000.0),
        (b"SS", b"\x30\xf8", 0, 63536.0),
        (b"US or SS", b"\x30\xf8", 1, -2000.0),
        (b"US", b"\x07\x00", 0, 7.0),
    ],
)
def test_padding_is_signed_as_the_pixels_are(vr: bytes, data: bytes, signed: int, expected: float) -> None:
    elements = Elements({"PixelPaddingValue": (vr, data), "PixelRepresentation": (b"US", bytes([signed, 0]))})
    pixels = {"Rows": (b"US", b"\1\0"), "Columns": (b"US", b"\1\0")}
    elements.values |= pixels
    assert columns(elements)["padding_value"] == expected


def test_b_values_of_the_vendors_are_read_where_the_standard_one_is_absent() -> None:
    ge = {"creator 004310": (b"LO", b"GEMS_PARM_01"), "GEBValue 10": (b"IS", b"1000000800\\8\\0\\0")}
    siemens = {"creator 001910": (b"LO", b"SIEMENS MR HEADER"), "SiemensBValue 10": (b"IS", b"1000")}
    philips = {"creator 200110": (b"LO", b"Philips Imaging DD 001"), "PhilipsBValue 10": (b"FL", b"\0\0\x7a\x44")}
    standard = {"DiffusionBValue": (b"FD", bytes(8))}
    found = [values.b_value(Elements(e)) for e in (ge, siemens, philips, ge | standard, {})]
    assert found == [800.0, 1000.0, 1000.0, 0.0, None]


@pytest.mark.parametrize(
    ("header", "contrast"),
    [({}, None), ({"ContrastBolusAgent": "OMNIPAQUE"}, True), ({"ContrastBolusAgent": ""}, False),
     ({"ContrastBolusAgent": "NONE"}, False), ({"ContrastBolusAgentSequence": [{"CodeMeaning": "Iodine"}]}, True)],
)  # fmt: skip
def test_contrast_is_yes_no_or_not_said(make_elements: MakeElements, header: dict[str, Any], contrast: bool) -> None:
    assert columns(make_elements(**PICTURE, **header))["contrast"] is contrast


def test_a_dose_grid_is_scaled(make_elements: MakeElements) -> None:
    found = columns(make_elements(**PICTURE, DoseGridScaling=1e-5), modality="RTDOSE")
    assert (found["rescale_slope"], found["unit"]) == (1e-5, "a.u.")
