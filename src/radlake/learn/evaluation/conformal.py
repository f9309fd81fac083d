"""Answers that say when they do not know: sets with a promised coverage, and intervals of a probability.

Everything is calibrated on held-out answers: cases that the model had not seen.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def cutoffs(y: ArrayLike, p: ArrayLike, *, coverage: float = 0.9) -> Floats:
    """For each class the least probability with which it belongs into an answer, shape (K,).

    Calibrated in each class alone, so that the promise holds for the rare class too. 0 where a class has too few cases
    to promise anything.

    Parameters
    ----------
    y : (N,) array
        Class numbers of held-out cases.
    p : (N, K) array
        Their probabilities.
    coverage : float
        Share of the cases of each class whose answer holds the truth.

    References
    ----------
    Vovk (2012), Conditional validity of inductive conformal predictors, ACML, section 3 (label-conditional);
    Angelopoulos and Bates (2023), Conformal prediction: a gentle introduction, Foundations and Trends in Machine
    Learning 16, 494-591.

    Examples
    --------
    >>> y, p = np.repeat([0, 1], 10), np.repeat([[0.8, 0.2], [0.3, 0.7]], 10, axis=0)
    >>> cutoffs(y, p, coverage=0.9).tolist()
    [0.8, 0.7]
    """
    y, p = np.asarray(y), np.asarray(p, dtype=np.float64)
    found = np.zeros(p.shape[1])
    for c in range(p.shape[1]):
        own = np.sort(p[y == c, c])
        left = math.floor((1 - coverage) * (len(own) + 1))  # so many cases may fall out
        found[c] = own[left - 1] if left >= 1 else 0.0
    return found


def sets(p: ArrayLike, cut: Floats) -> Bools:
    """Classes that each answer holds, shape (N, K): one is an answer, several or none mean "ask somebody".

    Parameters
    ----------
    p : (N, K) array
        Probabilities.
    cut : (K,) array
        From `cutoffs`.

    Examples
    --------
    >>> sets([[0.9, 0.1], [0.5, 0.5]], np.array([0.3, 0.4])).tolist()
    [[True, False], [True, True]]
    """
    return np.asarray(np.asarray(p, dtype=np.float64) >= cut)


def venn_abers(scores: ArrayLike, y: ArrayLike, new: ArrayLike) -> tuple[Floats, Floats]:
    """Lower and upper probability of the positive class for new scores.

    The lower end is what isotonic regression gives when the new case is taken for negative, the upper one when it is
    taken for positive; they are close together where there are many held-out cases of like scores.

    Parameters
    ----------
    scores, y : (N,) arrays
        Held-out scores on any monotone scale, and outcomes 0 or 1.
    new : (M,) array

    Returns
    -------
    (low, high) : (M,) arrays

    References
    ----------
    Vovk and Petej (2014), Venn-Abers predictors, UAI; Vovk, Petej and Fedorova (2015), Large-scale probabilistic
    predictors with and without guarantees of validity, NeurIPS.

    Examples
    --------
    >>> low, high = venn_abers([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1], [0.15, 0.85])
    >>> low.tolist(), high.tolist()
    ([0.0, 0.5], [0.5, 1.0])
    """
    s, y = np.asarray(scores, dtype=np.float64), np.asarray(y, dtype=np.float64)
    order = np.argsort(s, kind="stable")
    s, y = s[order], y[order]
    values, place = np.unique(np.asarray(new, dtype=np.float64), return_inverse=True)
    low, high = np.empty(len(values)), np.empty(len(values))
    for i, value in enumerate(values):
        low[i], high[i] = _with(s, y, float(value), 0.0), _with(s, y, float(value), 1.0)
    return low[place], high[place]


def _with(s: Floats, y: Floats, value: float, label: float) -> float:
    """Isotonic regression at a value, when a case with this label is added there."""
    from scipy.optimize import isotonic_regression

    first = np.searchsorted(s, value)
    points, at = np.unique(np.insert(s, first, value), return_inverse=True)
    added = np.insert(y, first, label)
    weight = np.bincount(at).astype(np.float64)
    mean = np.bincount(at, weights=added) / weight
    fitted = isotonic_regression(mean, weights=weight).x
    return float(fitted[np.searchsorted(points, value)])


def margin(y: ArrayLike, p: ArrayLike, *, coverage: float = 0.9) -> float:
    """How far from a predicted value the truth lies at most, in that share of the cases; infinite for too few cases.

    Parameters
    ----------
    y, p : (N,) arrays
        Values of held-out cases and predictions.
    coverage : float

    References
    ----------
    Lei et al. (2018), Distribution-free predictive inference for regression, JASA 113, 1094-1111.

    Examples
    --------
    >>> margin(np.arange(9.0), np.arange(9.0) + 1, coverage=0.9)
    1.0
    """
    gaps = np.sort(np.abs(np.asarray(y, dtype=np.float64) - np.asarray(p, dtype=np.float64)))
    place = math.ceil(coverage * (len(gaps) + 1))
    return float(gaps[place - 1]) if place <= len(gaps) else float("inf")
