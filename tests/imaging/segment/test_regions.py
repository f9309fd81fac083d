"""Regions from known places: scipy, SimpleITK and scikit-image as oracles."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK
import skimage.segmentation
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage

from radlake.core.fault import ItemError
from radlake.core.image import Geometry, Image
from radlake.imaging.segment import components, grow, random_walker, watershed

RNG = np.random.default_rng(9)


def _two_balls() -> tuple[np.ndarray, np.ndarray]:
    z, y, x = np.indices((9, 30, 44))
    mask = ((z - 4) ** 2 + (y - 15) ** 2 + (x - 14) ** 2 < 110) | ((z - 4) ** 2 + (y - 15) ** 2 + (x - 29) ** 2 < 110)
    markers = np.zeros(mask.shape, np.int32)
    markers[4, 15, 14], markers[4, 15, 29] = 1, 2
    return mask, markers


@settings(max_examples=30)
@given(arrays.arrays(np.bool_, (4, 5, 6)), st.sampled_from([6, 18, 26]))
def test_components_are_numbered_by_size(mask: np.ndarray, connectivity: int) -> None:
    labels = components(mask, connectivity=connectivity)
    assert np.array_equal(labels > 0, mask)
    sizes = np.bincount(labels.ravel())[1:]
    assert np.all(np.diff(sizes) <= 0)
    itk = SimpleITK.ConnectedComponent(SimpleITK.GetImageFromArray(mask.astype(np.uint8)), connectivity != 6)
    if connectivity != 18:
        assert len(sizes) == SimpleITK.GetArrayFromImage(itk).max()


@settings(max_examples=30)
@given(arrays.arrays(np.int16, (4, 6, 6), elements=st.integers(0, 5)), st.sampled_from([6, 26]))
def test_growing_is_simpleitks_connected_threshold(array: np.ndarray, connectivity: int) -> None:
    seed = np.unravel_index(array.argmax(), array.shape)
    high = float(array.max())
    theirs = SimpleITK.ConnectedThreshold(
        SimpleITK.GetImageFromArray(array),
        [tuple(int(i) for i in seed[::-1])],
        2.0 if high >= 2 else 0.0,
        high,
        1,
        SimpleITK.ConnectedThresholdImageFilter.FullConnectivity
        if connectivity == 26
        else SimpleITK.ConnectedThresholdImageFilter.FaceConnectivity,
    )
    ours = grow(array, seeds_vox=[seed], low=2.0 if high >= 2 else 0.0, high=high, connectivity=connectivity)  # type: ignore[list-item]
    assert np.array_equal(ours, SimpleITK.GetArrayFromImage(theirs) > 0)


def test_several_seeds_grow_several_parts() -> None:
    array = np.array([[1, 5, 1, 5, 1, 5]])
    assert grow(array, seeds_vox=[(0, 1), (0, 5), (0, 0)], low=5, high=5).tolist() == [
        [False, True, False, False, False, True]
    ]
    image = Image(array, Geometry((1.0, 1.0)), kind="ct", unit="HU")
    mask = grow(image, seeds_vox=[(0, 3)], low=2, high=9)
    assert (mask.kind, mask.unit, mask.array.sum()) == ("label", "label", 1)


def test_touching_balls_are_parted_in_the_middle() -> None:
    mask, markers = _two_balls()
    depth = -ndimage.distance_transform_edt(mask)
    ours = watershed(depth, markers=markers, mask=mask)
    assert np.array_equal(ours > 0, mask)
    # outside the mask ITK floods too, from a mark of its own that stands on walls
    heights, fenced = np.where(mask, depth, 1e9), np.where(mask, markers, 3).astype(np.uint32)
    basins = SimpleITK.MorphologicalWatershedFromMarkers(
        SimpleITK.GetImageFromArray(heights), SimpleITK.GetImageFromArray(fenced), markWatershedLine=False
    )
    theirs = SimpleITK.GetArrayFromImage(basins)
    # plateaus of equal depth may go to either side
    assert np.mean(ours[mask] != theirs[mask]) < 0.02
    assert set(np.unique(ours[:, :, :20])) == {0, 1}


def test_floods_stay_inside_the_mask_although_outside_is_lower() -> None:
    heights = np.array([[1.0, 1.0, 0.0, 1.0, 1.0]])
    result = watershed(heights, markers=np.array([[7, 0, 0, 0, 0]]), mask=np.array([[1, 1, 0, 1, 1]]))
    assert result.tolist() == [[7, 7, 0, 0, 0]]


def test_a_walker_finds_what_scikit_images_finds() -> None:
    y, x = np.indices((40, 50))
    scene = np.where(np.hypot(y - 20, x - 22) < 11, 100.0, 40.0) + RNG.normal(0, 4, y.shape)
    markers = np.zeros(scene.shape, np.int32)
    markers[20, 22], markers[2, 2], markers[38, 45] = 1, 2, 2
    # divided by its deviation: scikit-image scales beta by it once, which depends on the unit, here it is squared
    theirs = skimage.segmentation.random_walker(scene / scene.std(), markers, beta=130, mode="bf")
    ours = random_walker(scene, markers=markers)
    assert np.mean(ours != theirs) < 0.005
    assert np.mean((ours == 1) != (np.hypot(y - 20, x - 22) < 11)) < 0.1


def test_walking_without_edges_goes_to_the_nearer_mark_in_millimetres() -> None:
    flat = np.zeros((1, 1, 41))
    markers = np.zeros(flat.shape, np.int32)
    markers[0, 0, 0], markers[0, 0, 40] = 3, 8
    labels = random_walker(flat, markers=markers, spacing=(3, 1, 0.5))
    assert set(labels[0, 0, :20]) == {3}
    assert set(labels[0, 0, 21:]) == {8}


def test_marks_stay_and_full_marks_need_no_walk() -> None:
    markers = RNG.integers(1, 4, (5, 6)).astype(np.int32)
    assert np.array_equal(random_walker(RNG.normal(size=(5, 6)), markers=markers), markers)


@pytest.mark.parametrize("function", [watershed, random_walker])
def test_marks_that_do_not_fit_are_refused(function: object) -> None:
    array = np.arange(6.0).reshape(2, 3)
    for markers, code in ((np.zeros((2, 3)), "empty_mask"), (np.ones((3, 3)), "misaligned_mask")):
        with pytest.raises(ItemError) as problem:
            function(array, markers=markers)  # type: ignore[operator]
        assert problem.value.code == code
    with pytest.raises(ItemError) as problem:
        function(np.full((2, 3), np.nan), markers=np.array([[1, 2, 0], [0, 0, 0]]))  # type: ignore[operator]
    assert problem.value.code == "not_finite"


def test_what_makes_no_sense_is_refused() -> None:
    array = np.arange(6.0).reshape(2, 3)
    with pytest.raises(ItemError, match="no voxel"):
        grow(array, seeds_vox=[(0, 0)], low=4, high=5)
    for outside in ([(2, 0)], [(-1, 0)]):
        with pytest.raises(ItemError, match="no voxel"):
            grow(array, seeds_vox=outside, low=0, high=5)
    for seeds in ([], [(0,)], [(0.5, 0.5)]):
        with pytest.raises(ValueError, match="seed"):
            grow(array, seeds_vox=seeds, low=0, high=5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="exactly one of"):
        grow(array, low=0, high=5)
    with pytest.raises(ValueError, match="no place in space"):
        grow(array, seeds_mm=[(0, 0, 0)], low=0, high=5)
    with pytest.raises(ValueError, match=r"\(x, y, z\)"):
        grow(Image(array, Geometry((1.0, 1.0))), seeds_mm=[(0, 0)], low=0, high=5)
    with pytest.raises(ValueError, match="connectivity"):
        components(array, connectivity=6)
    with pytest.raises(ValueError, match="beta"):
        random_walker(array, markers=array, beta=-1)
    with pytest.raises(ItemError):
        random_walker(array, markers=np.array([[1, 0, 0], [0, 0, 1]]))
    with pytest.raises(ValueError, match="its own spacing"):
        grow(Image(array, Geometry((1.0, 1.0))), seeds_vox=[(0, 0)], low=0, high=1, spacing=(1, 1))
