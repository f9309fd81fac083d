"""Cases as points: components against a direct decomposition, gaps and constants, how far groups lie apart."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import PowerTransformer

from radlake.core.errors import UsageError
from radlake.learn.view import apart, thinned, view

X, Y = load_breast_cancer(return_X_y=True)
NAMES = tuple(load_breast_cancer().feature_names)


def test_components_are_those_of_the_covariance() -> None:
    found = view(X, NAMES)
    z = PowerTransformer().fit_transform(X)
    values, axes = np.linalg.eigh(np.cov(z, rowvar=False))
    assert found.explained == pytest.approx(tuple(values[::-1][:2] / values.sum()))
    assert np.abs(found.points) == pytest.approx(np.abs(z @ axes[:, [-1, -2]]), abs=1e-8)
    heaviest = np.argmax(np.abs(axes[:, -1]))
    assert found.made_of[0][0][0] == NAMES[heaviest]
    assert found.made_of[0][0][1] > 0
    assert apart(found.points, Y) > 0.3


def test_gaps_and_constant_features_do_no_harm() -> None:
    rng = np.random.default_rng(0)
    x = np.hstack([rng.normal(size=(40, 3)), np.ones((40, 1)), np.full((40, 1), np.nan)])
    x[::7, 1] = np.nan
    found = view(x, ("a", "b", "c", "constant", "empty"))
    assert np.isfinite(found.points).all()
    assert {name for axis in found.made_of for name, _ in axis} <= {"a", "b", "c"}
    with pytest.raises(UsageError, match="two features that differ"):
        view(x[:, 3:], ("constant", "empty"))


@given(st.integers(0, 1000), st.integers(2, 5))
def test_labels_that_mean_nothing_do_not_lie_apart(seed: int, kinds: int) -> None:
    rng = np.random.default_rng(seed)
    points, labels = rng.normal(size=(300, 2)), rng.integers(0, kinds, 300)
    assert 0 <= apart(points, labels) < 0.1
    assert apart(points, np.zeros(300)) == 0


def test_one_way_of_variance_is_what_apart_says() -> None:
    points = np.array([[0.0, 0], [2, 0], [4, 0], [6, 0]])  # between 16 of 20, corrected by 3 / 2
    assert apart(points, [0, 0, 1, 1]) == pytest.approx(1 - 4 / 20 * 3 / 2)


def test_thinning_keeps_both_ends() -> None:
    assert thinned(10, 3).tolist() == [0, 4, 9]
    assert thinned(2, 5).tolist() == [0, 1]


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(UsageError, match=r"radlake\[umap\]"):
        view(X[:20], NAMES, method="umap")


@pytest.mark.soak  # its kernels are compiled anew in every process
def test_neighbours_stay_neighbours() -> None:
    pytest.importorskip("umap", reason="an extra")
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(size=(40, 5)), rng.normal(size=(40, 5)) + 8])
    found = view(x, tuple("abcde"), method="umap", seed=1)
    assert found.points.shape == (80, 2)
    assert apart(found.points, np.repeat([0, 1], 40)) > 0.8
    assert found.explained == ()
