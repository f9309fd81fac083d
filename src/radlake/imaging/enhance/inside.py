"""What counts of an image when its intensities are made comparable: the scalar picture, a mask, finite samples."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError, Term
from radlake.core.image import Array, BoolArray, Image, Unit
from radlake.imaging.arguments import ImageOrArray
from radlake.imaging.channels import scalar

FLAT = Term("the values inside the region are constant")


def plain_of(image: ImageOrArray) -> ImageOrArray:
    """The scalar picture in an image; an array as it is."""
    return cast(ImageOrArray, scalar(image)) if isinstance(image, Image) else image


def region_of(image: Image | Array, mask: Image | Array | None) -> BoolArray:
    """Samples that count: inside the mask, finite and not padding."""
    array = image.array if isinstance(image, Image) else np.asarray(image)
    result = np.ones(array.shape, np.bool_)
    if mask is not None:
        given = mask.array if isinstance(mask, Image) else np.asarray(mask)
        if given.shape != array.shape:
            raise ItemError("misaligned_mask", what=Term("the shapes differ"))
        result = given != 0
    if np.issubdtype(array.dtype, np.floating):
        result &= np.isfinite(array)
    if isinstance(image, Image) and image.padding is not None:
        result &= array != image.padding
    return result


def values_inside(image: Image | Array, mask: Image | Array | None) -> tuple[Array, NDArray[np.float64]]:
    """The array, and the values that count in float64, of which there are two different ones."""
    array = image.array if isinstance(image, Image) else np.asarray(image)
    values = array[region_of(image, mask)].astype(np.float64)
    refuse_flat(values)
    return array, values


def usable(image: Image | Array) -> Array:
    """Finite values that are not padding."""
    array = image.array if isinstance(image, Image) else np.asarray(image)
    return np.asarray(array[region_of(image, None)])


def refuse_flat(values: Array) -> None:
    """Refuse what has no contrast."""
    if not values.size or values.min() == values.max():
        raise ItemError("empty_mask", hint=FLAT)


def comparable(image: ImageOrArray, result: NDArray[np.float32], *, unit: Unit = "a.u.") -> ImageOrArray:
    """New values in what the image was; padding is what its samples became, the window no longer holds."""
    if not isinstance(image, Image):
        return cast(ImageOrArray, result)
    outside = np.zeros(0) if image.padding is None else result[image.array == image.padding]
    padding = float(outside[0]) if outside.size else None
    return cast(ImageOrArray, image.with_array(result, unit=unit, window=None, padding=padding))
