"""Connected regions: components, the imaged object, growing from seeds, watershed from markers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError, Term
from radlake.core.image import Array, BoolArray, Image
from radlake.imaging.arguments import ImageOrArray, Spacing, on_spatial_axes
from radlake.imaging.histogram import histogram
from radlake.imaging.labels import called_mask, connected, filled, largest, only
from radlake.imaging.segment.multilevel import multi_otsu_thresholds
from radlake.imaging.segment.picture import as_bool, excluded, like, picture, scalar_labels
from radlake.imaging.segment.thresholds import otsu_threshold

_CLASSES = 3  # background, dark, bright
_APART = 0.2  # of the way from dark to bright; on real images a dark class lies at 0.28 to 0.48
Index = Sequence[int]
Point = Sequence[float]


def components(
    mask: ImageOrArray,
    *,
    most: int | None = None,
    connectivity: int | None = None,
    spacing: Sequence[float] | None = None,
) -> ImageOrArray:
    """Numbers of the connected parts of a mask, 1 the largest; of equal ones the first in array order; int32.

    Parameters
    ----------
    mask : Image or (z, y, x) or (y, x) array
        Non-zero is inside.
    most : int, optional
        How many parts are kept, the largest; all where absent.
    connectivity : {6, 18, 26} for three axes, {4, 8} for two
        Which neighbours belong together; 26 or 8 where absent.
    spacing : floats, optional
        Of an array; takes no part in the result.

    Raises
    ------
    ValueError
        For a connectivity that the number of axes does not have, or fewer than one part.

    References
    ----------
    Rosenfeld and Pfaltz (1966), Sequential operations in digital picture processing, JACM 13:471-494.

    Examples
    --------
    >>> components(np.array([[1, 0, 1], [0, 0, 1]])).tolist()
    [[2, 0, 1], [0, 0, 1]]
    """
    if most is not None and most < 1:
        raise ValueError(f"most must be at least 1, got {most}")

    def numbered(array: Array, _: Spacing) -> NDArray[np.int32]:
        parts = connected(array != 0, connectivity, widest=True)
        order = np.argsort(-parts.sizes()[1:], kind="stable")[:most]
        numbers = np.zeros(parts.count + 1, np.int32)
        numbers[order + 1] = np.arange(1, order.size + 1)
        return parts.labels(numbers).reshape(array.shape)

    return called_mask(on_spatial_axes(mask, numbered, spacing=spacing))


def largest_component(
    mask: ImageOrArray, *, connectivity: int | None = None, spacing: Sequence[float] | None = None
) -> ImageOrArray:
    """The largest connected part of a mask; of equal ones the first in array order.

    Parameters
    ----------
    mask : Image or (z, y, x) or (y, x) array
        Bool, or anything where non-zero is inside.
    connectivity : {6, 18, 26} for three axes, {4, 8} for two
        Which neighbours belong together; 26 or 8 where absent.
    spacing : floats, optional
        Of an array; takes no part in the result.

    Raises
    ------
    ItemError
        `empty_mask` when nothing is inside.
    ValueError
        For a connectivity that the number of axes does not have.

    References
    ----------
    Rosenfeld & Pfaltz (1966), Sequential operations in digital picture processing, J ACM 13:471-494.

    Examples
    --------
    >>> largest_component(np.array([[1, 0, 1], [0, 0, 1]])).astype(int).tolist()
    [[0, 0, 1], [0, 0, 1]]
    """
    found = on_spatial_axes(mask, lambda array, _: largest(array != 0, connectivity), spacing=spacing)
    return called_mask(found)


def foreground(image: ImageOrArray, *, spacing: Sequence[float] | None = None) -> ImageOrArray:
    """Mask of the imaged object: what is brighter than the background, its largest connected part, holes filled; bool.

    Two thresholds part background, dark and bright tissue (multi-Otsu), and the lower one counts: on MR the body with
    its dark organs, on ultrasound the part of the fan that echoes, on a radiograph what was in the beam's way, lungs
    included. Where the two darker classes lie close together they are noise of one background, and the upper one
    counts. On CT, where units tell air from tissue, `body` is the better choice.

    Parameters
    ----------
    image, spacing
        As in `otsu`.

    Raises
    ------
    ItemError
        `empty_mask` when the image is constant.

    References
    ----------
    Liao, Chen, Chung (2001), A fast algorithm for multilevel thresholding, J Inf Sci Eng 17:713-727.

    Examples
    --------
    >>> foreground(np.array([[0, 1, 0, 0, 0], [1, 40, 90, 40, 0], [0, 90, 0, 40, 0], [0, 40, 90, 90, 40]])).astype(int)
    array([[0, 0, 0, 0, 0],
           [0, 1, 1, 1, 0],
           [0, 1, 1, 1, 0],
           [0, 1, 1, 1, 1]])
    """

    def inside(array: Array, padding: float | None) -> BoolArray:
        return filled(largest((array > _background(array, padding)) & ~excluded(array, padding)), by_plane=False)

    return scalar_labels(image, inside, spacing)


def _background(array: Array, padding: float | None) -> float:
    """Greatest value of the background."""
    found = histogram(array, padding=padding)
    if len(found.bins) < _CLASSES:
        return otsu_threshold(array, padding=padding)
    low, high = multi_otsu_thresholds(array, classes=_CLASSES, padding=padding)
    ends = np.searchsorted(found.uppers, [low, high], side="right")
    sums = [part.sum() for part in np.split(found.uppers * found.counts, ends)]
    dark, middle, bright = np.divide(sums, [part.sum() for part in np.split(found.counts, ends)])
    return low if middle - dark >= _APART * (bright - dark) else high


def grow(
    image: ImageOrArray,
    *,
    seeds_mm: Sequence[Point] | None = None,
    seeds_vox: Sequence[Index] | None = None,
    low: float,
    high: float,
    connectivity: int | None = None,
    spacing: Sequence[float] | None = None,
) -> ImageOrArray:
    """Mask of the samples from `low` to `high` that are connected to a seed through such samples; bool.

    Parameters
    ----------
    image : Image or (z, y, x) or (y, x) array
        Of colours the brightness is used, of a cine the middle time point. NaN is never inside.
    seeds_mm : points
        For an `Image`: one (x, y, z) each, in its space (LPS millimetres); the voxel that holds it is the seed.
    seeds_vox : indices
        Instead: one (z, y, x) or (y, x) each. Seeds out of the range of values are passed over.
    low, high : float
        In the unit of the image, both included.
    connectivity : {6, 18, 26} for three axes, {4, 8} for two
        Which neighbours are reached; 6 or 4 where absent, so that regions do not leak through corners.
    spacing : floats, optional
        Of an array; takes no part in the result.

    Raises
    ------
    ItemError
        `empty_mask` when no seed lies in the image and in the range.
    ValueError
        For seeds that are no places, seeds in both ways, or a connectivity that does not exist.

    References
    ----------
    Adams and Bischof (1994), Seeded region growing, IEEE PAMI 16:641-647; with a fixed range, as ITK's
    ConnectedThreshold.

    Examples
    --------
    >>> grow(np.array([[5, 6, 1, 6]]), seeds_vox=[(0, 0)], low=4, high=7).tolist()
    [[True, True, False, False]]
    """

    def grown(array: Array) -> BoolArray:
        seeds = _indices(image, seeds_mm, seeds_vox)
        parts = connected((array >= low) & (array <= high), connectivity, widest=False)
        numbers = parts.at(_inside(seeds, array.shape))
        if not numbers.any():
            raise ItemError("empty_mask", hint=Term("no seed lies in the image and its range of values"))
        return only(parts, *numbers[numbers > 0]).reshape(array.shape)

    plain, array, _ = picture(image, spacing)
    return like(plain, grown(array))


def watershed(
    image: ImageOrArray,
    *,
    markers: Image | Array,
    mask: Image | Array | None = None,
    spacing: Sequence[float] | None = None,
) -> ImageOrArray:
    """Labels of the basins in which each marker is flooded; int32, 0 outside the mask.

    Usually run on a gradient magnitude or an inverted distance map. Neighbours are those that share a face; where two
    floods meet there is no line between them.

    Parameters
    ----------
    image : Image or (z, y, x) or (y, x) array
        Heights without NaN.
    markers : Image or array
        Integer labels of the image's shape, 0 where nothing is marked.
    mask : Image or array, optional
        Where floods may go; everywhere where absent.
    spacing : floats, optional
        Of an array; takes no part in the result.

    Raises
    ------
    ItemError
        `empty_mask` without markers, `misaligned_mask` for another shape, `not_finite` for NaN inside the mask.

    References
    ----------
    Beucher and Meyer (1993), The morphological approach to segmentation: the watershed transformation, Mathematical
    Morphology in Image Processing, 433-481; computed by `skimage.segmentation.watershed`.

    Examples
    --------
    >>> watershed(np.array([[0, 1, 5, 1, 0]]), markers=np.array([[1, 0, 0, 0, 2]])).tolist()
    [[1, 1, 1, 2, 2]]
    """
    from skimage.segmentation import watershed as flooded

    plain, array, _ = picture(image, spacing)
    floods, marked = as_bool(mask, array.shape), labels_of(markers, array.shape)
    if not np.isfinite(array[floods]).all():
        raise ItemError("not_finite")
    heights = np.where(floods, array, array.dtype.type(0))
    return like(plain, np.asarray(flooded(heights, marked, connectivity=1, mask=floods), np.int32))


def labels_of(markers: Image | Array, shape: tuple[int, ...]) -> NDArray[np.int32]:
    """Labels of the right shape, of which there is at least one."""
    given = markers.array if isinstance(markers, Image) else np.asarray(markers)
    if given.shape != shape:
        raise ItemError("misaligned_mask", what=Term("the shapes differ"))
    if not (given > 0).any():
        raise ItemError("empty_mask", hint=Term("mark at least one region"))
    return np.maximum(given, 0).astype(np.int32)


def _indices(
    image: Image | Array, seeds_mm: Sequence[Point] | None, seeds_vox: Sequence[Index] | None
) -> Sequence[Index]:
    """Seeds as indices."""
    if (seeds_mm is None) == (seeds_vox is None):
        raise ValueError("give exactly one of seeds_mm and seeds_vox")
    if seeds_mm is None:
        return seeds_vox or []
    if not isinstance(image, Image):
        raise ValueError("an array has no place in space; give seeds_vox")
    points = np.asarray(seeds_mm, np.float64)
    if points.ndim != 2 or points.shape[1] != 3:
        raise ValueError("expected seeds_mm as a list of (x, y, z) in millimetres")
    affine = image.geometry.affine[:3]
    indices = (points - affine[:, -1]) @ np.linalg.pinv(affine[:, :-1]).T
    found: list[Index] = np.rint(indices).astype(int).tolist()
    return found


def _inside(seeds: Sequence[Index], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Seeds that lie inside the image as (z, y, x), where a plane has the z of 0."""
    points = np.asarray(seeds)
    if points.ndim != 2 or points.shape[1] != len(shape) or points.dtype.kind not in "iu":
        raise ValueError(f"expected seeds of {len(shape)} whole numbers each")
    points = points[np.all((points >= 0) & (points < shape), axis=1)]
    return np.pad(points.astype(np.int64), ((0, 0), (3 - len(shape), 0)))
