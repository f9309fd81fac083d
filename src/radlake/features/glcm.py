"""Grey level co-occurrence (family "glcm"): how often two levels are neighbours, in 25 numbers for each aggregation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from radlake.features.morphology import NO_INTENSITY
from radlake.features.names import GLCM
from radlake.features.roi import Roi, Values
from radlake.features.texture import DEFAULT_AGGREGATIONS, Aggregation, Counts, average, by_direction, for_axes

_Probabilities = NDArray[np.float64]
_NAMES = tuple(f.name for f in GLCM)


def glcm(roi: Roi, *, aggregations: Sequence[Aggregation] = DEFAULT_AGGREGATIONS) -> Values:
    """Co-occurrence features by name, without unit: neighbours at distance 1, matrices symmetric.

    Parameters
    ----------
    roi : Roi
        With intensities.
    aggregations : sequence of {"2D_avg", "2D_comb", "2_5D_avg", "2_5D_comb", "3D_avg", "3D_comb"}
        How directions and slices are put together; a plane knows the first two.

    References
    ----------
    IBSI arXiv:1612.07003, 3.6; Haralick, Shanmugam, Dinstein (1973), Textural features for image classification, IEEE
    Trans SMC 3:610-621.

    Examples
    --------
    >>> image = np.array([[1, 1, 2, 2]])
    >>> round(glcm(Roi(image > 0, (1.0, 1.0), image))["cm_contrast_2D_comb"], 3)
    320.333
    """
    values: Values = {}
    for aggregation in for_axes(aggregations, roi.mask.ndim):
        names = [f"{name}_{aggregation}" for name in _NAMES]
        texture = roi.texture
        if texture is None:
            values |= dict.fromkeys(names, NO_INTENSITY)
            continue
        matrices = by_direction(texture, aggregation, lambda lines: lines.pairs)
        values |= average(names, (cooccurrence(pairs) for pairs, _ in matrices if pairs.any()))
    return values


def cooccurrence(pairs: Counts) -> tuple[float, ...]:
    """The 25 features of a co-occurrence matrix in the order of the names.

    Parameters
    ----------
    pairs : (levels, levels) array
        Count of neighbours, in one direction of each pair; at least one.

    References
    ----------
    IBSI arXiv:1612.07003, 3.6.1 to 3.6.25. For a symmetric matrix both HXY1 and HXY2 are twice the entropy of the
    margin.

    Examples
    --------
    Each level is its own neighbour, or the other's: contrast 0, correlation 1, then -1.

    >>> cooccurrence(np.diag([3, 3]))[18], cooccurrence(np.array([[0, 3], [3, 0]]))[18]
    (1.0, -1.0)
    """
    counts = pairs.astype(np.float64)
    p: _Probabilities = (counts + counts.T) / (2 * counts.sum())
    n = len(p)
    level = np.arange(1, n + 1, dtype=np.float64)
    margin = p.sum(axis=1)
    mean = float(margin @ level)
    variance = float(margin @ (level - mean) ** 2)
    product = float(level @ p @ level)
    joint, single = _entropy(p), _entropy(margin)
    difference = _along(p, np.abs(np.subtract.outer(np.arange(n), np.arange(n))))
    total = _along(p, np.add.outer(np.arange(n), np.arange(n)))
    return (
        float(p.max()), mean, variance, joint,
        *_spread(difference, np.arange(n)),
        *_spread(total, np.arange(2, 2 * n + 1)),
        float((p**2).sum()),
        *_closeness(difference, n),
        (product - mean**2) / variance if variance > 0 else float("nan"),
        product,
        *(float(total @ (np.arange(2, 2 * n + 1) - 2 * mean) ** power) for power in (2, 3, 4)),
        (joint - 2 * single) / single if single > 0 else float("nan"),
        float(np.sqrt(max(0.0, 1 - np.exp(-2 * (2 * single - joint))))),
    )  # fmt: skip


def _along(p: _Probabilities, index: NDArray[np.intp]) -> _Probabilities:
    """Probability of each difference or sum of levels."""
    return np.asarray(np.bincount(index.reshape(-1), p.reshape(-1)), np.float64)


def _entropy(p: _Probabilities) -> float:
    """Entropy in bits."""
    used = p[p > 0]
    return float(-(used * np.log2(used)).sum()) + 0.0


def _spread(p: _Probabilities, value: NDArray[np.intp]) -> tuple[float, float, float]:
    """Average, variance and entropy of differences or sums."""
    mean = float(p @ value)
    return mean, float(p @ (value - mean) ** 2), _entropy(p)


def _closeness(difference: _Probabilities, n: int) -> tuple[float, ...]:
    """Contrast, dissimilarity, inverse differences and their moments, plain and normalised, inverse variance."""
    k = np.arange(n, dtype=np.float64)
    return (
        float(difference @ k**2),
        float(difference @ k),
        float((difference / (1 + k)).sum()),
        float((difference / (1 + k / n)).sum()),
        float((difference / (1 + k**2)).sum()),
        float((difference / (1 + (k / n) ** 2)).sum()),
        float((difference[1:] / k[1:] ** 2).sum()),
    )
