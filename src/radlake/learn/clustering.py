"""Groups in a cohort that nobody labelled: how many, whether they come back on other cases, and whether they are real.

Three methods on features without skewness; for each number of clusters the silhouette, and the stability under the
bootstrap. scikit-learn is imported when clustering.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radlake.core.errors import UsageError
from radlake.learn.problem import Floats, Ints, problem

_STABLE = 0.75  # Hennig (2007): below, a cluster should not be interpreted
_SILHOUETTE_CASES = 2000  # distances of more are not worth their memory

Cluster = Callable[[Floats, int, int], Callable[[Floats], Ints]]


@dataclass(frozen=True)
class Method:
    """A way to find clusters.

    Parameters
    ----------
    title : str
    fit : callable
        (scaled cases, k, seed) -> function that gives the cluster of any scaled case.
    formula, assumes : str
        For people.
    """

    title: str
    fit: Cluster
    formula: str
    assumes: str


@dataclass(frozen=True)
class Grouping:
    """One method with one number of clusters.

    Parameters
    ----------
    method : str
    k : int
    silhouette : float
        -1 to 1: how much nearer a case is to its own cluster than to the next.
    stability : float
        Mean adjusted Rand index of the clusters with those found in bootstrap samples; 1 is the same again.
    smallest : int
        Cases of the smallest cluster.
    """

    method: str
    k: int
    silhouette: float
    stability: float
    smallest: int


@dataclass(frozen=True, eq=False)
class Clustering:
    """What was found.

    Parameters
    ----------
    labels : (N,) int array
        Cluster of each case, 0 being the largest; all 0 when none are shown.
    k : int
        Number of clusters; 1 when none are shown.
    method : str
        Empty when none are shown.
    p : float
        Share of samples without clusters, of the same covariance, whose silhouette is as large.
    reason : str
        In plain words.
    table : tuple of Grouping
        Everything that was tried.
    """

    labels: Ints
    k: int
    method: str
    p: float
    reason: str
    table: tuple[Grouping, ...]


def _k_means(x: Floats, k: int, seed: int) -> Callable[[Floats], Ints]:
    """Lloyd's algorithm from ten starts by k-means++."""
    from sklearn.cluster import KMeans

    model = KMeans(k, n_init=10, random_state=seed).fit(x)
    return lambda cases: np.asarray(model.predict(cases), dtype=np.int64)


def _mixture(x: Floats, k: int, seed: int) -> Callable[[Floats], Ints]:
    """Expectation maximisation from k-means; covariances kept from collapsing."""
    from sklearn.mixture import GaussianMixture

    kind = "full" if len(x) > 10 * k * x.shape[1] ** 2 else "diag"
    model = GaussianMixture(k, covariance_type=kind, reg_covar=1e-3, max_iter=500, random_state=seed).fit(x)
    return lambda cases: np.asarray(model.predict(cases), dtype=np.int64)


def _hierarchical(x: Floats, k: int, seed: int) -> Callable[[Floats], Ints]:
    """Ward's method; other cases go to the cluster with the nearest centre."""
    from scipy.spatial.distance import cdist
    from sklearn.cluster import AgglomerativeClustering

    own = AgglomerativeClustering(k, linkage="ward").fit_predict(x)
    centres = np.stack([x[own == c].mean(axis=0) for c in range(k)])

    def assign(cases: Floats) -> Ints:
        if cases is x:
            return np.asarray(own, dtype=np.int64)
        return np.asarray(cdist(cases, centres).argmin(axis=1), dtype=np.int64)

    return assign


METHODS: dict[str, Method] = {
    "k-means": Method(
        "k-means", _k_means, "minimises the sum of |x_i - centre of its cluster|^2 (Lloyd 1982)",
        "round clusters of like size",
    ),
    "mixture": Method(
        "Gaussian mixture", _mixture, "maximises sum log sum_c w_c N(x_i; m_c, S_c) (Dempster et al. 1977)",
        "each cluster is a normal distribution of its own shape",
    ),
    "hierarchical": Method(
        "hierarchical (Ward)", _hierarchical, "joins the two clusters whose union adds least to the sum of squares"
        " (Ward 1963)",
        "clusters inside clusters; memory grows with the square of the cases",
    ),
}  # fmt: skip


def adjusted_rand(a: ArrayLike, b: ArrayLike) -> float:
    """Agreement of two partitions, corrected for chance: 1 when equal, 0 on average for independent ones.

    Parameters
    ----------
    a, b : (N,) arrays
        Cluster of each case.

    References
    ----------
    Hubert and Arabie (1985), Comparing partitions, Journal of Classification 2, 193-218, equation 5.

    Examples
    --------
    >>> round(adjusted_rand([0, 0, 1, 1], [1, 1, 0, 2]), 4)
    0.5714
    """
    _, first = np.unique(a, return_inverse=True)
    _, second = np.unique(b, return_inverse=True)
    counts = np.zeros((first.max() + 1, second.max() + 1))
    np.add.at(counts, (first, second), 1)
    pairs = float(_pairs(counts).sum())
    rows, columns = float(_pairs(counts.sum(axis=1)).sum()), float(_pairs(counts.sum(axis=0)).sum())
    expected = rows * columns / max(float(_pairs(counts.sum())), 1.0)
    most = (rows + columns) / 2
    return 1.0 if most == expected else (pairs - expected) / (most - expected)


def _pairs(n: Any) -> NDArray[np.float64]:
    """Number of pairs among n."""
    return np.asarray(n * (n - 1) / 2)


def cluster(
    features: Any,
    *,
    ks: Sequence[int] = (2, 3, 4, 5, 6),
    methods: Sequence[str] = tuple(METHODS),
    resamples: int = 20,
    seed: int = 0,
) -> Clustering:
    """Find clusters, if there are any, by the method and number that separate best and come back.

    Gaps become the median, and a power transform takes the skewness from each feature. Of all groupings with a
    stability of .75 or more, that with the largest silhouette is taken, unless one sample in twenty without clusters
    (normal, of the same covariance) separates as well: then the answer is that none are shown.

    Parameters
    ----------
    features : (N, D) array or data frame
        Numbers; missing values as NaN. At least ten cases for each cluster of the largest number asked for.
    ks : sequence of int
        Numbers of clusters to try.
    methods : sequence of str
        From `METHODS`.
    resamples : int
        Bootstrap samples for the stability; as many samples without clusters.
    seed : int
        Of everything that draws at random.

    Raises
    ------
    UsageError
        When there are too few cases, a method does not exist, or the features cannot be used.

    References
    ----------
    Rousseeuw (1987), Silhouettes, J Comput Appl Math 20, 53-65; Hennig (2007), Cluster-wise assessment of cluster
    stability, Comput Stat Data Anal 52, 258-271; Liu et al. (2008), Statistical significance of clustering, JASA 103,
    1281-1293, for the samples without clusters.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = np.concatenate([rng.normal(size=(60, 2)), rng.normal(size=(40, 2)) + 6])
    >>> found = cluster(x, ks=(2, 3), methods=["k-means"], resamples=19)
    >>> found.k, np.bincount(found.labels).tolist()
    (2, [60, 40])
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    values = problem(features, np.arange(len(np.asarray(features))), task="regression").features
    for name in methods:
        if name not in METHODS:
            raise UsageError(f"no method {name!r}; there are {', '.join(METHODS)}")
    if min(ks) < 2 or len(values) < 10 * max(ks):
        raise UsageError(
            f"{len(values)} cases are too few for {max(ks)} clusters: ten for each, and two clusters at least"
        )
    with threadpool_limits(1):  # sums in another order would give other last bits
        return _cluster(scaled(values), tuple(ks), tuple(methods), resamples, seed)


def scaled(values: Floats) -> Floats:
    """Standard units after a power transform, so that skewness is not taken for clusters; gaps become the median.

    References
    ----------
    Yeo and Johnson (2000), A new family of power transformations, Biometrika 87, 954-959.
    """
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PowerTransformer

    gaps = SimpleImputer(strategy="median", keep_empty_features=True)
    found: Floats = make_pipeline(gaps, PowerTransformer()).fit_transform(values)
    return found


def _cluster(x: Floats, ks: tuple[int, ...], methods: tuple[str, ...], resamples: int, seed: int) -> Clustering:
    """All groupings, and the choice."""
    tried = [(_grouping(x, m, k, resamples, seed)) for m in methods for k in ks]
    rows = tuple(row for row, _ in tried)
    stable = [i for i, row in enumerate(rows) if row.stability >= _STABLE]
    nothing = np.zeros(len(x), dtype=np.int64)
    if not stable:
        return Clustering(nothing, 1, "", 1.0, "No number of clusters comes back on other samples of the cases.", rows)
    i = max(stable, key=lambda j: (round(rows[j].silhouette, 10), -rows[j].k, -j))
    row, labels = tried[i]
    null = _without_clusters(x, row, resamples, seed)
    p = (1 + int((null >= row.silhouette).sum())) / (1 + len(null))
    if p > 0.05:
        text = (
            f"{row.k} clusters come back (stability {row.stability:.2f}), but samples without any clusters separate as"
            f" well (p = {p:.3f}): the cases form one cloud, which can be cut but is not made of parts."
        )
        return Clustering(nothing, 1, "", p, text, rows)
    text = (
        f"{row.k} clusters by {METHODS[row.method].title}: silhouette {row.silhouette:.2f}, the largest of the stable"
        f" ones (p = {p:.3f} against one cloud), stability {row.stability:.2f} over {resamples} bootstrap samples."
    )
    return Clustering(labels, row.k, row.method, p, text, rows)


def _grouping(x: Floats, method: str, k: int, resamples: int, seed: int) -> tuple[Grouping, Ints]:
    """Silhouette and stability of one grouping, and its labels by size."""
    fit = METHODS[method].fit
    found = fit(x, k, seed)(x)
    order = np.argsort(-np.bincount(found, minlength=k), kind="stable")
    labels = np.argsort(order)[found]
    rng = np.random.default_rng([seed, k])
    drawn = [x[rng.integers(0, len(x), len(x))] for _ in range(resamples)]
    agreement = [adjusted_rand(labels, fit(sample, k, seed)(x)) for sample in drawn]
    smallest = int(np.bincount(labels, minlength=k).min())
    return Grouping(method, k, _silhouette(x, labels), float(np.mean(agreement)), smallest), labels


def _silhouette(x: Floats, labels: Ints) -> float:
    """Mean silhouette, of 2,000 evenly chosen cases where there are more; -1 for a single cluster."""
    from sklearn.metrics import silhouette_score

    rows = np.unique(np.linspace(0, len(x) - 1, min(len(x), _SILHOUETTE_CASES)).astype(np.int64))
    if len(np.unique(labels[rows])) < 2:
        return -1.0
    return float(silhouette_score(x[rows], labels[rows]))


def _without_clusters(x: Floats, row: Grouping, resamples: int, seed: int) -> Floats:
    """Silhouettes of the same method on normal samples with the covariance of the cases."""
    rng = np.random.default_rng([seed, 1])
    values, axes = np.linalg.eigh(np.cov(x, rowvar=False).reshape(x.shape[1], -1))
    shape = axes * np.sqrt(np.clip(values, 0, None))
    drawn = [rng.normal(size=x.shape) @ shape.T for _ in range(resamples)]
    return np.array([_silhouette(s, METHODS[row.method].fit(s, row.k, seed)(s)) for s in drawn])
