"""How sure a score is: bootstrap over patients, paired differences, and the t-test for repeated cross-validation."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


class Interval(NamedTuple):
    """Lower and upper end; NaN where too few replicates are defined."""

    low: float
    high: float


def patient_weights(patients: NDArray[Any], *, replicates: int, rng: np.random.Generator) -> Floats:
    """How often each case is drawn in each bootstrap replicate, shape (replicates, N).

    Patients are drawn with replacement, as many as there are, and bring all their cases: cases of one patient are not
    independent.

    Parameters
    ----------
    patients : (N,) array
        Patient of each case.
    replicates : int
        Rows of the result.
    rng : numpy.random.Generator
        Source of the draws.

    References
    ----------
    Field and Welsh (2007), Bootstrapping clustered data, Journal of the Royal Statistical Society B 69, 369-390.

    Examples
    --------
    >>> w = patient_weights(np.array(["a", "a", "b"]), replicates=5, rng=np.random.default_rng(0))
    >>> bool((w[:, 0] == w[:, 1]).all()), set((w[:, 1] + w[:, 2]).tolist())
    (True, {2.0})
    """
    names, which = np.unique(patients, return_inverse=True)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=replicates)
    return drawn.astype(np.float64)[:, which]


def interval(replicates: ArrayLike, *, level: float = 0.95) -> Interval:
    """Percentile interval of bootstrap replicates.

    Undefined (NaN) replicates are left out; where more than a tenth is undefined, so is the interval.

    Parameters
    ----------
    replicates : (B,) array
        The score in each replicate.
    level : float
        Coverage, between 0 and 1.

    References
    ----------
    Efron and Tibshirani (1993), An introduction to the bootstrap, chapter 13.

    Examples
    --------
    >>> interval(np.arange(101.0), level=0.5)
    Interval(low=25.0, high=75.0)
    """
    values = np.asarray(replicates, dtype=np.float64)
    known = values[np.isfinite(values)]
    if len(known) < 0.9 * len(values) or not len(known):
        return Interval(float("nan"), float("nan"))
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


def bootstrap_p(differences: ArrayLike) -> float:
    """Two-sided p-value that a paired difference is zero, from its bootstrap replicates.

    Twice the smaller tail, with one added to the count and to the total, so that it is never 0.

    References
    ----------
    Davison and Hinkley (1997), Bootstrap methods and their application, section 4.4.

    Examples
    --------
    >>> round(bootstrap_p(np.r_[np.full(98, 0.1), -0.1, -0.2]), 4)
    0.0594
    """
    values = np.asarray(differences, dtype=np.float64)
    known = values[np.isfinite(values)]
    tail = min(int((known <= 0).sum()), int((known >= 0).sum()))
    return min(1.0, 2 * (tail + 1) / (len(known) + 1))


def resampled_t(differences: ArrayLike, *, test_share: float) -> tuple[float, float]:
    """Student's t and two-sided p-value for a mean difference over the folds of repeated cross-validation.

    Folds share training cases, so that the plain t-test finds differences that are not there; the variance is raised
    by the ratio of test to training size.

    Parameters
    ----------
    differences : (J,) array
        Score of one model minus score of the other in each test fold; at least two.
    test_share : float
        Test cases over training cases: 1 / (folds - 1).

    Returns
    -------
    (t, p) : tuple of float
        (0, 1) when all differences are zero.

    Raises
    ------
    ValueError
        With fewer than two differences.

    References
    ----------
    Nadeau and Bengio (2003), Inference for the generalization error, Machine Learning 52, 239-281;
    Bouckaert and Frank (2004), Evaluating the replicability of significance tests, PAKDD, for repeated folds.

    Examples
    --------
    >>> t, p = resampled_t([0.01, 0.03, 0.02, 0.02], test_share=0.25)
    >>> round(t, 3), round(p, 3)
    (3.464, 0.041)
    """
    from scipy.special import stdtr

    values = np.asarray(differences, dtype=np.float64)
    if len(values) < 2:
        raise ValueError(f"expected at least two differences, got {len(values)}")
    spread = float(values.var(ddof=1)) * (1 / len(values) + test_share)
    mean = float(values.mean())
    if spread == 0:
        return (0.0, 1.0) if mean == 0 else (float(np.copysign(np.inf, mean)), 0.0)
    t = mean / spread**0.5
    return t, float(2 * stdtr(len(values) - 1, -abs(t)))


def wilson(hits: float, n: int, *, level: float = 0.95) -> Interval:
    """Score interval of a share of independent cases; NaN of none.

    Only where every case is another patient and the model is fixed: cases of one patient are not independent, and a
    model that is fitted anew in each fold is not one model.

    Parameters
    ----------
    hits : float
        Cases that count, 0 to n.
    n : int
    level : float
        Coverage, between 0 and 1.

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22, 209-212.

    Examples
    --------
    >>> [round(v, 4) for v in wilson(8, 10)]
    [0.4902, 0.9433]
    """
    from scipy.special import ndtri

    if not n:
        return Interval(float("nan"), float("nan"))
    z = float(ndtri((1 + level) / 2))
    share = hits / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return Interval(max(0.0, float(centre - half)), min(1.0, float(centre + half)))
