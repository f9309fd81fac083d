"""What texture families share: aggregations, distances, means over matrices, tables kept or made again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from radlake.features import texture as module
from radlake.features.discretise import Binning
from radlake.features.extract import extract
from radlake.features.families import FAMILIES
from radlake.features.morphology import NO_INTENSITY
from radlake.features.roi import region_of_interest
from radlake.features.texture import (
    AGGREGATIONS,
    NO_VALUE,
    Texture,
    average,
    border_distance,
    dimensions,
    for_axes,
)
from tests.features.phantom import tables

TEXTURES = tuple(name for name, family in FAMILIES.items() if family.texture)
RNG = np.random.default_rng(2)
IMAGE = RNG.integers(0, 5, (4, 6, 7))
MASK = RNG.random((4, 6, 7)) > 0.3
masks = arrays.arrays(np.bool_, st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 6)))


def _values(image: np.ndarray, mask: np.ndarray, **more: object) -> dict[str, float | None]:
    return extract(image, mask, families=TEXTURES, aggregations=AGGREGATIONS, as_dict=True, **more)  # type: ignore[call-overload,no-any-return]


@settings(max_examples=40)
@given(masks, st.booleans())
def test_the_distance_is_the_number_of_erosions_a_voxel_survives(mask: np.ndarray, deep: bool) -> None:
    from scipy import ndimage

    structure = ndimage.generate_binary_structure(3, 1)
    if not deep:
        structure[0] = structure[2] = False
    left, expected = np.pad(mask, 1), np.zeros(np.array(mask.shape) + 2, int)
    while left.any():
        expected += left
        left = ndimage.binary_erosion(left, structure)
    assert (border_distance(mask, deep=deep) == expected).all()


def test_a_plane_knows_two_aggregations_and_zones_know_dimensions() -> None:
    assert for_axes(AGGREGATIONS, 2) == ("2D_avg", "2D_comb")
    assert for_axes(AGGREGATIONS, 3) == AGGREGATIONS
    assert dimensions(AGGREGATIONS) == ("2D", "2_5D", "3D")
    assert dimensions(("2_5D_comb",)) == ("2_5D",)


def test_means_leave_out_what_has_no_value() -> None:
    parts = [np.array([[1.0, np.nan, 4.0, 0.0]]), np.array([[3.0, np.nan, np.nan, 0.0]])]
    assert average(["a", "b", "c"], parts) == {"a": 2.0, "b": NO_VALUE, "c": 4.0}
    assert average(["a", "b", "c"], parts[1:]) == {"a": 3.0, "b": NO_VALUE, "c": NO_VALUE}


def test_a_volume_is_the_same_whether_its_planes_were_walked_before_or_not() -> None:
    first, second = (region_of_interest(IMAGE, MASK).texture for _ in range(2))
    assert first is not None
    assert second is not None
    assert [*second.lines_by_plane()]
    for ours, theirs in zip(first.lines, second.lines, strict=True):
        assert np.array_equal(ours, theirs)


@pytest.mark.parametrize(("aggregation", "number"), [("2D_avg", 16), ("2D_comb", 4), ("2_5D_avg", 4), ("3D_avg", 13)])
def test_matrices_are_as_many_as_the_aggregation_says(aggregation: module.Aggregation, number: int) -> None:
    texture = region_of_interest(IMAGE, MASK).texture
    assert texture is not None
    found = tables(texture, aggregation, "runs")
    assert len(found) == number
    # Each run of length r holds r voxels: every matrix accounts for all the voxels that it describes.
    assert all((runs * np.arange(1, runs.shape[1] + 1)).sum() == voxels for runs, voxels in found)


def test_tables_of_planes_are_the_same_kept_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = _values(IMAGE, MASK)
    monkeypatch.setattr(module, "_KEPT_CELLS", 0)
    assert _values(IMAGE, MASK) == kept


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(0, 3), st.booleans())
def test_turning_a_slice_or_mirroring_changes_nothing(seed: int, quarters: int, mirrored: bool) -> None:
    rng = np.random.default_rng(seed)
    image, mask = rng.integers(0, 4, (3, 5, 6)), rng.random((3, 5, 6)) > 0.3
    mask[0, 0, 0] = True
    turned = [np.rot90(a, quarters, (1, 2))[:: -1 if mirrored else 1] for a in (image, mask)]
    here, there = _values(image, mask, bin_width=1), _values(turned[0], turned[1], bin_width=1)
    for name, value in here.items():
        assert value == (pytest.approx(there[name], rel=1e-9, abs=1e-12) if value is not None else there[name]), name


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.permutations([0, 1, 2]))
def test_volume_measures_do_not_know_the_axes(seed: int, order: list[int]) -> None:
    rng = np.random.default_rng(seed)
    image, mask = rng.integers(0, 4, (3, 4, 5)), rng.random((3, 4, 5)) > 0.3
    mask[0, 0, 0] = True
    here, there = _values(image, mask, bin_width=1), _values(image.transpose(order), mask.transpose(order), bin_width=1)
    for name in (n for n in here if n.endswith(("_3D", "_3D_avg", "_3D_comb"))):
        assert here[name] == (pytest.approx(there[name], rel=1e-9, abs=1e-12) if here[name] is not None else None), name


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(-300, 300))
def test_a_level_shift_changes_nothing(seed: int, shift: int) -> None:
    rng = np.random.default_rng(seed)
    image, mask = rng.integers(0, 4, (3, 4, 5)), np.ones((3, 4, 5), bool)
    assert _values(image, mask, bin_width=1) == _values(image + shift, mask, bin_width=1)


def test_one_slice_gives_the_same_as_a_volume_of_it() -> None:
    plane = extract(IMAGE[1], MASK[1], families=TEXTURES, aggregations=AGGREGATIONS, as_dict=True)
    volume = _values(IMAGE[1:2], MASK[1:2])
    assert plane == {name: volume[name] for name in plane}
    assert all(name.endswith(("_2D", "_2D_avg", "_2D_comb")) for name in plane)
    flat = {name.removesuffix("_2D"): value for name, value in plane.items() if name.endswith("_2D")}
    assert flat == pytest.approx({n: volume[f"{n}_2_5D"] for n in flat})


def test_a_region_without_intensities_says_so_under_every_name() -> None:
    roi = region_of_interest(IMAGE, MASK, intensity_range=(90, 99))
    for family in TEXTURES:
        found = FAMILIES[family].function(roi, aggregations=AGGREGATIONS)
        assert set(found.values()) == {NO_INTENSITY}
        assert (
            found.keys() == FAMILIES[family].function(region_of_interest(IMAGE, MASK), aggregations=AGGREGATIONS).keys()
        )


def test_holes_of_re_segmentation_count_for_textures_but_not_for_distances() -> None:
    image = np.ones((1, 5, 5), int)
    image[0, 2, 2] = 9
    roi = region_of_interest(image, np.ones((1, 5, 5), bool), intensity_range=(0, 5), binning=Binning(bin_width=1))
    texture = roi.texture
    assert texture is not None
    assert texture.voxels.tolist() == [24]
    assert texture.zones_in_planes.distance.tolist() == [1]
    assert border_distance(texture.mask, deep=False).max() == 3


def test_voxels_are_counted_by_plane() -> None:
    grid = np.zeros((4, 4, 4), np.uint16)
    grid[1, 1, 1] = grid[2, 1:3, 1:3] = 1
    assert Texture(grid, 1, grid[1:-1, 1:-1, 1:-1] > 0).voxels.tolist() == [1, 4]
