"""How well two outlines of one object agree, in millimetres; consensus of several is in `consensus`.

Overlap (Dice, Jaccard) counts samples. Distances run between surfaces: the samples of a mask that have a face
neighbour outside it (the outside of the array counts as outside), at their centres.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError, Term
from radlake.core.image import Array, BoolArray, Image
from radlake.imaging.arguments import Spacing, spacing_of

_PERCENTILE = 95.0
_TOLERANCE_MM = 1e-3  # files store positions as decimal text or float32


@dataclass(frozen=True)
class Agreement:
    """All measures of one mask against a reference.

    Parameters
    ----------
    dice, jaccard : float
        Overlap from 0 to 1.
    hausdorff_mm, hausdorff95_mm, mean_surface_distance_mm : float or None
        Distances between the surfaces; None where one mask is empty.
    volume_difference_mm3 : float
        Volume of the mask less that of the reference (area in square millimetres for two axes).
    """

    dice: float
    jaccard: float
    hausdorff_mm: float | None
    hausdorff95_mm: float | None
    mean_surface_distance_mm: float | None
    volume_difference_mm3: float


def agreement(mask: Image | Array, reference: Image | Array, *, spacing: Sequence[float] | None = None) -> Agreement:
    """Every measure at once; the distances are computed a single time.

    Parameters
    ----------
    mask, reference : Image or (z, y, x) or (y, x) array
        Bool, or anything where non-zero is inside; on one grid.
    spacing : floats, optional
        For arrays: millimetres between samples along each axis; 1 where absent.

    Raises
    ------
    ItemError
        `empty_mask` when both are empty; `misaligned_mask` when their grids differ.

    References
    ----------
    Maier-Hein et al. (2024), Metrics reloaded, Nature Methods 21:195-212; Taha and Hanbury (2015),
    Metrics for evaluating 3D medical image segmentation, BMC Medical Imaging 15:29.

    Examples
    --------
    >>> a, b = np.zeros((4, 8), bool), np.zeros((4, 8), bool)
    >>> a[:, :4] = b[:, 2:6] = True
    >>> result = agreement(a, b, spacing=(1.0, 0.5))
    >>> (result.dice, result.hausdorff_mm, result.volume_difference_mm3)
    (0.5, 1.0, 0.0)
    """
    ours, theirs, steps = _pair(mask, reference, spacing)
    one, other, both = _counts(ours, theirs)
    distances = _surface_distances(ours, theirs, steps) if one and other else None
    return Agreement(
        dice=2 * both / (one + other),
        jaccard=both / (one + other - both),
        hausdorff_mm=_greatest(distances) if distances else None,
        hausdorff95_mm=_percentile(distances) if distances else None,
        mean_surface_distance_mm=_mean(distances) if distances else None,
        volume_difference_mm3=(one - other) * float(np.prod(steps)),
    )


def dice(mask: Image | Array, reference: Image | Array) -> float:
    """Dice coefficient: twice the common part over the sum of both, 0 to 1.

    Parameters
    ----------
    mask, reference
        As in `agreement`.

    Raises
    ------
    ItemError
        `empty_mask` when both are empty; `misaligned_mask` when their grids differ.

    References
    ----------
    Dice (1945), Measures of the amount of ecologic association between species, Ecology 26:297-302.

    Examples
    --------
    >>> dice(np.array([[1, 1, 0]]), np.array([[0, 1, 1]]))
    0.5
    """
    ours, theirs, _ = _pair(mask, reference, None)
    one, other, both = _counts(ours, theirs)
    return 2 * both / (one + other)


def jaccard(mask: Image | Array, reference: Image | Array) -> float:
    """Jaccard index: the common part over the union, 0 to 1.

    Parameters
    ----------
    mask, reference
        As in `agreement`.

    Raises
    ------
    ItemError
        `empty_mask` when both are empty; `misaligned_mask` when their grids differ.

    References
    ----------
    Jaccard (1912), The distribution of the flora in the alpine zone, New Phytologist 11:37-50.

    Examples
    --------
    >>> round(jaccard(np.array([[1, 1, 0]]), np.array([[0, 1, 1]])), 3)
    0.333
    """
    ours, theirs, _ = _pair(mask, reference, None)
    one, other, both = _counts(ours, theirs)
    return both / (one + other - both)


def hausdorff(mask: Image | Array, reference: Image | Array, *, spacing: Sequence[float] | None = None) -> float:
    """Hausdorff distance: the farthest that a point of one surface lies from the other surface, mm.

    Parameters
    ----------
    mask, reference, spacing
        As in `agreement`.

    Raises
    ------
    ItemError
        `empty_mask` when one is empty; `misaligned_mask` when their grids differ.

    References
    ----------
    Huttenlocher, Klanderman, Rucklidge (1993), Comparing images using the Hausdorff distance, IEEE PAMI 15:850-863,
    equation 1.

    Examples
    --------
    >>> hausdorff(np.array([[1, 1, 0, 0]]), np.array([[1, 1, 1, 1]]), spacing=(1.0, 0.5))
    1.0
    """
    return _greatest(_surface_distances(*_pair(mask, reference, spacing)))


def hausdorff95(mask: Image | Array, reference: Image | Array, *, spacing: Sequence[float] | None = None) -> float:
    """95th percentile of the distances from each surface to the other, the greater of the two, mm.

    Parameters
    ----------
    mask, reference, spacing
        As in `agreement`.

    Raises
    ------
    ItemError
        `empty_mask` when one is empty; `misaligned_mask` when their grids differ.

    References
    ----------
    Maier-Hein et al. (2024), Metrics reloaded, Nature Methods 21:195-212. Some packages take the
    percentile of both sets of distances together; the value is then lower.

    Examples
    --------
    >>> round(hausdorff95(np.array([[1, 1, 0, 0]]), np.array([[1, 1, 1, 1]])), 2)
    1.85
    """
    return _percentile(_surface_distances(*_pair(mask, reference, spacing)))


def mean_surface_distance(
    mask: Image | Array, reference: Image | Array, *, spacing: Sequence[float] | None = None
) -> float:
    """Mean distance from the points of both surfaces to the other surface, mm.

    Parameters
    ----------
    mask, reference, spacing
        As in `agreement`.

    Raises
    ------
    ItemError
        `empty_mask` when one is empty; `misaligned_mask` when their grids differ.

    References
    ----------
    Heimann et al. (2009), Comparison and evaluation of methods for liver segmentation from CT datasets, IEEE TMI
    28:1251-1265 (average symmetric surface distance).

    Examples
    --------
    >>> mean_surface_distance(np.array([[1, 1, 0, 0]]), np.array([[1, 1, 1, 1]]))
    0.5
    """
    return _mean(_surface_distances(*_pair(mask, reference, spacing)))


def volume_difference(
    mask: Image | Array, reference: Image | Array, *, spacing: Sequence[float] | None = None
) -> float:
    """Volume of the mask less that of the reference, cubic millimetres (square for two axes).

    Parameters
    ----------
    mask, reference, spacing
        As in `agreement`.

    Raises
    ------
    ItemError
        `misaligned_mask` when their grids differ.

    References
    ----------
    Taha and Hanbury (2015), Metrics for evaluating 3D medical image segmentation, BMC Medical Imaging 15:29; signed
    and in absolute units here.

    Examples
    --------
    >>> volume_difference(np.array([[1, 1, 0]]), np.array([[1, 0, 0]]), spacing=(2.0, 0.5))
    1.0
    """
    ours, theirs, steps = _pair(mask, reference, spacing)
    return float(np.count_nonzero(ours) - np.count_nonzero(theirs)) * float(np.prod(steps))


def same_grid(first: Image, second: Image) -> bool:
    """Whether the samples of two images lie at the same places, to a thousandth of a millimetre at every corner.

    Examples
    --------
    >>> from radlake.core.image import Geometry
    >>> a = Image(np.zeros((2, 2)), Geometry((1.0, 1.0)))
    >>> same_grid(a, Image(np.zeros((2, 2)), Geometry((1.0, 2.0))))
    False
    """
    if first.array.shape != second.array.shape or first.geometry.ndim != second.geometry.ndim:
        return False
    shift = first.geometry.affine - second.geometry.affine
    reach = np.abs(shift[:3, :-1]) @ np.array(first.array.shape) + np.abs(shift[:3, -1])
    return bool(np.all(reach < _TOLERANCE_MM))


def _pair(
    mask: Image | Array, reference: Image | Array, spacing: Sequence[float] | None
) -> tuple[BoolArray, BoolArray, Spacing]:
    """Both as bool arrays of one shape, with their spacing."""
    if isinstance(mask, Image) != isinstance(reference, Image):
        raise ValueError("give two Images or two arrays")
    if isinstance(mask, Image) and isinstance(reference, Image):
        if spacing is not None:
            raise ValueError("an Image brings its own spacing; give it with arrays only")
        if mask.time_axis is not None or mask.channel_axis is not None:
            raise ValueError("a mask has spatial axes only")
        if not same_grid(mask, reference):
            raise ItemError("misaligned_mask", what=Term("the grids differ"))
        return mask.array != 0, reference.array != 0, mask.geometry.spacing
    ours, theirs = np.asarray(mask) != 0, np.asarray(reference) != 0
    if ours.shape != theirs.shape:
        raise ItemError("misaligned_mask", what=Term("the shapes differ"))
    return ours, theirs, spacing_of(ours.ndim, spacing)


def _counts(mask: BoolArray, reference: BoolArray) -> tuple[int, int, int]:
    """Samples in the mask, in the reference and in both; refuses two empty masks, whose overlap is not defined."""
    one, other = int(np.count_nonzero(mask)), int(np.count_nonzero(reference))
    if one + other == 0:
        raise ItemError("empty_mask")
    return one, other, int(np.count_nonzero(mask & reference))


Distances = tuple[NDArray[np.float64], NDArray[np.float64]]


def _surface_distances(mask: BoolArray, reference: BoolArray, spacing: Spacing) -> Distances:
    """For every surface sample of each mask the distance to the nearest one of the other, mm."""
    from scipy.spatial import KDTree

    points, others = _surface(mask, spacing), _surface(reference, spacing)
    if not len(points) or not len(others):
        raise ItemError("empty_mask")
    return KDTree(others).query(points)[0], KDTree(points).query(others)[0]


def _surface(mask: BoolArray, spacing: Spacing) -> NDArray[np.float64]:
    """Millimetre coordinates of the samples with a face neighbour outside, shape (n, axes)."""
    padded = np.pad(mask, 1)
    inner = mask.copy()
    middle = [slice(1, -1)] * mask.ndim
    for axis in range(mask.ndim):
        for side in (slice(0, -2), slice(2, None)):
            inner &= padded[tuple(side if a == axis else middle[a] for a in range(mask.ndim))]
    return np.asarray(np.argwhere(mask & ~inner) * np.asarray(spacing))


def _greatest(distances: Distances) -> float:
    """Hausdorff distance."""
    return float(max(d.max() for d in distances))


def _percentile(distances: Distances) -> float:
    """The greater of both 95th percentiles, linear between order statistics."""
    return float(max(np.percentile(d, _PERCENTILE) for d in distances))


def _mean(distances: Distances) -> float:
    """Mean over the points of both surfaces."""
    return float(np.concatenate(distances).mean())
