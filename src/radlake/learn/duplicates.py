"""Images that are nearly the same, found by correlation of small copies: no fold may see what another one asks.

`radlake.quality` finds duplicates among the files of a lake; here are only arrays, before they are split.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radlake.learn.images import Images
from radlake.learn.problem import join

Floats = NDArray[np.float32]

SIDE = 28  # pixels of a small copy; a volume becomes 14 x 14 x 14
NEAR = 0.98  # correlation from which two copies are near-duplicates
_BLOCK = 2048
_ALL_PAIRS = 20_000  # above, only neighbours in some random orders are compared
_ORDERS, _REACH = 12, 40
_TOO_MANY = 0.1  # share of the images in one cluster from which likeness tells nothing


def small_copies(given: Images) -> Floats:
    """Copies of 28 x 28 pixels (volumes 14 x 14 x 14), centred and of length one, shape (N, D); constant ones are zero.

    Parameters
    ----------
    given : Images
        Channels are averaged.
    """
    from radlake.learn.deep.scale import resized

    size = (SIDE,) * 2 if given.spatial == "yx" else (SIDE // 2,) * 3
    copies = np.stack([resized(a.mean(axis=0, dtype=np.float32, keepdims=True), size).ravel() for a in given.arrays])
    copies -= copies.mean(axis=1, keepdims=True)
    length = np.linalg.norm(copies, axis=1, keepdims=True)
    found: Floats = np.divide(copies, length, out=np.zeros_like(copies), where=length > 0)
    return found


def near_pairs(copies: Floats, others: Floats | None = None, *, near: float = NEAR) -> NDArray[np.int64]:
    """Pairs of copies that correlate at least so much, shape (P, 2): places in the first and in the second set.

    Up to 20,000 copies all pairs are compared; of more, those that are neighbours in one of twelve random orders, which
    finds most but not all.

    Parameters
    ----------
    copies, others : (N, D), (M, D) float32 arrays
        From `small_copies`. Without `others` pairs within `copies`, each once.
    near : float

    Examples
    --------
    >>> copies = np.array([[1.0, 0.0], [0.6, 0.8], [0.999, 0.04]], dtype=np.float32)
    >>> near_pairs(copies).tolist()
    [[0, 2]]
    """
    if others is not None or len(copies) <= _ALL_PAIRS:
        return _compared(copies, copies if others is None else others, near, within=others is None)
    rng = np.random.default_rng(0)
    found = []
    for direction in rng.normal(size=(_ORDERS, copies.shape[1])).astype(np.float32):
        order = np.argsort(copies @ direction)
        for step in range(1, _REACH + 1):
            first, second = order[:-step], order[step:]
            like = np.einsum("nd,nd->n", copies[first], copies[second]) >= near
            found.append(np.sort(np.stack([first[like], second[like]], axis=1), axis=1))
    return np.unique(np.concatenate(found), axis=0)


def _compared(copies: Floats, others: Floats, near: float, *, within: bool) -> NDArray[np.int64]:
    """All pairs, block by block."""
    found = [np.empty((0, 2), np.int64)]
    for start in range(0, len(copies), _BLOCK):
        first, second = np.nonzero(copies[start : start + _BLOCK] @ others.T >= near)
        pairs = np.stack([first + start, second], axis=1)
        found.append(pairs[pairs[:, 0] < pairs[:, 1]] if within else pairs)
    return np.concatenate(found)


def near_duplicates(given: Images) -> tuple[NDArray[np.int64], bool]:
    """Cluster of each image, and whether likeness tells anything here.

    Where one cluster would hold a tenth of all images (all digits 1 look alike), being alike is no sign of being the
    same: then only images that are equal to the last pixel of their copies are joined.

    Parameters
    ----------
    given : Images
    """
    copies = small_copies(given)
    clusters = _joined(len(given), near_pairs(copies))
    if len(given) < 20 or np.bincount(clusters).max() <= _TOO_MANY * len(given):
        return clusters, True
    return _joined(len(given), near_pairs(copies, near=1 - 1e-6)), False


def _joined(number: int, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Clusters of cases that pairs connect."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(number, number))
    return join(number, connected_components(graph, directed=False)[1])
