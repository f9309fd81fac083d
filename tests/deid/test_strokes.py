from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.deid.pictures import even
from radlake.deid.strokes import Part, places


def body(rng: np.random.Generator, shape: tuple[int, int] = (256, 256)) -> np.ndarray:
    """A round body in air with noise, as a scanner gives it."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    inside = (y - shape[0] / 2) ** 2 + (x - shape[1] / 2) ** 2 < (0.4 * shape[0]) ** 2
    values = np.where(inside, 40.0, -1000.0) + rng.normal(0, 15, shape)
    return np.maximum(values, -1024).astype(np.int16)


@pytest.mark.parametrize("contrast", [150, 400, -300])
@pytest.mark.parametrize("height", [0.4, 0.7])
def test_letters_lie_in_a_place_whole_at_any_size_and_contrast(contrast: int, height: float) -> None:
    plane = body(np.random.default_rng(1))
    letters = np.zeros(plane.shape, np.uint8)
    cv2.putText(letters, "SMITH 4711", (60, 120), cv2.FONT_HERSHEY_SIMPLEX, height, 255, 1)
    plane[letters > 0] = 40 + contrast
    seen = np.zeros(plane.shape, bool)
    for part in places(even(plane)[0]):
        seen[part.top : part.bottom, part.left : part.right] = True
    assert seen[letters > 0].all()


def test_edges_and_lines_of_one_direction_are_no_letters() -> None:
    page = np.full((128, 256), 100, np.uint8)
    page[:, 128:] = 200
    page[60:62] = 240
    assert places(page) == []
    page[40:80, [60, 61, 66, 67, 72, 73, 78, 79]] = 240  # across the level line, four upright ones
    assert places(page) == [Part(0, 0, 128, 160)]


def test_one_colour_holds_no_place() -> None:
    assert places(np.full((10, 10), 7, np.uint8)) == places(even(np.full((64, 64), 7, np.int16))[0]) == []


@given(st.integers(0, 2**32 - 1), st.integers(40, 300), st.integers(40, 300))
@settings(max_examples=20, deadline=None)
def test_places_lie_on_the_picture_and_in_order(seed: int, rows: int, columns: int) -> None:
    picture = np.random.default_rng(seed).integers(0, 256, (rows, columns)).astype(np.uint8)
    before = picture.copy()
    found = places(picture)
    assert found == sorted(set(found)) and found  # noise is strokes in all directions
    assert all(0 <= p.top < p.bottom <= rows and 0 <= p.left < p.right <= columns for p in found)
    np.testing.assert_array_equal(picture, before)


def test_far_places_are_rectangles_of_their_own() -> None:
    page = np.full((320, 640), 128, np.uint8)
    for top, left in ((40, 60), (280, 600)):
        page[top : top + 12, left : left + 40 : 4] = page[top : top + 12 : 5, left : left + 40] = 250
    parts = places(page)
    assert len(parts) == 2 and parts[0].bottom < parts[1].top
