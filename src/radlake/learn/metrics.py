"""How good probabilities are: discrimination, calibration and error, as plain numpy.

Every function takes labels `y` and probabilities `p` of shape (N,) and optional `weights` of shape (..., N), and
returns an array of shape (...): one call scores all replicates of a bootstrap. A score that is not defined (one class
only) is NaN there; tables store it as null.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_TINY = 1e-12  # keeps logits finite
_STEPS = 25  # Newton steps; 8 are enough unless classes are separable
_HALVINGS = 12  # of one of them


def _weights(y: Floats, weights: ArrayLike | None) -> Floats:
    """Weights as float64, ones by default."""
    return np.ones_like(y) if weights is None else np.asarray(weights, dtype=np.float64)


def ratio(above: Floats, below: Floats) -> Floats:
    """Quotient, NaN where nothing is below."""
    quotient: Floats = np.divide(above, below, out=np.full(np.shape(above), np.nan), where=below > 0)
    return quotient


def mean_where_defined(found: Floats) -> Floats:
    """Mean over the first axis of what is finite; NaN where nothing is.

    Examples
    --------
    >>> mean_where_defined(np.array([[1.0, np.nan], [3.0, np.nan]])).tolist()
    [2.0, nan]
    """
    known = np.isfinite(found)
    total: Floats = np.where(known, found, 0.0).sum(axis=0)
    mean: Floats = np.divide(total, known.sum(axis=0), out=np.full(total.shape, np.nan), where=known.any(axis=0))
    return mean


def auc(y: ArrayLike, p: ArrayLike, weights: ArrayLike | None = None) -> Floats:
    """Area under the ROC curve, 0 to 1: the chance that a positive case scores above a negative one, ties half.

    Parameters
    ----------
    y : (N,) array
        1 for positive cases, 0 for negative ones.
    p : (N,) array
        Scores on any monotone scale.
    weights : (..., N) array, optional
        Non-negative weight of each case.

    References
    ----------
    Hanley and McNeil (1982), The meaning and use of the area under a ROC curve, Radiology 143, 29-36.

    Examples
    --------
    >>> float(auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]))
    0.75
    """
    y, p = np.asarray(y, dtype=np.float64), np.asarray(p, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    w = _weights(y, weights)[..., order]
    starts = np.flatnonzero(np.diff(p[order], prepend=-np.inf))  # cases of equal score form one block
    positive = np.add.reduceat(w * y[order], starts, axis=-1)
    negative = np.add.reduceat(w * (1 - y[order]), starts, axis=-1)
    below = np.cumsum(negative, axis=-1) - 0.5 * negative
    return ratio((positive * below).sum(axis=-1), positive.sum(axis=-1) * negative.sum(axis=-1))


def brier(y: ArrayLike, p: ArrayLike, weights: ArrayLike | None = None) -> Floats:
    """Mean squared distance of probability and outcome, 0 (perfect) to 1.

    References
    ----------
    Brier (1950), Verification of forecasts expressed in terms of probability, Monthly Weather Review 78, 1-3.

    Examples
    --------
    >>> float(brier([1, 0], [0.5, 0.0]))
    0.125
    """
    y, p = np.asarray(y, dtype=np.float64), np.asarray(p, dtype=np.float64)
    w = _weights(y, weights)
    return ratio(w @ (p - y) ** 2, w.sum(axis=-1))


def sensitivity(y: ArrayLike, p: ArrayLike, weights: ArrayLike | None = None, *, threshold: float = 0.5) -> Floats:
    """Share of the positive cases with a probability of at least `threshold`.

    Examples
    --------
    >>> float(sensitivity([1, 1, 0], [0.5, 0.2, 0.9]))
    0.5
    """
    y, p = np.asarray(y, dtype=np.float64), np.asarray(p, dtype=np.float64)
    w = _weights(y, weights)
    return ratio(w @ (y * (p >= threshold)), w @ y)


def specificity(y: ArrayLike, p: ArrayLike, weights: ArrayLike | None = None, *, threshold: float = 0.5) -> Floats:
    """Share of the negative cases with a probability below `threshold`.

    Examples
    --------
    >>> float(specificity([1, 0, 0], [0.5, 0.2, 0.9]))
    0.5
    """
    y, p = np.asarray(y, dtype=np.float64), np.asarray(p, dtype=np.float64)
    w = _weights(y, weights)
    return ratio(w @ ((1 - y) * (p < threshold)), w @ (1 - y))


def balanced_accuracy(
    y: ArrayLike, p: ArrayLike, weights: ArrayLike | None = None, *, threshold: float = 0.5
) -> Floats:
    """Mean of sensitivity and specificity, 0 to 1.

    Examples
    --------
    >>> float(balanced_accuracy([1, 1, 0, 0], [0.5, 0.2, 0.1, 0.3]))
    0.75
    """
    return (sensitivity(y, p, weights, threshold=threshold) + specificity(y, p, weights, threshold=threshold)) / 2


def average_precision(y: ArrayLike, p: ArrayLike, weights: ArrayLike | None = None) -> Floats:
    """Area under the precision-recall curve as a sum of steps, 0 to 1; a model that knows nothing has the prevalence.

    References
    ----------
    Davis and Goadrich (2006), The relationship between precision-recall and ROC curves, ICML; no straight lines are
    drawn between points, because they cannot be reached.

    Examples
    --------
    >>> round(float(average_precision([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])), 4)
    0.8333
    """
    y, p = np.asarray(y, dtype=np.float64), np.asarray(p, dtype=np.float64)
    order = np.argsort(-p, kind="stable")
    w = _weights(y, weights)[..., order]
    starts = np.flatnonzero(np.diff(-p[order], prepend=-np.inf))  # cases of equal score form one block
    hits = np.add.reduceat(w * y[order], starts, axis=-1)
    found = np.cumsum(hits, axis=-1)
    called = np.cumsum(np.add.reduceat(w, starts, axis=-1), axis=-1)
    precision = np.divide(found, called, out=np.zeros_like(found), where=called > 0)
    return ratio((hits * precision).sum(axis=-1), hits.sum(axis=-1))


def matthews(y: ArrayLike, p: ArrayLike, weights: ArrayLike | None = None, *, threshold: float = 0.5) -> Floats:
    """Correlation of answer and outcome, -1 to 1; 0 where every case gets the same answer.

    References
    ----------
    Matthews (1975), Comparison of the predicted and observed secondary structure of T4 phage lysozyme, Biochimica et
    Biophysica Acta 405, 442-451.

    Examples
    --------
    >>> round(float(matthews([1, 1, 0, 0], [0.9, 0.2, 0.1, 0.3])), 4)
    0.5774
    """
    y, p = np.asarray(y, dtype=np.float64), np.asarray(p, dtype=np.float64)
    w, called = _weights(y, weights), (p >= threshold).astype(np.float64)
    total, yes, said = w.sum(axis=-1), w @ y, w @ called
    above = total * (w @ (y * called)) - yes * said
    below = np.sqrt(yes * (total - yes) * said * (total - said))
    known = np.divide(above, below, out=np.zeros(np.shape(above)), where=below > 0)
    return np.where((yes > 0) & (yes < total), known, np.nan)


def calibration_slope(y: ArrayLike, p: ArrayLike, weights: ArrayLike | None = None) -> Floats:
    """Slope of the logistic regression of the outcome on logit(p); 1 is ideal, below 1 means too extreme.

    NaN where the regression has no finite solution (separable classes).

    References
    ----------
    Van Calster et al. (2019), Calibration: the Achilles heel of predictive analytics, BMC Medicine 17:230.

    Examples
    --------
    >>> p = np.repeat([0.25, 0.75], 8)
    >>> y = np.r_[[1, 1], np.zeros(6), np.ones(6), [0, 0]]
    >>> round(float(calibration_slope(y, p)), 6)
    1.0
    """
    y, p = np.asarray(y, dtype=np.float64), np.asarray(p, dtype=np.float64)
    w = _weights(y, weights)
    x = _logit(p)

    def likelihood(a: Floats, b: Floats) -> Floats:
        z = a[..., None] + b[..., None] * x
        with np.errstate(invalid="ignore"):  # NaN where a step was not defined
            told: Floats = (w * (y * z - np.logaddexp(0, z))).sum(axis=-1)
        return told

    a, b = _logit(ratio((w * y).sum(axis=-1), w.sum(axis=-1))), np.zeros(w.shape[:-1])
    moved, best = np.full_like(a, np.inf), likelihood(a, b)
    for _ in range(_STEPS):
        q = _expit(a[..., None] + b[..., None] * x)
        rest, curve = w * (y - q), w * q * (1 - q)
        g0, g1 = rest.sum(axis=-1), rest @ x
        h00, h01, h11 = curve.sum(axis=-1), curve @ x, curve @ x**2
        determinant = h00 * h11 - h01**2
        step_a = ratio(h11 * g0 - h01 * g1, determinant)
        step_b = ratio(h00 * g1 - h01 * g0, determinant)
        for _ in range(_HALVINGS):  # a whole step goes too far where answers were far too sure
            found = likelihood(a + step_a, b + step_b)
            beyond = found < best - 1e-9 * np.abs(best)
            if not beyond.any():
                break
            step_a, step_b = np.where(beyond, step_a / 2, step_a), np.where(beyond, step_b / 2, step_b)
        a, b, best = a + step_a, b + step_b, found
        moved = np.abs(step_a) + np.abs(step_b)
        if not (moved > 1e-9).any():
            break
    return np.where(moved < 1e-6, b, np.nan)


def calibration_intercept(y: ArrayLike, p: ArrayLike, weights: ArrayLike | None = None) -> Floats:
    """Calibration in the large, in logits: the shift of logit(p) that makes the mean right; 0 is ideal.

    References
    ----------
    Van Calster et al. (2019), Calibration: the Achilles heel of predictive analytics, BMC Medicine 17:230.

    Examples
    --------
    >>> round(float(calibration_intercept([1, 0, 0, 0], [0.5, 0.5, 0.5, 0.5])), 6)
    -1.098612
    """
    y, p = np.asarray(y, dtype=np.float64), np.asarray(p, dtype=np.float64)
    w = _weights(y, weights)
    x = _logit(p)
    a = np.zeros(w.shape[:-1])
    moved = np.full_like(a, np.inf)
    for _ in range(_STEPS):
        q = _expit(a[..., None] + x)
        step = ratio((w * (y - q)).sum(axis=-1), (w * q * (1 - q)).sum(axis=-1))
        a, moved = a + np.clip(step, -2, 2), np.abs(step)
        if not (moved > 1e-9).any():
            break
    return np.where(moved < 1e-6, a, np.nan)


def calibration_error(y: ArrayLike, p: ArrayLike, weights: ArrayLike | None = None, *, bins: int = 10) -> Floats:
    """Expected calibration error, 0 to 1: mean distance of predicted and observed share over bins of equal width.

    References
    ----------
    Guo et al. (2017), On calibration of modern neural networks, ICML, equation 3.

    Examples
    --------
    >>> round(float(calibration_error([1, 0, 1, 1], [0.9, 0.9, 0.9, 0.9])), 3)
    0.15
    """
    y, p = np.asarray(y, dtype=np.float64), np.asarray(p, dtype=np.float64)
    w = _weights(y, weights)
    place = np.minimum((p * bins).astype(np.int64), bins - 1)
    member = (place[:, None] == np.arange(bins)).astype(np.float64)
    gap = np.abs(w @ (member * (p - y)[:, None])).sum(axis=-1)
    return ratio(gap, w.sum(axis=-1))


def macro_auc(y: ArrayLike, p: ArrayLike, weights: ArrayLike | None = None) -> Floats:
    """Mean over the classes of the AUC of one class against all others.

    Parameters
    ----------
    y : (N,) array
        Class number, 0 to K - 1.
    p : (N, K) array
        Scores of each class on any monotone scale.
    weights : (..., N) array, optional
        Non-negative weight of each case.

    References
    ----------
    Fawcett (2006), An introduction to ROC analysis, Pattern Recognition Letters 27, section 9.

    Examples
    --------
    >>> float(macro_auc([0, 1, 2], np.eye(3)))
    1.0
    """
    y, p = np.asarray(y), np.asarray(p, dtype=np.float64)
    areas: Floats = np.mean([auc(y == c, p[:, c], weights) for c in range(p.shape[1])], axis=0)
    return areas


def multiclass_brier(y: ArrayLike, p: ArrayLike, weights: ArrayLike | None = None) -> Floats:
    """Mean over cases of the squared distance of the probabilities and the outcome, 0 (perfect) to 2.

    References
    ----------
    Brier (1950), Verification of forecasts expressed in terms of probability, Monthly Weather Review 78, 1-3.

    Examples
    --------
    >>> float(multiclass_brier([0, 1], [[0.5, 0.5, 0.0], [0.0, 1.0, 0.0]]))
    0.25
    """
    y, p = np.asarray(y), np.asarray(p, dtype=np.float64)
    truth = (y[:, None] == np.arange(p.shape[1])).astype(np.float64)
    w = _weights(truth[:, 0], weights)
    return ratio(w @ ((p - truth) ** 2).sum(axis=1), w.sum(axis=-1))


def accuracy(y: ArrayLike, p: ArrayLike, weights: ArrayLike | None = None) -> Floats:
    """Share of the cases whose most probable class is the true one; the first of equally probable ones counts.

    Examples
    --------
    >>> float(accuracy([0, 1], [[0.9, 0.1], [0.6, 0.4]]))
    0.5
    """
    hit = (np.argmax(np.asarray(p, dtype=np.float64), axis=1) == np.asarray(y)).astype(np.float64)
    w = _weights(hit, weights)
    return ratio(w @ hit, w.sum(axis=-1))


def r2(y: ArrayLike, p: ArrayLike, weights: ArrayLike | None = None) -> Floats:
    """Share of the outcome's variance that the predictions explain, 1 at best; below 0 they are worse than the mean.

    References
    ----------
    Kvalseth (1985), Cautionary note about R2, The American Statistician 39, 279-285, equation 1.

    Examples
    --------
    >>> float(r2([1.0, 2.0, 3.0], [1.0, 2.0, 2.0]))
    0.5
    """
    y, p = np.asarray(y, dtype=np.float64), np.asarray(p, dtype=np.float64)
    w = _weights(y, weights)
    mean = ratio(w @ y, w.sum(axis=-1))
    spread = (w * (y - mean[..., None]) ** 2).sum(axis=-1)
    return 1 - ratio(w @ (p - y) ** 2, spread)


def mean_absolute_error(y: ArrayLike, p: ArrayLike, weights: ArrayLike | None = None) -> Floats:
    """Mean distance of prediction and outcome, in the unit of the outcome.

    Examples
    --------
    >>> float(mean_absolute_error([1.0, 2.0], [1.5, 2.0]))
    0.25
    """
    y, p = np.asarray(y, dtype=np.float64), np.asarray(p, dtype=np.float64)
    w = _weights(y, weights)
    return ratio(w @ np.abs(p - y), w.sum(axis=-1))


def _logit(p: Floats) -> Floats:
    """Log odds, finite for 0 and 1."""
    q = np.clip(p, _TINY, 1 - _TINY)
    return np.log(q) - np.log1p(-q)


def _expit(x: Floats) -> Floats:
    """Inverse of the logit without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * x))
