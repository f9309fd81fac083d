"""Transfer functions at frequencies where they are known, and the image beyond its border."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from radlake.imaging.fourier import filtered, riesz_factors, rotated_order, simoncelli_band
from radlake.imaging.rotations import Rotation, right_angles


@given(st.floats(0.02, np.pi / 2))
def test_neighbouring_bands_share_all_energy_between_them(frequency: float) -> None:
    bands = [simoncelli_band([np.array([frequency])], level)[0] for level in range(1, 12)]
    # every frequency up to pi / 2 lies in two bands whose squares sum to 1
    assert abs(sum(b**2 for b in bands) - 1) < 1e-9


@given(st.integers(1, 4), st.tuples(*[st.floats(-3, 3)] * 3).filter(lambda f: max(map(abs, f)) > 0.1))
def test_all_transforms_of_one_order_keep_the_energy(total: int, frequency: tuple[float, ...]) -> None:
    orders = [(i, j, total - i - j) for i in range(total + 1) for j in range(total + 1 - i)]
    factors = [riesz_factors([np.array([f]) for f in frequency], order)[0] for order in orders]
    assert abs(sum(abs(f) ** 2 for f in factors) - 1) < 1e-9


def test_rotating_an_order_is_rotating_its_factors() -> None:
    frequency = np.array([0.3, -0.5, 0.9])
    for rotation in right_angles(3):
        turned, sign = rotated_order((2, 1, 0), rotation)
        seen = np.empty(3)
        for i, (source, mirrored) in enumerate(zip(*rotation, strict=True)):
            seen[source] = -frequency[i] if mirrored else frequency[i]
        expected = riesz_factors([np.array([f]) for f in seen], (2, 1, 0))
        found = sign * riesz_factors([np.array([f]) for f in frequency], turned)
        np.testing.assert_allclose(found, expected, atol=1e-12)
    assert rotated_order((1, 0), Rotation((0, 1), (True, True))) == ((1, 0), -1)


def test_all_but_the_mean_passes_where_every_factor_is_one() -> None:
    image = np.random.default_rng(3).normal(5, 1, (9, 11)).astype(np.float32)
    for border in ("wrap", "reflect"):
        found = filtered(image, lambda f: np.ones((1,) * len(f)), 2, border)  # type: ignore[arg-type]
        np.testing.assert_allclose(found - found.mean(), image - image.mean(), atol=1e-5)
