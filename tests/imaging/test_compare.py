"""The picture that shows original and result."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radlake.core.image import Geometry, Image
from radlake.imaging.compare import bar_length, side_by_side

IMAGE = Image(np.tile(np.arange(100, dtype=np.int16), (80, 1)), Geometry((1.0, 1.0)), window=(50.0, 100.0))


def test_both_halves_share_the_window_of_the_original() -> None:
    darker = IMAGE.with_array(IMAGE.array - 30)
    picture = side_by_side(IMAGE, darker, longest=100)
    left, right = picture[10, 80, 0], picture[10, 108 + 80, 0]
    assert int(left) - int(right) == pytest.approx(0.3 * 255, abs=2)


def test_a_mask_is_an_outline_on_the_right_half_only() -> None:
    mask = np.zeros((80, 100), np.bool_)
    mask[20:40, 30:60] = True
    picture = side_by_side(IMAGE, IMAGE.with_array(mask), longest=100)
    coloured = (picture[..., 0] != picture[..., 1]).nonzero()
    assert len(coloured[0]) == 2 * (20 + 30) - 4
    assert (min(coloured[1]), max(coloured[1])) == (108 + 30, 108 + 59)


def test_no_bar_is_drawn_where_lengths_are_unknown() -> None:
    dark = Image(np.zeros((80, 100), np.uint8), Geometry((1.0, 1.0), calibrated=False))
    assert len(np.unique(side_by_side(dark, dark, longest=100)[:, :100])) == 1
    known = Image(np.zeros((80, 100), np.uint8), Geometry((1.0, 1.0)))
    bar = side_by_side(known, known, longest=100)[72, :100, 0]
    assert int((bar == 255).sum()) == 21  # 20 mm, both ends drawn


def test_labels_have_colours_of_their_own_on_the_slice_that_shows_most_of_them() -> None:
    volume = Image(np.zeros((5, 40, 40), np.int16), Geometry((2.0, 1.0, 1.0)), window=(50.0, 100.0))
    volume.array[4] = 50
    labels = np.zeros((5, 40, 40), np.uint8)
    labels[4, 4:12, 4:12], labels[4, 20:30, 20:30] = 1, 2
    picture = side_by_side(volume, volume.with_array(labels, kind="label"), longest=40)
    assert picture[6, 20].tolist() == [128, 128, 128]
    colours = {tuple(c) for c in picture[:, 48:].reshape(-1, 3).tolist()}
    assert len({c for c in colours if len(set(c)) > 1}) == 2


def test_small_images_are_enlarged_by_a_whole_number() -> None:
    assert side_by_side(IMAGE, IMAGE, longest=350).shape == (240, 2 * 300 + 8, 3)


def test_a_result_on_another_grid_or_scale_is_shown_as_it_is() -> None:
    other = Image(np.zeros((40, 30), np.int16), Geometry((1.0, 1.0)))
    assert side_by_side(IMAGE, other, longest=100).shape == (80, 100 + 8 + 60, 3)
    faint = IMAGE.with_array(IMAGE.array / np.float32(1000), window=None)
    dark, bright = (side_by_side(IMAGE, faint, shared=s, longest=100)[10, 108:, 0].max() for s in (True, False))
    assert dark < 5
    assert bright > 250


@given(st.floats(1e-3, 1e5))
def test_the_bar_is_round_and_fits(width_mm: float) -> None:
    length = bar_length(width_mm)
    assert 0.1 * width_mm < length <= 0.3 * width_mm * (1 + 1e-6)
    assert round(length / 10.0 ** np.floor(np.log10(length) + 1e-9)) in (1, 2, 5)


def test_inputs_stay_as_they_were() -> None:
    kept = IMAGE.array.copy()
    side_by_side(IMAGE, IMAGE.with_array(IMAGE.array > 50))
    np.testing.assert_array_equal(IMAGE.array, kept)
