"""Intensity-volume histograms by hand, binned and not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from radlake.core.fault import ItemError
from radlake.features.discretise import Binning
from radlake.features.ivh import curve, ivh
from radlake.features.morphology import NO_INTENSITY
from radlake.features.roi import Roi
from radlake.features.sample import sample

values = arrays.arrays(np.float64, st.integers(1, 40), elements=st.floats(-100, 100, width=32))


def _measure(image: np.ndarray, **more: object) -> dict[str, object]:
    return {**ivh(Roi(np.ones(image.shape, bool), (1.0,) * image.ndim, image, **more))}  # type: ignore[arg-type]


def test_integers_by_hand() -> None:
    found = _measure(np.array([[10, 10, 10, 12, 20, 20, 20, 20, 20, 30]]))
    # at or above 12 (10 %): 7 of 10; 28 (90 %): 1 of 10; reached by at most 10 %: 21; by at most 90 %: 11
    assert (found["ivh_v10"], found["ivh_v90"]) == pytest.approx((0.7, 0.1))
    assert (found["ivh_i10"], found["ivh_i90"]) == (21.0, 11.0)
    assert found["ivh_diff_v10_v90"] == pytest.approx(0.6)
    assert found["ivh_diff_i10_i90"] == 10.0


def test_whole_numbers_count_one_by_one_in_whatever_type() -> None:
    array = np.array([[10, 10, 12, 20, 30]])
    assert _measure(array) == _measure(array.astype(np.float32)) == _measure(array.astype(np.float64))
    assert _measure(array + 0.25)["ivh_i10"] != _measure(array)["ivh_i10"]


def test_bins_of_a_width_are_named_by_their_middle() -> None:
    found = curve(sample(np.array([-3.0, 1.0, 2.4, 2.5])), width=2.5, low=-5.0)
    assert (found.start, found.step) == (-3.75, 2.5)
    assert found.counts.tolist() == [1, 0, 2, 1]


@settings(max_examples=60)
@given(values)
def test_fractions_and_intensities_stay_in_range(array: np.ndarray) -> None:
    assert curve(sample(array)).counts.sum() == array.size
    measured = _measure(array[None])
    assert 0 <= float(str(measured["ivh_auc"])) <= 1
    assert 0 < float(str(measured["ivh_v90"])) <= float(str(measured["ivh_v10"])) <= 1
    assert array.min() <= float(str(measured["ivh_i90"])) <= float(str(measured["ivh_i10"])) <= array.max() + 1


@settings(max_examples=30)
@given(st.lists(st.integers(-50, 50), min_size=1, max_size=30))
def test_integers_one_by_one_are_bins_of_width_one(numbers: list[int]) -> None:
    whole = np.array([numbers])
    plain, binned = _measure(whole), _measure(whole, binning=Binning(ivh_bin_width=1))
    assert plain["ivh_v10"] == binned["ivh_v10"]
    assert plain["ivh_diff_i10_i90"] == binned["ivh_diff_i10_i90"]


def test_what_has_no_curve_is_named() -> None:
    empty = _measure(np.array([[1, 2]]), intensity_range=(5, 6))
    assert set(empty.values()) == {NO_INTENSITY}
    with pytest.raises(ItemError) as problem:
        _measure(np.array([[1.0, np.inf]]))
    assert problem.value.code == "not_finite"
    with pytest.raises(ItemError) as problem:
        _measure(np.array([[0.0, 1e9]]), binning=Binning(ivh_bin_width=0.1))
    assert problem.value.code == "too_many_levels"


def test_one_value_fills_its_curve() -> None:
    found = _measure(np.array([[7.5, 7.5]]))
    assert found["ivh_v90"] == 1.0
    assert found["ivh_diff_i10_i90"] == 0.0


def test_a_number_of_bins_gives_bin_numbers() -> None:
    found = _measure(np.array([[0.0, 1.0, 2.0, 10.0]]), binning=Binning(ivh_bin_count=10))
    # bins 1, 2, 3 and 10: at most 10 % reach past the last, at most 90 % bin 2
    assert (found["ivh_i10"], found["ivh_i90"]) == (10.0, 2.0)
    assert found["ivh_v90"] == 0.25
