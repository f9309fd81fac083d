"""Compiled measures of values by hand, and the curve against its definition bin by bin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.features import value_kernels

ONCE = np.zeros(0, np.int64)
counts = st.lists(st.integers(0, 5), min_size=1, max_size=12).map(lambda c: np.array([1, *c, 1], np.int64))


def test_a_value_counts_as_often_as_it_occurs() -> None:
    counted = value_kernels.statistics(np.array([1.0, 4.0]), np.array([2, 1]))
    assert counted == pytest.approx(value_kernels.statistics(np.array([1.0, 1.0, 4.0]), ONCE))
    assert counted[:2] == pytest.approx([2.0, 2.0])


def test_rounding_does_not_add_up_over_many_values() -> None:
    x = np.sort(np.random.default_rng(0).normal(1e6, 1.0, 300_000))
    found = value_kernels.statistics(x, ONCE)
    exact = x.astype(np.longdouble)
    assert found[0] == pytest.approx(float(exact.mean()), rel=1e-15)
    assert found[1] == pytest.approx(float(exact.var()), rel=1e-12)


def test_single_precision_is_widened_before_it_is_summed() -> None:
    x = np.array([0.1, 0.2, 0.7], np.float32)
    assert (value_kernels.statistics(x, ONCE) == value_kernels.statistics(x.astype(np.float64), ONCE)).all()


def test_one_level_has_no_gradient() -> None:
    found = value_kernels.histogram(np.array([7]))
    assert found[:3].tolist() == [1.0, 0.0, 1.0]
    assert np.isnan(found[3:]).all()


@settings(max_examples=60)
@given(counts)
def test_gradients_are_numpys(found: np.ndarray) -> None:
    gradient = np.gradient(found.astype(float))
    measured = value_kernels.histogram(found)
    assert (measured[3], measured[5]) == (gradient.max(), gradient.min())
    assert (measured[4], measured[6]) == (gradient.argmax() + 1, gradient.argmin() + 1)


@settings(max_examples=60)
@given(counts)
def test_the_curve_is_that_of_its_definition(found: np.ndarray) -> None:
    intensity = -3.0 + 0.5 * np.arange(len(found))
    volume = np.array([found[k:].sum() for k in range(len(found))]) / found.sum()
    share = (intensity - intensity[0]) / (intensity[-1] - intensity[0])
    v10, v90, i10, i90, *_, area = value_kernels.volume_curve(found, -3.0, 0.5)
    assert (v10, v90) == tuple(volume[np.argmax(share >= limit - 1e-12)] for limit in (0.1, 0.9))
    reached = [intensity[volume <= limit] for limit in (0.1, 0.9)]
    assert (i10, i90) == tuple(few[0] if few.size else intensity[-1] for few in reached)
    assert area == pytest.approx(np.trapezoid(volume, share))
