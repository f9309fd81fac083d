"""Agreement of masks: by hand, against scipy's directed Hausdorff distance and SimpleITK, on real outlines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image as Pillow
from scipy import ndimage
from scipy.spatial.distance import directed_hausdorff

from radlake.core.fault import ItemError
from radlake.core.image import Geometry, Image
from radlake.formats.nifti import from_bytes
from radlake.imaging.agreement import (
    agreement,
    dice,
    hausdorff,
    hausdorff95,
    jaccard,
    mean_surface_distance,
    same_grid,
    volume_difference,
)

MASKS = arrays.arrays(np.bool_, (4, 5, 6))


def _itk(mask: np.ndarray, spacing: tuple[float, ...]) -> SimpleITK.Image:
    image = SimpleITK.GetImageFromArray(mask.astype(np.uint8))
    image.SetSpacing(spacing[::-1])
    return image


def _ball(centre: tuple[float, ...], radius: float) -> np.ndarray:
    grid = np.indices((16, 30, 32))
    return sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True)) <= radius**2


def test_two_bars_by_hand() -> None:
    one, other = np.zeros((1, 10), bool), np.zeros((1, 10), bool)
    one[0, 1:5], other[0, 2:8] = True, True
    result = agreement(one, other, spacing=(3.0, 0.5))
    assert result.dice == 6 / 10
    assert result.jaccard == 3 / 7
    assert result.hausdorff_mm == 1.5
    # distances: 0.5 0 0 0 from the first; 0 0 0 0.5 1 1.5 from the second
    assert result.mean_surface_distance_mm == pytest.approx(3.5 / 10)
    assert result.hausdorff95_mm == pytest.approx(np.percentile([0, 0, 0, 0.5, 1, 1.5], 95))
    assert result.volume_difference_mm3 == -3.0


@settings(max_examples=60)
@given(MASKS, MASKS, st.tuples(*[st.floats(0.2, 5.0)] * 3))
def test_surface_distances_equal_scipys(one: np.ndarray, other: np.ndarray, spacing: tuple[float, ...]) -> None:
    if not one.any() or not other.any():
        return
    a, b = (np.argwhere(m & ~ndimage.binary_erosion(m)) * spacing for m in (one, other))
    apart = np.linalg.norm(a[:, None] - b[None], axis=2)
    forth, back = apart.min(axis=1), apart.min(axis=0)
    result = agreement(one, other, spacing=spacing)
    assert result.hausdorff_mm == pytest.approx(max(directed_hausdorff(a, b)[0], directed_hausdorff(b, a)[0]))
    assert result.hausdorff95_mm == pytest.approx(max(np.percentile(forth, 95), np.percentile(back, 95)))
    assert result.mean_surface_distance_mm == pytest.approx(np.concatenate([forth, back]).mean())


@settings(max_examples=40)
@given(MASKS, MASKS)
def test_agreement_does_not_depend_on_the_order(one: np.ndarray, other: np.ndarray) -> None:
    if not one.any() or not other.any():
        return
    forth, back = agreement(one, other), agreement(other, one)
    assert forth.volume_difference_mm3 == -back.volume_difference_mm3
    for name in ("dice", "jaccard", "hausdorff_mm", "hausdorff95_mm", "mean_surface_distance_mm"):
        assert getattr(forth, name) == pytest.approx(getattr(back, name))
    assert forth.jaccard == pytest.approx(forth.dice / (2 - forth.dice))


def test_balls_agree_as_simpleitk_says() -> None:
    spacing = (2.5, 0.8, 0.7)
    one, other = _ball((8, 14, 14), 5), _ball((8, 15, 18), 6)
    overlap = SimpleITK.LabelOverlapMeasuresImageFilter()
    overlap.Execute(_itk(one, spacing), _itk(other, spacing))
    farthest = SimpleITK.HausdorffDistanceImageFilter()
    farthest.Execute(_itk(one, spacing), _itk(other, spacing))
    assert dice(one, other) == pytest.approx(overlap.GetDiceCoefficient())
    assert jaccard(one, other) == pytest.approx(overlap.GetJaccardCoefficient())
    assert hausdorff(one, other, spacing=spacing) == pytest.approx(farthest.GetHausdorffDistance(), rel=1e-5)


def test_single_measures_equal_the_whole() -> None:
    one, other = _ball((8, 14, 14), 5), _ball((8, 15, 18), 6)
    result = agreement(one, other, spacing=(3, 1, 1))
    assert (dice(one, other), jaccard(one, other)) == (result.dice, result.jaccard)
    assert hausdorff(one, other, spacing=(3, 1, 1)) == result.hausdorff_mm
    assert hausdorff95(one, other, spacing=(3, 1, 1)) == result.hausdorff95_mm
    assert mean_surface_distance(one, other, spacing=(3, 1, 1)) == result.mean_surface_distance_mm
    assert volume_difference(one, other, spacing=(3, 1, 1)) == result.volume_difference_mm3


def test_one_empty_mask_overlaps_nowhere_and_has_no_distance() -> None:
    full, empty = np.ones((3, 3), bool), np.zeros((3, 3), bool)
    result = agreement(full, empty)
    assert (result.dice, result.jaccard, result.volume_difference_mm3) == (0.0, 0.0, 9.0)
    assert result.hausdorff_mm is result.hausdorff95_mm is result.mean_surface_distance_mm is None
    for measure in (hausdorff, hausdorff95, mean_surface_distance):
        with pytest.raises(ItemError) as problem:
            measure(full, empty)
        assert problem.value.code == "empty_mask"


@pytest.mark.parametrize("measure", [agreement, dice, jaccard])
def test_the_overlap_of_two_empty_masks_is_a_fault(measure: object) -> None:
    with pytest.raises(ItemError, match="no voxel"):
        measure(np.zeros((3, 3)), np.zeros((3, 3)))  # type: ignore[operator]


def test_masks_of_other_grids_are_refused() -> None:
    mask = Image(np.ones((4, 4), bool), Geometry((1.0, 1.0)), kind="label")
    moved = Image(mask.array, Geometry((1.0, 1.0), origin=(0.5, 0.0, 0.0)), kind="label")
    with pytest.raises(ItemError) as problem:
        dice(mask, moved)
    assert problem.value.code == "misaligned_mask"
    with pytest.raises(ItemError):
        dice(np.ones((3, 3)), np.ones((3, 4)))
    with pytest.raises(ValueError, match="two Images or two arrays"):
        dice(mask, mask.array)
    with pytest.raises(ValueError, match="its own spacing"):
        hausdorff(mask, mask, spacing=(1, 1))
    with pytest.raises(ValueError, match="spatial axes only"):
        dice(Image(np.ones((2, 4, 4)), Geometry((1.0, 1.0)), time_axis=0), mask)


def test_rounded_positions_are_one_grid() -> None:
    mask = Image(np.ones((200, 200), bool), Geometry((0.7, 0.7)), kind="label")
    assert same_grid(mask, Image(mask.array, Geometry((0.700001, 0.7)), kind="label"))
    assert not same_grid(mask, Image(mask.array, Geometry((0.70001, 0.7)), kind="label"))


def test_two_readers_of_retinal_vessels_agree_as_simpleitk_says(shared: Path) -> None:
    folder = shared / "retina_vessels" / "chasedb1"
    files = sorted(folder.glob("*_1stHO.png"))
    first = [np.asarray(Pillow.open(f)) > 0 for f in files]
    second = [np.asarray(Pillow.open(f.with_name(f.name.replace("1st", "2nd")))) > 0 for f in files]
    assert 0.65 < np.mean([dice(b, a) for a, b in zip(first, second, strict=True)]) < 0.85
    overlap = SimpleITK.LabelOverlapMeasuresImageFilter()
    overlap.Execute(_itk(second[0], (1, 1)), _itk(first[0], (1, 1)))
    assert dice(second[0], first[0]) == pytest.approx(overlap.GetDiceCoefficient())


def test_a_grown_hippocampus_is_one_step_away(shared: Path) -> None:
    file = sorted((shared / "msd_hippocampus" / "labels").glob("*.nii.gz"))[0]
    label = from_bytes(file.read_bytes())
    mask = label.with_array(label.array > 0, kind="label")
    grown = mask.with_array(ndimage.binary_dilation(mask.array))
    result = agreement(grown, mask)
    a, b = (np.argwhere(m & ~ndimage.binary_erosion(m)) * mask.geometry.spacing for m in (grown.array, mask.array))
    assert result.hausdorff_mm == max(directed_hausdorff(a, b)[0], directed_hausdorff(b, a)[0])
    assert 1.0 <= (result.mean_surface_distance_mm or 0) < 1.1
    assert result.volume_difference_mm3 == (grown.array.sum() - mask.array.sum()) * mask.geometry.voxel_volume
