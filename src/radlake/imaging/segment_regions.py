"""Segmentation from places that are known: components, region growing, watershed, random walker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError, Term
from radlake.core.image import Array, BoolArray, Image
from radlake.imaging.arguments import ImageOrArray, Spacing, on_spatial_axes, spacing_of
from radlake.imaging.channels import scalar
from radlake.imaging.segment import as_mask

Index = Sequence[int]
_NEIGHBOURS = {2: {4: 1, 8: 2}, 3: {6: 1, 18: 2, 26: 3}}  # axes -> count -> scipy's rank of connectivity
_WALK_TOLERANCE = 1e-6  # of probabilities, relative to the right-hand side
_WALK_STEPS = 2000


def components(
    mask: ImageOrArray, *, connectivity: int | None = None, spacing: Sequence[float] | None = None
) -> ImageOrArray:
    """Numbers of the connected parts of a mask, 1 the largest; of equal ones the first in array order; int32.

    Parameters
    ----------
    mask : Image or (z, y, x) or (y, x) array
        Non-zero is inside.
    connectivity : {6, 18, 26} for three axes, {4, 8} for two
        Which neighbours belong together; 26 or 8 where absent.
    spacing : floats, optional
        Of an array; takes no part in the result.

    Raises
    ------
    ValueError
        For a connectivity that the number of axes does not have.

    References
    ----------
    Rosenfeld and Pfaltz (1966), Sequential operations in digital picture processing, JACM 13:471-494; computed by
    `scipy.ndimage.label`.

    Examples
    --------
    >>> components(np.array([[1, 0, 1], [0, 0, 1]])).tolist()
    [[2, 0, 1], [0, 0, 1]]
    """

    def numbered(array: Array, _: Spacing) -> NDArray[np.int32]:
        from scipy import ndimage

        labels, count = ndimage.label(array != 0, _structure(array.ndim, connectivity))
        sizes = np.bincount(labels.reshape(-1), minlength=count + 1)[1:]
        order = np.argsort(-sizes, kind="stable")
        numbers = np.zeros(count + 1, np.int32)
        numbers[order + 1] = np.arange(1, count + 1)
        return np.asarray(numbers[labels])

    result = on_spatial_axes(mask, numbered, spacing=spacing)
    if isinstance(result, Image):
        return cast(ImageOrArray, result.with_array(result.array, kind="label", unit="label"))
    return result


def grow(
    image: ImageOrArray,
    *,
    seeds: Sequence[Index],
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
    seeds : indices
        One (z, y, x) or (y, x) each; seeds out of the range are passed over.
    low, high : float
        In the unit of the image, both included.
    connectivity : {6, 18, 26} for three axes, {4, 8} for two
        Which neighbours are reached; 6 or 4 where absent, so that regions do not leak through corners.
    spacing : floats, optional
        Of an array; takes no part in the result.

    Raises
    ------
    ItemError
        `empty_mask` when no seed lies in the range.
    ValueError
        For a seed outside the image, no seed, or a connectivity that does not exist.

    References
    ----------
    Adams and Bischof (1994), Seeded region growing, IEEE PAMI 16:641-647; with a fixed range, as ITK's
    ConnectedThreshold.

    Examples
    --------
    >>> grow(np.array([[5, 6, 1, 6]]), seeds=[(0, 0)], low=4, high=7).tolist()
    [[True, True, False, False]]
    """

    def grown(array: Array) -> BoolArray:
        from scipy import ndimage

        count = connectivity or min(_NEIGHBOURS[array.ndim])
        inside = (array >= low) & (array <= high)
        labels, _ = ndimage.label(inside, _structure(array.ndim, count))
        wanted = np.unique(labels[_places(seeds, array.shape)])
        wanted = wanted[wanted > 0]
        if not wanted.size:
            raise ItemError("empty_mask", hint=Term("no seed lies in the range of values"))
        return np.isin(labels, wanted)

    plain, array, _ = _scalar(image, spacing)
    return _as(plain, grown(array))


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
    Morphology in Image Processing, 433-481; computed by SimpleITK's MorphologicalWatershedFromMarkers.

    Examples
    --------
    >>> watershed(np.array([[0, 1, 5, 1, 0]]), markers=np.array([[1, 0, 0, 0, 2]])).tolist()
    [[1, 1, 1, 2, 2]]
    """
    import SimpleITK

    plain, array, _ = _scalar(image, spacing)
    inside, marked = _inside(mask, array.shape), _labels(markers, array.shape)
    if not np.isfinite(array[inside]).all():
        raise ItemError("not_finite")
    heights, marks = array.astype(np.float64), marked * inside
    # outside the mask a label of its own stands on walls: floods neither enter nor leave
    fence = int(marked.max()) + 1
    heights[~inside], marks[~inside] = np.finfo(np.float64).max, fence
    basins = SimpleITK.MorphologicalWatershedFromMarkers(
        SimpleITK.GetImageFromArray(heights),
        SimpleITK.GetImageFromArray(marks.astype(np.uint32)),
        markWatershedLine=False,
        fullyConnected=False,
    )
    labels = SimpleITK.GetArrayFromImage(basins).astype(np.int32)
    labels[~inside | (labels == fence)] = 0
    return _as(plain, labels)


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
    plain, array, steps = _scalar(image, spacing)
    marked = _labels(markers, array.shape)
    if not np.isfinite(array).all():
        raise ItemError("not_finite")
    names = np.unique(marked[marked > 0])
    if names.size < 2:
        raise ItemError("empty_mask", hint=Term("mark at least two regions"))
    laplacian = _laplacian(array.astype(np.float64), beta, steps)
    return _as(plain, names[_most_probable(laplacian, marked.reshape(-1), names)].reshape(array.shape))


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


def _most_probable(laplacian: Any, marked: NDArray[np.int32], names: NDArray[np.int32]) -> NDArray[np.int64]:
    """Number of the label that each sample reaches most probably (equation 10), by conjugate gradients."""
    known, free = np.flatnonzero(marked > 0), np.flatnonzero(marked == 0)
    rows = laplacian[free].tocsc()
    system, boundary = rows[:, free].tocsr(), rows[:, known].tocsr()
    result = np.searchsorted(names, marked)
    best = np.full(free.size, -1.0)
    for number, name in enumerate(names if free.size else ()):
        right = -(boundary @ (marked[known] == name).astype(np.float64))
        probability = _solved(system, right)
        better = probability > best
        result[free[better]], best[better] = number, probability[better]
    return result


def _solved(system: Any, right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Solution of a sparse positive definite system; where conjugate gradients do not settle, by elimination."""
    from scipy.sparse import diags_array
    from scipy.sparse.linalg import cg, spsolve

    jacobi = diags_array(1 / system.diagonal())
    solution, unsettled = cg(system, right, rtol=_WALK_TOLERANCE, maxiter=_WALK_STEPS, M=jacobi)
    return np.asarray(spsolve(system.tocsc(), right) if unsettled else solution)


def _scalar(image: ImageOrArray, spacing: Sequence[float] | None) -> tuple[ImageOrArray, Array, Spacing]:
    """The scalar picture in an image, its array and its spacing."""
    if isinstance(image, Image):
        if spacing is not None:
            raise ValueError("an Image brings its own spacing; give it with arrays only")
        plain = scalar(image)
        return cast(ImageOrArray, plain), plain.array, plain.geometry.spacing
    array = np.asarray(image)
    return cast(ImageOrArray, array), array, spacing_of(array.ndim, spacing)


def _as(model: ImageOrArray, array: Array) -> ImageOrArray:
    """Labels or a mask as what the image was."""
    return cast(ImageOrArray, as_mask(model, array) if isinstance(model, Image) else array)


def _labels(markers: Image | Array, shape: tuple[int, ...]) -> NDArray[np.int32]:
    """Labels of the right shape, of which there is at least one."""
    given = markers.array if isinstance(markers, Image) else np.asarray(markers)
    if given.shape != shape:
        raise ItemError("misaligned_mask", what=Term("the shapes differ"))
    if not (given > 0).any():
        raise ItemError("empty_mask", hint=Term("mark at least one region"))
    return np.maximum(given, 0).astype(np.int32)


def _inside(mask: Image | Array | None, shape: tuple[int, ...]) -> BoolArray:
    """A mask of the right shape, or everything."""
    if mask is None:
        return np.ones(shape, np.bool_)
    given = mask.array if isinstance(mask, Image) else np.asarray(mask)
    if given.shape != shape:
        raise ItemError("misaligned_mask", what=Term("the shapes differ"))
    return np.asarray(given != 0)


def _structure(axes: int, connectivity: int | None) -> BoolArray:
    """Neighbourhood as scipy wants it."""
    from scipy import ndimage

    known = _NEIGHBOURS[axes]
    if connectivity is not None and connectivity not in known:
        raise ValueError(f"connectivity must be one of {tuple(known)} for {axes} axes, got {connectivity}")
    return np.asarray(ndimage.generate_binary_structure(axes, known[connectivity or max(known)]))


def _places(seeds: Sequence[Index], shape: tuple[int, ...]) -> tuple[NDArray[np.int64], ...]:
    """Seeds as one index array per axis."""
    points = np.asarray(seeds, np.int64).reshape(-1, len(shape)) if len(seeds) else np.zeros((0, len(shape)), np.int64)
    if not len(points) or np.any(points < 0) or np.any(points >= shape):
        raise ValueError(f"expected at least one seed inside the shape {shape}")
    return tuple(points.T)
