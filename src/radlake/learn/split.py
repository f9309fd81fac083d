"""Folds for cross-validation: stratified by class, no group (patient) on both sides, the same for the same seed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Labels = NDArray[Any]


def grouped_folds(y: Labels, groups: Labels, *, folds: int, rng: np.random.Generator) -> Ints:
    """Fold of each case, 0 to `folds` - 1, with every group in one fold and classes spread evenly.

    Groups are shuffled, then placed one after the other, the largest first, each into the fold that holds the smallest
    share of the group's classes.

    Parameters
    ----------
    y : (N,) array
        Class of each case.
    groups : (N,) array
        What must not be torn apart, usually the patient.
    folds : int
        At least two.
    rng : numpy.random.Generator
        Decides the order of equally large groups.

    Raises
    ------
    ValueError
        When some class occurs in fewer groups than there are folds: a fold would lack it.

    Examples
    --------
    >>> y = np.array([0, 0, 1, 1, 0, 1])
    >>> patients = np.array(["a", "a", "b", "c", "d", "e"])
    >>> fold = grouped_folds(y, patients, folds=2, rng=np.random.default_rng(0))
    >>> bool(fold[0] == fold[1]), sorted(np.bincount(fold).tolist())
    (True, [3, 3])
    """
    classes, kind = np.unique(y, return_inverse=True)
    names, group = np.unique(groups, return_inverse=True)
    counts = np.zeros((len(names), len(classes)))
    np.add.at(counts, (group, kind), 1)
    fewest = int((counts > 0).sum(axis=0).min())
    if fewest < folds:
        raise ValueError(f"a class occurs in {fewest} groups only, fewer than {folds} folds; use fewer folds")
    order = rng.permutation(len(names))
    order = order[np.argsort(-counts[order].sum(axis=1), kind="stable")]
    share = counts / counts.sum(axis=0)
    filled = np.zeros((folds, len(classes)))
    placed = np.empty(len(names), dtype=np.int64)
    for g in order:
        # The sum of squared shares grows least where the shares of this group's classes are small; then by size.
        cost = filled @ share[g]
        placed[g] = min(range(folds), key=lambda f: (round(float(cost[f]), 12), filled[f].sum(), f))
        filled[placed[g]] += share[g]
    return placed[group]


def repeated_folds(y: Labels, groups: Labels, *, folds: int, seeds: Sequence[int]) -> Ints:
    """Folds of each case for each seed, shape (len(seeds), N).

    Parameters
    ----------
    y, groups : (N,) arrays
        As in `grouped_folds`.
    folds : int
        At least two.
    seeds : sequence of int
        One repeat each.
    """
    return np.stack([grouped_folds(y, groups, folds=folds, rng=np.random.default_rng(s)) for s in seeds])
