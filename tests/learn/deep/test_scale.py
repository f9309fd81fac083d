"""Images brought to a network's range and size."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from radlake.learn.deep.scale import Scale, fit_scale, resized
from radlake.learn.images import images


def test_training_images_end_in_standard_units() -> None:
    x = np.random.default_rng(0).normal(100, 20, size=(40, 8, 8))
    scale = fit_scale(images(x))
    found = scale.apply(images(x))
    assert found.shape == (40, 1, 8, 8)
    assert found.mean() == pytest.approx(0, abs=1e-3)
    assert found.std() == pytest.approx(1, abs=1e-3)
    assert Scale.of(json.loads(json.dumps(scale.as_dict()))) == scale


def test_a_piece_of_metal_does_not_set_the_range() -> None:
    x = np.random.default_rng(0).normal(size=(50, 20, 20))
    plain = fit_scale(images(x))
    x[7, 3, 3] = 30000
    assert fit_scale(images(x)).sd == pytest.approx(plain.sd, rel=0.01)


def test_channels_have_ranges_of_their_own() -> None:
    x = np.random.default_rng(0).normal(size=(20, 8, 8, 3)) * [1, 10, 100]
    found = fit_scale(images(x)).apply(images(x))
    assert found.std(axis=(0, 2, 3)) == pytest.approx(1, abs=1e-3)


def test_constant_images_become_zero() -> None:
    x = np.full((3, 8, 8), 7)
    assert not fit_scale(images(x)).apply(images(x)).any()


def test_mixed_sizes_take_the_median_in_steps_of_four() -> None:
    given = images([np.zeros((20, 30)), np.zeros((21, 31)), np.zeros((400, 500))])
    assert fit_scale(given).size == (24, 32)
    assert fit_scale(images(np.zeros((2, 600, 700)))).size == (128, 128)
    assert fit_scale(images(np.zeros((2, 9, 100, 100)))).size == (12, 48, 48)
    assert fit_scale(given, (16, 16)).apply(given).shape == (3, 1, 16, 16)


@given(arrays(np.float32, (1, 6, 9), elements=st.floats(-100, 100, width=32)), st.integers(4, 20), st.integers(4, 20))
def test_resized_images_hold_no_new_extremes(image: np.ndarray, rows: int, columns: int) -> None:
    found = resized(image, (rows, columns))
    assert found.shape == (1, rows, columns)
    assert found.min() >= image.min() - 1e-3  # rounding of float32 means
    assert found.max() <= image.max() + 1e-3


def test_halves_are_means_and_the_form_is_kept() -> None:
    image = np.arange(8, dtype=np.float32).reshape(1, 2, 4)
    assert resized(image, (1, 2))[0].tolist() == [[2.5, 4.5]]
    assert resized(image, (2, 2))[0].tolist() == [[2.5, 4.5], [2.5, 4.5]]
    volume = np.arange(16, dtype=np.float32).reshape(1, 4, 2, 2)
    assert resized(volume, (2, 2, 2))[0, :, 0, 0].tolist() == [2.0, 10.0]
