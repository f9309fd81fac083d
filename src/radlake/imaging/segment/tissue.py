"""Tissue classes by intensity: k-means, exact in one channel, and a mixture of Gaussians."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radlake.core.image import Array, BoolArray, Image
from radlake.imaging.arguments import ImageOrArray
from radlake.imaging.histogram import histogram
from radlake.imaging.segment.multilevel import multi_otsu_thresholds
from radlake.imaging.segment.picture import as_bool, like, picture

_STEPS = 500
_SETTLED = 1e-7  # change of the log-likelihood per sample below which the mixture stands
_NARROWEST = 1e-3  # least deviation of a class, as a share of that of all samples


@dataclass(frozen=True)
class Mixture:
    """A mixture of Gaussians, classes in ascending order of their means.

    Parameters
    ----------
    weights : tuple of floats
        Share of each class, with sum 1.
    means, deviations : tuple of floats
        In the unit of the image.
    """

    weights: tuple[float, ...]
    means: tuple[float, ...]
    deviations: tuple[float, ...]


def k_means(
    image: ImageOrArray,
    *,
    classes: int = 3,
    mask: Image | Array | None = None,
    spacing: Sequence[float] | None = None,
) -> ImageOrArray:
    """Labels of the intensity classes with the least squares inside: 1 the darkest to `classes` the brightest; uint8.

    In one channel k-means has the same optimum as multi-Otsu, so it is found exactly (for values other than integers of
    16 bits on 65536 levels) and needs no random start.

    Parameters
    ----------
    image : Image or (z, y, x) or (y, x) array
        Of colours the brightness is used, of a cine the middle time point. NaN and padding get label 0.
    classes : int
        2 to 255.
    mask : Image or array, optional
        What is looked at, the rest gets label 0; everything where absent.
    spacing : floats, optional
        Of an array; takes no part in the result.

    Raises
    ------
    ItemError
        `empty_mask` when there are fewer different values than classes; `misaligned_mask` for a mask of another shape.
    ValueError
        For a number of classes out of range.

    References
    ----------
    MacQueen (1967), Some methods for classification and analysis of multivariate observations, Proc 5th Berkeley Symp
    1:281-297; solved as in `multi_otsu_thresholds`.

    Examples
    --------
    >>> k_means(np.array([[1, 2, 50], [51, 90, 92]])).tolist()
    [[1, 1, 2], [2, 3, 3]]
    """
    plain, array, inside = _looked_at(image, mask, spacing)
    thresholds = multi_otsu_thresholds(array[inside], classes=classes)
    labels = np.ones(array.shape, np.uint8)
    for threshold in thresholds:
        labels += array > threshold
    labels[~inside] = 0
    return like(plain, labels)


def gaussian_mixture(
    image: ImageOrArray,
    *,
    classes: int = 3,
    mask: Image | Array | None = None,
    spacing: Sequence[float] | None = None,
) -> ImageOrArray:
    """Labels of the most probable class of a Gaussian mixture: 1 the darkest to `classes` the brightest; uint8.

    Parameters
    ----------
    image, classes, mask, spacing
        As in `k_means`.

    Raises
    ------
    ItemError
        `empty_mask` when there are fewer different values than classes; `misaligned_mask` for a mask of another shape.
    ValueError
        For a number of classes out of range.

    References
    ----------
    Wells et al. (1996), Adaptive segmentation of MRI data, IEEE TMI 15:429-442 (tissues as Gaussians); fitted by
    `fit_mixture`.

    Examples
    --------
    >>> gaussian_mixture(np.array([[1, 2, 50], [51, 90, 92]])).tolist()
    [[1, 1, 2], [2, 3, 3]]
    """
    plain, array, inside = _looked_at(image, mask, spacing)
    mixture = fit_mixture(array[inside], classes=classes)
    values, which = np.unique(array[inside], return_inverse=True)
    labels = np.zeros(array.shape, np.uint8)
    labels[inside] = (np.argmax(_log_parts(values.astype(np.float64), *_parameters(mixture)), axis=0) + 1)[which]
    return like(plain, labels)


def fit_mixture(values: Array, *, classes: int = 3) -> Mixture:
    """Mixture of Gaussians that makes the values most likely, by expectation maximisation on their histogram.

    Starts at the exact k-means classes, so that the result depends on nothing but the values. No class becomes
    narrower than a thousandth of the deviation of all.

    Parameters
    ----------
    values : array of any shape
        Real values; NaN and infinities are left out.
    classes : int
        2 to 255.

    Raises
    ------
    ItemError
        `empty_mask` when there are fewer different values than classes.
    ValueError
        For a number of classes out of range.

    References
    ----------
    Dempster, Laird, Rubin (1977), Maximum likelihood from incomplete data via the EM algorithm, J R Stat Soc B 39:1-38.

    Examples
    --------
    >>> mixture = fit_mixture(np.array([1.0, 2.0, 3.0, 101.0, 102.0, 103.0]), classes=2)
    >>> (round(mixture.means[0], 2), round(mixture.means[1], 2), round(mixture.weights[0], 2))
    (2.0, 102.0, 0.5)
    """
    thresholds = multi_otsu_thresholds(values, classes=classes)
    found = histogram(np.asarray(values))
    levels, share = found.uppers, found.counts / found.counts.sum()
    narrowest = _NARROWEST * float(np.sqrt(share @ (levels - share @ levels) ** 2))
    first = np.searchsorted(thresholds, levels)
    weights, means, deviations = _moments(
        (first == np.arange(classes)[:, None]).astype(float), levels, share, narrowest
    )
    likelihood = -np.inf
    for _ in range(_STEPS):
        parts = _log_parts(levels, weights, means, deviations)
        total = np.logaddexp.reduce(parts, axis=0)
        weights, means, deviations = _moments(np.exp(parts - total), levels, share, narrowest)
        before, likelihood = likelihood, float(share @ total)
        if likelihood - before < _SETTLED:
            break
    order = np.argsort(means, kind="stable")
    weights, means, deviations = weights[order], means[order], deviations[order]
    return Mixture(tuple(weights.tolist()), tuple(means.tolist()), tuple(deviations.tolist()))


Floats = NDArray[np.float64]


def _moments(belongs: Floats, levels: Floats, share: Floats, narrowest: float) -> tuple[Floats, Floats, Floats]:
    """Weights, means and deviations of classes to which levels belong by shares, belongs of shape (classes, levels)."""
    weighted = belongs * share
    weights = weighted.sum(axis=1)
    safe = np.maximum(weights, np.finfo(np.float64).tiny)
    means = weighted @ levels / safe
    variances = (weighted * (levels - means[:, None]) ** 2).sum(axis=1) / safe
    return weights, means, np.maximum(np.sqrt(variances), narrowest)


def _log_parts(values: Floats, weights: Floats, means: Floats, deviations: Floats) -> Floats:
    """Logarithm of weight times density of each class, shape (classes, values)."""
    log_weights = np.log(np.maximum(weights, np.finfo(np.float64).tiny))
    scaled = (values - means[:, None]) / deviations[:, None]
    return np.asarray(log_weights[:, None] - 0.5 * scaled**2 - np.log(deviations)[:, None] - 0.5 * np.log(2 * np.pi))


def _parameters(mixture: Mixture) -> tuple[Floats, Floats, Floats]:
    """Weights, means and deviations as arrays."""
    return np.array(mixture.weights), np.array(mixture.means), np.array(mixture.deviations)


def _looked_at(
    image: ImageOrArray, mask: Image | Array | None, spacing: Sequence[float] | None
) -> tuple[ImageOrArray, Array, BoolArray]:
    """The scalar picture, its array, and the samples that count: inside the mask, finite, not padding."""
    plain, array, _ = picture(image, spacing)
    counted = as_bool(mask, array.shape)
    if np.issubdtype(array.dtype, np.floating):
        counted &= np.isfinite(array)
    if isinstance(plain, Image) and plain.padding is not None:
        counted &= array != plain.padding
    return plain, array, counted
