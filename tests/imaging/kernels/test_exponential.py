"""Powers of two to the precision of float32."""

from __future__ import annotations

import numpy as np
from numba import vectorize

from radlake.imaging.kernels.exponential import power_of_two


@vectorize(["float32(float32)"])
def _powers(exponent: np.float32) -> np.float32:
    return power_of_two(exponent)


def test_powers_are_those_of_numpy() -> None:
    exponents = np.concatenate([np.linspace(-125, 120, 200_001), np.linspace(-2, 2, 50_001)]).astype(np.float32)
    exact = np.exp2(exponents.astype(np.float64))
    assert np.max(np.abs(_powers(exponents) / exact - 1)) < 2e-7


def test_whole_powers_are_exact_and_small_ones_end_at_the_least_normal_number() -> None:
    whole = np.arange(-126, 127, dtype=np.float32)
    assert np.array_equal(_powers(whole), np.exp2(whole))
    assert np.array_equal(_powers(np.array([-127, -1e9, -np.inf], np.float32)), np.full(3, 2.0**-126, np.float32))


def test_what_is_not_a_number_stays_so() -> None:
    with np.errstate(invalid="ignore"):
        assert np.isnan(_powers(np.float32(np.nan)))
