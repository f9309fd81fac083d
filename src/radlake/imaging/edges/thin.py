"""Canny's edges in two and three axes, with thresholds per millimetre and without a loss to 8 bits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from radlake.core.image import Array, BoolArray, Image
from radlake.imaging.arguments import Border, ImageOrArray, Lengths, Spacing, on_spatial_axes
from radlake.imaging.channels import scalar
from radlake.imaging.edges.derivatives import gradient_field
from radlake.imaging.filters import gaussian
from radlake.imaging.labels import as_mask


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
        from radlake.imaging.kernels.ridges import thin_edges

        smooth = gaussian(array, sigma_mm=sigma_mm, sigma_vox=sigma_vox, spacing=steps, border=border)
        field = gradient_field(smooth, steps, operator="sobel", border=border, out_dtype=np.float32)
        around = (1.0, *steps) if array.ndim == 2 else steps
        return thin_edges(field, around, low, high).reshape(array.shape)

    if isinstance(image, Image):
        plain = scalar(image)
        return cast(ImageOrArray, as_mask(plain, thin(plain.array, plain.geometry.spacing)))
    return on_spatial_axes(image, thin, spacing=spacing)
