"""PyRadiomics' ways with the tables of directions: which count, how they are weighted and merged, pairs of one way.

Definitions are those of PyRadiomics 3 (van Griethuysen et al., Cancer Res 2017; documentation, "glcm" and "glrlm").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radlake.features.pyradiomics_distances import Offset
from radlake.features.texture import ACROSS, IN_PLANE, Counts, Texture
from radlake.imaging.arguments import Spacing

Tables = NDArray[Any]
Floats = NDArray[np.float64]
_EPSILON = float(np.spacing(1.0))  # in PyRadiomics' denominators; levels of hardly any weight show it


def directions(*, deep: bool) -> tuple[Offset, ...]:
    """Steps to the nearest neighbours behind a voxel, in the order of `summed`: 13, or 4 that stay in the plane.

    Examples
    --------
    >>> len(directions(deep=True)), directions(deep=False)[0]
    (13, (0, 0, -1))
    """
    return (*IN_PLANE, *ACROSS) if deep else IN_PLANE


def summed(texture: Texture, *, deep: bool) -> tuple[Counts, Counts]:
    """Pairs (directions, levels, levels) and runs (directions, levels, lengths), of all planes together.

    Parameters
    ----------
    texture : Texture
    deep : bool
        Whether directions may leave the plane.
    """
    lines = [texture.lines] if deep else texture.lines_by_plane()
    parts = [(part.pairs.sum(axis=0, dtype=np.int64), part.runs.sum(axis=0, dtype=np.int64)) for part in lines]
    pairs, runs = (np.asarray(sum(tables)) for tables in zip(*parts, strict=True))
    return pairs, runs


def joined(texture: Texture, pairs: Counts, *, deep: bool) -> NDArray[np.bool_]:
    """Whether any line of a direction meets two voxels of the region; runs of the others do not count.

    Parameters
    ----------
    texture : Texture
    pairs : (directions, levels, levels) array
        As from `summed`.
    deep : bool
        Whether directions may leave the plane.

    Examples
    --------
    >>> apart = Texture(np.pad(np.array([[[1, 0, 1]]], np.uint16), 1), 1, np.ones((1, 1, 3), bool))
    >>> joined(apart, summed(apart, deep=False)[0], deep=False).tolist()
    [True, False, False, False]
    """
    found = np.asarray(pairs.any(axis=(1, 2)))
    if found.all():
        return found
    places = np.argwhere(texture.levels)
    base = 4 * max(texture.levels.shape) + 1  # no line begins further off
    steps = np.array(directions(deep=deep))
    for k in np.flatnonzero(~found):
        along = np.flatnonzero(steps[k])[0]
        beginnings = places - np.outer(places[:, along] * steps[k, along], steps[k])
        found[k] = len(np.unique(beginnings @ (base**2, base, 1))) < len(places)
    return found


def lengths(steps: Sequence[Offset], spacing: Spacing, norm: str) -> Floats:
    """Length (mm) of each step by a norm; 1 for no_weighting.

    Parameters
    ----------
    steps : sequence of (z, y, x)
        In voxels.
    spacing : (z, y, x)
        Millimetres.
    norm : {"manhattan", "euclidean", "infinity", "no_weighting"}

    Examples
    --------
    >>> for norm in ("manhattan", "euclidean", "infinity", "no_weighting"):
    ...     print(lengths([(1, 0, -1), (0, 1, 0)], (4.0, 2.0, 3.0), norm).tolist())
    [7.0, 2.0]
    [5.0, 2.0]
    [4.0, 2.0]
    [1.0, 1.0]
    """
    if norm == "no_weighting":
        return np.ones(len(steps))
    order = {"manhattan": 1, "euclidean": 2, "infinity": np.inf}[norm]
    return np.asarray(np.linalg.norm(np.array(steps) * spacing, order, axis=1))


def merged(tables: Tables, weights: Floats) -> Floats:
    """The sum (1, levels, m) of tables (n, levels, m), each as often as its weight says.

    Examples
    --------
    >>> merged(np.array([[[1, 0]], [[2, 4]]]), np.array([1.0, 0.5])).tolist()
    [[[2.0, 2.0]]]
    """
    return np.asarray((tables * weights[:, None, None]).sum(axis=0, keepdims=True))


def nearness(length: Floats) -> Floats:
    """Weights of pairs at distances (mm) in one table, exp(-d^2), as multiples of the greatest.

    Pairs are divided by their sum, so the multiples give the same measures and none but the far ones becomes 0.

    Examples
    --------
    >>> nearness(np.array([30.0, 30.0])).tolist()
    [1.0, 1.0]
    """
    return np.asarray(np.exp(length.min() ** 2 - length**2))


def one_way(pairs: Tables) -> dict[int, Floats]:
    """Measures (n,) of tables of pairs as they are, by their place in `table_kernels.cooccurrences`.

    Those that a table does not share with the sum of it and its transpose; the first level is that of the row.

    Parameters
    ----------
    pairs : (n, levels, levels) array
        None without a pair.

    References
    ----------
    Haralick, Shanmugam, Dinstein (1973), Textural features for image classification, IEEE Trans SMC 3:610-621.

    Examples
    --------
    >>> found = one_way(np.array([[[0, 1], [0, 0]]]))  # level 1, then level 2
    >>> found[1].tolist(), found[18].tolist()
    ([1.0], [1.0])
    """
    p = pairs / pairs.sum(axis=(1, 2), keepdims=True)
    level = np.arange(1.0, p.shape[1] + 1)
    first, second = p.sum(axis=2), p.sum(axis=1)
    mean_first, mean_second = first @ level, second @ level
    variance_first = (first * (level - mean_first[:, None]) ** 2).sum(axis=1)
    variance_second = (second * (level - mean_second[:, None]) ** 2).sum(axis=1)
    covariance = np.einsum("nij,ni,nj->n", p, level - mean_first[:, None], level - mean_second[:, None])
    flat = ((first > 0).sum(axis=1) < 2) | ((second > 0).sum(axis=1) < 2)
    joint, entropy_first, entropy_second = _entropy(p), _entropy(first), _entropy(second)
    shared = entropy_first + entropy_second - joint  # the cross entropies of the table and of its margins are both sums
    greater = np.maximum(entropy_first, entropy_second)
    return {
        0: p.max(axis=(1, 2)),
        1: mean_first,
        2: variance_first,
        3: joint,
        10: (p**2).sum(axis=(1, 2)),
        18: np.where(flat, 1.0, covariance / np.sqrt(np.where(flat, 1.0, variance_first * variance_second))),
        23: -shared / np.where(greater > 0, greater, np.inf),
        24: np.sqrt(np.maximum(1 - np.exp(-2 * shared), 0)),
    }


def _entropy(p: Floats) -> Floats:
    """Entropy in bits of each row of probabilities."""
    rows = p.reshape(len(p), -1)
    return np.asarray(0.0 - (rows * np.log2(np.where(rows > 0, rows, 1))).sum(axis=1))


def maximal_correlation(pairs: Tables, *, symmetrical: bool) -> float:
    """Root of the second greatest eigenvalue of Q(i, j) = sum over k of p(i, k) p(j, k) / (p_x(i) p_y(k)).

    Parameters
    ----------
    pairs : (levels, levels) array
        At least one pair, at least two levels.
    symmetrical : bool
        Whether the pairs count both ways.

    References
    ----------
    Haralick, Shanmugam, Dinstein (1973), Textural features for image classification, measure 14.

    Examples
    --------
    >>> round(maximal_correlation(np.array([[4, 0], [0, 4]]), symmetrical=True), 6)
    1.0
    """
    both = pairs + pairs.T if symmetrical else pairs
    p = both / both.sum()
    # Q has the eigenvalues of B B', where B(i, k) = p(i, k) / sqrt(p_x(i) p_y(k)).
    scaled = p / np.sqrt(np.outer(p.sum(axis=1), p.sum(axis=0)) + _EPSILON)
    return float(np.linalg.svd(scaled, compute_uv=False, hermitian=symmetrical)[1])
