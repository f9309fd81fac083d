"""Segmentation by random walks from marked places."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError, Term
from radlake.core.image import Array, Image
from radlake.imaging.arguments import ImageOrArray, Spacing
from radlake.imaging.segment.picture import finite_picture, like
from radlake.imaging.segment.regions import labels_of

_WALK_TOLERANCE = 1e-6  # of probabilities, relative to the right-hand side
_WALK_STEPS = 2000


def random_walker(
    image: ImageOrArray,
    *,
    markers: Image | Array,
    beta: float = 130.0,
    spacing: Sequence[float] | None = None,
) -> ImageOrArray:
    """Labels that a random walker from each sample most probably reaches first; int32.

    Steps between neighbours have the weight exp(-beta d^2) / s^2, where d is their difference in value over the
    standard deviation of the image times root 10 and s their distance in millimetres.

    Parameters
    ----------
    image : Image or (z, y, x) or (y, x) array
        Finite values; of colours the brightness is used, of a cine the middle time point.
    markers : Image or array
        Integer labels of the image's shape, 0 where nothing is known; at least two different ones.
    beta : float
        How much edges hold the walker back, from 0.
    spacing : floats, optional
        For arrays: millimetres between samples along each axis; 1 where absent.

    Raises
    ------
    ItemError
        `empty_mask` with fewer than two labels, `misaligned_mask` for another shape, `not_finite` for NaN.
    ValueError
        For a negative beta.

    References
    ----------
    Grady (2006), Random walks for image segmentation, IEEE PAMI 28:1768-1783, equations 1 and 10; scale of beta as in
    scikit-image.

    Examples
    --------
    >>> random_walker(np.array([[0, 0, 1, 9, 9]]), markers=np.array([[1, 0, 0, 0, 2]])).tolist()
    [[1, 1, 1, 2, 2]]
    """
    if not beta >= 0:
        raise ValueError(f"beta must be at least 0, got {beta}")
    plain, array, steps = finite_picture(image, spacing)
    marked = labels_of(markers, array.shape)
    names = np.unique(marked[marked > 0])
    if names.size < 2:
        raise ItemError("empty_mask", hint=Term("mark at least two regions"))
    laplacian = _laplacian(array.astype(np.float64), beta, steps)
    number = _most_probable(laplacian, marked.reshape(-1), names, planar=array.ndim == 2)
    return like(plain, names[number].reshape(array.shape))


def _laplacian(array: NDArray[np.float64], beta: float, spacing: Spacing) -> Any:
    """Weighted graph Laplacian of the grid (Grady, equation 3), sparse (n, n)."""
    from scipy import sparse

    index = np.arange(array.size).reshape(array.shape)
    scale = beta / (10 * (array.var() or 1.0))
    firsts, seconds, weights = [], [], []
    for axis, step in enumerate(spacing):
        firsts.append(np.delete(index, -1, axis).reshape(-1))
        seconds.append(np.delete(index, 0, axis).reshape(-1))
        # 1e-10: a wall is never quite closed, so that the system stays regular
        weights.append((np.exp(-scale * np.diff(array, axis=axis) ** 2) + 1e-10).reshape(-1) / step**2)
    first, second, weight = (np.concatenate(parts) for parts in (firsts, seconds, weights))
    size = (array.size, array.size)
    one_way = sparse.coo_array((weight, (first, second)), shape=size)
    adjacency = (one_way + one_way.T).tocsr()
    return sparse.diags_array(adjacency.sum(axis=1)) - adjacency


def _most_probable(
    laplacian: Any, marked: NDArray[np.int32], names: NDArray[np.int32], *, planar: bool
) -> NDArray[np.int64]:
    """Number of the label that each sample reaches most probably (equation 10)."""
    known, free = np.flatnonzero(marked > 0), np.flatnonzero(marked == 0)
    result = np.searchsorted(names, marked)
    if not free.size:
        return result
    rows = laplacian[free].tocsc()
    boundary, solve = rows[:, known].tocsr(), _solver(rows[:, free].tocsc(), planar=planar)
    best = np.full(free.size, -1.0)
    for number, name in enumerate(names):
        probability = solve(-(boundary @ (marked[known] == name).astype(np.float64)))
        better = probability > best
        result[free[better]], best[better] = number, probability[better]
    return result


def _solver(system: Any, *, planar: bool) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Solves a sparse positive definite system: elimination in a plane, where it is cheap, else conjugate gradients."""
    from scipy.sparse import diags_array
    from scipy.sparse.linalg import cg, splu, spsolve

    if planar:
        factors = splu(system, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
        return lambda right: np.asarray(factors.solve(right))
    jacobi = diags_array(1 / system.diagonal())

    def solved(right: NDArray[np.float64]) -> NDArray[np.float64]:
        solution, unsettled = cg(system, right, rtol=_WALK_TOLERANCE, maxiter=_WALK_STEPS, M=jacobi)
        return np.asarray(spsolve(system, right) if unsettled else solution)

    return solved
