"""Resampling: by hand, against SimpleITK on oblique grids, and the rules of the IBSI for grids and masks."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from radlake.core.fault import ItemError
from radlake.core.image import Geometry, Image
from radlake.imaging.resample import to_grid, to_spacing

RNG = np.random.default_rng(5)
ITK = {"nearest": SimpleITK.sitkNearestNeighbor, "linear": SimpleITK.sitkLinear, "cubic": SimpleITK.sitkBSpline3}


def _geometry(angles: tuple[float, ...], spacing: tuple[float, ...], origin: tuple[float, ...]) -> Geometry:
    rows = Rotation.from_euler("xyz", angles, degrees=True).as_matrix().tolist()
    return Geometry(spacing, origin, tuple(tuple(row) for row in rows))  # type: ignore[arg-type]


def _itk(image: Image) -> SimpleITK.Image:
    result = SimpleITK.GetImageFromArray(image.array)
    result.SetSpacing(image.geometry.spacing[::-1])
    result.SetOrigin(image.geometry.origin)
    result.SetDirection(np.asarray(image.geometry.direction)[::-1].T.ravel().tolist())
    return result


def _smooth(shape: tuple[int, ...]) -> np.ndarray:
    grid = np.indices(shape).astype(float)
    return sum(np.sin(g * f) for g, f in zip(grid, (0.9, 0.5, 0.35), strict=False)).astype(np.float32) * 100


@pytest.mark.parametrize("interpolation", ["nearest", "linear", "cubic"])
def test_another_images_grid_equals_simpleitks(interpolation: str) -> None:
    image = Image(_smooth((12, 20, 22)), _geometry((5, -8, 12), (3.0, 0.9, 1.1), (0, 0, 0)))
    grid = Image(np.zeros((9, 15, 17)), _geometry((-4, 10, 3), (2.3, 1.3, 1.0), (4.0, 1.0, 3.0)))
    ours = to_grid(image, grid, interpolation=interpolation, outside=-7.0)  # type: ignore[arg-type]
    theirs = SimpleITK.GetArrayFromImage(
        SimpleITK.Resample(_itk(image), _itk(grid), SimpleITK.Transform(), ITK[interpolation], -7.0)
    )
    assert ours.geometry == grid.geometry
    inside = (theirs != -7.0) & (ours.array != -7.0)
    assert 0.3 < inside.mean() < 0.95
    assert np.mean((theirs == -7.0) != (ours.array == -7.0)) < 0.001
    # the nearest of two equally near samples is a matter of rounding
    different = np.abs(ours.array - theirs)[inside] > 1e-3
    assert different.mean() <= (0.001 if interpolation == "nearest" else 0.0)


@pytest.mark.parametrize("interpolation", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("spacing", [(1.03, 0.97, 1.01), (5.03, 0.61, 1.97)])
def test_another_spacing_equals_simpleitks(interpolation: str, spacing: tuple[float, ...]) -> None:
    image = Image(_smooth((8, 18, 15)), _geometry((30, 5, 60), (2.5, 0.8, 0.9), (3, 4, 5)))
    ours = to_spacing(image, spacing_mm=spacing, interpolation=interpolation)  # type: ignore[arg-type]
    theirs = SimpleITK.GetArrayFromImage(
        SimpleITK.Resample(_itk(image), _itk(ours), SimpleITK.Transform(), ITK[interpolation], -7.0)
    )
    inside = theirs != -7.0
    if interpolation == "nearest":
        # where 18 rows become 15, the middle one lies just between two: either is nearest
        assert np.mean(ours.array[inside] != theirs[inside]) <= 1 / 15
    else:
        np.testing.assert_allclose(ours.array[inside], theirs[inside], atol=2e-3)


def test_grids_share_their_centres_and_have_the_size_of_the_ibsi() -> None:
    image = Image(np.zeros((4, 10, 7), np.int16), _geometry((10, 20, 30), (3.0, 0.7, 0.7), (1, 2, 3)))
    result = to_spacing(image, spacing_mm=2.0)
    assert result.array.shape == (6, 4, 3)  # ceil of 12 / 2, 7 / 2, 4.9 / 2
    centre = [g.geometry.affine[:3] @ [*((np.array(g.array.shape) - 1) / 2), 1] for g in (image, result)]
    np.testing.assert_allclose(*centre)


@settings(max_examples=30)
@given(st.integers(1, 9), st.integers(1, 9), st.floats(0.3, 4.0), st.sampled_from(["nearest", "linear", "cubic"]))
def test_a_constant_stays_constant(rows: int, columns: int, spacing: float, interpolation: str) -> None:
    result = to_spacing(np.full((rows, columns), 7.0), spacing_mm=spacing, interpolation=interpolation)  # type: ignore[arg-type]
    np.testing.assert_allclose(result, 7.0, rtol=1e-6)


@pytest.mark.parametrize("interpolation", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float16, np.float32, np.float64, ">i2"])
def test_the_own_spacing_changes_nothing(dtype: object, interpolation: str) -> None:
    array = RNG.integers(0, 200, (3, 5, 6)).astype(dtype)  # type: ignore[call-overload]
    result = to_spacing(array, spacing_mm=0, interpolation=interpolation)  # type: ignore[arg-type]
    np.testing.assert_allclose(result, array.astype(float), atol=1e-3)
    assert result.dtype == (array.dtype if interpolation == "nearest" else np.float32)


def test_nearest_keeps_the_bits_of_wide_integers() -> None:
    array = np.array([[2**63 + 1, 2**64 - 1]], np.uint64)
    assert to_spacing(array, spacing_mm=(1, 0.5), interpolation="nearest").tolist() == [
        [2**63 + 1, 2**63 + 1, 2**64 - 1, 2**64 - 1]
    ]


def test_half_a_voxel_is_inside_a_mask() -> None:
    mask = np.array([[True, False]])
    assert to_spacing(mask, spacing_mm=(1, 2)).tolist() == [[True]]
    assert to_spacing(mask, spacing_mm=(1, 0.5)).tolist() == [[True, True, False, False]]


def test_channels_and_time_are_resampled_one_by_one() -> None:
    cine = Image(RNG.integers(0, 255, (2, 4, 6, 3)).astype(np.uint8), Geometry((1.0, 1.0)), time_axis=0, channel_axis=3)
    result = to_spacing(cine, spacing_mm=0.5, out_dtype=np.uint8)
    assert result.array.shape == (2, 8, 12, 3)
    alone = to_spacing(cine.array[1, ..., 2], spacing_mm=0.5, out_dtype=np.uint8)
    assert np.array_equal(result.array[1, ..., 2], alone)


def test_a_slice_is_resampled_within_its_plane_only() -> None:
    image = Image(np.array([[0.0, 2.0]]), Geometry((1.0, 1.0), origin=(0.0, 0.0, 50.0)))
    grid = Image(np.zeros((1, 1)), Geometry((1.0, 1.0), origin=(0.5, 0.0, 50.0)))
    assert to_grid(image, grid).array.tolist() == [[1.0]]
    with pytest.raises(ValueError, match="one plane"):
        to_grid(image, Image(grid.array, Geometry((1.0, 1.0), origin=(0.5, 0.0, 53.0))))


def test_padding_fills_what_lies_outside() -> None:
    image = Image(np.full((1, 2), 40, np.int16), Geometry((1.0, 1.0)), padding=-1024)
    grid = Image(np.zeros((1, 4)), Geometry((1.0, 1.0)))
    assert to_grid(image, grid, interpolation="nearest").array.tolist() == [[40, 40, -1024, -1024]]


def test_labels_are_not_mixed() -> None:
    labels = Image(np.array([[1, 3]], np.uint8), Geometry((1.0, 1.0)), kind="label")
    with pytest.raises(ValueError, match="nearest"):
        to_spacing(labels, spacing_mm=0.5)
    assert set(np.unique(to_spacing(labels, spacing_mm=0.3, interpolation="nearest").array)) == {1, 3}


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_an_impossible_spacing_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="spacing_mm"):
        to_spacing(np.zeros((2, 2)), spacing_mm=bad)


def test_a_grid_that_does_not_fit_into_memory_is_refused() -> None:
    with pytest.raises(ItemError) as problem:
        to_spacing(np.zeros((2, 2)), spacing_mm=1e-9)
    assert problem.value.code == "too_large"


def test_what_cannot_be_resampled_is_refused() -> None:
    with pytest.raises(ItemError):
        to_spacing(np.zeros((0, 2)), spacing_mm=2.0)
    with pytest.raises(ValueError, match="interpolation must be"):
        to_spacing(np.zeros((2, 2)), spacing_mm=2.0, interpolation="sinc")  # type: ignore[arg-type]
    plane, volume = Image(np.zeros((2, 2)), Geometry((1.0, 1.0))), Image(np.zeros((2, 2, 2)), Geometry((1.0,) * 3))
    with pytest.raises(ValueError, match="spatial axes"):
        to_grid(plane, volume)


def test_the_input_is_left_alone() -> None:
    array = RNG.normal(size=(4, 5, 6))
    before = array.copy()
    for interpolation in ("nearest", "linear", "cubic"):
        to_spacing(array, spacing_mm=0.7, interpolation=interpolation)  # type: ignore[arg-type]
    assert np.array_equal(array, before)
