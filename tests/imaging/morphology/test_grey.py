"""Dilation, erosion and what is made of them, against scipy.ndimage: bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage

from radlake.core.image import Geometry, Image
from radlake.imaging import morphology
from radlake.imaging.arguments import BORDERS, Border
from radlake.imaging.morphology import black_hat, closing, dilate, erode, footprint_of, gradient, opening, top_hat

RNG = np.random.default_rng(4)
DTYPES = [
    "bool",
    "uint8",
    "int8",
    "uint16",
    "int16",
    "int32",
    "uint32",
    "int64",
    "float16",
    "float32",
    "float64",
    "longdouble",
    ">i2",
]
SIZES = st.tuples(*[st.sampled_from([1, 3, 5, 9])] * 3)


def _values(dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    return RNG.integers(0, 2 if dtype == "bool" else 120, shape).astype(dtype)


def _scipy(name: str, array: np.ndarray, footprint: np.ndarray, border: str) -> np.ndarray:
    """The same by scipy, which knows no bool."""
    work = array.astype(np.uint8) if array.dtype == bool else array.astype(array.dtype.newbyteorder("="))
    work = work.astype(np.float64) if work.dtype in (np.float16, np.longdouble) else work
    return getattr(ndimage, f"grey_{name}")(work, footprint=footprint, mode=border).astype(array.dtype)


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ["box", "ball"])
@pytest.mark.parametrize(("ours", "name"), [(dilate, "dilation"), (erode, "erosion")])
def test_dilation_and_erosion_equal_scipy(
    ours: Callable[..., Any], name: str, kind: Any, dtype: str, border: Border
) -> None:
    array = _values(dtype, (4, 7, 9))
    result = ours(array, size_vox=(3, 5, 7), footprint=kind, border=border)
    footprint = footprint_of(None, (3, 5, 7), kind, (1.0, 1.0, 1.0))
    assert result.dtype == array.dtype
    assert np.array_equal(result, _scipy(name, array, footprint, border))


@settings(max_examples=40, deadline=None)
@given(
    arrays.arrays(np.int16, st.tuples(*[st.integers(1, 6)] * 3)),
    SIZES,
    st.sampled_from(BORDERS),
    st.sampled_from(["box", "ball"]),
)
def test_images_smaller_than_the_footprint_equal_scipy(array: np.ndarray, size: Any, border: Border, kind: Any) -> None:
    footprint = footprint_of(None, size, kind, (1.0, 1.0, 1.0))
    result = dilate(array, size_vox=size, footprint=kind, border=border)
    assert np.array_equal(result, _scipy("dilation", array, footprint, border))


@pytest.mark.parametrize("radius", [6, 17])
def test_balls_larger_than_a_tile_equal_scipy(radius: int) -> None:
    array = RNG.integers(-3000, 3000, (5, 50, 600)).astype(np.int16)
    footprint = footprint_of(None, (3, 2 * radius + 1, 2 * radius + 1), "ball", (1.0, 1.0, 1.0))
    result = erode(array, size_vox=(3, 2 * radius + 1, 2 * radius + 1), footprint="ball")
    assert np.array_equal(result, ndimage.grey_erosion(array, footprint=footprint))


@pytest.mark.parametrize("kind", ["box", "ball"])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (opening, ndimage.grey_opening),
        (closing, ndimage.grey_closing),
        (gradient, ndimage.morphological_gradient),
        (top_hat, ndimage.white_tophat),
        (black_hat, ndimage.black_tophat),
    ],
)
def test_what_is_made_of_both_equals_scipy(ours: Callable[..., Any], theirs: Callable[..., Any], kind: Any) -> None:
    for array in (_values("int16", (5, 11, 12)), _values("uint8", (15, 16))):
        footprint = footprint_of(None, 5, kind, (1.0,) * array.ndim)
        assert np.array_equal(ours(array, size_vox=5, footprint=kind), theirs(array, footprint=footprint))


def test_masks_open_and_close_like_binary_ones_inside_the_image() -> None:
    mask = np.zeros((12, 30, 30), bool)
    mask[4:8, 8:22, 8:22] = RNG.random((4, 14, 14)) > 0.3
    ball = footprint_of(None, 5, "ball", (1.0, 1.0, 1.0))
    assert np.array_equal(opening(mask, size_vox=5, footprint="ball"), ndimage.binary_opening(mask, ball))
    assert np.array_equal(closing(mask, size_vox=5, footprint="ball"), ndimage.binary_closing(mask, ball))
    hat = closing(mask, size_vox=5) & ~mask
    assert np.array_equal(black_hat(mask, size_vox=5), hat)


def test_a_ball_holds_what_is_at_most_its_radius_away_in_mm() -> None:
    spacing = (5.0, 0.7, 0.9)
    ball = footprint_of(7.0, None, "ball", spacing)
    grid = np.indices(ball.shape) - np.array(ball.shape)[:, None, None, None] // 2
    distance = np.sqrt(sum((g * s) ** 2 for g, s in zip(grid, spacing, strict=True)))
    assert ball.shape == (3, 21, 15)
    assert np.array_equal(ball, distance <= 7.0 + 1e-9)


def test_radii_per_axis_make_an_ellipsoid() -> None:
    shape = footprint_of((0.0, 3.0, 1.0), None, "ball", (1.0, 1.0, 1.0))
    assert shape.shape == (1, 7, 3)
    assert shape[0].astype(int).tolist() == [[0, 1, 0]] * 3 + [[1, 1, 1]] + [[0, 1, 0]] * 3


def test_millimetres_are_taken_from_the_image() -> None:
    array = _values("int16", (5, 20, 20))
    image = Image(array, Geometry((3.0, 0.5, 0.5)), kind="ct", unit="HU")
    assert np.array_equal(dilate(image, radius_mm=1.0).array, dilate(array, size_vox=(1, 5, 5)))
    assert dilate(image, radius_mm=1.0).unit == "HU"


@pytest.mark.parametrize("kind", ["box", "ball"])
def test_nan_reaches_as_far_as_the_footprint_and_no_further(kind: Any) -> None:
    array = RNG.normal(size=(5, 9, 9)).astype(np.float32)
    array[2, 4, 4] = np.nan
    expected = np.zeros(array.shape, bool)
    expected[1:4, 3:6, 3:6] = footprint_of(None, 3, kind, (1.0, 1.0, 1.0))
    for operation in (dilate, erode):
        assert np.array_equal(np.isnan(operation(array, size_vox=3, footprint=kind)), expected)


def test_differences_are_clipped_not_wrapped() -> None:
    array = np.array([[-30000, 30000, 30000]], np.int16)
    assert gradient(array, size_vox=(1, 3)).tolist() == [[32767, 32767, 0]]
    # beyond the border lies 0, which the opening brings in
    assert top_hat(np.full((1, 3), -5, np.int16), size_vox=(1, 3), border="constant").tolist() == [[-5, 0, -5]]
    assert gradient(np.array([[250, 3]], np.uint8), size_vox=(1, 3)).tolist() == [[247, 247]]


@settings(max_examples=25, deadline=None)
@given(arrays.arrays(np.int16, st.tuples(*[st.integers(1, 9)] * 2)), st.sampled_from([1, 3, 5]))
def test_opening_lies_below_and_closing_above_and_both_are_idempotent(array: np.ndarray, size: int) -> None:
    low, high = (op(array, size_vox=size, footprint="ball") for op in (opening, closing))
    assert np.all(low <= array)
    assert np.all(high >= array)
    assert np.array_equal(opening(low, size_vox=size, footprint="ball"), low)
    assert np.array_equal(closing(high, size_vox=size, footprint="ball"), high)


@settings(max_examples=25, deadline=None)
@given(arrays.arrays(np.float32, (3, 6, 7), elements=st.floats(-1e6, 1e6, width=32)))
def test_erosion_is_dilation_of_the_negative(array: np.ndarray) -> None:
    assert np.array_equal(erode(array, size_vox=3, footprint="ball"), -dilate(-array, size_vox=3, footprint="ball"))


def test_channels_do_not_mix() -> None:
    colours = np.zeros((9, 9, 3), np.uint8)
    colours[4, 4, 1] = 90
    assert dilate(colours, size_vox=3, channel_axis=2).sum(axis=(0, 1)).tolist() == [0, 810, 0]


def test_wrong_arguments_are_refused() -> None:
    array = np.zeros((3, 3))
    with pytest.raises(ValueError, match="footprint must be"):
        dilate(array, size_vox=3, footprint="star")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="border must be"):
        dilate(array, size_vox=3, border="zero")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="exactly one"):
        erode(array, size_vox=3, radius_mm=1.0, footprint="ball")
    with pytest.raises(ValueError, match="odd"):
        erode(array, size_vox=4)
    with pytest.raises(TypeError, match="real numbers"):
        dilate(array + 1j, size_vox=3)


@pytest.mark.parametrize("name", ["dilate", "erode", "opening", "closing", "gradient", "top_hat", "black_hat"])
def test_results_share_no_memory_with_the_input(name: str) -> None:
    array = _values("int16", (3, 4, 5))
    before = array.copy()
    for size in (1, 3):
        assert not np.shares_memory(getattr(morphology, name)(array, size_vox=size), array)
    assert np.array_equal(array, before)
