"""What segmentation takes and gives: the scalar picture in an image, masks and labels of its shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np

from radlake.core.fault import ItemError, Term
from radlake.core.image import Array, BoolArray, Image
from radlake.imaging.arguments import ImageOrArray, Spacing, on_spatial_axes, spacing_of
from radlake.imaging.channels import scalar
from radlake.imaging.labels import as_mask


def picture(image: ImageOrArray, spacing: Sequence[float] | None) -> tuple[ImageOrArray, Array, Spacing]:
    """The scalar picture in an image or array, its samples and its spacing.

    Raises
    ------
    ValueError
        When an `Image` comes with a spacing, or a spacing does not fit the array.

    Examples
    --------
    >>> picture(np.zeros((2, 3)), None)[2]
    (1.0, 1.0)
    """
    if isinstance(image, Image):
        if spacing is not None:
            raise ValueError("an Image brings its own spacing; give it with arrays only")
        plain = scalar(image)
        return cast(ImageOrArray, plain), plain.array, plain.geometry.spacing
    array = np.asarray(image)
    return cast(ImageOrArray, array), array, spacing_of(array.ndim, spacing)


def finite_picture(image: ImageOrArray, spacing: Sequence[float] | None) -> tuple[ImageOrArray, Array, Spacing]:
    """As `picture`, for methods that cannot pass over NaN.

    Raises
    ------
    ItemError
        `not_finite` when there is NaN or infinity.
    """
    found = picture(image, spacing)
    if not np.isfinite(found[1]).all():
        raise ItemError("not_finite")
    return found


def like(model: ImageOrArray, array: Array) -> ImageOrArray:
    """Labels or a mask as what the image was."""
    return cast(ImageOrArray, as_mask(model, array) if isinstance(model, Image) else array)


def as_bool(mask: Image | Array | None, shape: tuple[int, ...]) -> BoolArray:
    """A mask as a bool array of the right shape; everything where there is none.

    Raises
    ------
    ItemError
        `misaligned_mask` for another shape.
    """
    if mask is None:
        return np.ones(shape, np.bool_)
    given = mask.array if isinstance(mask, Image) else np.asarray(mask)
    if given.shape != shape:
        raise ItemError("misaligned_mask", what=Term("the shapes differ"))
    return np.asarray(given != 0)


def excluded(array: Array, padding: float | None) -> BoolArray:
    """Padding and NaN, which belong to no class."""
    result = np.zeros(array.shape, np.bool_) if padding is None else array == padding
    if np.issubdtype(array.dtype, np.floating):
        result |= np.isnan(array)
    return np.asarray(result)


def scalar_labels(
    image: ImageOrArray, operation: Callable[[Array, float | None], Array], spacing: Sequence[float] | None
) -> ImageOrArray:
    """Labels that an operation on samples and padding value gives for the scalar picture in an image, or an array."""
    if isinstance(image, Image):
        plain = scalar(image)
        return cast(ImageOrArray, as_mask(plain, operation(plain.array, plain.padding)))
    return on_spatial_axes(image, lambda array, _: operation(array, None), spacing=spacing)
