"""Thumbnails: which slice, which way up, which size; PNG that says nothing but the picture."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image as Pillow

from radlake.core.image import Geometry, Image
from radlake.imaging.preview import png_bytes, thumbnail


def test_pixels_become_square() -> None:
    assert thumbnail(Image(np.zeros((3, 100, 50), np.int16), Geometry((5.0, 1.0, 2.0)))).shape == (100, 100)


def test_small_images_are_not_enlarged_and_large_ones_are_bounded() -> None:
    assert thumbnail(Image(np.zeros((28, 28), np.uint8), Geometry((1.0, 1.0)))).shape == (28, 28)
    assert thumbnail(Image(np.zeros((3000, 1500), np.uint16), Geometry((0.1, 0.1)))).shape == (256, 128)


def test_absurd_spacing_stays_a_picture() -> None:
    assert thumbnail(Image(np.zeros((10, 10), np.uint8), Geometry((1e-6, 1e6)))).shape == (1, 256)


def test_the_middle_slice_is_shown() -> None:
    volume = np.zeros((5, 4, 4), np.uint8)
    volume[2, 0, 0], volume[4] = 200, 100
    picture = thumbnail(Image(volume, Geometry((1.0, 1.0, 1.0)), window=(100.0, 200.0)))
    assert picture[0, 0] == 255
    assert picture[1:, 1:].max() == 0


def test_patients_left_is_on_the_right_and_the_head_on_top() -> None:
    marked = np.zeros((3, 3), np.uint8)
    marked[0, 0] = 255
    coronal_from_feet = Geometry((1.0, 1.0), direction=((0.0, 0.0, 1.0), (-1.0, 0.0, 0.0)))
    picture = thumbnail(Image(marked, coronal_from_feet, window=(127.5, 255.0)))
    assert np.argwhere(picture == 255).tolist() == [[2, 2]]


@pytest.mark.parametrize("axis", [0, 2])
def test_colours_stay_colours_and_alpha_is_dropped(axis: int) -> None:
    colours = np.zeros((6, 6, 4), np.uint8)
    colours[..., 0], colours[..., 3] = 255, 255
    image = Image(np.moveaxis(colours, 2, axis), Geometry((1.0, 1.0)), channel_axis=axis)
    assert thumbnail(image)[0, 0].tolist() == [255, 0, 0]


def test_colours_of_eight_bits_are_shown_as_they_are_and_wider_ones_are_windowed() -> None:
    dark = np.full((4, 4, 3), (10, 20, 30), np.uint8)
    assert thumbnail(Image(dark, Geometry((1.0, 1.0)), channel_axis=2))[0, 0].tolist() == [10, 20, 30]
    wide = dark.astype(np.uint16) * 100
    assert thumbnail(Image(wide, Geometry((1.0, 1.0)), channel_axis=2))[0, 0].tolist() == [0, 128, 255]


def test_an_image_without_samples_is_refused() -> None:
    with pytest.raises(ValueError, match="without samples"):
        thumbnail(Image(np.zeros((0, 3, 3)), Geometry((1.0, 1.0, 1.0))))


@pytest.mark.parametrize("shape", [(7, 9), (7, 9, 3)])
def test_png_holds_the_picture_and_nothing_else(shape: tuple[int, ...]) -> None:
    picture = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    data = png_bytes(picture)
    with Pillow.open(io.BytesIO(data)) as read:
        assert np.array_equal(np.asarray(read), picture)
        assert read.info == {}
    chunks, at = [], 8
    while at < len(data):
        chunks.append(data[at + 4 : at + 8])
        at += 12 + int.from_bytes(data[at : at + 4], "big")
    assert set(chunks) == {b"IHDR", b"IDAT", b"IEND"}
    assert png_bytes(picture.copy()) == data


@pytest.mark.parametrize("bad", [np.zeros((2, 2), np.int16), np.zeros((2, 2, 4), np.uint8), np.zeros(3, np.uint8)])
def test_other_arrays_are_no_pictures(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected a uint8 array"):
        png_bytes(bad)
