"""Canny's edges in two and three axes, with thresholds per millimetre and without a loss to 8 bits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from radlake.core.image import Array, BoolArray, FloatArray, Image
from radlake.imaging.arguments import Border, ImageOrArray, Lengths, Spacing, on_spatial_axes
from radlake.imaging.channels import scalar
from radlake.imaging.edges.derivatives import gradient
from radlake.imaging.filters import gaussian
from radlake.imaging.labels import as_mask

_CHUNK = 1 << 20  # candidates looked at together


def canny(
    image: ImageOrArray,
    *,
    low: float,
    high: float,
    sigma_mm: Lengths | None = None,
    sigma_vox: Lengths | None = None,
    spacing: Sequence[float] | None = None,
    border: Border = "reflect",
) -> ImageOrArray:
    """Mask of the thin edges, one sample wide: bool, on the spatial grid of the input.

    The image is smoothed by a Gaussian; a sample is an edge where the length of Sobel's gradient is not exceeded one
    step up and one step down the gradient (linear between samples), and where it is at least `high`, or at least
    `low` and connected to such a sample. The outermost samples are never edges.

    Parameters
    ----------
    image : Image or (z, y, x) or (y, x) array
        Any real dtype; of colours the brightness is used, of a cine the middle time point. Near NaN are no edges.
    low, high : float
        Thresholds on the gradient, in the unit of the image per millimetre, 0 < low <= high.
    sigma_mm, sigma_vox : float or one per axis
        Width of the smoothing, exactly one of them; 0 is none.
    spacing : floats, optional
        For arrays: millimetres between samples along each axis; 1 where absent.
    border : {"reflect", "nearest", "mirror", "wrap", "constant"}
        As in `filters.gaussian`.

    Raises
    ------
    ValueError
        For thresholds out of order or contradictory lengths.

    References
    ----------
    Canny (1986), A computational approach to edge detection, IEEE PAMI 8:679-698.

    Examples
    --------
    >>> step = np.repeat([[0, 0, 0, 0, 9, 9, 9, 9]], 5, axis=0)
    >>> canny(step, low=1, high=2, sigma_vox=0.5)[2].astype(int).tolist()
    [0, 0, 0, 1, 1, 0, 0, 0]
    """
    if not 0 < low <= high:
        raise ValueError(f"expected 0 < low <= high, got {low} and {high}")

    def thin(array: Array, steps: Spacing) -> BoolArray:
        smooth = gaussian(array, sigma_mm=sigma_mm, sigma_vox=sigma_vox, spacing=steps, border=border)
        slopes = [gradient(smooth, axis=axis, spacing=steps, border=border) for axis in range(array.ndim)]
        length = np.sqrt(sum((s * s for s in slopes), start=np.zeros_like(smooth)))
        return _connected(_ridges(slopes, length, steps, low), length, high)

    if isinstance(image, Image):
        plain = scalar(image)
        return cast(ImageOrArray, as_mask(plain, thin(plain.array, plain.geometry.spacing)))
    return on_spatial_axes(image, thin, spacing=spacing)


def _ridges(slopes: list[FloatArray], length: FloatArray, spacing: Spacing, low: float) -> BoolArray:
    """Samples of at least `low` whose gradient is no shorter than one step along it, both ways."""
    result = np.zeros(length.shape, np.bool_)
    inner = (slice(1, -1),) * length.ndim
    found = np.argwhere(length[inner] >= low) + 1
    for start in range(0, len(found), _CHUNK):
        points = found[start : start + _CHUNK]
        at = tuple(points.T)
        # a step along the gradient in millimetres is a step of slope / spacing in voxels
        step = np.stack([s[at] / mm for s, mm in zip(slopes, spacing, strict=True)], axis=1).astype(np.float64)
        step /= np.abs(step).max(axis=1, keepdims=True)  # to the next face of the ring of neighbours
        here = length[at]
        result[at] = (here >= _at(length, points, step)) & (here >= _at(length, points, -step))
    return result


def _at(values: FloatArray, points: NDArray[np.int64], step: NDArray[np.float64]) -> FloatArray:
    """Values a fraction of a sample away, linear between samples."""
    from scipy import ndimage

    return np.asarray(ndimage.map_coordinates(values, (points + step).T, order=1, mode="nearest"))


def _connected(candidates: BoolArray, length: FloatArray, high: float) -> BoolArray:
    """Candidates that touch, through candidates, one of at least `high` (hysteresis; all neighbours count)."""
    from scipy import ndimage

    labels, count = ndimage.label(candidates, np.ones((3,) * candidates.ndim))
    keep = np.zeros(count + 1, np.bool_)
    keep[np.unique(labels[candidates & (length >= high)])] = True
    keep[0] = False
    return np.asarray(keep[labels])
