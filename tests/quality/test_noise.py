from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.quality.noise import air_sigma, check, difference_sigma, snr


@given(st.floats(0.5, 30), st.integers(0, 2**16))
@settings(max_examples=15)
def test_the_deviation_of_white_noise_is_found_within_5_percent(sigma, seed):
    noise = np.random.default_rng(seed).normal(0, sigma, (256, 256)).astype(np.float32)
    assert difference_sigma(noise) == pytest.approx(sigma, rel=0.05)


def test_linear_shading_adds_no_noise():
    y, x = np.mgrid[:100, :100].astype(np.float32)
    assert difference_sigma(3 * x - 2 * y) == pytest.approx(0.0, abs=1e-6)


def test_the_ratio_of_a_disc_is_signal_over_noise(disc):
    # 100 above a background whose 2nd percentile lies 2 deviations low
    assert snr(disc(256, sigma=5)) == pytest.approx((100 + 2 * 5) / 5, rel=0.1)


def test_rayleigh_air_gives_the_deviation_of_its_parts_and_tissue_does_not():
    rng = np.random.default_rng(0)
    air = np.hypot(*rng.normal(0, 7, (2, 200, 200))).astype(np.float32)
    assert air_sigma(air) == pytest.approx(7, rel=0.1)
    assert air_sigma((500 + air).astype(np.float32)) is None
    assert air_sigma(np.zeros((200, 200), np.float32)) is None


def test_a_noisy_magnitude_image_is_a_warning_and_a_clear_one_information(wrap, disc):
    rng = np.random.default_rng(0)
    for sigma, level in ((40, "warning"), (4, "info")):
        parts = rng.normal(0, sigma, (2, 128, 128))
        magnitude = np.hypot(disc() + parts[0], parts[1])
        (found,) = check(wrap(magnitude, kind="mr"), {}, [])
        assert found.level == level


@pytest.mark.parametrize(
    "array", [np.ones((100, 100)), np.ones((5, 5)), np.full((100, 100), np.nan), np.zeros((0, 100)), np.eye(120) > 0]
)
def test_flat_tiny_and_empty_images_have_no_ratio(wrap, array):
    assert check(wrap(array, kind="ct"), {}, []) == []


def test_speckle_and_counts_are_not_judged(wrap, disc):
    assert check(wrap(disc(sigma=30), kind="us"), {}, []) == []
    assert check(wrap(disc(sigma=30), kind="pet"), {}, []) == []
