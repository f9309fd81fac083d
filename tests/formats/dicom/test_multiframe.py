"""Frames of enhanced, nuclear medicine and dose objects: positions and stacks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.formats.dicom import multiframe
from radlake.formats.dicom.elements import Elements
from radlake.formats.dicom.header import scan
from radlake.formats.source import Source

MakeElements = Callable[..., Elements]
AXIAL = [1, 0, 0, 0, 1, 0]
SAGITTAL = [0, 1, 0, 0, 0, -1]


def frame(z: float, *, orientation: list[float] = AXIAL, echo: float | None = None, **content: Any) -> dict[str, Any]:
    """Functional groups of a frame at height z."""
    groups: dict[str, Any] = {
        "PlanePositionSequence": [{"ImagePositionPatient": [0, 0, z]}],
        "PlaneOrientationSequence": [{"ImageOrientationPatient": orientation}],
        "FrameContentSequence": [{"StackID": "1", **content}],
    }
    if echo is not None:
        groups["MREchoSequence"] = [{"EffectiveEchoTime": echo}]
    return groups


SHARED = [{
    "PixelMeasuresSequence": [{"PixelSpacing": [2, 3], "SliceThickness": 4}],
    "PixelValueTransformationSequence": [{"RescaleSlope": 2, "RescaleIntercept": -5, "RescaleType": "US"}],
}]  # fmt: skip


def enhanced(make: MakeElements, frames: list[dict[str, Any]], **extra: Any) -> dict[str, Any]:
    elements = make(
        SharedFunctionalGroupsSequence=SHARED,
        PerFrameFunctionalGroupsSequence=frames,
        NumberOfFrames=len(frames),
        **extra,
    )
    return multiframe.enhanced(elements, len(frames))


def test_one_volume_is_one_stack(make_elements: MakeElements) -> None:
    columns = enhanced(make_elements, [frame(5), frame(0), frame(10)])
    assert columns == {
        "spacing_y": 2, "spacing_x": 3, "spacing_source": "pixel_spacing", "slice_thickness": 4,
        "rescale_slope": 2, "rescale_intercept": -5, "position": [0, 0, 5], "orientation": AXIAL,
        "frame_positions": [0, 0, 5, 0, 0, 0, 0, 0, 10], "frame_stack": [0, 0, 0],
    }  # fmt: skip


def test_echoes_and_orientations_are_stacks_of_their_own(make_elements: MakeElements) -> None:
    columns = enhanced(make_elements, [frame(0, echo=10), frame(0, echo=20), frame(5, echo=10), frame(5, echo=20)])
    assert columns["frame_stack"] == [0, 1, 0, 1]
    assert "echo_time" not in columns
    columns = enhanced(make_elements, [frame(0, echo=10), frame(1, echo=10, orientation=SAGITTAL)])
    assert columns["frame_stack"] == [0, 1]
    assert columns["frame_orientations"] == AXIAL + SAGITTAL
    assert columns["echo_time"] == 10


def test_times_that_repeat_the_positions_are_stacks(make_elements: MakeElements) -> None:
    frames = [frame(z, TemporalPositionIndex=t) for t in (1, 2, 3) for z in (0, 5)]
    assert enhanced(make_elements, frames)["frame_stack"] == [0, 0, 1, 1, 2, 2]


def test_a_dimension_separates_frames_at_one_place(make_elements: MakeElements) -> None:
    """The first dimension counts along the stack, the second (a private one) twice at each place."""
    frames = [frame(z, DimensionIndexValues=[z + 1, n]) for z in (0, 1) for n in (1, 2)]
    dimensions = [{"DimensionIndexPointer": 0x00209057}, {"DimensionIndexPointer": 0x20051011}]
    assert enhanced(make_elements, frames, DimensionIndexSequence=dimensions)["frame_stack"] == [0, 1, 0, 1]


def test_a_dimension_that_only_counts_frames_makes_no_stacks(make_elements: MakeElements) -> None:
    frames = [frame(z, DimensionIndexValues=[z + 1]) for z in (0, 1, 2)]
    dimensions = [{"DimensionIndexPointer": 0x00189087}]
    assert enhanced(make_elements, frames, DimensionIndexSequence=dimensions)["frame_stack"] == [0, 0, 0]


def test_groups_for_another_number_of_frames_place_nothing(make_elements: MakeElements) -> None:
    elements = make_elements(
        SharedFunctionalGroupsSequence=SHARED, PerFrameFunctionalGroupsSequence=[frame(0), frame(1)]
    )
    columns = multiframe.enhanced(elements, 3)
    assert columns["spacing_y"] == 2
    assert not {name for name in columns if name.startswith("frame_")}


def test_rescale_that_differs_between_frames_is_left_out(make_elements: MakeElements) -> None:
    frames = [
        frame(z) | {"PixelValueTransformationSequence": [{"RescaleSlope": 1 + z, "RescaleIntercept": 0}]}
        for z in (0, 1)
    ]
    columns = enhanced(make_elements, frames)
    assert "rescale_slope" not in columns
    assert columns["rescale_intercept"] == 0


def test_plain_objects_have_no_groups(make_elements: MakeElements) -> None:
    assert multiframe.enhanced(make_elements(PixelSpacing=[1, 1]), 1) == {}


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=12))
def test_stacks_never_mix_what_is_fixed_and_are_counted_in_order(frames: list[tuple[int, int, int]]) -> None:
    fixed, positions, times = (list(column) for column in zip(*frames, strict=True))
    stacks = multiframe.stack_numbers(fixed, positions, [times])
    assert all(len({f for f, s in zip(fixed, stacks, strict=True) if s == n}) == 1 for n in stacks)
    assert list(dict.fromkeys(stacks)) == list(range(len(set(stacks))))


def test_reconstructed_nuclear_slices_lie_along_the_normal(make_elements: MakeElements) -> None:
    detector = [{"ImagePositionPatient": [1, 2, 3], "ImageOrientationPatient": AXIAL}]
    elements = make_elements(
        ImageType=["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"],
        DetectorInformationSequence=detector, SpacingBetweenSlices=-2, SliceVector=[1, 2, 3],
    )  # fmt: skip
    columns = multiframe.nuclear(elements, 3)
    assert columns["frame_positions"] == [1, 2, 3, 1, 2, 1, 1, 2, -1]
    assert columns["frame_stack"] == [0, 0, 0]


def test_energy_windows_of_a_planar_scan_are_stacks(make_elements: MakeElements) -> None:
    elements = make_elements(ImageType=["ORIGINAL", "PRIMARY", "WHOLE BODY"], EnergyWindowVector=[1, 1, 2, 2])
    assert multiframe.nuclear(elements, 4) == {"frame_stack": [0, 0, 1, 1]}
    assert multiframe.nuclear(elements, 5) == {}


@pytest.mark.parametrize(("offsets", "heights"), [([0, 5, 10], [-3, -8, -13]), ([-3, 2, 7], [-3, 2, 7])])
def test_dose_planes_are_relative_to_the_normal_or_absolute(
    make_elements: MakeElements, offsets: list[float], heights: list[float]
) -> None:
    elements = make_elements(
        ImagePositionPatient=[1, 2, -3], ImageOrientationPatient=[1, 0, 0, 0, -1, 0], GridFrameOffsetVector=offsets
    )
    assert multiframe.dose(elements, 3) == {"frame_positions": [x for z in heights for x in (1, 2, z)]}
    assert multiframe.dose(elements, 4) == {}


def test_a_real_phase_scan_has_two_stacks_of_equal_places(shared: Path) -> None:
    (header,) = scan(Source(str(shared / "dicom" / "enhanced_mr" / "Philips_IM_0027_fMAP.dcm")))
    stacks, flat = header.values["frame_stack"], header.values["frame_positions"]
    places = [tuple(flat[i : i + 3]) for i in range(0, len(flat), 3)]
    by_stack = [{p for p, s in zip(places, stacks, strict=True) if s == n} for n in (0, 1)]
    assert len(by_stack[0]) == 32
    assert by_stack[0] == by_stack[1]
