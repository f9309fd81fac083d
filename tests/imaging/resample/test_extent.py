"""Cropping, padding and reorienting: every sample keeps its place in space; reorientation as SimpleITK does it."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from radlake.core.fault import ItemError
from radlake.core.image import Geometry, Image
from radlake.imaging.resample import crop, crop_to, pad, reorient


def _oblique(shape: tuple[int, ...] = (3, 4, 5), angles: tuple[float, ...] = (20, -30, 70)) -> Image:
    matrix = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    rows = tuple(tuple(float(v) for v in row) for row in matrix)
    geometry = Geometry((4.0, 0.5, 0.7), (10.0, -20.0, 5.0), rows)  # type: ignore[arg-type]
    return Image(np.arange(np.prod(shape), dtype=np.int16).reshape(shape), geometry, kind="ct", unit="HU", padding=-1)


def _places(image: Image) -> dict[int, tuple[float, ...]]:
    """Where each value lies, rounded to a nanometre."""
    points = {}
    for index in np.ndindex(*image.array.shape):
        place = image.geometry.affine[:3] @ [*index, 1]
        points[int(image.array[index])] = tuple(np.round(place, 6) + 0.0)
    return points


def test_cropping_keeps_places() -> None:
    image = _oblique()
    part = crop(image, start=(1, 0, 2), stop=(3, 3, 4))
    assert part.array.shape == (2, 3, 2)
    whole = _places(image)
    assert all(whole[value] == place for value, place in _places(part).items())
    assert not np.shares_memory(part.array, image.array)


def test_padding_is_undone_by_cropping() -> None:
    image = _oblique()
    wide = pad(image, before=(1, 0, 2), after=(0, 3, 1))
    assert wide.array.shape == (4, 7, 8)
    assert wide.array[0].max() == -1
    back = crop(wide, start=(1, 0, 2), stop=(4, 4, 7))
    assert np.array_equal(back.array, image.array)
    np.testing.assert_allclose(back.geometry.affine, image.geometry.affine)


def test_a_mask_is_framed_with_a_margin_in_millimetres() -> None:
    image = _oblique((9, 20, 20))
    mask = np.zeros((9, 20, 20), bool)
    mask[4, 8:10, 19] = True
    part = crop_to(image, image.with_array(mask, kind="label"), margin_mm=2.0)
    # 2 mm: one slice of 4 mm, 4 rows of 0.5 mm, 3 columns of 0.7 mm as far as there are any
    assert part.array.shape == (3, 10, 4)


def test_colours_and_time_are_cropped_together() -> None:
    cine = Image(np.zeros((6, 4, 5, 3), np.uint8), Geometry((1.0, 1.0)), time_axis=0, channel_axis=3)
    assert crop(cine, start=(1, 1), stop=(3, 5)).array.shape == (6, 2, 4, 3)
    assert pad(cine, before=(1, 1), after=(0, 0)).array.shape == (6, 5, 6, 3)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda i: crop(i, start=(0, 0, 0), stop=(4, 1, 1)), "start < stop"),
        (lambda i: crop(i, start=(0, 0), stop=(1, 1)), "start < stop"),
        (lambda i: pad(i, before=(0, -1, 0), after=(0, 0, 0)), "counts from 0"),
        (lambda i: pad(i, before=(0, 0, 0), after=(0, 0, 0), value=0.5), "cannot hold"),
        (lambda i: reorient(i, axes="SSL"), "once each"),
        (lambda i: reorient(i, axes="SP"), "once each"),
        (lambda i: reorient(crop_plane(i)), "three spatial axes"),
        (lambda i: crop_to(i, i, margin_mm=-1), "margin"),
    ],
)
def test_what_does_not_fit_is_refused(call: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call(_oblique())  # type: ignore[operator]


def crop_plane(image: Image) -> Image:
    return Image(image.array[0], Geometry((1.0, 1.0)))


def test_an_empty_mask_frames_nothing() -> None:
    image = _oblique()
    with pytest.raises(ItemError, match="no voxel"):
        crop_to(image, image.with_array(image.array < 0))


@settings(max_examples=40)
@given(st.tuples(*[st.integers(-180, 180)] * 3), st.sampled_from(["SPL", "IAR", "LPS", "PSR", "ASL", "RIP"]))
def test_reorientation_moves_no_value(angles: tuple[float, ...], axes: str) -> None:
    image = _oblique(angles=angles)
    turned = reorient(image, axes=axes)
    np.testing.assert_allclose(sorted(_places(turned).items())[7][1], sorted(_places(image).items())[7][1], atol=1e-5)
    assert _places(turned).keys() == _places(image).keys()
    again = reorient(turned, axes=axes)
    assert np.array_equal(again.array, turned.array)


@pytest.mark.parametrize(("axes", "itk"), [("SPL", "LPS"), ("IAR", "RAI"), ("PSL", "LSP"), ("RSA", "ASR")])
def test_reorientation_is_simpleitks(axes: str, itk: str) -> None:
    image = _oblique()
    theirs = SimpleITK.GetImageFromArray(image.array)
    theirs.SetSpacing(image.geometry.spacing[::-1])
    theirs.SetOrigin(image.geometry.origin)
    theirs.SetDirection(np.asarray(image.geometry.direction)[::-1].T.ravel().tolist())
    theirs = SimpleITK.DICOMOrient(theirs, itk)
    ours = reorient(image, axes=axes)
    assert np.array_equal(ours.array, SimpleITK.GetArrayFromImage(theirs))
    np.testing.assert_allclose(ours.geometry.origin, theirs.GetOrigin(), atol=1e-9)
    assert ours.geometry.spacing == theirs.GetSpacing()[::-1]
