"""Tissue classes: scikit-learn as oracle, exactness, masks and padding."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture

from radlake.core.fault import ItemError
from radlake.core.image import Geometry, Image
from radlake.imaging.segment import fit_mixture, gaussian_mixture, k_means

RNG = np.random.default_rng(12)
TISSUES = np.rint(np.concatenate([RNG.normal(m, s, n) for m, s, n in ((40, 8, 900), (90, 12, 1600), (150, 9, 1100))]))


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.integers(2, 5))
def test_no_start_of_scikit_learn_finds_better_classes(seed: int, classes: int) -> None:
    values = np.random.default_rng(seed).gamma(2, 30, 150).astype(np.int16)
    if len(np.unique(values)) < classes:
        return
    labels = k_means(values[None], classes=classes)[0]
    inside = sum(((values[labels == c] - values[labels == c].mean()) ** 2).sum() for c in range(1, classes + 1))
    theirs = KMeans(classes, n_init=3, random_state=0).fit(values[:, None].astype(float))
    assert inside <= theirs.inertia_ * (1 + 1e-9)


def test_the_mixture_is_scikit_learns() -> None:
    mixture = fit_mixture(TISSUES.astype(np.int16), classes=3)
    theirs = GaussianMixture(
        3, means_init=[[40], [90], [150]], tol=1e-9, max_iter=2000, reg_covar=1e-9, random_state=0
    ).fit(TISSUES[:, None])
    order = np.argsort(theirs.means_[:, 0])
    np.testing.assert_allclose(mixture.means, theirs.means_[order, 0], rtol=2e-3)
    np.testing.assert_allclose(mixture.deviations, np.sqrt(theirs.covariances_[order, 0, 0]), rtol=1e-2)
    np.testing.assert_allclose(mixture.weights, theirs.weights_[order], rtol=1e-2)
    labels = gaussian_mixture(TISSUES.reshape(60, 60), classes=3).ravel()
    expected = np.argsort(order)[theirs.predict(TISSUES[:, None])] + 1
    assert np.mean(labels != expected) < 0.005


def test_a_mixture_knows_that_wide_classes_reach_farther() -> None:
    values = np.concatenate([RNG.normal(0, 1, 4000), RNG.normal(30, 10, 4000)])
    labels = gaussian_mixture(values.reshape(80, 100), classes=2).ravel()
    truth = np.repeat([1, 2], 4000)
    assert np.mean(labels != truth) < np.mean(k_means(values.reshape(80, 100), classes=2).ravel() != truth)


@pytest.mark.parametrize("function", [k_means, gaussian_mixture])
def test_only_what_is_inside_is_classified(function: object) -> None:
    array = np.array([[10.0, 11, 12, 50, 51, 52, 900, np.nan, -1000]])
    image = Image(array, Geometry((1.0, 1.0)), kind="mr", padding=-1000)
    mask = image.with_array(array < 100, kind="label", padding=None)
    result = function(image, classes=2, mask=mask)  # type: ignore[operator]
    assert result.array.tolist() == [[1, 1, 1, 2, 2, 2, 0, 0, 0]]
    assert (result.array.dtype, result.kind, result.unit) == (np.uint8, "label", "label")


@pytest.mark.parametrize("function", [k_means, gaussian_mixture])
def test_labels_do_not_depend_on_order(function: object) -> None:
    array = TISSUES.reshape(60, 60)
    forth, back = function(array), function(array[::-1])  # type: ignore[operator]
    assert np.array_equal(forth, back[::-1])


@pytest.mark.parametrize("function", [k_means, gaussian_mixture])
def test_what_cannot_be_classified_is_refused(function: object) -> None:
    for array in (np.full((3, 3), 7), np.full((3, 3), np.nan), np.zeros((0, 3))):
        with pytest.raises(ItemError) as problem:
            function(array, classes=2)  # type: ignore[operator]
        assert problem.value.code == "empty_mask"
    with pytest.raises(ItemError) as problem:
        function(np.eye(3), classes=2, mask=np.ones((2, 2)))  # type: ignore[operator]
    assert problem.value.code == "misaligned_mask"
    with pytest.raises(ValueError, match="classes"):
        function(np.eye(3), classes=1)  # type: ignore[operator]


def test_two_values_and_two_classes_are_no_singularity() -> None:
    assert gaussian_mixture(np.array([[1, 1, 5, 5]]), classes=2).tolist() == [[1, 1, 2, 2]]
