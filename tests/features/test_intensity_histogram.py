"""Intensity histograms by hand, and against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from radlake.features.discretise import Binning
from radlake.features.intensity_histogram import ONE_LEVEL, intensity_histogram
from radlake.features.morphology import NO_INTENSITY
from radlake.features.names import HISTOGRAM
from radlake.features.roi import Roi


def _measure(levels: list[int], **more: object) -> dict[str, object]:
    image = np.array([levels])
    binning = Binning(bin_width=1)
    return {**intensity_histogram(Roi(np.ones_like(image, bool), (1.0, 1.0), image, binning=binning, **more))}  # type: ignore[arg-type]


def test_a_small_histogram_by_hand() -> None:
    found = _measure([1, 1, 1, 1, 2, 4, 4])  # counts 4, 1, 0, 2: gradients -3, -2, 0.5, 2
    assert found["ih_mode"] == 1.0
    assert (found["ih_max_grad"], found["ih_max_grad_g"]) == (2.0, 4.0)
    assert (found["ih_min_grad"], found["ih_min_grad_g"]) == (-3.0, 1.0)
    assert found["ih_uniformity"] == pytest.approx((16 + 1 + 4) / 49)
    assert found["ih_range"] == 3.0


@settings(max_examples=40)
@given(st.lists(st.integers(0, 12), min_size=2, max_size=40))
def test_statistics_are_those_of_the_levels(values: list[int]) -> None:
    found = _measure(values)
    levels = np.array(values) - min(values) + 1
    assert found["ih_mean"] == pytest.approx(levels.mean())
    assert found["ih_var"] == pytest.approx(levels.var())
    assert found["ih_p90"] == pytest.approx(np.percentile(levels, 90))
    assert found["ih_entropy"] == pytest.approx(stats.entropy(np.bincount(levels), base=2), abs=1e-12)


def test_of_several_modes_the_one_next_to_the_mean_counts() -> None:
    assert _measure([1, 1, 5, 5, 6])["ih_mode"] == 5.0
    assert _measure([1, 1, 3, 3])["ih_mode"] == 1.0


def test_one_level_has_no_gradient_and_no_voxel_no_histogram() -> None:
    assert _measure([7, 7])["ih_max_grad"] == _measure([7, 7])["ih_min_grad_g"] == ONE_LEVEL
    assert _measure([7, 7])["ih_entropy"] == 0.0
    empty = _measure([7, 7], intensity_range=(0, 1))
    assert set(empty.values()) == {NO_INTENSITY}
    assert empty.keys() == {f.name for f in HISTOGRAM}
