"""Series to images: what is kept apart, what joins, and that no order of the rows matters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.core.schema import to_table
from radlake.core.stage import Row
from radlake.formats.series import build, geometry_of

ReadRows = Callable[[Path], list[Row]]
AXIAL = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
CORONAL = [1.0, 0.0, 0.0, 0.0, 0.0, -1.0]


def _slice(number: int, z: float | None = None, **changes: Any) -> Row:
    """A CT slice as a row of `instances`."""
    return {
        "file_id": f"fi-{number:03}",
        "member": 0,
        "format": "dicom",
        "role": "image",
        "instance_id": f"in-{number:03}",
        "series_id": "se-1",
        "patient_id": "pt-1",
        "modality": "CT",
        "kind": "ct",
        "unit": "HU",
        "rows": 4,
        "columns": 6,
        "frames": 1,
        "samples": 1,
        "photometric": "MONOCHROME2",
        "bits_allocated": 16,
        "bits_stored": 12,
        "spacing_y": 0.5,
        "spacing_x": 0.25,
        "spacing_source": "pixel_spacing",
        "position": None if z is None else [10.0, 20.0, z],
        "orientation": AXIAL,
        "slice_thickness": 9.0,
        "instance_number": number,
    } | changes


def test_spacing_comes_from_positions_never_from_thickness() -> None:
    (image,) = build([_slice(n, 2.5 * n) for n in range(4)]).images
    assert (image["slices"], image["spacing_z"], image["spacing_y"], image["spacing_x"]) == (4, 2.5, 0.5, 0.25)
    assert image["origin"] == [10.0, 20.0, 0.0]
    assert image["calibrated"] is True


def test_an_image_can_show_text_when_one_of_its_members_can() -> None:
    clean = [_slice(n, 2.5 * n, pixel_text="clean") for n in range(3)]
    assert [i["pixel_text"] for i in build(clean).images] == ["clean"]
    assert [i["pixel_text"] for i in build([*clean, _slice(3, 7.5, pixel_text="unsure")]).images] == ["unsure"]
    assert [i["pixel_text"] for i in build([*clean, _slice(3, 7.5)]).images] == ["unchecked"]


def test_rows_fit_the_tables() -> None:
    built = build([_slice(n, float(n)) for n in range(3)])
    assert to_table("images", built.images).num_rows == 1
    assert to_table("file_images", built.file_images).num_rows == 3
    assert to_table("series", [built.series]).num_rows == 1


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.integers(-8, 8), st.sampled_from([1.0, 2.0, None]), st.booleans()), min_size=1, max_size=9),
    st.randoms(use_true_random=False),
)
def test_the_order_of_the_rows_never_matters(slices: list[tuple[int, float | None, bool]], random: Any) -> None:
    rows = [
        _slice(n, 1.5 * z, echo_time=echo, orientation=CORONAL if turned else AXIAL)
        for n, (z, echo, turned) in enumerate(slices)
    ]
    expected = build(rows)
    random.shuffle(rows)
    assert build(rows) == expected
    assert sorted(f["file_id"] for f in expected.file_images) == sorted(r["file_id"] for r in rows)


@settings(max_examples=30)
@given(
    st.integers(2, 30),
    st.floats(0.4, 8.0),
    st.floats(-0.6, 0.6),
    st.tuples(st.floats(-1, 1), st.floats(-1, 1), st.floats(-1, 1)),
)
def test_the_grid_maps_the_first_and_the_last_voxel_to_their_instances(
    count: int, step: float, shear: float, axis: tuple[float, float, float]
) -> None:
    turn, _ = np.linalg.qr(np.array([[1, *axis[:2]], [axis[2], 1, 0.3], [0.1, -0.2, 1]]))
    right, down = turn[:, 0], turn[:, 1]
    along = np.cross(right, down) * step + shear * down  # sheared: as with a tilted gantry
    start = np.array([-100.0, 50.0, 7.0])
    rows = [
        _slice(n, position=list(start + n * along), orientation=[*right.tolist(), *down.tolist()]) for n in range(count)
    ]
    (image,) = build(rows).images
    affine = geometry_of(image).affine
    assert affine @ [0, 0, 0, 1] == pytest.approx([*start, 1], abs=1e-6)
    assert affine @ [count - 1, 0, 0, 1] == pytest.approx([*(start + (count - 1) * along), 1], abs=1e-6)
    corner = start + (count - 1) * along + 3 * 0.5 * down + 5 * 0.25 * right
    assert affine @ [count - 1, 3, 5, 1] == pytest.approx([*corner, 1], abs=1e-6)


def test_a_gap_leaves_one_image_with_the_median_spacing() -> None:
    (image,) = build([_slice(n, z) for n, z in enumerate([0.0, 1, 2, 3, 9, 10, 11])]).images
    assert (image["slices"], image["spacing_z"]) == (7, 1.0)


@pytest.mark.parametrize(
    "other",
    [
        {"echo_time": 30.0},
        {"b_value": 1000.0},
        {"localizer": True},
        {"rows": 8},
        {"spacing_x": 0.5},
        {"unit": "a.u."},
    ],
)
def test_what_differs_is_another_image(other: dict[str, Any]) -> None:
    rows = [_slice(n, float(n)) for n in range(3)] + [_slice(10 + n, float(n), **other) for n in range(3)]
    images = build(rows).images
    assert [i["slices"] for i in images] == [3, 3]
    assert len({i["image_id"] for i in images}) == 2


def test_mixed_orientations_are_images_of_their_own() -> None:
    rows = [_slice(n, float(n)) for n in range(3)]
    rows += [_slice(10 + n, position=[0.0, 2.0 * n, 0.0], orientation=CORONAL) for n in range(4)]
    assert [(i["slices"], i["spacing_z"]) for i in build(rows).images] == [(3, 1.0), (4, 2.0)]


def test_magnitude_and_phase_of_an_mr_series_are_two_images() -> None:
    kinds = {"kind": "mr", "unit": "a.u."}
    rows = [_slice(n, float(n), image_type="ORIGINAL\\PRIMARY\\M", **kinds) for n in range(2)]
    rows += [_slice(5 + n, float(n), image_type="ORIGINAL\\PRIMARY\\P", **kinds) for n in range(2)]
    assert [i["slices"] for i in build(rows).images] == [2, 2]


def test_equal_repeats_become_frames_in_time() -> None:
    built = build([_slice(10 * t + n, float(n), temporal_position=t) for t in range(3) for n in range(2)])
    (image,) = built.images
    assert (image["frames"], image["slices"]) == (3, 2)
    assert [f["file_id"] for f in built.file_images] == [f"fi-{n:03}" for n in (0, 1, 10, 11, 20, 21)]


def test_a_copied_file_belongs_to_the_image_but_gives_no_pixels() -> None:
    rows = [_slice(n, float(n)) for n in range(3)]
    built = build([*rows, rows[1] | {"file_id": "fi-copy"}])
    (image,) = built.images
    assert (image["slices"], image["frames"]) == (3, None)
    (copy,) = [f for f in built.file_images if f["frames"] == []]
    assert copy["file_id"] == "fi-copy"


def test_a_repeated_slice_is_listed_without_pixels() -> None:
    built = build([_slice(0, 0.0), _slice(1, 1.0), _slice(2, 1.0), _slice(3, 2.0)])
    assert [(f["file_id"], f["frames"]) for f in built.file_images] == [
        ("fi-000", None),
        ("fi-001", None),
        ("fi-003", None),
        ("fi-002", []),
    ]


def test_slices_without_a_place_are_pictures_of_their_own() -> None:
    images = build([_slice(n) for n in range(3)]).images
    assert [(i["slices"], i["frames"], i["spacing_y"]) for i in images] == [(None, None, 0.5)] * 3


def test_a_loop_without_places_has_time_as_its_only_extra_axis() -> None:
    (image,) = build([_slice(0, frames=30, spacing_y=None, spacing_x=None, samples=3, photometric="RGB")]).images
    assert (image["frames"], image["slices"], image["channels"]) == (30, None, 3)
    assert (image["spacing_y"], image["calibrated"]) == (None, False)
    assert geometry_of(image).spacing == (1.0, 1.0)


def test_frames_of_an_enhanced_object_are_sorted_and_told_apart() -> None:
    places = [v for z in (4.0, 0.0, 2.0, 4.0, 0.0, 2.0) for v in (0.0, 0.0, z)]
    row = _slice(0, frames=6, frame_positions=places, frame_stack=[0, 0, 0, 1, 1, 1], position=None)
    built = build([row])
    assert [i["slices"] for i in built.images] == [3, 3]
    assert [f["frames"] for f in built.file_images] == [[1, 2, 0], [4, 5, 3]]


def test_planes_of_two_enhanced_objects_may_interleave() -> None:
    rows = [
        _slice(n, frames=2, position=None, frame_positions=[0.0, 0.0, float(n), 0.0, 0.0, float(n + 2)])
        for n in range(2)
    ]
    built = build(rows)
    assert [(f["file_id"], f["ordinal"], f["frames"]) for f in built.file_images] == [
        ("fi-000", 0, [0]),
        ("fi-001", 1, [0]),
        ("fi-000", 2, [1]),
        ("fi-001", 3, [1]),
    ]


def test_a_volume_format_keeps_the_grid_of_its_header() -> None:
    row = _slice(0, format="nifti", slices=5, spacing_z=3.0, slice_direction=[0.0, 0.0, -1.0], position=[1.0, 2.0, 3.0])
    (image,) = build([row]).images
    assert (image["slices"], image["spacing_z"]) == (5, 3.0)
    assert image["direction"] == [0.0, 0.0, -1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0]


def test_an_image_keeps_its_id_when_later_slices_arrive() -> None:
    rows = [_slice(n, float(n)) for n in range(5)]
    assert build(rows).images[0]["image_id"] == build(rows[:3]).images[0]["image_id"]


@pytest.mark.parametrize("broken", [{"rows": None}, {"columns": 0}, {"frames": 10**9}])
def test_an_impossible_slice_is_a_fault_of_its_file_only(broken: dict[str, Any]) -> None:
    built = build([_slice(0, 0.0), _slice(1, 1.0), _slice(2, 2.0, **broken)])
    assert [i["slices"] for i in built.images] == [2]
    ((file_id, fault),) = built.faults
    assert (file_id, fault.code) == ("fi-002", "contradictory_header")


@pytest.mark.parametrize(
    "damage",
    [
        {"position": [0.0, float("nan"), 0.0]},
        {"orientation": [0.0] * 6},
        {"orientation": [1.0, 0, 0, 1.0, 0, 0]},
        {"orientation": None},
        {"position": [1.0]},
    ],
)
def test_a_damaged_place_makes_a_picture(damage: dict[str, Any]) -> None:
    (image,) = build([_slice(0, 0.0, **damage)]).images
    assert image["slices"] is None


def test_patients_are_unknown_where_no_row_names_one() -> None:
    assert build([_slice(0, 0.0, patient_id=None)]).series["patient_known"] is False
    assert build([_slice(0, 0.0)]).series["patient_known"] is True


def test_estimated_bytes_of_a_large_ct_are_near_its_int16_size() -> None:
    rows = [_slice(n, float(n), rows=512, columns=512) for n in range(600)]
    (image,) = build(rows).images
    assert 1.0 <= image["estimated_bytes"] / (512 * 512 * 600 * 2) < 1.05


@pytest.mark.parametrize(("name", "file"), [("png", 700), ("npz", 0), ("nifti", 0)])
def test_other_formats_take_their_samples_twice_and_codecs_the_file_as_well(name: str, file: int) -> None:
    (image,) = build([_slice(0, format=name, pixel_bytes=1000, stored_bytes=700)]).images
    assert image["estimated_bytes"] == 2 * 1000 + file


def _built(shared: Path, folder: str, read_rows: ReadRows) -> list[Row]:
    """Images of a folder of real slices."""
    return build([r for f in sorted((shared / "dicom" / "series" / folder).iterdir()) for r in read_rows(f)]).images


def test_real_body_ct_has_two_millimetres_between_slices_three_thick(shared: Path, read_rows: ReadRows) -> None:
    (image,) = _built(shared, "ct_body_20_j2k", read_rows)
    assert (image["slices"], image["spacing_z"]) == (20, 2.0)


def test_real_tilted_head_ct_is_sheared_along_the_table(shared: Path, read_rows: ReadRows) -> None:
    (image,) = _built(shared, "ct_head_tilt_uneven_10", read_rows)
    geometry = geometry_of(image)
    normal = np.cross(geometry.direction[2], geometry.direction[1])
    assert image["slices"] == 10
    assert geometry.direction[0] == pytest.approx((0, 0, 1))
    assert np.degrees(np.arccos(normal @ np.array(geometry.direction[0]))) == pytest.approx(18.5, abs=0.1)
    assert image["spacing_z"] == pytest.approx(4.22, abs=0.01)  # the median of 4.22, 1.14 and 7.38


def test_real_sagittal_mr_is_stacked_on_its_normal(shared: Path, read_rows: ReadRows) -> None:
    (image,) = _built(shared, "mr_sagittal_16", read_rows)
    assert (image["slices"], round(image["spacing_z"], 3)) == (16, 2.0)
    assert image["direction"][:3] == pytest.approx([0, 1, 0])


def test_real_mosaics_are_volumes_over_time(shared: Path, read_rows: ReadRows) -> None:
    (image,) = _built(shared, "mr_siemens_epi_mosaic", read_rows)
    assert (image["frames"], image["slices"], image["rows"], image["spacing_z"]) == (2, 5, 72, 12.0)
