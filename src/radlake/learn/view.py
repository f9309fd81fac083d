"""A cohort on a sheet of paper: its cases as points, by principal components, or by neighbourhoods (UMAP).

Principal components keep large distances and say what they are made of; UMAP keeps neighbours and says nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radlake.core.errors import UsageError
from radlake.learn.clustering import scaled
from radlake.learn.problem import Floats

Method = Literal["pca", "umap"]
_NEIGHBOURS = 15
_TOLD = 4  # features of each component


@dataclass(frozen=True, eq=False)
class View:
    """Cases as points.

    Parameters
    ----------
    points : (N, 2) array
    method : {"pca", "umap"}
    explained : tuple of two floats
        Share of the spread of all features along each axis; empty for UMAP.
    made_of : tuple of two tuples of (feature, weight)
        The features that weigh most in each axis; empty for UMAP.
    """

    points: Floats
    method: Method
    explained: tuple[float, ...] = ()
    made_of: tuple[tuple[tuple[str, float], ...], ...] = ()


def view(features: Floats, names: tuple[str, ...], *, method: Method = "pca", seed: int = 0) -> View:
    """The view of cases, each feature in standard units after a power transform; gaps become the median.

    Parameters
    ----------
    features : (N, D) array
        NaN where a value is missing; two features and three cases at least.
    names : tuple of D str
    method : {"pca", "umap"}
        UMAP needs the package `umap-learn`.
    seed : int
        Of UMAP.

    Raises
    ------
    UsageError
        When there are too few cases or features, or the package is absent.

    References
    ----------
    Jolliffe and Cadima (2016), Principal component analysis: a review and recent developments, Phil Trans R Soc A 374,
    20150202; McInnes, Healy and Melville (2018), UMAP, arXiv 1802.03426.

    Examples
    --------
    >>> t = np.linspace(-1, 1, 50)
    >>> found = view(np.stack([t, -t, 0.1 * np.sin(40 * t)], axis=1), ("a", "b", "c"))
    >>> round(found.explained[0], 2), sorted(name for name, _ in found.made_of[0])[:2]
    (0.67, ['a', 'b'])
    """
    kept = np.array([len(np.unique(c[~np.isnan(c)])) > 1 for c in features.T], dtype=np.bool_)
    if len(features) < 3 or kept.sum() < 2:
        raise UsageError(
            f"a view needs three cases and two features that differ between cases; got {len(features)} and"
            f" {int(kept.sum())}"
        )
    x, own = scaled(features[:, kept]), [str(n) for n, k in zip(names, kept, strict=True) if k]
    return _neighbours(x, seed) if method == "umap" else _components(x, own)


def _components(x: Floats, names: list[str]) -> View:
    """By scikit-learn's full decomposition; each axis is turned so that its heaviest feature weighs upward."""
    from sklearn.decomposition import PCA
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(1):  # sums in another order would give other last bits
        model = PCA(2, svd_solver="full").fit(x)
    axes = model.components_
    signs = np.sign(axes[np.arange(2), np.abs(axes).argmax(axis=1)])[:, None]
    axes = axes * signs
    made_of = tuple(
        tuple((names[i], float(axis[i])) for i in np.argsort(-np.abs(axis), kind="stable")[:_TOLD]) for axis in axes
    )
    return View((x - model.mean_) @ axes.T, "pca", tuple(model.explained_variance_ratio_.tolist()), made_of)


def _neighbours(x: Floats, seed: int) -> View:
    """By UMAP with its usual settings."""
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what it looks for at import
            from umap import UMAP
    except ImportError as error:
        raise UsageError("a view by neighbours needs an extra: pip install 'radlake[umap]'") from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a seed means one thread, which is wanted
        near = min(_NEIGHBOURS, len(x) - 1)
        points = UMAP(n_neighbors=near, random_state=seed, n_jobs=1).fit_transform(x)
    return View(np.asarray(points, dtype=np.float64), "umap")


def apart(points: Floats, labels: ArrayLike) -> float:
    """How far groups lie apart: share of the spread that lies between their means, corrected for chance; 0 to 1.

    Parameters
    ----------
    points : (N, 2) array
    labels : (N,) array
        Group of each point.

    References
    ----------
    Ezekiel (1930), Methods of correlation analysis, for the correction by degrees of freedom.

    Examples
    --------
    >>> apart(np.array([[0.0, 0], [0, 0], [5, 5], [5, 5]]), ["a", "a", "b", "b"])
    1.0
    """
    _, place = np.unique(np.asarray(labels), return_inverse=True)
    sizes = np.bincount(place)
    n, k = len(points), len(sizes)
    total = ((points - points.mean(axis=0)) ** 2).sum()
    if k < 2 or n <= k or total == 0:
        return 0.0
    means = np.stack([points[place == g].mean(axis=0) for g in range(k)])
    within = ((points - means[place]) ** 2).sum()
    return float(max(0.0, 1 - within / total * (n - 1) / (n - k)))


def thinned(count: int, most: int) -> NDArray[Any]:
    """Places of so many evenly chosen cases at most."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))
