"""Connected components of masks: numbered, chosen, filled."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np

from radlake.core.fault import ItemError
from radlake.core.image import Array, BoolArray, Image
from radlake.imaging.arguments import ImageOrArray

if TYPE_CHECKING:
    from radlake.imaging.kernels.parts import Parts

_CONNECTIVITIES = {2: (4, 8), 3: (6, 18, 26)}


def connected(inside: BoolArray, connectivity: int | None, *, widest: bool) -> Parts:
    """The components of a mask, numbered from 1 in the order of their first voxels; a plane is a volume of one.

    Parameters
    ----------
    inside : (z, y, x) or (y, x) bool array
    connectivity : {6, 18, 26} or {4, 8} or None
        Neighbours that belong together.
    widest : bool
        What None stands for: the greatest or the least.

    Raises
    ------
    ValueError
        For a connectivity that the number of axes does not have.

    Examples
    --------
    >>> connected(np.array([[True, False, True], [False, True, False]]), 8, widest=True).labels().tolist()
    [[[1, 0, 1], [0, 1, 0]]]
    """
    from radlake.imaging.kernels.parts import parts_of

    known = _CONNECTIVITIES[inside.ndim]
    chosen = connectivity if connectivity is not None else known[-1 if widest else 0]
    if chosen not in known:
        raise ValueError(f"connectivity must be one of {known} for {inside.ndim} axes, got {connectivity}")
    return parts_of(inside[None] if inside.ndim == 2 else inside, chosen)


def largest(inside: BoolArray, connectivity: int | None = None) -> BoolArray:
    """The largest component of a mask; of equal ones the first in array order.

    Raises
    ------
    ItemError
        `empty_mask` when nothing is inside.
    ValueError
        As in `connected`.

    Examples
    --------
    >>> largest(np.array([[True, False, True], [False, False, True]])).astype(int).tolist()
    [[0, 0, 1], [0, 0, 1]]
    """
    parts = connected(inside, connectivity, widest=True)
    if parts.count == 0:
        raise ItemError("empty_mask")
    return only(parts, int(np.argmax(parts.sizes()))).reshape(inside.shape)


def only(parts: Parts, *numbers: int) -> BoolArray:
    """The components of these numbers as a mask, shape (z, y, x).

    Examples
    --------
    >>> only(connected(np.array([[True, False, True]]), 4, widest=True), 2).tolist()
    [[[False, False, True]]]
    """
    keep = np.zeros(parts.count + 1, np.bool_)
    keep[list(numbers)] = True
    return parts.mask(keep)


def filled(inside: BoolArray, connectivity: int | None = None, *, by_plane: bool = False) -> BoolArray:
    """A mask with everything that no path outside it joins to the edge of the array, or of the plane it lies in.

    Parameters
    ----------
    inside : (z, y, x) or (y, x) bool array
    connectivity : {6, 18, 26} or {4, 8} or None
        Neighbours that paths step to; the least where None. By plane always 4.
    by_plane : bool
        Fill the planes of a volume one by one.

    Raises
    ------
    ValueError
        As in `connected`.

    Examples
    --------
    >>> filled(np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], bool)).all()
    np.True_
    """
    from radlake.imaging.kernels.parts import parts_of

    planar = by_plane or inside.ndim == 2
    volume = inside[None] if inside.ndim == 2 else inside
    outside = parts_of(~volume, 4) if by_plane else connected(~inside, connectivity, widest=False)
    closed = ~outside.at_edge((1, 2) if planar else (0, 1, 2))
    return outside.mask(closed, outside=True).reshape(inside.shape)


def as_mask(image: Image, array: Array) -> Image:
    """A bool or label array on the grid of an image, as a label image."""
    return Image(array, image.geometry, kind="label", unit="label")


def called_mask(result: ImageOrArray) -> ImageOrArray:
    """A mask that was made from an image of another kind, as a label image with the axes it has; arrays as they are."""
    if not isinstance(result, Image):
        return result
    return cast(ImageOrArray, replace(result, kind="label", unit="label", window=None, padding=None))
