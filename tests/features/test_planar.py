"""Plane shapes by hand and against scikit-image's region properties."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.measure import regionprops

from radlake.core.fault import Term
from radlake.features.names import PLANAR
from radlake.features.planar import planar


def _disc(radius: float, size: int = 81) -> np.ndarray:
    y, x = np.ogrid[:size, :size]
    return (y - size // 2) ** 2 + (x - size // 2) ** 2 < radius**2


def test_a_rectangle_by_hand() -> None:
    # 4 x 2 pixels of 1 x 0.5 mm: corners cut off in the middle of pixel edges
    values = planar(np.ones((4, 2), bool), (1.0, 0.5))
    cut = np.hypot(1.0, 0.5) / 2
    assert values["perimeter"] == pytest.approx(4 * cut + 2 * 3.0 + 2 * 0.5)
    # corners: 4 cells of 1/8; sides: 3 + 3 + 1 + 1 cells of 1/2; 3 full cells; each of 0.5 mm2
    assert values["area"] == pytest.approx((4 / 8 + 8 / 2 + 3) * 0.5)
    assert values["area_approx"] == 4.0
    assert values["max_diameter"] == pytest.approx(np.hypot(4.0, 0.5))
    assert values["min_diameter"] == pytest.approx(1.0)


def test_a_disc_is_round() -> None:
    values = planar(_disc(30.3), (1.0, 1.0))
    assert values["area"] == pytest.approx(np.pi * 30.3**2, rel=5e-3)
    assert values["max_diameter"] == pytest.approx(60.6, abs=1.0)
    assert values["min_diameter"] == pytest.approx(60.6, abs=1.0)
    assert values["eccentricity"] == 0.0
    assert values["elongation"] == 1.0
    assert values["solidity"] > 0.97
    # binary outlines are about 5 % too long however fine, so a disc stays below 1
    assert 0.85 < float(values["circularity"]) < 1


def test_axes_agree_with_scikit_image_but_for_its_divisor() -> None:
    y, x = np.ogrid[:60, :60]
    ellipse = ((y - 30) / 25) ** 2 + ((x - 28) / 10) ** 2 < 1
    props = regionprops(ellipse.astype(int))[0]
    values = planar(ellipse, (1.0, 1.0))
    # scikit-image divides by n, not n - 1
    n = ellipse.sum()
    for name, length in (("maj_axis", props.axis_major_length), ("min_axis", props.axis_minor_length)):
        assert (float(values[name]) / 4) ** 2 * (n - 1) / n == pytest.approx((length / 4) ** 2, rel=1e-9)
    assert values["eccentricity"] == pytest.approx(props.eccentricity, abs=2e-3)
    assert values["max_diameter"] == pytest.approx(props.feret_diameter_max, abs=0.5)


def test_one_pixel_has_an_outline_but_no_axes() -> None:
    values = planar(np.ones((1, 1), bool), (1.0, 1.0))
    assert values["area"] == 0.5
    assert values["perimeter"] == pytest.approx(2 * np.sqrt(2))
    assert all(isinstance(values[name], Term) for name in ("elongation", "eccentricity"))


def test_the_names_are_those_of_the_list() -> None:
    assert [f"planar_{name}" for name in planar(_disc(3), (1.0, 1.0))] == [f.name for f in PLANAR]
