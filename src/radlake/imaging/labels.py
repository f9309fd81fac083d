"""Connected components as label images, and their sizes, without copies in wider types."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError
from radlake.core.image import Array, BoolArray, Image
from radlake.imaging.arguments import ImageOrArray

_CHUNK = 1 << 24  # labels counted at once: bincount widens its input to 64 bits
_RANKS = {3: {6: 1, 18: 2, 26: 3}, 2: {4: 1, 8: 2}}  # neighbours to the rank of scipy's structuring element


def connected(inside: BoolArray, connectivity: int | None, *, widest: bool) -> NDArray[np.int32]:
    """Number of the component of each voxel, from 1 in the order of the first voxel; 0 outside.

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

    References
    ----------
    Rosenfeld & Pfaltz (1966), Sequential operations in digital picture processing, J ACM 13:471-494; computed by
    `scipy.ndimage.label`.

    Examples
    --------
    >>> connected(np.array([[True, False, True], [False, True, False]]), 8, widest=True).tolist()
    [[1, 0, 1], [0, 1, 0]]
    """
    from scipy import ndimage

    ranks = _RANKS[inside.ndim]
    chosen = connectivity if connectivity is not None else (max if widest else min)(ranks)
    if chosen not in ranks:
        raise ValueError(f"connectivity must be one of {tuple(ranks)} for {inside.ndim} axes, got {connectivity}")
    labels = np.empty(inside.shape, np.int32)
    ndimage.label(inside, ndimage.generate_binary_structure(inside.ndim, ranks[chosen]), output=labels)
    return labels


def voxel_counts(labels: NDArray[np.int32]) -> NDArray[np.int64]:
    """Voxels of each label, that of the outside first.

    Examples
    --------
    >>> voxel_counts(np.array([[0, 1, 1], [2, 0, 1]], np.int32)).tolist()
    [2, 3, 1]
    """
    flat = labels.reshape(-1)
    counts = np.zeros(int(flat.max(initial=0)) + 1, np.int64)
    for start in range(0, flat.size, _CHUNK):
        counts += np.bincount(flat[start : start + _CHUNK], minlength=len(counts))
    return counts


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
    if not inside.any():
        raise ItemError("empty_mask")
    labels = connected(inside, connectivity, widest=True)
    counts = voxel_counts(labels)
    counts[0] = 0
    return np.asarray(labels == np.argmax(counts))


def as_mask(image: Image, array: Array) -> Image:
    """A bool or label array on the grid of an image, as a label image."""
    return Image(array, image.geometry, kind="label", unit="label")


def called_mask(result: ImageOrArray) -> ImageOrArray:
    """A mask that was made from an image of another kind, as a label image with the axes it has; arrays as they are."""
    if not isinstance(result, Image):
        return result
    return cast(ImageOrArray, replace(result, kind="label", unit="label", window=None, padding=None))
