"""SUV factors: the formula by hand, the header's many ways to state times, and a published SUV image."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.formats.dicom.elements import Elements
from radlake.formats.dicom.header import scan
from radlake.formats.dicom.suv import body_weight_factor, count_rate_time, suv_factor
from radlake.formats.source import Source

PET = "1.2.840.10008.5.1.4.1.1.128"
HALF_LIFE = 6586.2
MakeElements = Callable[..., Elements]


def pet(**changes: Any) -> dict[str, Any]:
    """Header of an FDG scan at 13:00, an hour after the injection of 350 MBq into 70 kg."""
    tracer = {
        "RadionuclideTotalDose": 350e6,
        "RadionuclideHalfLife": HALF_LIFE,
        "RadiopharmaceuticalStartTime": "120000.000000",
    } | changes.pop("tracer", {})
    header = {
        "sop_class": PET,
        "Units": "BQML",
        "CorrectedImage": ["DECY", "ATTN", "SCAT"],
        "DecayCorrection": "START",
        "PatientWeight": 70.0,
        "SeriesDate": "20200102",
        "SeriesTime": "130000",
        "AcquisitionDate": "20200102",
        "AcquisitionTime": "130000",
        "RadiopharmaceuticalInformationSequence": [{k: v for k, v in tracer.items() if v is not None}],
    } | changes
    return {name: value for name, value in header.items() if value is not None}


AN_HOUR = 70e3 / (350e6 * 2 ** (-3600 / HALF_LIFE))


def test_factor_after_one_half_life_is_twice_weight_over_dose() -> None:
    assert body_weight_factor(70.0, 350e6, HALF_LIFE, HALF_LIFE) == pytest.approx(2 * 70e3 / 350e6)


@settings(max_examples=50)
@given(duration=st.floats(1.0, 7200.0))
def test_mean_activity_is_met_before_the_middle_of_the_frame(duration: float) -> None:
    assert 0.0 < count_rate_time(HALF_LIFE, duration) <= duration / 2


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, AN_HOUR),
        ({"DecayCorrection": "ADMIN"}, 70e3 / 350e6),
        ({"tracer": {"RadiopharmaceuticalStartDateTime": "20200102120000.00+0100"}}, AN_HOUR),
        ({"tracer": {"RadiopharmaceuticalStartTime": "233000"}, "SeriesTime": "003000"}, AN_HOUR),  # past midnight
    ],
)
def test_factor_follows_the_times_of_the_header(
    make_elements: MakeElements, changes: dict[str, Any], expected: float
) -> None:
    factor, unit = suv_factor(make_elements(**pet(**changes)))
    assert factor == pytest.approx(expected, rel=1e-6)
    assert unit == "SUVbw"


def test_a_late_series_time_is_replaced_by_the_frame_reference_time(make_elements: MakeElements) -> None:
    """The third frame of two minutes began four minutes after the series; its mean activity is met a minute later."""
    middle = 240.0 + count_rate_time(HALF_LIFE, 120.0)
    header = pet(
        SeriesTime="180000",
        AcquisitionTime="130400",
        FrameReferenceTime=f"{middle * 1000:.3f}",
        ActualFrameDuration="120000",
    )
    assert suv_factor(make_elements(**header))[0] == pytest.approx(AN_HOUR, rel=1e-6)


@pytest.mark.parametrize("time", [b"noon", b"250000", b"126100", b"", b"12:x0"])
def test_a_senseless_time_gives_no_factor(make_elements: MakeElements, time: bytes) -> None:
    elements = make_elements(**pet())
    elements.first("RadiopharmaceuticalInformationSequence").values["RadiopharmaceuticalStartTime"] = (b"TM", time)
    assert suv_factor(elements) == (None, "Bq/mL")


@pytest.mark.parametrize(
    "changes",
    [
        {"PatientWeight": None},
        {"PatientWeight": 0.0},
        {"DecayCorrection": "NONE"},
        {"DecayCorrection": None},
        {"CorrectedImage": ["ATTN"]},
        {"CorrectedImage": ["DECY"]},
        {"tracer": {"RadionuclideTotalDose": 350.0}},  # MBq by mistake
        {"tracer": {"RadionuclideTotalDose": None}},
        {"tracer": {"RadionuclideHalfLife": 0.0}},
        {"tracer": {"RadiopharmaceuticalStartTime": None}},
        {"tracer": {"RadiopharmaceuticalStartDateTime": "20190102120000"}},  # a year before
        {"SeriesTime": "180000"},  # later than the acquisition, and nothing to replace it
        {"SeriesDate": None, "AcquisitionDate": None},
    ],
)
def test_no_factor_where_the_header_does_not_allow_one(make_elements: MakeElements, changes: dict[str, Any]) -> None:
    assert suv_factor(make_elements(**pet(**changes))) == (None, "Bq/mL")


def test_values_that_are_suv_already_keep_their_scale(make_elements: MakeElements) -> None:
    assert suv_factor(make_elements(**pet(Units="GML"))) == (1.0, "SUVbw")
    assert suv_factor(make_elements(**pet(Units="GML", SUVType="LBM"))) == (None, "a.u.")


def test_counts_need_the_private_factor_of_philips() -> None:
    counts = {"Units": (b"CS", b"CNTS"), "creator 705310": (b"LO", b"Philips PET Private Group")}
    assert suv_factor(Elements(counts | {"PhilipsSUVScale 10": (b"DS", b"0.00025")})) == (0.00025, "SUVbw")
    assert suv_factor(Elements(counts)) == (None, "a.u.")
    other = counts | {"creator 705310": (b"LO", b"SOMEBODY"), "PhilipsSUVScale 10": (b"DS", b"0.00025")}
    assert suv_factor(Elements(other)) == (None, "a.u.")


def test_ge_scan_time_replaces_a_late_series_time(make_elements: MakeElements) -> None:
    elements = make_elements(**pet(SeriesTime="180000"))
    elements.values |= {
        "creator 000910": (b"LO", b"GEMS_PETD_01"),
        "GEScanDateTime 10": (b"DT", b"20200102130000.00"),
    }
    assert suv_factor(elements)[0] == pytest.approx(AN_HOUR)


def test_published_suv_of_real_slices_is_met(shared: Path) -> None:
    """Match by affine, because the published crop is in another orientation (DICOM is LPS, NIfTI RAS)."""
    published = nib.load(next((shared / "pet_suv" / "published_suv").glob("PET_image*")))
    to_index = np.linalg.inv(published.affine)
    reference = np.asarray(published.dataobj)
    ratios = []
    for path in sorted((shared / "pet_suv" / "raw_dicom").iterdir())[::8]:
        (header,) = scan(Source(str(path)))
        v = header.values
        ds = pydicom.dcmread(path)
        suv = (ds.pixel_array * v["rescale_slope"] + (v.get("rescale_intercept") or 0.0)) * v["suv_factor"]
        y, x = np.mgrid[: v["rows"], : v["columns"]]
        o, p = np.array(v["orientation"]), np.array(v["position"])
        points = p + x[..., None] * v["spacing_x"] * o[:3] + y[..., None] * v["spacing_y"] * o[3:]
        index = points * [-1, -1, 1] @ to_index[:3, :3].T + to_index[:3, 3]
        nearest = np.rint(index).astype(int)
        inside = ((nearest >= 0) & (nearest < reference.shape)).all(-1) & (np.abs(index - nearest) < 0.05).all(-1)
        truth = reference[tuple(nearest[inside].T)]
        strong = truth > 0.2
        if strong.sum() > 50:
            ratios.append(np.median(suv[inside][strong] / truth[strong]))
    assert len(ratios) == 8
    np.testing.assert_allclose(ratios, 1.0, atol=2e-4)  # the publisher resliced by up to 0.006 voxels along z
