"""Points of the curves that a report draws: ROC, calibration and decision curve."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


class Curve(NamedTuple):
    """Points in drawing order."""

    x: Floats
    y: Floats


def roc(y: ArrayLike, p: ArrayLike) -> Curve:
    """ROC curve: share of false alarms (x) against sensitivity (y), from (0, 0) to (1, 1), corners only.

    Parameters
    ----------
    y : (N,) array
        1 for positive cases, 0 for negative ones; both must occur.
    p : (N,) array
        Scores on any monotone scale.

    Raises
    ------
    ValueError
        When one class is missing.

    References
    ----------
    Fawcett (2006), An introduction to ROC analysis, Pattern Recognition Letters 27, algorithm 1.

    Examples
    --------
    >>> curve = roc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> curve.x.tolist(), curve.y.tolist()
    ([0.0, 0.0, 0.5, 0.5, 1.0], [0.0, 0.5, 0.5, 1.0, 1.0])
    """
    y, p = np.asarray(y, dtype=np.float64), np.asarray(p, dtype=np.float64)
    if not 0 < y.sum() < len(y):
        raise ValueError("a ROC curve needs cases of both classes")
    order = np.argsort(-p, kind="stable")
    last = np.flatnonzero(np.diff(p[order], append=np.inf))  # the end of each block of equal scores
    hits = np.r_[0, np.cumsum(y[order])[last]]
    alarms = np.r_[0, np.cumsum(1 - y[order])[last]]
    up, right = np.diff(hits), np.diff(alarms)
    turn = np.r_[True, up[:-1] * right[1:] != right[:-1] * up[1:], True]
    return Curve(alarms[turn] / alarms[-1], hits[turn] / hits[-1])


def calibration(y: ArrayLike, p: ArrayLike, *, bins: int = 10) -> Curve:
    """Mean predicted (x) against observed share of positives (y), in bins that hold equally many cases.

    Bins in which all probabilities are equal to a neighbour's border are joined with it, so that there may be fewer.

    Parameters
    ----------
    y, p : (N,) arrays
        Outcomes 0 or 1, and probabilities.
    bins : int
        Most bins.

    References
    ----------
    Van Calster et al. (2019), Calibration: the Achilles heel of predictive analytics, BMC Medicine 17:230.

    Examples
    --------
    >>> curve = calibration([0, 0, 1, 1], [0.1, 0.3, 0.6, 0.8], bins=2)
    >>> [round(v, 3) for v in curve.x.tolist()], curve.y.tolist()
    ([0.2, 0.7], [0.0, 1.0])
    """
    y, p = np.asarray(y, dtype=np.float64), np.asarray(p, dtype=np.float64)
    borders = np.unique(np.quantile(p, np.linspace(0, 1, bins + 1)[1:-1]))
    place = np.searchsorted(borders, p, side="right")
    used, place = np.unique(place, return_inverse=True)
    cases = np.bincount(place, minlength=len(used))
    return Curve(np.bincount(place, weights=p) / cases, np.bincount(place, weights=y) / cases)


def net_benefit(y: ArrayLike, p: ArrayLike, thresholds: ArrayLike) -> Floats:
    """Net benefit of acting at each threshold: true alarms minus false ones at the exchange rate that it implies.

    Parameters
    ----------
    y, p : (N,) arrays
        Outcomes 0 or 1, and probabilities. All ones for `p` give the strategy "treat everybody".
    thresholds : (T,) array
        Probabilities above 0 and below 1.

    Returns
    -------
    (T,) array
        In units of true positives per case; "treat nobody" is 0.

    References
    ----------
    Vickers and Elkin (2006), Decision curve analysis, Medical Decision Making 26, 565-574.

    Examples
    --------
    >>> net_benefit([1, 0, 0, 0], [0.9, 0.8, 0.1, 0.2], [0.5]).tolist()
    [0.0]
    """
    y, p = np.asarray(y, dtype=np.float64), np.asarray(p, dtype=np.float64)
    level = np.asarray(thresholds, dtype=np.float64)
    acts = p >= level[:, None]
    benefit: Floats = (acts @ y - acts @ (1 - y) * level / (1 - level)) / len(y)
    return benefit
