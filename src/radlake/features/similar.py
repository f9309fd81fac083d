"""Which regions are most alike by their features: robust scaling on a cohort, and distances that own up to gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# The interquartile range of a normal distribution in standard deviations.
_NORMAL_IQR = 1.3489795003921634
_FARTHEST = 5.0  # robust standard deviations: beyond them one odd value would decide alone
_LEAST_SHARED = 0.5  # of the features that the first of two regions has


@dataclass(frozen=True, eq=False)
class Scaling:
    """Middle and spread of each feature over a cohort; a feature that does not vary has no spread (NaN)."""

    middle: Floats
    spread: Floats

    def __call__(self, table: Floats) -> Floats:
        """Features in robust standard deviations from the middle, cut at 5; NaN where there is no value or spread."""
        return np.asarray(np.clip((table - self.middle) / self.spread, -_FARTHEST, _FARTHEST))


def robust_scaling(table: Floats) -> Scaling:
    """Median of each column, and its interquartile range as that of a normal distribution.

    Where more than half of the values are equal, the standard deviation stands in for the range. Missing values (NaN)
    are left out.

    Parameters
    ----------
    table : (regions, features) array

    References
    ----------
    Rousseeuw, Croux (1993), Alternatives to the median absolute deviation, J Am Stat Assoc 88:1273-1283.

    Examples
    --------
    >>> found = robust_scaling(np.array([[1.0, 7], [2, 7], [3, 7], [np.nan, 7], [4, 7], [5, 7]]))
    >>> found.middle.tolist(), found.spread.round(3).tolist()
    ([3.0, 7.0], [1.483, nan])
    """
    middle, spread = np.full(table.shape[1], np.nan), np.full(table.shape[1], np.nan)
    for column, values in enumerate(table.T):
        known = values[np.isfinite(values)]
        if known.size == 0:
            continue
        low, middle[column], high = np.percentile(known, (25, 50, 75))
        wide = (high - low) / _NORMAL_IQR or float(known.std())
        spread[column] = wide if wide > 0 else np.nan
    return Scaling(middle, spread)


@dataclass(frozen=True, eq=False)
class Distances:
    """How far regions are from one: distance (NaN where too little is shared), and how many features were compared."""

    distance: Floats
    shared: NDArray[np.int64]
    total: int


def distances(one: Floats, others: Floats, groups: Sequence[str]) -> Distances:
    """Distance of scaled regions from one, in robust standard deviations.

    Root mean square of the differences, the mean taken within each group of features first and over the groups then:
    a family with many features counts as much as one with few. Features that either lacks are left out; where less than
    half of those of the one region are left, there is no distance.

    Parameters
    ----------
    one : (features,) array
        Scaled; NaN where missing.
    others : (regions, features) array
    groups : sequence of str
        Family of each feature.

    Examples
    --------
    >>> found = distances(np.array([0.0, 0, 0]), np.array([[1.0, 1, 0], [np.nan, 2, 2], [0, np.nan, np.nan]]), "aab")
    >>> found.distance.round(3).tolist(), found.shared.tolist()
    ([0.707, 2.0, nan], [3, 2, 1])
    """
    mine = np.isfinite(one)
    both = np.isfinite(others) & mine
    squares = np.where(both, (np.nan_to_num(others) - np.nan_to_num(one)) ** 2, 0.0)
    total, counted = np.zeros(len(others)), np.zeros(len(others))
    for group in dict.fromkeys(groups):
        members = np.array([name == group for name in groups])
        known = both[:, members].sum(axis=1)
        total += np.where(known > 0, squares[:, members].sum(axis=1) / np.maximum(known, 1), 0.0)
        counted += known > 0
    shared = both.sum(axis=1)
    enough = (shared >= _LEAST_SHARED * mine.sum()) & (counted > 0)
    found = np.where(enough, np.sqrt(total / np.maximum(counted, 1)), np.nan)
    return Distances(found, shared.astype(np.int64), int(mine.sum()))


def most_different(one: Floats, other: Floats) -> int | None:
    """Which feature of two scaled regions differs most; None where they share none.

    Examples
    --------
    >>> most_different(np.array([0.0, 1.0, np.nan]), np.array([0.5, -1.0, 3.0]))
    1
    """
    apart = np.abs(one - other)
    return int(np.nanargmax(apart)) if np.isfinite(apart).any() else None
