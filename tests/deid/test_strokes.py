from __future__ import annotations

import cv2
import numpy as np
import pytest

from radlake.deid.strokes import has_strokes


def body(rng: np.random.Generator, shape: tuple[int, int] = (256, 256)) -> np.ndarray:
    """A round body in air with noise, as a scanner gives it."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    inside = (y - shape[0] / 2) ** 2 + (x - shape[1] / 2) ** 2 < (0.4 * shape[0]) ** 2
    values = np.where(inside, 40.0, -1000.0) + rng.normal(0, 15, shape)
    return np.maximum(values, -1024).astype(np.int16)


@pytest.mark.parametrize("contrast", [150, 400, -300])
@pytest.mark.parametrize("height", [0.4, 0.7])
def test_letters_are_seen_at_any_size_and_contrast(contrast: int, height: float) -> None:
    plane = body(np.random.default_rng(1))
    letters = np.zeros(plane.shape, np.uint8)
    cv2.putText(letters, "SMITH 4711", (60, 120), cv2.FONT_HERSHEY_SIMPLEX, height, 255, 1)
    plane[letters > 0] = 40 + contrast
    assert has_strokes(plane)


def test_noise_and_the_edge_of_a_body_are_no_letters() -> None:
    rng = np.random.default_rng(2)
    assert not has_strokes(body(rng))
    assert not has_strokes(rng.integers(0, 4096, (128, 128)).astype(np.uint16))
    assert not has_strokes(np.full((64, 64), 7, np.int16))


def test_planes_that_are_too_small_for_a_letter_hold_none() -> None:
    assert not has_strokes(np.arange(100, dtype=np.int16).reshape(10, 10))


def test_the_plane_stays_as_it_is() -> None:
    plane = body(np.random.default_rng(3))
    before = plane.copy()
    has_strokes(plane)
    np.testing.assert_array_equal(plane, before)
