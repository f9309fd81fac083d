"""Intensity statistics against numpy and scipy on the plain list of values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from radlake.core.fault import Term
from radlake.features.names import STATISTICS
from radlake.features.roi import Roi
from radlake.features.sample import sample
from radlake.features.statistics import NO_INTENSITY, NO_MIDDLE, intensity, statistics

dtypes = st.sampled_from([np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
values = dtypes.flatmap(
    lambda d: arrays.arrays(
        d,
        st.integers(1, 60),
        elements=st.integers(0, 200) if np.issubdtype(d, np.integer) else st.floats(-1000, 1000, width=16),
    )
)


@settings(max_examples=80)
@given(values)
def test_statistics_equal_numpys(array: np.ndarray) -> None:
    x = array.astype(np.float64)
    found = statistics(sample(array))
    p10, p25, p50, p75, p90 = np.percentile(x, (10, 25, 50, 75, 90))
    # Interpolated percentiles differ from numpy's in the last bit, and with them which values lie between.
    middle = x[(x >= found["stat_p10"]) & (x <= found["stat_p90"])]
    expected = {
        "stat_mean": x.mean(), "stat_var": x.var(), "stat_median": p50, "stat_min": x.min(), "stat_p10": p10,
        "stat_p90": p90, "stat_max": x.max(), "stat_iqr": p75 - p25, "stat_range": np.ptp(x),
        "stat_mad": np.abs(x - x.mean()).mean(),
        "stat_medad": np.abs(x - p50).mean(), "stat_energy": (x**2).sum(), "stat_rms": np.sqrt((x**2).mean()),
    }  # fmt: skip
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-9, abs=1e-9), name
    if middle.size:
        assert found["stat_rmad"] == pytest.approx(np.abs(middle - middle.mean()).mean(), rel=1e-9, abs=1e-9)
    else:
        assert found["stat_rmad"] == NO_MIDDLE
    if x.std() > 1e-3:
        assert found["stat_skew"] == pytest.approx(stats.skew(x), rel=1e-6, abs=1e-9)
        assert found["stat_kurt"] == pytest.approx(stats.kurtosis(x), rel=1e-6, abs=1e-9)


def test_every_ibsi_statistic_is_there_and_no_other() -> None:
    assert list(statistics(sample(np.array([1, 2])))) == [f.name for f in STATISTICS]


def test_counted_and_sorted_values_give_equal_statistics() -> None:
    integers = np.random.default_rng(0).integers(-900, 900, 3000).astype(np.int16)
    counted, ordered = statistics(sample(integers)), statistics(sample(integers.astype(np.float64)))
    for name, value in counted.items():
        assert value == pytest.approx(ordered[name], rel=1e-12), name


def test_equal_values_have_no_skewness_and_no_kurtosis() -> None:
    found = statistics(sample(np.full(5, 0.1)))
    assert (found["stat_var"], found["stat_skew"], found["stat_kurt"]) == (0.0, 0.0, 0.0)


def test_a_mean_of_zero_leaves_dispersion_without_a_value() -> None:
    found = statistics(sample(np.array([-1, 1], np.int16)))
    assert isinstance(found["stat_cov"], Term)
    assert isinstance(found["stat_qcod"], Term)


def test_extremes_of_dtypes_do_not_overflow() -> None:
    for array in (
        np.array([-32768, 32767], np.int16),
        np.array([2**64 - 1, 2**64 - 3], np.uint64),
        np.array([-(2**63), 2**63 - 1], np.int64),
        np.array([True, False]),
    ):
        found = statistics(sample(array))
        assert found["stat_max"] == float(array.max())
        assert found["stat_min"] == float(array.min())


def test_voxels_outside_the_range_do_not_count() -> None:
    image = np.array([[0, 5, 10, 99]], np.int16)
    roi = Roi(np.ones((1, 4), bool), (1.0, 1.0), image, intensity_range=(5, 10))
    assert intensity(roi)["stat_mean"] == 7.5
    nothing = Roi(np.ones((1, 4), bool), (1.0, 1.0), image, intensity_range=(200, 300))
    assert set(intensity(nothing).values()) == {NO_INTENSITY}
