"""Pictures of maps: colours by sign, whole steps of enlargement, outlines of one pixel, PNG in the page."""

from __future__ import annotations

import base64

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from radlake.report.overlay import data_uri, enlarged, grey, slice_of, with_map, with_outline


def test_orange_is_for_and_blue_against_and_zero_is_clear() -> None:
    plane = np.full((1, 3, 3), 100.0)
    drawn = with_map(plane, np.array([[1.0, -1.0, 0.0]]))
    assert drawn[0, 0, 0] > drawn[0, 0, 2]
    assert drawn[0, 1, 2] > drawn[0, 1, 0]
    assert drawn[0, 2].tolist() == [100.0] * 3
    assert drawn[0, 0].tolist() == [100 * 0.25 + 255 * 0.75, 100 * 0.25 + 122 * 0.75, 100 * 0.25 + 20 * 0.75]


@given(st.integers(1, 400), st.integers(1, 400))
def test_small_pictures_grow_by_whole_steps(rows: int, columns: int) -> None:
    large = enlarged(np.zeros((rows, columns, 3)))
    assert large.shape[0] % rows == large.shape[1] % columns == 0
    assert min(large.shape[:2]) >= 160
    assert min(large.shape[:2]) < 320 or min(rows, columns) >= 160


def test_a_volume_shows_the_slice_with_most_of_the_map() -> None:
    values = np.zeros((4, 5, 5))
    values[2, 1, 1] = -3.0
    assert slice_of(values, np.zeros((1, 4, 5, 5))) == 2
    assert slice_of(values[0], np.zeros((1, 5, 5))) is None


def test_levels_are_those_of_the_image_and_colours_stay() -> None:
    assert grey(np.full((3, 2, 2), 7, np.uint8), None).tolist() == np.full((2, 2, 3), 7.0).tolist()
    stretched = grey(np.linspace(-1000, 1000, 400).reshape(1, 20, 20), None)
    assert (stretched.min(), stretched.max()) == (0, 255)
    assert grey(np.zeros((1, 3, 6, 5), np.int16), 1).shape == (6, 5, 3)


def test_an_outline_is_drawn_on_the_edge_alone() -> None:
    mask = np.zeros((9, 9), bool)
    mask[2:7, 2:7] = True
    drawn = with_outline(np.zeros((9, 9, 3)), mask)
    assert (drawn.sum(axis=2) > 0).sum() == 16
    png = base64.b64decode(data_uri(drawn).removeprefix("data:image/png;base64,"))
    assert png.startswith(b"\x89PNG")
