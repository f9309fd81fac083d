"""Shape of volumes: IBSI definitions by hand, properties, and what happens to the smallest regions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from radlake.core.fault import Term
from radlake.core.image import BoolArray
from radlake.features.morphology import FLAT, NO_INTENSITY, NOT_FINITE, ONE_VOXEL, ellipsoid_area, shape
from radlake.features.names import MORPHOLOGY, SLICE
from radlake.features.roi import Roi

masks = arrays.arrays(np.bool_, st.tuples(*[st.integers(2, 6)] * 3)).map(
    lambda m: m | (np.add.outer(np.add.outer(np.arange(m.shape[0]), np.arange(m.shape[1])), np.arange(m.shape[2])) == 0)
)
LENGTH = {f.name: f.length for f in (*MORPHOLOGY, *SLICE)}


def _measure(mask: BoolArray, spacing: tuple[float, ...], **more: object) -> dict[str, float | Term]:
    places = np.argwhere(mask)
    box = tuple(slice(a, b + 1) for a, b in zip(places.min(axis=0), places.max(axis=0), strict=True))
    return shape(Roi(mask[box], spacing, **more))  # type: ignore[arg-type]


def test_compactness_follows_from_area_and_volume() -> None:
    values = shape(Roi(np.ones((3, 4, 5), bool), (1.0, 2.0, 0.5)))
    area, volume = values["morph_area_mesh"], values["morph_volume"]
    assert values["morph_av"] == pytest.approx(area / volume)
    assert values["morph_comp_1"] == pytest.approx(volume / (np.pi**0.5 * area**1.5))
    assert values["morph_comp_2"] == pytest.approx(36 * np.pi * volume**2 / area**3)
    assert values["morph_sph_dispr"] == pytest.approx(area / (36 * np.pi * volume**2) ** (1 / 3))
    assert values["morph_asphericity"] == pytest.approx((area**3 / (36 * np.pi * volume**2)) ** (1 / 3) - 1)


def test_axes_of_a_block() -> None:
    # n equidistant positions have variance s^2 (n^2 - 1) / 12, here times N / (N - 1)
    values = shape(Roi(np.ones((3, 5, 7), bool), (2.0, 1.0, 1.0)))
    ratio = 105 / 104
    expected = sorted(
        (4 * np.sqrt(s * s * (n * n - 1) / 12 * ratio) for n, s in ((3, 2), (5, 1), (7, 1))), reverse=True
    )
    found = [values[f"morph_pca_{name}_axis"] for name in ("maj", "min", "least")]
    assert found == pytest.approx(expected)
    # vertices half a voxel outside along one axis: the longest diagonal leaves through the faces across z
    assert values["morph_diam"] == pytest.approx(np.sqrt(6**2 + 4**2 + 6**2))


@settings(max_examples=30)
@given(masks, st.permutations([0, 1, 2]))
def test_turning_changes_no_volume_measure(mask: np.ndarray, order: list[int]) -> None:
    spacing = (2.0, 0.7, 1.1)
    here = _measure(mask, spacing)
    there = _measure(np.ascontiguousarray(mask.transpose(order)), tuple(spacing[a] for a in order))
    for feature in MORPHOLOGY:
        if feature.name in here:
            value = there[feature.name]
            assert here[feature.name] == (value if isinstance(value, Term) else pytest.approx(value, abs=1e-9))


@settings(max_examples=30)
@given(masks, st.floats(0.1, 10))
def test_scaling_acts_as_the_power_of_length_says(mask: np.ndarray, scale: float) -> None:
    spacing = (2.0, 0.7, 1.1)
    here, there = _measure(mask, spacing), _measure(mask, tuple(scale * s for s in spacing))
    for name, value in here.items():
        expected = value if isinstance(value, Term) else value * scale ** LENGTH[name]
        assert there[name] == (expected if isinstance(value, Term) else pytest.approx(expected, rel=1e-9)), name


def test_the_smallest_regions_have_a_value_or_a_reason() -> None:
    one = shape(Roi(np.ones((1, 1, 1), bool), (1.0, 1.0, 1.0)))
    line = shape(Roi(np.ones((1, 1, 6), bool), (1.0, 1.0, 1.0)))
    plane = shape(Roi(np.ones((1, 5, 6), bool), (1.0, 1.0, 1.0)))
    assert one["morph_pca_elongation"] == one["morph_vol_dens_aee"] == ONE_VOXEL
    assert (line["morph_pca_elongation"], line["morph_pca_flatness"]) == (0.0, 0.0)
    assert line["morph_area_dens_aee"] == plane["morph_vol_dens_aee"] == FLAT
    assert plane["morph_pca_flatness"] == 0.0
    for values in (one, line, plane):
        assert all(isinstance(v, Term) or np.isfinite(v) for v in values.values())


def test_slice_measures_are_those_of_the_largest_slice() -> None:
    mask = np.zeros((3, 9, 9), bool)
    mask[0, :2, :2], mask[1, 1:8, 1:5], mask[2, 4, :] = True, True, True
    values = _measure(mask, (3.0, 1.0, 1.0))
    assert values["slice_area_approx"] == 28.0
    assert values["slice_max_diameter"] == pytest.approx(np.hypot(7, 3))


def test_the_centre_shifts_towards_bright_voxels() -> None:
    image = np.array([[[1.0, 1.0, 2.0]]])
    roi = Roi(np.ones((1, 1, 3), bool), (1.0, 1.0, 2.0), image)
    values = shape(roi)
    # centre of mass at index (0 + 1 + 4) / 4 = 1.25, centre at 1: a quarter of a voxel of 2 mm
    assert values["morph_com"] == pytest.approx(0.5)
    assert values["morph_integ_int"] == pytest.approx(4 / 3 * float(values["morph_volume"]))


def test_intensities_that_cannot_have_a_centre_say_so() -> None:
    mask = np.ones((1, 1, 2), bool)
    zero = shape(Roi(mask, (1.0, 1.0, 1.0), np.array([[[-1.0, 1.0]]])))
    assert isinstance(zero["morph_com"], Term)
    assert zero["morph_integ_int"] == 0.0
    outside = shape(Roi(mask, (1.0, 1.0, 1.0), np.array([[[5.0, 6.0]]]), intensity_range=(0, 1)))
    assert outside["morph_com"] == outside["morph_integ_int"] == NO_INTENSITY
    broken = shape(Roi(mask, (1.0, 1.0, 1.0), np.array([[[np.nan, 1.0]]])))
    assert broken["morph_com"] == broken["morph_integ_int"] == NOT_FINITE
    assert broken["morph_vol_approx"] == 2.0


def test_values_that_are_not_finite_outside_the_region_do_not_matter() -> None:
    mask = np.array([[[True, False, True]]])
    values = shape(Roi(mask, (1.0, 1.0, 1.0), np.array([[[1.0, np.nan, 1.0]]])))
    assert values["morph_com"] == pytest.approx(0.0)


def test_the_series_of_ibsi_is_near_the_true_area_of_nearly_round_ellipsoids() -> None:
    from scipy.special import elliprg

    a, b, c = 5.0, 4.9, 4.8
    exact = 4 * np.pi * elliprg((a * b) ** 2, (a * c) ** 2, (b * c) ** 2)
    assert ellipsoid_area(a, b, c) == pytest.approx(exact, rel=0.02)
