from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.quality.alignment import SIDE, correlate, details, masked_correlation, oriented, zoomed

IDENTITY = np.array([[[1.0, 0.0], [1.0, 0.0]]])


def _picture(seed: int, side: int = SIDE, sigma: float = 1.2) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=(side, side)).astype(np.float32)
    return cv2.GaussianBlur(noise, (0, 0), sigma * side / SIDE)[None]


def test_the_eight_orientations_are_all_different_and_closed():
    picture = _picture(0)
    views = {oriented(picture, k).tobytes() for k in range(8)}
    again = {oriented(oriented(picture, 5), k).tobytes() for k in range(8)}
    assert len(views) == 8
    assert views == again


def test_the_identity_changes_nothing():
    picture = _picture(1)
    values, weight = zoomed(picture, IDENTITY)
    assert np.allclose(values, picture, atol=1e-6)
    assert np.allclose(weight, 1)


@given(st.floats(0.8, 1.0), st.floats(-0.1, 0.1))
@settings(max_examples=20)
def test_zoom_reads_a_ramp_at_the_given_positions(scale, shift):
    u = np.linspace(-1, 1, SIDE, dtype=np.float32)
    ramp = np.tile(u, (1, SIDE, 1))
    values, weight = zoomed(ramp, np.array([[[1.0, 0.0], [scale, shift]]]))
    inside = weight[0, 0] > 0.999
    assert np.allclose(values[0, 0, inside], (scale * u + shift)[inside], atol=1e-5)


def test_details_do_not_see_gain_offset_or_smooth_shading():
    picture = _picture(2)
    shaded = 40 * picture + 300 + 20 * np.linspace(-1, 1, SIDE, dtype=np.float32)
    inner = (slice(None), slice(8, -8), slice(8, -8))
    a, b = (details(p.astype(np.float32), (0.8, 2.5))[inner] for p in (picture, shaded))
    assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.99


@given(st.floats(-0.05, 0.05), st.floats(-0.05, 0.05), st.integers(0, 1000))
@settings(max_examples=15)
def test_zoom_and_shift_are_recovered(zoom, shift, seed):
    picture = _picture(seed, sigma=2.0)
    known = np.array([[[1 - abs(zoom), shift / 2], [1 - abs(zoom) / 2, -shift / 2]]])
    score, found = correlate(picture, zoomed(picture, known)[0], IDENTITY)
    assert score[0] > 0.85
    assert np.abs(found - known).max() < 0.01


def test_unrelated_pictures_do_not_correlate():
    one, other = (np.concatenate([_picture(k + base) for k in range(20)]) for base in (0, 100))
    score, _ = correlate(one, other, np.repeat(IDENTITY, 20, axis=0))
    assert score.max() < 0.5


@pytest.mark.parametrize("flat", [np.zeros((1, SIDE, SIDE), np.float32), np.ones((1, SIDE, SIDE), np.float32)])
def test_flat_pictures_score_nothing(flat):
    assert correlate(flat, flat, IDENTITY)[0].tolist() == [0.0]
    assert masked_correlation(flat, np.zeros_like(flat), flat).tolist() == [0.0]
