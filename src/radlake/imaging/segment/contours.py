"""Contours that move until they fit: Chan and Vese's two regions, geodesic active contours."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError, Term
from radlake.core.image import Array, BoolArray, Image
from radlake.imaging.arguments import ImageOrArray, Lengths, Spacing
from radlake.imaging.edges import gradient_magnitude
from radlake.imaging.filters import gaussian
from radlake.imaging.segment.picture import as_bool, finite_picture, like

_LEAST_SIDE = 4  # samples along an axis that ITK's Gaussian derivatives need


def chan_vese(
    image: ImageOrArray,
    *,
    initial: Image | Array,
    iterations: int = 100,
    smoothing: int = 1,
    weight_inside: float = 1.0,
    weight_outside: float = 1.0,
    spacing: Sequence[float] | None = None,
) -> ImageOrArray:
    """Mask whose inside and outside are each as even as can be, grown or shrunk from a start; bool.

    Each step moves the border to where a sample is nearer to the mean of the other side, then smooths it. For objects
    without clear edges. Ends early when a step changes nothing.

    Parameters
    ----------
    image : Image or (z, y, x) or (y, x) array
        Finite values; of colours the brightness is used, of a cine the middle time point.
    initial : Image or array
        Rough mask of the image's shape.
    iterations : int
        Most steps, from 1.
    smoothing : int
        Rounds of smoothing a step, from 0: more give a rounder mask.
    weight_inside, weight_outside : float
        How much each side shall be even.
    spacing : floats, optional
        Of an array; takes no part in the result: the border moves and is smoothed by samples.

    Raises
    ------
    ItemError
        `empty_mask` when the start holds nothing or everything; `misaligned_mask` for a start of another shape;
        `not_finite` for NaN.
    ValueError
        For a number of steps or rounds below the least.

    References
    ----------
    Chan and Vese (2001), Active contours without edges, IEEE TIP 10:266-277; Marquez-Neila, Baumela, Alvarez (2014), A
    morphological approach to curvature-based evolution of curves and surfaces, IEEE PAMI 36:2-17 (how it moves).

    Examples
    --------
    >>> image = np.zeros((5, 9)); image[1:4, 2:7] = 9
    >>> start = np.zeros((5, 9), bool); start[2, 3:5] = True
    >>> chan_vese(image, initial=start, smoothing=0).sum().item()
    15
    """
    if iterations < 1 or smoothing < 0:
        raise ValueError(f"expected iterations from 1 and smoothing from 0, got {iterations} and {smoothing}")
    plain, array, _ = finite_picture(image, spacing)
    inside = _initial(initial, array.shape)
    values = array.astype(np.float64)
    still, flipped = 0, False
    for _ in range(iterations):
        before = inside
        inside = _attracted(values, inside, weight_inside, weight_outside)
        for _ in range(smoothing):
            # the two orders take turns, so that neither side is favoured
            inside = _close_lines(_open_lines(inside)) if flipped else _open_lines(_close_lines(inside))
            flipped = not flipped
        still = still + 1 if np.array_equal(inside, before) else 0
        if still == 2 or inside.all() or not inside.any():
            break
    return like(plain, inside)


def geodesic(
    image: ImageOrArray,
    *,
    initial: Image | Array,
    sigma_mm: Lengths,
    edge: float,
    propagation: float = 1.0,
    curvature: float = 0.5,
    iterations: int = 500,
    spacing: Sequence[float] | None = None,
) -> ImageOrArray:
    """Mask whose border has moved from a start to the nearest edges: bool.

    The border moves with the speed 1 / (1 + (g / edge)^2), where g is the gradient of the smoothed image. Computed by
    SimpleITK on one thread, in millimetres.

    Parameters
    ----------
    image : Image or (z, y, x) or (y, x) array
        Finite values; of colours the brightness is used, of a cine the middle time point.
    initial : Image or array
        Rough mask of the image's shape, wholly inside the object (outside it for a negative `propagation`).
    sigma_mm : float or one per axis
        Smoothing before the gradient is taken, millimetres.
    edge : float
        Gradient at which the border moves at half its speed, above 0, in the unit of the image per millimetre.
    propagation, curvature : float
        Weights of moving outward and of smoothness; that of being drawn into edges is 1.
    iterations : int
        Most steps, from 1.
    spacing : floats, optional
        For arrays: millimetres between samples along each axis; 1 where absent.

    Raises
    ------
    ItemError
        `empty_mask` when the start holds nothing or everything; `misaligned_mask` for a start of another shape;
        `not_finite` for NaN.
    ValueError
        For an edge that is not above 0 or less than one step.

    References
    ----------
    Caselles, Kimmel, Sapiro (1997), Geodesic active contours, Int J Comput Vis 22:61-79; computed by ITK's
    GeodesicActiveContourLevelSetImageFilter.

    Examples
    --------
    >>> y, x = np.indices((40, 40)) - 20
    >>> disc = np.where(np.hypot(y, x) < 12, 100.0, 0.0)
    >>> mask = geodesic(disc, initial=np.hypot(y, x) < 6, sigma_mm=1.0, edge=5.0)
    >>> bool(abs(mask.sum() / (disc > 0).sum() - 1) < 0.1)
    True
    """
    import SimpleITK

    if not edge > 0 or iterations < 1:
        raise ValueError(f"expected an edge above 0 and iterations from 1, got {edge} and {iterations}")
    plain, array, steps = finite_picture(image, spacing)
    inside = _initial(initial, array.shape)
    slope = gradient_magnitude(gaussian(array, sigma_mm=sigma_mm, spacing=steps), spacing=steps)
    # ITK wants four samples along every axis; a thin image goes on as it is, so that nothing moves across it
    missing = [max(0, _LEAST_SIDE - n) for n in array.shape]
    around = [(n // 2, n - n // 2) for n in missing]
    speed = _itk(np.pad((1 / (1 + (slope / np.float32(edge)) ** 2)).astype(np.float32), around, mode="edge"), steps)
    distance = SimpleITK.SignedMaurerDistanceMap(
        _itk(np.pad(inside.astype(np.uint8), around, mode="edge"), steps),
        insideIsPositive=False,
        squaredDistance=False,
        useImageSpacing=True,
    )
    contour = SimpleITK.GeodesicActiveContourLevelSetImageFilter()
    contour.SetNumberOfThreads(1)
    contour.SetPropagationScaling(propagation)
    contour.SetCurvatureScaling(curvature)
    contour.SetAdvectionScaling(1.0)
    contour.SetMaximumRMSError(1e-3)
    contour.SetNumberOfIterations(iterations)
    level = contour.Execute(SimpleITK.Cast(distance, SimpleITK.sitkFloat32), speed)
    found = SimpleITK.GetArrayFromImage(level)
    kept = tuple(slice(before, before + n) for (before, _), n in zip(around, array.shape, strict=True))
    return like(plain, np.ascontiguousarray(found[kept]) < 0)


def _attracted(values: NDArray[np.float64], inside: BoolArray, weight_in: float, weight_out: float) -> BoolArray:
    """The mask after its border moved to the side whose mean is nearer."""
    mean_in, mean_out = values[inside].mean(), values[~inside].mean()
    slope = sum(np.abs(g) for g in _slopes(inside))
    pull = slope * (weight_in * (values - mean_in) ** 2 - weight_out * (values - mean_out) ** 2)
    result = inside.copy()
    result[pull < 0] = True
    result[pull > 0] = False
    return result


def _slopes(inside: BoolArray) -> list[NDArray[np.float64]]:
    """Derivatives of a mask by central differences; zero along an axis of one sample."""
    grey = inside.astype(np.float64)
    return [np.gradient(grey, axis=axis) for axis in range(grey.ndim) if grey.shape[axis] > 1] or [np.zeros_like(grey)]


@cache
def _lines(axes: int) -> tuple[BoolArray, ...]:
    """Footprints of 3 samples a side on which curvature is smoothed: lines in 2-D, planes in 3-D."""
    grid = np.indices((3,) * axes) - 1
    normals = grid.reshape(axes, -1).T
    half = normals[len(normals) // 2 + 1 :]  # of each pair of opposite normals one
    # along axes and diagonals of faces; planes across the diagonals of the cube are too ragged
    return tuple(np.tensordot(normal, grid, 1) == 0 for normal in half if np.abs(normal).sum() <= 2)


def _open_lines(inside: BoolArray) -> BoolArray:
    """Union of the erosions by every line: fills no gap, keeps what is straight (SI)."""
    from scipy import ndimage

    return np.asarray(np.logical_or.reduce([ndimage.binary_erosion(inside, line) for line in _lines(inside.ndim)]))


def _close_lines(inside: BoolArray) -> BoolArray:
    """Intersection of the dilations by every line (IS)."""
    from scipy import ndimage

    return np.asarray(np.logical_and.reduce([ndimage.binary_dilation(inside, line) for line in _lines(inside.ndim)]))


def _initial(initial: Image | Array, shape: tuple[int, ...]) -> BoolArray:
    """A mask to start from, of the right shape, with a border."""
    given = as_bool(initial, shape)
    if not given.any() or given.all():
        raise ItemError("empty_mask", hint=Term("start from a mask that holds a part of the image"))
    return given


def _itk(array: Array, spacing: Spacing) -> Any:
    """An array as SimpleITK image with its spacing."""
    import SimpleITK

    image = SimpleITK.GetImageFromArray(array)
    image.SetSpacing(spacing[::-1])
    return image
