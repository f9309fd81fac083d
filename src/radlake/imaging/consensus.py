"""One mask from several of the same object: majority vote and STAPLE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError, Term
from radlake.core.image import Array, BoolArray, Image
from radlake.imaging.agreement import same_grid
from radlake.imaging.arguments import ImageOrArray

_MOST_RATERS = 63  # one bit each in an int64
_SETTLED = 1e-10  # change of a rate below which the estimate stands


@dataclass(frozen=True)
class Staple:
    """What STAPLE estimates.

    Parameters
    ----------
    probability : Image or array
        float32 probability that a sample is inside the object, on the grid of the masks; `probability >= 0.5` is the
        consensus.
    sensitivity, specificity : tuple of floats
        Of each mask, in the order given.
    iterations : int
        Steps that were taken.
    """

    probability: Image | Array
    sensitivity: tuple[float, ...]
    specificity: tuple[float, ...]
    iterations: int


def majority(masks: Sequence[ImageOrArray]) -> ImageOrArray:
    """Mask of the samples that more than half of the masks hold; bool.

    Parameters
    ----------
    masks : Images or arrays of one grid
        At least one; non-zero is inside. A tie is outside.

    Raises
    ------
    ValueError
        For no mask at all.
    ItemError
        `misaligned_mask` when the grids differ.

    References
    ----------
    Heckemann et al. (2006), Automatic anatomical brain MRI segmentation combining label propagation and decision
    fusion, NeuroImage 33:115-126.

    Examples
    --------
    >>> majority([np.array([[1, 1, 0]]), np.array([[1, 0, 0]]), np.array([[1, 1, 1]])]).tolist()
    [[True, True, False]]
    """
    arrays = _arrays(masks)
    votes = np.zeros(arrays[0].shape, np.int32)
    for array in arrays:
        votes += array
    return _like(masks[0], votes * 2 > len(arrays))


def staple(masks: Sequence[ImageOrArray], *, prior: float | None = None, iterations: int = 1000) -> Staple:
    """Consensus that weighs each mask by its estimated sensitivity and specificity.

    Expectation maximisation over the patterns of decisions: with R masks at most 2^R kinds of samples exist, so a
    step costs nothing like a pass over the image.

    Parameters
    ----------
    masks : Images or arrays of one grid
        1 to 63 masks; non-zero is inside.
    prior : float in (0, 1), optional
        Probability of a sample to be inside before looking; the mean share of the masks where absent.
    iterations : int
        At most so many steps; fewer when no rate changes by more than 1e-10.

    Raises
    ------
    ValueError
        For no or too many masks, no iteration, or a prior outside (0, 1).
    ItemError
        `misaligned_mask` when the grids differ; `empty_mask` when all masks are empty or all are full.

    References
    ----------
    Warfield, Zou, Wells (2004), Simultaneous truth and performance level estimation (STAPLE), IEEE TMI 23:903-921,
    equations 15, 18 and 19; start values 0.99999 as there.

    Examples
    --------
    >>> masks = [np.array([[1, 1, 0, 0, 0]]), np.array([[1, 1, 0, 0, 0]]), np.array([[0, 1, 1, 0, 0]])]
    >>> (staple(masks).probability >= 0.5).tolist()
    [[True, True, False, False, False]]
    """
    arrays = _arrays(masks)
    if len(arrays) > _MOST_RATERS:
        raise ValueError(f"expected at most {_MOST_RATERS} masks, got {len(arrays)}")
    if iterations < 1:
        raise ValueError(f"expected at least one iteration, got {iterations}")
    patterns, which, counts = _patterns(arrays)
    share = float(counts @ patterns.mean(axis=1) / counts.sum()) if counts.size else 0.0
    if share in (0.0, 1.0):
        raise ItemError("empty_mask")
    start = share if prior is None else prior
    if not 0 < start < 1:
        raise ValueError(f"prior must lie between 0 and 1, got {prior}")
    weights, sensitivity, specificity, steps = _maximise(patterns, counts, start, iterations)
    probability = weights.astype(np.float32)[which].reshape(arrays[0].shape)
    first = masks[0]
    return Staple(
        first.with_array(probability, kind="other", unit="a.u.") if isinstance(first, Image) else probability,
        tuple(sensitivity.tolist()),
        tuple(specificity.tolist()),
        steps,
    )


def likely(masks: Sequence[ImageOrArray]) -> ImageOrArray:
    """Mask of the samples that STAPLE holds to be inside with a probability of at least one half; bool.

    Parameters
    ----------
    masks
        As in `staple`.

    Raises
    ------
    ValueError, ItemError
        As in `staple`.

    References
    ----------
    As in `staple`.

    Examples
    --------
    >>> likely([np.array([[1, 1, 0, 0]]), np.array([[1, 1, 0, 0]]), np.array([[0, 1, 1, 0]])]).tolist()
    [[True, True, False, False]]
    """
    found = staple(masks).probability
    return _like(masks[0], np.asarray(found.array if isinstance(found, Image) else found) >= 0.5)


def _arrays(masks: Sequence[Image | Array]) -> list[BoolArray]:
    """All masks as bool arrays, checked to lie on one grid."""
    if not masks:
        raise ValueError("expected at least one mask")
    first = masks[0]
    for mask in masks[1:]:
        if isinstance(mask, Image) != isinstance(first, Image):
            raise ValueError("give Images only or arrays only")
        if isinstance(mask, Image) and isinstance(first, Image) and not same_grid(mask, first):
            raise ItemError("misaligned_mask", what=Term("the grids differ"))
        if not isinstance(mask, Image) and np.shape(mask) != np.shape(cast(Array, first)):
            raise ItemError("misaligned_mask", what=Term("the shapes differ"))
    return [np.asarray(m.array if isinstance(m, Image) else m) != 0 for m in masks]


def _patterns(arrays: list[BoolArray]) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Distinct decisions (pattern, mask) as 0 or 1, the pattern of every sample, and how often each occurs."""
    codes = np.zeros(arrays[0].size, np.int64)
    for bit, array in enumerate(arrays):
        codes |= array.reshape(-1).astype(np.int64) << bit
    found, which, counts = np.unique(codes, return_inverse=True, return_counts=True)
    decisions = (found[:, None] >> np.arange(len(arrays))) & 1
    return decisions.astype(np.float64), which, counts


def _maximise(
    patterns: NDArray[np.float64], counts: NDArray[np.int64], prior: float, iterations: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], int]:
    """Probability of each pattern, sensitivities, specificities and steps, by expectation maximisation."""
    p = q = np.full(patterns.shape[1], 0.99999)
    weights = _posterior(patterns, p, q, prior)
    steps, change = 0, np.inf
    while steps < iterations and change >= _SETTLED:
        inside, outside = counts * weights, counts * (1 - weights)
        # a rate over no sample at all keeps its value: the data say nothing about it
        new_p = inside @ patterns / inside.sum() if inside.sum() > 0 else p
        new_q = outside @ (1 - patterns) / outside.sum() if outside.sum() > 0 else q
        change = max(np.abs(new_p - p).max(), np.abs(new_q - q).max())
        p, q = new_p, new_q
        weights = _posterior(patterns, p, q, prior)
        steps += 1
    return weights, p, q, steps


def _posterior(
    patterns: NDArray[np.float64], p: NDArray[np.float64], q: NDArray[np.float64], prior: float
) -> NDArray[np.float64]:
    """Probability of being inside for each pattern of decisions (equation 15), through logarithms."""
    tiny = np.finfo(np.float64).tiny
    inside = patterns @ np.log(np.maximum(p, tiny)) + (1 - patterns) @ np.log(np.maximum(1 - p, tiny)) + np.log(prior)
    outside = (
        patterns @ np.log(np.maximum(1 - q, tiny)) + (1 - patterns) @ np.log(np.maximum(q, tiny)) + np.log1p(-prior)
    )
    return np.asarray(np.exp(inside - np.logaddexp(inside, outside)))


def _like(model: ImageOrArray, array: BoolArray) -> ImageOrArray:
    """A bool array as what the masks were."""
    if isinstance(model, Image):
        return cast(ImageOrArray, model.with_array(array, kind="label", unit="label"))
    return cast(ImageOrArray, array)
