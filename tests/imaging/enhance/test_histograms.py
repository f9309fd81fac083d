"""Contrast: equalisation against scikit-image, CLAHE against OpenCV, properties in three axes and 16 bits."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage
from skimage.exposure import equalize_hist

from radlake.core.fault import ItemError
from radlake.core.image import Geometry, Image
from radlake.imaging.enhance import clahe, equalize

RNG = np.random.default_rng(4)


def _scene(shape: tuple[int, ...]) -> np.ndarray:
    scene = ndimage.gaussian_filter(RNG.normal(size=shape), 2)
    return np.rint((scene - scene.min()) / np.ptp(scene) * 255).astype(np.uint8)


@pytest.mark.parametrize("shape", [(40, 50), (6, 20, 22)])
def test_equalised_levels_are_scikit_images(shape: tuple[int, ...]) -> None:
    scene = _scene(shape)
    theirs = scene.min() + equalize_hist(scene) * np.ptp(scene)
    assert np.abs(equalize(scene).astype(float) - theirs).max() <= 0.5 + 1e-6


@settings(max_examples=40)
@given(arrays.arrays(np.int16, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_equalising_keeps_order_and_range(array: np.ndarray) -> None:
    result = equalize(array)
    assert result.dtype == array.dtype
    assert result.max() == array.max()
    assert result.min() >= array.min()
    order = np.argsort(array, axis=None, kind="stable")
    assert np.all(np.diff(result.ravel()[order].astype(int)) >= 0)


def test_what_is_no_value_stays_when_equalised() -> None:
    array = np.array([[np.nan, 1.0, 2.0, 3.0, 9.0, -500.0]])
    result = equalize(Image(array, Geometry((1.0, 1.0)), unit="HU", padding=-500.0, window=(1.0, 2.0)))
    np.testing.assert_allclose(result.array, [[np.nan, 3.0, 5.0, 7.0, 9.0, -500.0]], rtol=1e-3)
    assert (result.unit, result.window) == ("a.u.", None)


@pytest.mark.parametrize("shape", [(512, 640), (497, 630)])
@pytest.mark.parametrize("clip", [2.0, 8.0])
def test_clahe_is_opencvs(shape: tuple[int, int], clip: float) -> None:
    scene = _scene(shape)
    theirs = cv2.createCLAHE(clip, (4, 4)).apply(scene).astype(int)
    ours = clahe(scene, tile_vox=[n / 4 for n in shape], clip=clip).astype(int)
    # OpenCV spreads whole counts and mixes half a pixel beside the centres
    assert np.abs(ours - theirs).mean() < 0.7
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.999


def test_one_tile_without_clipping_is_equalisation() -> None:
    scene = _scene((32, 32))
    # the first level is counted whole in both
    assert np.abs(clahe(scene, tile_vox=32, clip=256).astype(int) - equalize(scene).astype(int)).max() <= 1


def test_a_volume_of_equal_slices_is_like_one_slice() -> None:
    scene = _scene((48, 48))
    volume = np.repeat(scene[None], 6, axis=0)
    plane = clahe(scene, tile_vox=16, clip=3)
    assert np.abs(clahe(volume, tile_vox=(6, 16, 16), clip=3).astype(int) - plane).max() <= 1


def test_contrast_does_not_depend_on_flips() -> None:
    scene = _scene((10, 36, 30)).astype(np.int16) * 4
    result = clahe(scene, tile_vox=(5, 12, 10))
    assert np.abs(clahe(scene[::-1, :, ::-1], tile_vox=(5, 12, 10)) - result[::-1, :, ::-1]).max() <= 1


def test_sixteen_bits_stay_apart() -> None:
    ramp = np.tile(np.arange(0, 60000, 15, dtype=np.uint16), (40, 1))
    result = clahe(ramp, tile_vox=(40, 4000), clip=2)
    assert result.dtype == np.uint16
    assert np.all(np.diff(result.astype(int), axis=1) > 0)


@settings(max_examples=25)
@given(
    arrays.arrays(np.float32, st.tuples(*[st.integers(1, 7)] * 3), elements=st.floats(-1e4, 1e4, width=32)),
    st.floats(1, 20),
)
def test_clahe_stays_in_the_range_for_every_shape(array: np.ndarray, clip: float) -> None:
    before = array.copy()
    result = clahe(array, tile_vox=3, clip=clip)
    assert (result.shape, result.dtype) == (array.shape, array.dtype)
    assert result.min() >= array.min()
    assert result.max() <= array.max()
    assert np.array_equal(array, before)


def test_tiles_are_in_millimetres_and_padding_stays() -> None:
    array = _scene((40, 80)).astype(np.int16)
    array[:, :5] = -2000
    image = Image(array, Geometry((1.0, 0.5)), padding=-2000)
    result = clahe(image, tile_mm=20.0)
    assert np.all(result.array[:, :5] == -2000)
    assert result.array[:, 5:].min() >= 0
    filled = np.where(array == -2000, array[:, 5:].min(), array)
    assert np.array_equal(result.array[:, 5:], clahe(filled, tile_vox=(20, 40))[:, 5:])


def test_channels_are_taken_one_by_one() -> None:
    colours = np.stack([_scene((20, 20)), _scene((20, 20))], axis=-1)
    result = clahe(colours, tile_vox=10, channel_axis=2)
    assert np.array_equal(result[..., 1], clahe(colours[..., 1], tile_vox=10))


def test_constant_images_stay_and_broken_ones_are_refused() -> None:
    constant = np.full((5, 5), 7, np.int16)
    assert np.array_equal(clahe(constant, tile_vox=2), constant)
    assert np.array_equal(equalize(constant), constant)
    for function in (equalize, lambda a: clahe(a, tile_vox=2)):
        with pytest.raises(ItemError):
            function(np.zeros((0, 4)))
    with pytest.raises(ItemError) as problem:
        clahe(np.array([[np.nan, 1.0]]), tile_vox=2)
    assert problem.value.code == "not_finite"
    with pytest.raises(ItemError):
        equalize(np.full((3, 3), np.nan))
    with pytest.raises(ValueError, match="clip"):
        clahe(constant, tile_vox=2, clip=0.5)
    with pytest.raises(ValueError, match="exactly one"):
        clahe(constant)
