"""Near-duplicates: found whatever brightness and size, none where there are none, and real ones counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from radlake.learn import duplicates
from radlake.learn.duplicates import near_duplicates, near_pairs, small_copies
from radlake.learn.images import images


def smooth(n: int, seed: int = 0) -> np.ndarray:
    """Images whose form survives being made smaller."""
    coarse = np.random.default_rng(seed).normal(size=(n, 8, 8))
    return np.kron(coarse, np.ones((1, 7, 7)))


def test_copies_that_are_brighter_noisier_or_smaller_are_found() -> None:
    x = smooth(40)
    noisy = x[3] + 0.05 * np.random.default_rng(1).normal(size=x[3].shape)
    given = images([*x, 2 * x[0] + 5, noisy, x[7].reshape(28, 2, 28, 2).mean(axis=(1, 3))])
    clusters, alike = near_duplicates(given)
    assert alike
    assert clusters[40] == clusters[0]
    assert clusters[41] == clusters[3]
    assert clusters[42] == clusters[7]
    assert len(np.unique(clusters)) == 40


def test_volumes_are_compared_as_volumes() -> None:
    x = np.random.default_rng(0).normal(size=(6, 14, 14, 14))
    clusters, _ = near_duplicates(images(np.concatenate([x, x[2:3] * 3])))
    assert clusters[6] == clusters[2]
    assert len(np.unique(clusters)) == 6


def test_where_all_look_alike_only_equal_images_are_joined() -> None:
    x = smooth(1) + 0.01 * np.random.default_rng(0).normal(size=(30, 56, 56))
    clusters, alike = near_duplicates(images(np.concatenate([x, x[4:5]])))
    assert not alike
    assert clusters[30] == clusters[4]
    assert len(np.unique(clusters)) == 30


def test_constant_images_are_like_nothing() -> None:
    given = images(np.concatenate([np.zeros((3, 8, 8)), smooth(2)[:, :8, :8]]))
    assert len(np.unique(near_duplicates(given)[0])) == 5


def test_large_sets_are_compared_in_random_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    x = smooth(300)
    copies = small_copies(images(np.concatenate([x, x[:20] + 0.02 * smooth(20, 5)])))
    everything = near_pairs(copies)
    monkeypatch.setattr(duplicates, "_ALL_PAIRS", 100)
    assert near_pairs(copies).tolist() == everything.tolist()
    assert len(everything) == 20


def test_the_leaks_of_public_data_are_found(shared: Path) -> None:
    for name, expected in (("breastmnist", 48), ("pneumoniamnist", 0)):
        with np.load(shared / "medmnist" / f"{name}.npz") as data:
            train, test = (small_copies(images(data[f"{side}_images"])) for side in ("train", "test"))
        assert len(np.unique(near_pairs(test, train)[:, 0])) == expected
