"""Otsu's threshold against scikit-image, components against scipy, and the foreground of real kinds of image."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage
from skimage.filters import threshold_otsu

from radlake.core.fault import ItemError
from radlake.core.image import Geometry, Image
from radlake.imaging.segment import foreground, largest_component, otsu, otsu_threshold


def test_threshold_by_hand() -> None:
    # classes {0, 0, 1} and {8, 9}: no other cut has a greater variance between them
    assert otsu_threshold(np.array([0, 0, 1, 8, 9])) == 1.0


@settings(max_examples=60)
@given(arrays.arrays(np.int16, st.integers(2, 200), elements=st.integers(-300, 300)))
def test_threshold_separates_like_scikit_image(values: np.ndarray) -> None:
    if np.ptp(values) == 0:
        return
    ours, theirs = values > otsu_threshold(values), values > threshold_otsu(values)

    def between(split: np.ndarray) -> float:
        share = split.mean()
        return 0.0 if share in (0.0, 1.0) else share * (1 - share) * (values[split].mean() - values[~split].mean()) ** 2

    # Two cuts may be equally good up to rounding; ours is never the worse one.
    assert between(ours) >= between(theirs) * (1 - 1e-9)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.uint64, np.float32, np.float64])
def test_every_dtype_is_separated(dtype: type) -> None:
    values = np.array([1, 2, 3, 2, 1, 90, 91, 92, 90, 91], dtype)
    assert (values > otsu_threshold(values)).tolist() == [False] * 5 + [True] * 5


def test_extremes_of_a_dtype_do_not_overflow() -> None:
    for values in (
        np.array([-32768, -32767, 32766, 32767], np.int16),
        np.array([0, 1, 2**64 - 2, 2**64 - 1], np.uint64),
        np.array([-(2**63), -(2**63) + 1, 2**63 - 2, 2**63 - 1], np.int64),
        np.array([-1.7e308, -1.6e308, 1.6e308, 1.7e308]),
        np.array([2**63 + 1, 2**63 + 2, 2**63 + 8, 2**63 + 9], np.uint64),
    ):
        threshold = otsu_threshold(values)
        assert float(values[1]) <= threshold <= float(values[2])


def test_nan_and_padding_belong_to_no_class() -> None:
    array = np.array([[np.nan, 1.0, 1.1], [9.0, 9.1, np.inf]])
    mask = otsu(array)
    assert mask.tolist() == [[False, False, False], [True, True, True]]
    padded = Image(np.array([[4095, 1, 2], [4095, 90, 91]], np.int16), Geometry((1.0, 1.0)), padding=4095)
    assert otsu(padded).array.tolist() == [[False, False, False], [False, True, True]]


@pytest.mark.parametrize("array", [np.full((3, 3), 7), np.full((3, 3), np.nan), np.zeros((0, 3))])
def test_an_image_without_contrast_is_a_fault(array: np.ndarray) -> None:
    with pytest.raises(ItemError) as problem:
        otsu(array)
    assert problem.value.code == "empty_mask"
    assert "constant" in problem.value.hint


def test_the_mask_lies_on_the_spatial_grid_of_a_colour_cine() -> None:
    frames = np.zeros((3, 8, 8, 3), np.uint8)
    frames[1, 2:5, 2:5] = 200
    cine = Image(frames, Geometry((0.3, 0.3)), kind="us", time_axis=0, channel_axis=3)
    mask = foreground(cine)
    assert mask.array.dtype == np.bool_
    assert (mask.kind, mask.unit, mask.geometry) == ("label", "label", cine.geometry)
    assert mask.array.sum() == 9


def test_dark_tissue_and_holes_belong_to_the_foreground_but_noise_does_not() -> None:
    y, x = np.ogrid[:80, :80]
    body = (y - 40) ** 2 + (x - 40) ** 2 < 30**2
    bright, cavity = (y - 40) ** 2 + (x - 50) ** 2 < 12**2, (y - 40) ** 2 + (x - 25) ** 2 < 5**2
    signal = np.where(bright, 300.0, np.where(body & ~cavity, 90.0, 0.0))
    rng = np.random.default_rng(1)
    slice_ = np.abs(signal + rng.normal(0, 5, (80, 80)) + 1j * rng.normal(0, 5, (80, 80))).astype(np.float32)
    assert np.array_equal(foreground(slice_), body)
    assert otsu(slice_).sum() < 0.3 * body.sum()  # one threshold leaves the dark tissue out
    one_tissue = np.abs(np.where(body, 300.0, 0.0) + rng.normal(0, 5, (80, 80))).astype(np.float32)
    assert np.array_equal(foreground(one_tissue), body)
    assert np.array_equal(foreground(np.where(body, 7, 3)), body)


@settings(max_examples=40)
@given(arrays.arrays(np.bool_, st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 6))))
def test_the_largest_component_is_scipys(mask: np.ndarray) -> None:
    if not mask.any():
        return
    labels, _ = ndimage.label(mask, np.ones((3, 3, 3)))
    sizes = np.bincount(labels.ravel())[1:]
    result = largest_component(mask)
    assert result.sum() == sizes.max()
    assert len(np.unique(labels[result])) == 1


def test_of_equal_components_the_first_is_kept() -> None:
    assert largest_component(np.array([[1, 0, 1], [1, 0, 1]])).tolist() == [[True, False, False], [True, False, False]]


def test_connectivity_decides_about_diagonals() -> None:
    diagonal = np.eye(3, dtype=bool)
    assert largest_component(diagonal).sum() == 3
    assert largest_component(diagonal, connectivity=4).sum() == 1
    with pytest.raises(ValueError, match="connectivity"):
        largest_component(diagonal, connectivity=26)


def test_an_empty_mask_is_a_fault() -> None:
    with pytest.raises(ItemError, match="no voxel"):
        largest_component(np.zeros((2, 2), bool))


def test_the_body_is_found_on_a_ct_phantom() -> None:
    z, y, x = np.ogrid[:6, :40, :40]
    body = ((y - 20) ** 2 + (x - 18) ** 2 < 14**2) & (z >= 0)
    volume = np.where(body, 40, -1000).astype(np.int16)
    volume += np.random.default_rng(0).integers(-20, 20, volume.shape).astype(np.int16)
    volume[:, 38, :] = -100  # the table: a separate, smaller part
    assert np.array_equal(foreground(Image(volume, Geometry((5.0, 1.0, 1.0)), kind="ct", unit="HU")).array, body)


def test_labels_that_the_library_leaves_out_do_not_matter() -> None:
    rng = np.random.default_rng(0)
    rows, columns = rng.integers(3, 60, 2)
    mask = rng.random((rows, columns)) < rng.uniform(0.05, 0.5)
    labels, _ = ndimage.label(mask, np.ones((3, 3)))
    expected = labels == np.argmax(np.bincount(labels.ravel())[1:]) + 1
    np.testing.assert_array_equal(largest_component(mask), expected)


def test_no_voxel_outside_the_mask_is_ever_in_its_largest_component() -> None:
    # a mask that a library once got wrong as bool, and random ones
    assert largest_component(np.array([[0, 0, 0], [0, 0, 1], [0, 0, 1]], bool)).sum() == 2
    rng = np.random.default_rng(0)
    for _ in range(300):
        mask = rng.random(rng.integers(2, 12, 2)) < rng.random()
        if mask.any():
            labels, _ = ndimage.label(mask, np.ones((3, 3)))
            largest = largest_component(mask)
            assert not np.any(largest & ~mask)
            assert largest.sum() == np.bincount(labels.ravel())[1:].max()
            assert np.unique(labels[largest]).size == 1
