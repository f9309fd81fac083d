"""Thresholding and connected components: where the imaged object is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from radlake.core.fault import ItemError, Term
from radlake.core.image import Array, BoolArray, Image
from radlake.imaging.arguments import ImageOrArray, on_spatial_axes
from radlake.imaging.channels import scalar
from radlake.imaging.histogram import histogram
from radlake.imaging.labels import connected, voxel_counts

CONSTANT = Term("the image is constant: there is nothing to separate")


def otsu_threshold(array: Array, *, padding: float | None = None) -> float:
    """Value above which samples belong to the brighter class, in the unit of the array.

    The threshold maximises the variance between the classes over the histogram of all finite samples: exact for
    integers that span at most 65536 values, otherwise on 65536 equal bins (the bin's upper edge is returned).

    Parameters
    ----------
    array : array of any shape
        Real values; NaN and infinities are left out.
    padding : float, optional
        Value that marks samples outside the imaged field; left out.

    Raises
    ------
    ItemError
        `empty_mask` when fewer than two different values are left.

    References
    ----------
    Otsu (1979), A threshold selection method from gray-level histograms, IEEE SMC 9:62-66, equation 18.

    Examples
    --------
    >>> otsu_threshold(np.array([1, 2, 2, 9, 10]))
    2.0
    """
    uppers, bins, counts = histogram(np.asarray(array), padding=padding)
    if len(bins) < 2:
        raise ItemError("empty_mask", hint=CONSTANT)
    below = np.cumsum(counts)[:-1].astype(np.float64)
    sum_below = np.cumsum(counts * bins).astype(np.float64)
    total, total_sum = float(counts.sum()), sum_below[-1]
    # Between-class variance (equation 18) of the bin numbers, multiplied out: no division of small by small
    variance = (total * sum_below[:-1] - below * total_sum) ** 2 / (below * (total - below))
    return float(uppers[int(np.argmax(variance))])


def otsu(image: ImageOrArray, *, spacing: Sequence[float] | None = None) -> ImageOrArray:
    """Mask of the samples above Otsu's threshold: bool, on the spatial grid of the input.

    Parameters
    ----------
    image : Image or (z, y, x) or (y, x) array
        Of a colour image the brightness is used, of a cine the middle time point; an `Image`'s padding value is left
        out, and NaN belongs to no class.
    spacing : floats, optional
        Of an array; takes no part in the result and is accepted so that all operations are called alike.

    Raises
    ------
    ItemError
        `empty_mask` when the image is constant or holds no finite sample.

    References
    ----------
    Otsu (1979), A threshold selection method from gray-level histograms, IEEE SMC 9:62-66.

    Examples
    --------
    >>> otsu(np.array([[0, 1, 7], [0, 8, 9]])).astype(int).tolist()
    [[0, 0, 1], [0, 1, 1]]
    """
    if isinstance(image, Image):
        plain = scalar(image)
        return cast(ImageOrArray, as_mask(plain, _above(plain.array, plain.padding)))
    return on_spatial_axes(image, lambda array, _: _above(array, None), spacing=spacing)


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
    return on_spatial_axes(mask, lambda array, _: _largest(array, connectivity), spacing=spacing)


def foreground(image: ImageOrArray, *, spacing: Sequence[float] | None = None) -> ImageOrArray:
    """Mask of the imaged object: the largest connected part above Otsu's threshold, bool.

    On CT this is the body with its bones, on MR and PET the tissue that gives signal, on ultrasound the fan.

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
    Otsu (1979), A threshold selection method from gray-level histograms, IEEE SMC 9:62-66.

    Examples
    --------
    >>> foreground(np.array([[0, 0, 9, 0], [8, 9, 0, 0], [0, 0, 0, 9]])).astype(int).tolist()
    [[0, 0, 1, 0], [1, 1, 0, 0], [0, 0, 0, 0]]
    """
    return largest_component(otsu(image, spacing=spacing))


def as_mask(image: Image, array: BoolArray) -> Image:
    """A bool array on the grid of an image, as a label image."""
    return Image(array, image.geometry, kind="label", unit="label")


def _above(array: Array, padding: float | None) -> BoolArray:
    """Samples above the threshold, padding left out."""
    mask = array > otsu_threshold(array, padding=padding)
    if padding is not None:
        mask &= array != padding
    return np.asarray(mask)


def _largest(array: Array, connectivity: int | None) -> BoolArray:
    """The largest component; of equal ones the first."""
    inside = array if array.dtype == np.bool_ else array != 0
    if not inside.any():
        raise ItemError("empty_mask")
    labels = connected(inside, connectivity, widest=True)
    counts = voxel_counts(labels)
    counts[0] = 0
    return np.asarray(labels == np.argmax(counts))
