"""What features may be, and how they follow units: dimensional analysis of everything that is computed."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.features import FAMILIES, extract
from radlake.features.names import FEATURES
from radlake.features.ranges import RANGES, SECTIONS
from radlake.features.texture import AGGREGATIONS, aggregation_of

PLANES = tuple(name for name, family in FAMILIES.items() if family.plane or family.part)
SMALL = tuple(name for name in FAMILIES if name != "enclosure" and name not in PLANES)
Values = dict[str, float | None]


def _base(name: str) -> str:
    base = name.removesuffix(f"_{aggregation_of(name)}")
    return base.replace("slice_", "planar_")


def _region(seed: int, shape: tuple[int, ...] = (4, 6, 5)) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    image, mask = rng.normal(20, 30, shape), rng.random(shape) > 0.3
    mask.flat[0] = True
    return image, mask


def _values(
    image: np.ndarray, mask: np.ndarray, spacing: tuple[float, ...], families: tuple[str, ...] = SMALL
) -> Values:
    return extract(
        image, mask, families=families, aggregations=AGGREGATIONS, spacing=spacing, bin_count=6, as_dict=True
    )


@settings(max_examples=12)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_every_value_lies_in_its_range(seed: int, plane: bool) -> None:
    image, mask = _region(seed, (9, 7) if plane else (4, 6, 5))
    families = (*SMALL, *PLANES) if plane else (*SMALL, "enclosure")
    for name, value in _values(image, mask, (2.0, 1.0, 0.7)[-image.ndim :], families).items():
        low, high = RANGES[_base(name)]
        if value is not None:
            assert low is None or value >= low - 1e-9, name
            assert high is None or value <= high + 1e-9, name


def test_every_feature_has_a_range_and_those_of_ibsi_a_section() -> None:
    assert {_base(name) for name in FEATURES} == set(RANGES)
    assert {_base(n) for n, f in FEATURES.items() if f.code} == set(SECTIONS)


@settings(max_examples=12)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.25, 2.0, 8.0]), st.sampled_from([0.5, 4.0]))
def test_values_follow_the_units_of_length_and_intensity(seed: int, longer: float, brighter: float) -> None:
    image, mask = _region(seed)
    spacing = (2.0, 1.0, 0.5)
    families = tuple(n for n in (*SMALL, *PLANES) if n != "peak")  # a sphere of 1 cm3 is no multiple of the voxels
    here = _values(image, mask, spacing, families)
    there = _values(image * brighter, mask, tuple(longer * s for s in spacing), families)
    for name, value in here.items():
        feature = FEATURES[name]
        factor = longer**feature.length * brighter**feature.intensity
        assert there[name] == (None if value is None else pytest.approx(value * factor, rel=1e-9, abs=1e-9)), name


@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1), st.integers(0, 3), st.permutations([0, 1, 2]))
def test_turning_image_mask_and_spacing_changes_no_measure_of_a_volume(
    seed: int, quarters: int, order: list[int]
) -> None:
    image, mask = _region(seed)
    spacing = (2.0, 1.0, 0.5)
    here = _values(image, mask, spacing)
    turned = [np.rot90(a, quarters, (1, 2)).transpose(order) for a in (image, mask)]
    steps = spacing if quarters % 2 == 0 else (spacing[0], spacing[2], spacing[1])
    there = _values(turned[0], turned[1], tuple(steps[axis] for axis in order))
    for name, value in here.items():
        if name.startswith(("slice_", "loc_peak")) or (aggregation_of(name) or "3D").startswith("2"):
            continue  # of slices; peaks take the first of equal ones
        assert there[name] == (None if value is None else pytest.approx(value, rel=1e-8, abs=1e-9)), name


@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1), st.integers(-200, 200))
def test_a_shift_of_intensities_moves_places_and_leaves_spreads_and_textures(seed: int, shift: int) -> None:
    image, mask = _region(seed)
    image = np.rint(image)
    here, there = (
        _values(a, mask, (1.0, 1.0, 1.0), ("intensity", "glcm", "ngtdm", "autocorrelation"))
        for a in (image, image + shift)
    )
    moved = {"stat_mean", "stat_median", "stat_min", "stat_p10", "stat_p90", "stat_max"}
    for name, value in here.items():
        if name in ("stat_cov", "stat_qcod", "stat_energy", "stat_rms"):
            continue  # measured from zero
        expected = value if value is None or name not in moved else value + shift
        assert there[name] == (None if value is None else pytest.approx(expected, rel=1e-9, abs=1e-9)), name


def test_thread_counts_change_no_bit() -> None:
    program = (
        "import numpy as np; from radlake.features import FAMILIES, extract; r = np.random.default_rng(0);"
        "v = extract(r.normal(size=(12, 14, 13)), r.random((12, 14, 13)) > .2, families=tuple(FAMILIES), as_dict=True);"
        "print([x.hex() if x is not None else None for x in v.values()])"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program], check=True, capture_output=True, text=True,
            env={**os.environ, **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), n)},
        ).stdout
        for n in ("1", "2")
    }  # fmt: skip
    assert len(found) == 1
