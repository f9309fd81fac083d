"""Samples against numpy's sorted values, whatever their type."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from radlake.core.fault import ItemError
from radlake.features.sample import sample, steps

dtypes = st.sampled_from(
    [np.bool_, np.uint8, np.int8, np.int16, np.int64, np.uint64, np.float16, np.float32, np.float64]
)
values = dtypes.flatmap(
    lambda d: arrays.arrays(d, st.integers(1, 40), elements={"allow_nan": False, "allow_infinity": False})
)


@settings(max_examples=80)
@given(values)
def test_a_sample_holds_every_value_in_order(array: np.ndarray) -> None:
    found = sample(array)
    everything = np.repeat(found.levels, found.counts) if found.counts.size else found.levels
    assert everything.tolist() == np.sort(array).astype(np.float64).tolist()
    assert (found.least, found.greatest) == (float(array.min()), float(array.max()))


def test_integers_of_small_span_are_counted_and_others_sorted() -> None:
    counted, ordered = sample(np.array([3, 1, 3], np.int32)), sample(np.array([3, 1 << 20, 3], np.int32))
    assert (counted.levels.tolist(), counted.counts.tolist()) == ([1.0, 3.0], [1, 2])
    assert (ordered.levels.tolist(), ordered.counts.tolist()) == ([3.0, 3.0, 1048576.0], [])


def test_bins_hold_counted_and_sorted_values_alike() -> None:
    counted, ordered = sample(np.array([0, 5, 5])), sample(np.array([0.0, 5.0, 5.0]))
    assert counted.binned(np.array([0, 2])).tolist() == ordered.binned(np.array([0, 2, 2])).tolist() == [1, 0, 2]


def test_only_what_is_given_away_is_sorted_in_place() -> None:
    array = np.array([2.0, 1.0])
    sample(array)
    assert array.tolist() == [2.0, 1.0]
    assert sample(array, given_away=True).levels.base is array or array.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_a_fault(bad: float) -> None:
    with pytest.raises(ItemError) as problem:
        sample(np.array([1.0, bad]))
    assert problem.value.code == "not_finite"


def test_steps_from_the_least_do_not_overflow() -> None:
    assert steps(np.array([2**64 - 1, 2**64 - 3], np.uint64), 2**64 - 3).tolist() == [2, 0]
    assert steps(np.array([-32768, 32767], np.int16), -32768).tolist() == [0, 65535]
