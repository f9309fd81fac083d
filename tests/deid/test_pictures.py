from __future__ import annotations

import numpy as np
import pytest

from radlake.deid.pictures import display, even


def test_percentiles_become_black_and_white() -> None:
    plane = np.arange(1000, dtype=np.int16).reshape(20, 50)
    picture = display(plane)
    # percentiles 0.5 and 99.5 of 0..999 are 4.995 and 994.005
    assert picture[0, 4] == 0 and picture[-1, -5] == 255 and picture[10, 0] == int((500 - 4.995) * 255 / 989.01)


def test_letters_show_on_air_and_on_bone_alike() -> None:
    plane = np.where(np.arange(200) < 100, -1000, 1500).astype(np.float32) * np.ones((200, 1), np.float32)
    plane[50:60, 20:22] += 200
    plane[50:60, 170:172] += 200
    (picture,) = even(plane)
    assert picture[55, 20] > 200 and picture[55, 170] > 200
    assert abs(int(picture[55, 20]) - int(picture[55, 170])) <= 2  # rounding
    assert int(display(plane)[55, 20]) - int(display(plane)[55, 30]) < 25


def test_letters_above_the_brightest_half_percent_still_show() -> None:
    plane = np.full((200, 200), 100.0)
    plane[:, 100:] = 0
    plane[90:110, 20:80] = 300  # a plate of metal, more than half a percent
    plane[98:102, 40:42] = 420
    (picture,) = even(plane)
    assert int(picture[100, 40]) > int(picture[100, 36]) + 20


def test_letters_that_differ_by_hue_alone_show_in_one_picture() -> None:
    plane = np.full((60, 200, 3), 85, np.uint8)
    plane[20:30, 40:90] = (255, 0, 0)  # as dark as the background on average
    mean, brightest = even(plane)
    assert np.ptp(mean) == 0 and np.ptp(brightest) > 100
    assert len(even(np.repeat(plane[..., 1:2], 3, axis=-1))) == 1


@pytest.mark.parametrize("plane", [np.full((5, 5), np.nan), np.zeros((1, 9), np.uint8), np.full((64, 64), 7, np.int16)])
def test_planes_without_contrast_are_even(plane: np.ndarray) -> None:
    before = plane.copy()
    (picture,) = even(plane)
    assert picture.dtype == np.uint8 and np.ptp(picture) == 0 and np.ptp(display(plane)) == 0
    np.testing.assert_array_equal(plane, before)
