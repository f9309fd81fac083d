from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.deid.pictures import even
from radlake.deid.strokes import Part, likeliest, places


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


def area(found: list[list[Part]]) -> float:
    """Pixels of parts of some pictures."""
    return float(sum((p.bottom - p.top) * (p.right - p.left) for parts in found for p in parts))


def lines(shape: tuple[int, int], tops: range) -> np.ndarray:
    """Ink of lines of text, one below the other."""
    page = np.zeros(shape, np.uint8)
    for top in tops:
        cv2.putText(page, "SMITH JOHN 4711 08/11/1947", (20, top), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 255, 1, cv2.LINE_AA)
    return page


def noise(shape: tuple[int, int]) -> np.ndarray:
    """Weak grains of some pixels on a ramp, as enlarged pictures have."""
    grains = cv2.GaussianBlur(np.random.default_rng(5).normal(0, 1, shape).astype(np.float32), (0, 0), 0.8)
    return np.linspace(0, 255, shape[1], dtype=np.float32) + 9 * grains / grains.std()


def test_in_noise_the_likeliest_places_hold_the_letters() -> None:
    ink = lines((768, 768), range(400, 401))
    picture = even(noise(ink.shape) + 0.4 * ink)[0]
    everything, chosen = [places(picture)], likeliest([picture], area, 1e5)
    seen = np.zeros(ink.shape, bool)
    for part in chosen[0]:
        seen[part.top : part.bottom, part.left : part.right] = True
    assert (area(everything) > 0.9 * ink.size, area(chosen) <= 1e5) == (True, True)
    assert seen[ink > 0].all()


def test_a_page_of_text_is_looked_at_whole_whatever_it_costs() -> None:
    ink = lines((512, 512), range(20, 512, 22))
    picture = even(ink.astype(np.float32))[0]
    assert likeliest([picture], area, 1e3) == [places(picture)]


def test_what_costs_little_is_looked_at_as_ever() -> None:
    pictures = [even(lines((256, 320), range(40, 41)).astype(np.float32))[0], even(noise((96, 96)))[0]]
    assert likeliest(pictures, area, 1e6) == [places(picture) for picture in pictures]
