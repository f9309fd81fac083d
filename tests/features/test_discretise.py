"""Grey levels: bins of one width and of one number, by hand and by property."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from radlake.core.fault import ItemError
from radlake.features.discretise import MOST_LEVELS, Binning, discretise

values = arrays.arrays(np.float64, st.integers(1, 40), elements=st.floats(-1000, 1000, width=32))


def test_bins_of_one_width_begin_at_the_range() -> None:
    levels, count = discretise(np.array([-500, -476, -475, 399, 400]), Binning(bin_width=25), low=-500)
    assert levels.tolist() == [1, 1, 2, 36, 37]
    assert count == 37


def test_bins_of_one_number_span_the_region_and_hold_its_greatest_value() -> None:
    levels, count = discretise(np.array([0.0, 2.4, 2.5, 7.5, 10.0]), Binning(bin_count=4))
    assert levels.tolist() == [1, 1, 2, 4, 4]
    assert count == 4


@settings(max_examples=60)
@given(values, st.integers(1, 64))
def test_so_many_bins_use_the_first_and_the_last_and_keep_order(array: np.ndarray, count: int) -> None:
    levels, number = discretise(array, Binning(bin_count=count))
    assert number == count
    assert levels.min() == 1
    if np.ptp(array) > 0:
        assert levels.max() == count
    order = np.argsort(array)
    assert (np.diff(levels[order].astype(int)) >= 0).all()


@settings(max_examples=60)
@given(values, st.integers(1, 500))
def test_bins_of_one_width_do_not_move_with_a_shift_by_whole_bins(array: np.ndarray, width: int) -> None:
    whole = np.rint(array)
    if np.ptp(whole) / width >= MOST_LEVELS:
        return
    here = discretise(whole, Binning(bin_width=width))[0]
    assert (here == discretise(whole + 3 * width, Binning(bin_width=width))[0]).all()
    assert ((here.astype(int) - 1) * width <= whole - whole.min()).all()
    assert (here.astype(int) * width > whole - whole.min()).all()


def test_a_constant_region_has_one_level() -> None:
    assert set(discretise(np.full(4, 7.0), Binning())[0].tolist()) == {1}
    assert discretise(np.full(4, 7.0), Binning(bin_width=2))[1] == 1


def test_the_greatest_range_of_floats_and_integers_does_not_overflow() -> None:
    levels, _ = discretise(np.array([-32768, 32767], np.int16), Binning(bin_count=2))
    assert levels.tolist() == [1, 2]
    assert discretise(np.array([0, 2**64 - 1], np.uint64), Binning())[0].tolist() == [1, 32]


def test_what_has_no_levels_is_named() -> None:
    with pytest.raises(ItemError) as problem:
        discretise(np.array([0.0, np.nan]), Binning())
    assert problem.value.code == "not_finite"
    with pytest.raises(ItemError) as problem:
        discretise(np.array([0.0, 5000.0]), Binning(bin_width=1))
    assert problem.value.code == "too_many_levels"


@pytest.mark.parametrize(
    ("bins", "words"),
    [
        ({"bin_width": 25, "bin_count": 32}, "not both"),
        ({"bin_width": 0}, "bin_width must be greater than 0, got 0"),
        ({"bin_width": float("nan")}, "bin_width must be greater"),
        ({"ivh_bin_width": -1}, "ivh_bin_width must be greater"),
        ({"bin_count": 0}, "between 1 and 1,024, got 0"),
        ({"bin_count": 2000}, "between 1 and 1,024"),
        ({"ivh_bin_width": 2, "ivh_bin_count": 5}, "ivh_bin_width .* or ivh_bin_count"),
        ({"ivh_bin_count": 0}, "ivh_bin_count must lie between"),
    ],
)
def test_bins_out_of_range_are_refused(bins: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Binning(**bins)  # type: ignore[arg-type]


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint64, np.int64])
def test_whole_numbers_are_looked_up_as_they_are_computed(dtype: type) -> None:
    whole = np.random.default_rng(0).integers(0, 120, 3000).astype(dtype)
    low = -0.25 if np.issubdtype(dtype, np.signedinteger) else 0.0
    for binning in (Binning(), Binning(bin_count=7), Binning(bin_width=0.3)):
        looked_up, computed = (discretise(v, binning, low=low) for v in (whole, whole.astype(np.float64)))
        assert looked_up[0].tolist() == computed[0].tolist()
        assert looked_up[1] == computed[1]


def test_integers_beyond_single_steps_of_floats_are_still_binned() -> None:
    huge = np.array([2**60, 2**60 + 1024, 2**60 + 2048], np.int64)
    assert discretise(huge, Binning(bin_count=2))[0].tolist() == [1, 2, 2]
