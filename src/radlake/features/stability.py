"""How far features can be trusted: their values when a mask is drawn a little differently, and when a scan is repeated.

What is fitted here (stable features, clusters of redundant ones) must be fitted on training folds only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from radlake.core.image import Array, BoolArray, Image
from radlake.features.distance import signed_distance
from radlake.imaging.arguments import spacing_of

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Perturbation:
    """A small change of a mask.

    Parameters
    ----------
    grow_mm : float
        How far the border moves outward (negative: inward), millimetres.
    shift_mm : (z, y, x)
        How far the mask moves, millimetres.
    turn_degrees : float
        Turn about the last but two axis (z), through the mask's middle.
    """

    grow_mm: float = 0.0
    shift_mm: tuple[float, ...] = ()
    turn_degrees: float = 0.0


# One voxel or less of a usual CT in each direction: what two readers differ by.
USUAL = (
    Perturbation(grow_mm=1.0),
    Perturbation(grow_mm=-1.0),
    *(Perturbation(shift_mm=(0.0, *way)) for way in ((1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0))),
    Perturbation(turn_degrees=5.0),
    Perturbation(turn_degrees=-5.0),
)


def perturbed(mask: Image | Array, change: Perturbation, *, spacing: Sequence[float] | None = None) -> BoolArray:
    """A mask moved, turned and grown, on its own grid.

    Grown: voxels no farther than that from one inside; shrunk: those farther than that from any outside. A mask is
    moved and turned as its signed distance, interpolated linearly, so that parts of a voxel count too.

    Parameters
    ----------
    mask : Image, (z, y, x) or (y, x) array
        Non-zero is inside.
    change : Perturbation
    spacing : floats, optional
        For arrays: millimetres along each axis; voxels without.

    Raises
    ------
    ValueError
        When the shift has not one number per axis.

    References
    ----------
    Zwanenburg et al. (2019), Assessing robustness of radiomic features by image perturbation, Sci Rep 9:614.

    Examples
    --------
    >>> perturbed(np.array([[0, 0, 1, 1, 1, 0, 0]]), Perturbation(shift_mm=(0, 1))).astype(int).tolist()
    [[0, 0, 0, 1, 1, 1, 0]]
    """
    from scipy import ndimage

    inside = np.asarray((mask.array if isinstance(mask, Image) else np.asarray(mask)) != 0)
    steps = np.array(mask.geometry.spacing if isinstance(mask, Image) else spacing_of(inside.ndim, spacing))
    if change.shift_mm and len(change.shift_mm) != inside.ndim:
        raise ValueError(f"shift_mm needs {inside.ndim} numbers, got {len(change.shift_mm)}")
    if not inside.any():
        return inside
    distance = signed_distance(inside, steps)
    if change.shift_mm or change.turn_degrees:
        matrix, offset = _motion(inside, steps, change)
        distance = ndimage.affine_transform(distance, matrix, offset, order=1, mode="nearest")
    # A millionth of a millimetre: whole numbers of voxels must not fail by the last bit.
    return np.asarray(distance <= change.grow_mm + 1e-6 if change.grow_mm > 0 else distance < change.grow_mm - 1e-6)


def _motion(inside: BoolArray, steps: Floats, change: Perturbation) -> tuple[Floats, Floats]:
    """Matrix and offset from indices of the moved mask to those of the original."""
    axes = inside.ndim
    turn = np.eye(axes)
    angle = np.deg2rad(change.turn_degrees)
    turn[-2:, -2:] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    centre = np.array([np.mean(index) for index in np.nonzero(inside)]) * steps
    shift = np.array(change.shift_mm or (0.0,) * axes)
    matrix = turn / steps[:, None] * steps[None, :]
    # A hair to one side, so that of borders halfway between voxels one takes the voxel and the other leaves it.
    offset = (centre - turn @ (centre + shift)) / steps + 1e-4
    return matrix, offset


def perturbed_values(
    measure: Callable[[BoolArray], Mapping[str, float | None]],
    mask: Image | Array,
    *,
    changes: Sequence[Perturbation] = USUAL,
    spacing: Sequence[float] | None = None,
) -> dict[str, Floats]:
    """Values of each feature under the mask itself and under its changes; NaN where there is none.

    Parameters
    ----------
    measure : callable
        From a mask to values by name, such as ``lambda m: extract(image, m, as_dict=True)``.
    mask : Image or array
        Non-zero is inside.
    changes : sequence of Perturbation
        A change that leaves no voxel gives NaN.
    spacing : floats, optional
        For arrays: millimetres along each axis.

    References
    ----------
    Zwanenburg et al. (2019), Sci Rep 9:614.

    Examples
    --------
    >>> found = perturbed_values(lambda m: {"area": float(m.sum())}, np.pad(np.ones((3, 3)), 2), changes=USUAL[:1])
    >>> found["area"].tolist()
    [9.0, 21.0]
    """
    original = (mask.array if isinstance(mask, Image) else np.asarray(mask)) != 0
    measured = [measure(original)]
    for change in changes:
        moved = perturbed(mask, change, spacing=spacing)
        measured.append(measure(moved) if moved.any() else {})
    return {
        name: np.array([np.nan if (value := row.get(name)) is None else value for row in measured], np.float64)
        for name in measured[0]
    }


class Agreement(NamedTuple):
    """ICC(2,1) with its 95 % confidence interval."""

    icc: float
    low: float
    high: float


def icc(ratings: Floats, *, confidence: float = 0.95) -> Agreement:
    """Intraclass correlation ICC(2,1): absolute agreement of single measurements, both factors random.

    Parameters
    ----------
    ratings : (n, k) array
        n subjects, each measured k times (perturbations, readers, repeated scans); no NaN.
    confidence : float
        Of the interval, between 0 and 1.

    Returns
    -------
    Agreement
        Without unit; NaN where nothing varies at all.

    Raises
    ------
    ValueError
        With fewer than two subjects or measurements, or a value that is not finite.

    References
    ----------
    Shrout, Fleiss (1979), Intraclass correlations: uses in assessing rater reliability, Psychol Bull 86:420-428,
    ICC(2,1) and its interval; McGraw, Wong (1996), Psychol Methods 1:30-46, case 2 ICC(A,1).

    Examples
    --------
    >>> icc(np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])).icc
    1.0
    """
    from scipy import stats

    n, k = ratings.shape if ratings.ndim == 2 else (0, 0)
    if n < 2 or k < 2:
        raise ValueError(f"expected at least 2 subjects with 2 measurements each, got {ratings.shape}")
    if not np.isfinite(ratings).all():
        raise ValueError("a measurement is not finite: leave its subject out")
    rows, columns = ratings.mean(axis=1), ratings.mean(axis=0)
    residual = ratings - rows[:, None] - columns[None, :] + ratings.mean()
    bms = k * float(rows.var(ddof=1))
    jms = n * float(columns.var(ddof=1))
    ems = float((residual**2).sum()) / ((n - 1) * (k - 1))
    below = bms + (k - 1) * ems + k * (jms - ems) / n
    if below <= 0:
        return Agreement(float("nan"), float("nan"), float("nan"))
    found = (bms - ems) / below
    if ems == 0 and jms == 0:
        return Agreement(found, found, found)
    ratio = jms / ems if ems > 0 else np.inf
    if not np.isfinite(ratio):
        return Agreement(found, float("nan"), float("nan"))
    upper = (k - 1) * (n - 1) * (k * found * ratio + n * (1 + (k - 1) * found) - k * found) ** 2
    lower = (n - 1) * k**2 * found**2 * ratio**2 + (n * (1 + (k - 1) * found) - k * found) ** 2
    freedom = upper / lower
    tail = (1 + confidence) / 2
    high_f, low_f = float(stats.f.ppf(tail, n - 1, freedom)), float(stats.f.ppf(tail, freedom, n - 1))
    common = k * jms + (k * n - k - n) * ems
    low = n * (bms - high_f * ems) / (high_f * common + n * bms)
    high = n * (low_f * bms - ems) / (common + n * low_f * bms)
    return Agreement(found, float(low), float(high))


def reliable(values: Mapping[str, Floats], *, least: float = 0.75, by_lower_bound: bool = True) -> dict[str, Agreement]:
    """Features whose ICC(2,1), or the lower end of its interval, reaches a bound; in the order given.

    Parameters
    ----------
    values : mapping of name to (n, k) array
        n subjects, each measured k times; subjects with a missing value are left out of that feature.
    least : float
        0.75: "good" by Koo and Li.
    by_lower_bound : bool
        Whether the lower end of the interval must reach it, as they advise.

    References
    ----------
    Koo, Li (2016), A guideline of selecting and reporting intraclass correlation coefficients, J Chiropr Med 15:155.

    Examples
    --------
    >>> steady, loose = np.array([[1.0, 1.1], [5, 5.1], [9, 9]]), np.array([[1.0, 9], [2, 3], [3, 1]])
    >>> [*reliable({"steady": steady, "loose": loose})]
    ['steady']
    """
    found = {}
    for name, ratings in values.items():
        whole = ratings[np.isfinite(ratings).all(axis=1)]
        if len(whole) < 2:
            continue
        agreement = icc(whole)
        if (agreement.low if by_lower_bound else agreement.icc) >= least:
            found[name] = agreement
    return found


def redundant(table: Floats, names: Sequence[str], *, threshold: float = 0.9) -> list[list[str]]:
    """Clusters of features that say nearly the same, by the rank correlation of their values over subjects.

    Parameters
    ----------
    table : (n, features) array
        One row a subject; no NaN.
    names : sequence of str
        Of the columns.
    threshold : float
        Features are in one cluster when all pairs in it have an absolute Spearman correlation of at least this much.

    Returns
    -------
    list of lists of str
        Every feature once, clusters and their members in the order of the columns; the first stands for its cluster.

    Raises
    ------
    ValueError
        When names and columns differ in number, there are fewer than three subjects, or a value is not finite.

    References
    ----------
    Defays (1977), An efficient algorithm for a complete link method, Computer J 20:364-366; Spearman (1904), Am J
    Psychol 15:72-101.

    Examples
    --------
    >>> x = np.array([1.0, 2, 3, 4])
    >>> redundant(np.stack([x, x**3, np.array([2.0, 1, 4, 0])], axis=1), ["a", "b", "c"])
    [['a', 'b'], ['c']]
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform
    from scipy.stats import rankdata

    if table.ndim != 2 or table.shape[1] != len(names) or len(table) < 3:
        raise ValueError(f"expected at least 3 rows of {len(names)} features, got {table.shape}")
    if not np.isfinite(table).all():
        raise ValueError("a value is not finite: fill it, or leave its subject out")
    if len(names) < 2:
        return [[name] for name in names]
    ranks = rankdata(table, axis=0)
    ranks -= ranks.mean(axis=0)
    lengths = np.sqrt((ranks**2).sum(axis=0))
    ranks /= np.where(lengths > 0, lengths, 1)  # a constant is like nothing
    distance = np.clip(1 - np.abs(ranks.T @ ranks), 0, 1)
    np.fill_diagonal(distance, 0)
    distance = (distance + distance.T) / 2
    number = fcluster(linkage(squareform(distance, checks=False), "complete"), 1 - threshold + 1e-12, "distance")
    clusters: dict[int, list[str]] = {}
    for name, cluster in zip(names, number.tolist(), strict=True):
        clusters.setdefault(cluster, []).append(name)
    return [*clusters.values()]
