from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.quality.truncated_pixels import check, cut_rows

SIDE = 100


def _content() -> np.ndarray:
    return np.random.default_rng(0).integers(1, 1000, (SIDE, SIDE))


@given(st.integers(20, 90), st.integers(15, 85), st.sampled_from([0, 2000]))
@settings(max_examples=40)
def test_a_stop_inside_a_row_is_found_with_the_share_of_lost_rows(row, column, fill):
    values = _content()
    values.ravel()[row * SIDE + column :] = fill
    assert cut_rows(values) == pytest.approx((SIDE - 1 - row) / SIDE)


def test_a_straight_black_border_is_no_stop():
    values = _content()
    values[70:] = 0
    assert cut_rows(values) == 0.0


def test_an_ultrasound_sector_is_no_stop():
    y, x = np.mgrid[:SIDE, :SIDE]
    values = np.where(np.hypot(y, x - 50) < 80, _content(), 0)
    assert cut_rows(values) == 0.0


def test_flat_planes_at_the_end_are_found_and_at_the_start_are_not(wrap):
    volume = np.stack([_content() for _ in range(10)])
    tail = volume.copy()
    tail[7:] = 0
    (found,) = check(wrap(tail), {}, [])
    assert (found.level, found.value) == ("error", 0.3)
    tail[7:] = volume[7:]
    tail[:2] = 0
    assert check(wrap(tail), {}, []) == []


@pytest.mark.parametrize("array", [np.zeros((4, 4)), np.zeros((0, 4, 4)), np.full((3, 8, 8), np.nan)])
def test_images_without_content_are_left_to_other_checks(wrap, array):
    assert check(wrap(array), {}, []) == []


def test_colour_planes_are_cut_too(wrap):
    colour = np.repeat(_content()[..., None], 3, axis=2)
    colour.reshape(-1, 3)[40 * SIDE + 50 :] = 0
    assert check(wrap(colour, channel_axis=2), {}, [])[0].value == pytest.approx(0.59)
