"""Two fixed models on the same patients, one case each: DeLong's test of the AUCs, McNemar's of right and wrong.

Both take cases as independent and models as given. For several cases a patient use
`radlake.learn.intervals.patient_weights`, for models that were fitted anew in each fold
`radlake.learn.intervals.resampled_t`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radlake.learn.intervals import Interval

Floats = NDArray[np.float64]

_EXACT = 1000  # discordant cases up to which McNemar's test is exact


class Compared(NamedTuple):
    """Difference of two models (the first minus the second), its 95% interval and two-sided p-value."""

    difference: float
    low: float
    high: float
    p: float


def delong_interval(y: ArrayLike, p: ArrayLike, *, level: float = 0.95) -> Interval:
    """Interval of an AUC by DeLong's variance, on the logit scale so that it stays between 0 and 1.

    Parameters
    ----------
    y : (N,) array
        1 for positive cases, 0 for negative ones; two and more of each.
    p : (N,) array
        Scores on any monotone scale.
    level : float

    References
    ----------
    DeLong, DeLong and Clarke-Pearson (1988), Comparing the areas under two or more correlated receiver operating
    characteristic curves, Biometrics 44, 837-845; Pepe (2003), The statistical evaluation of medical tests, section
    5.2.

    Examples
    --------
    >>> low, high = delong_interval([0, 0, 0, 1, 1, 1], [0.1, 0.2, 0.6, 0.3, 0.8, 0.9])
    >>> low < 8 / 9 < high
    True
    """
    from scipy.special import expit, logit, ndtri

    positive, negative = _placements(np.asarray(y), np.asarray(p, dtype=np.float64)[None])
    area = float(positive.mean())
    spread = math.sqrt(float(_covariance(positive, negative)[0, 0]))
    if not 0 < area < 1:
        return Interval(float("nan"), float("nan"))
    half = float(ndtri((1 + level) / 2)) * spread / (area * (1 - area))
    return Interval(float(expit(logit(area) - half)), float(expit(logit(area) + half)))


def delong(y: ArrayLike, first: ArrayLike, second: ArrayLike) -> Compared:
    """Test whether two AUCs differ.

    Parameters
    ----------
    y : (N,) array
        1 for positive cases, 0 for negative ones; two and more of each.
    first, second : (N,) arrays
        Scores of the two models for the same cases.

    Returns
    -------
    Compared
        p is 1 when the models rank alike.

    References
    ----------
    DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44, 837-845; Sun and Xu (2014), Fast implementation of DeLong's
    algorithm, IEEE Signal Processing Letters 21, 1389-1393, for the placement values by ranks.

    Examples
    --------
    >>> delong([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], [0.1, 0.4, 0.35, 0.8]).p
    1.0
    """
    from scipy.special import ndtr

    scores = np.stack([np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)])
    positive, negative = _placements(np.asarray(y), scores)
    gap = float(positive[0].mean() - positive[1].mean())
    c = _covariance(positive, negative)
    spread = math.sqrt(max(float(c[0, 0] + c[1, 1] - 2 * c[0, 1]), 0.0))
    if spread == 0:
        return Compared(gap, gap, gap, 1.0 if gap == 0 else 0.0)
    return Compared(gap, gap - 1.959964 * spread, gap + 1.959964 * spread, float(2 * ndtr(-abs(gap) / spread)))


def _placements(y: NDArray[np.generic], scores: Floats) -> tuple[Floats, Floats]:
    """Share of negatives below each positive, and of positives above each negative, shapes (models, cases)."""
    from scipy.stats import rankdata

    yes = y.astype(bool)
    m, n = int(yes.sum()), int((~yes).sum())
    if m < 2 or n < 2:
        raise ValueError(f"expected two positive and two negative cases at least, got {m} and {n}")
    ranks = rankdata(scores, axis=1)
    positive = (ranks[:, yes] - rankdata(scores[:, yes], axis=1)) / n
    negative = 1 - (ranks[:, ~yes] - rankdata(scores[:, ~yes], axis=1)) / m
    return positive, negative


def _covariance(positive: Floats, negative: Floats) -> Floats:
    """Covariance of the AUCs."""
    models = len(positive)
    parts = [np.cov(v).reshape(models, models) / v.shape[1] for v in (positive, negative)]
    found: Floats = parts[0] + parts[1]
    return found


def mcnemar(first: ArrayLike, second: ArrayLike) -> float:
    """Two-sided p-value that two models are right equally often: exact binomial of the cases on which they differ.

    Parameters
    ----------
    first, second : (N,) bool arrays
        Whether each model is right.

    References
    ----------
    McNemar (1947), Note on the sampling error of the difference between correlated proportions or percentages,
    Psychometrika 12, 153-157; with continuity correction (Edwards 1948) above 1,000 cases.

    Examples
    --------
    >>> round(mcnemar([True] * 5 + [False], [False] * 5 + [True]), 5)
    0.21875
    """
    from scipy.special import bdtr, chdtrc

    a, b = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    only_first, only_second = int((a & ~b).sum()), int((~a & b).sum())
    n = only_first + only_second
    if not n:
        return 1.0
    if n <= _EXACT:
        return min(1.0, 2 * float(bdtr(min(only_first, only_second), n, 0.5)))
    return float(chdtrc(1, max(abs(only_first - only_second) - 1, 0) ** 2 / n))
