"""Clusters: found where there are some, denied where there are none, the same again for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.core.errors import UsageError
from radlake.learn.clustering import METHODS, adjusted_rand, cluster

RNG = np.random.default_rng(2)


def blobs(sizes: tuple[int, ...], gap: float = 7.0) -> tuple[np.ndarray, np.ndarray]:
    """Round clusters, each on an axis of its own."""
    rng = np.random.default_rng(5)
    own = np.repeat(np.arange(len(sizes)), sizes)
    return rng.normal(size=(len(own), 4)) + gap * np.eye(4)[own], own


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("sizes", [(60, 40), (50, 40, 30)])
def test_clusters_that_are_there_are_found(method: str, sizes: tuple[int, ...]) -> None:
    x, own = blobs(sizes)
    found = cluster(x, ks=(2, 3, 4), methods=[method], resamples=19)
    assert found.k == len(sizes)
    assert adjusted_rand(found.labels, own) > 0.95
    assert np.bincount(found.labels).tolist() == sorted(np.bincount(found.labels).tolist(), reverse=True)
    assert found.method == method
    assert len(found.table) == 3


def test_one_cloud_is_not_cut_into_parts() -> None:
    stretched = RNG.normal(size=(150, 3)) * [8.0, 1.0, 1.0] @ np.linalg.qr(RNG.normal(size=(3, 3)))[0]
    skewed = np.exp(RNG.normal(size=(150, 3)))
    for x in (stretched, skewed):
        found = cluster(x, ks=(2, 3), methods=["k-means"], resamples=19)
        assert found.k == 1
        assert not found.labels.any()


def test_malignant_and_benign_cell_nuclei_fall_apart_by_themselves() -> None:
    from sklearn.datasets import load_breast_cancer

    x, y = load_breast_cancer(return_X_y=True)
    found = cluster(x, ks=(2, 3), methods=["k-means"])
    assert found.k == 2
    assert found.table[0].stability > 0.9
    assert adjusted_rand(found.labels, y) > 0.65
    assert "2 clusters by k-means" in found.reason


def test_gaps_and_seeds() -> None:
    x, _ = blobs((40, 30))
    x[::9, 1] = np.nan
    first, second = (cluster(x, ks=(2,), resamples=19, seed=3) for _ in range(2))
    assert first.labels.tobytes() == second.labels.tobytes()
    assert first.table == second.table


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=25))
def test_adjusted_rand_agrees_with_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    from sklearn.metrics import adjusted_rand_score

    a, b = np.array(pairs).T
    assert adjusted_rand(a, b) == pytest.approx(adjusted_rand_score(a, b), abs=1e-12)


def test_impossible_requests_are_told() -> None:
    x, _ = blobs((20, 20))
    with pytest.raises(UsageError, match="40 cases are too few for 6 clusters"):
        cluster(x)
    with pytest.raises(UsageError, match="no method 'magic'"):
        cluster(x, ks=(2,), methods=["magic"])
    with pytest.raises(UsageError, match="columns with text"):
        cluster([["a", "b"]] * 40, ks=(2,))
