"""Colour and time become one scalar picture."""

from __future__ import annotations

import numpy as np
import pytest

from radlake.core.image import Geometry, Image
from radlake.imaging.channels import luminance, middle_time_point, scalar


def test_luminance_of_grey_is_that_grey() -> None:
    grey = np.repeat(np.arange(256, dtype=np.uint8)[:, None, None], 3, axis=2)
    assert np.array_equal(luminance(grey), grey[..., 0])


def test_luminance_agrees_with_opencv() -> None:
    import cv2

    colours = np.random.default_rng(3).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    # OpenCV rounds in fixed point: one level apart at most
    assert np.abs(luminance(colours).astype(int) - cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY)).max() <= 1


def test_grey_with_alpha_is_its_grey() -> None:
    pair = np.stack([np.full((2, 2), 7, np.uint8), np.full((2, 2), 255, np.uint8)], axis=-1)
    assert luminance(pair).tolist() == [[7, 7], [7, 7]]


@pytest.mark.parametrize(
    ("time", "channel", "shape"), [(0, 3, (5, 4, 6, 3)), (1, 0, (3, 5, 4, 6)), (0, 1, (5, 3, 4, 6))]
)
def test_the_middle_time_point_keeps_the_channels(time: int, channel: int, shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)
    image = Image(array, Geometry((1.0, 1.0)), time_axis=time, channel_axis=channel)
    middle = middle_time_point(image)
    assert middle.time_axis is None
    assert middle.channel_axis is not None
    assert middle.array.shape[middle.channel_axis] == 3
    assert np.array_equal(middle.array, np.take(array, 2, axis=time))
    assert scalar(image).array.shape == (4, 6)


def test_a_scalar_image_is_returned_as_it_is() -> None:
    image = Image(np.zeros((2, 3)), Geometry((1.0, 1.0)))
    assert scalar(image) is image


def test_white_stays_white_in_32_bits() -> None:
    white = np.full((2, 2, 3), 2**32 - 1, np.uint32)
    assert luminance(white).tolist() == [[2**32 - 1] * 2] * 2
