"""Part of an image, more around it, other axes: samples move, values do not, and everything stays at its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError
from radlake.core.image import Array, Geometry, Image, Vector
from radlake.imaging.arguments import Spacing

_NEARLY = 1e-6  # of a voxel: how far rounded spacings may be off


def crop(image: Image, *, start: Sequence[int], stop: Sequence[int]) -> Image:
    """Part of an image between two corners, at its place in space.

    Parameters
    ----------
    image : Image
        Any; all time points and channels are kept.
    start, stop : one int per spatial axis
        First sample and the one after the last, 0 <= start < stop <= size.

    Raises
    ------
    ValueError
        When the corners do not lie in the image.

    References
    ----------
    DICOM PS3.3 C.7.6.2.1.1, equation C.7.6.2.1-1: from an index to its place, here of the first sample that stays.

    Examples
    --------
    >>> part = crop(Image(np.arange(6).reshape(2, 3), Geometry((1.0, 2.0))), start=(0, 1), stop=(1, 3))
    >>> (part.array.tolist(), part.geometry.origin)
    ([[1, 2]], (2.0, 0.0, 0.0))
    """
    shape = spatial_shape(image)
    fits = len(start) == len(stop) == len(shape)
    if not fits or not all(0 <= a < b <= n for a, b, n in zip(start, stop, shape, strict=True)):
        raise ValueError(f"expected 0 <= start < stop <= {shape}, got {tuple(start)} and {tuple(stop)}")
    parts = [slice(None)] * image.array.ndim
    for axis, low, high in zip(spatial_axes(image), start, stop, strict=True):
        parts[axis] = slice(low, high)
    return placed_at(image.with_array(image.array[tuple(parts)].copy()), image.geometry, start, image.geometry.spacing)


def crop_to(image: Image, mask: Image, *, margin_mm: float = 0.0) -> Image:
    """Smallest part of an image that holds a mask and a margin.

    Parameters
    ----------
    image, mask : Image
        On one grid; non-zero is inside.
    margin_mm : float
        Kept around the mask, rounded up to whole voxels, as far as the image goes.

    Raises
    ------
    ItemError
        `empty_mask` when nothing is inside.
    ValueError
        When the shapes differ or the margin is negative.

    References
    ----------
    DICOM PS3.3 C.7.6.2.1.1, equation C.7.6.2.1-1: from an index to its place, here of the first sample that stays.

    Examples
    --------
    >>> image = Image(np.arange(5)[None], Geometry((1.0, 1.0)))
    >>> crop_to(image, image.with_array(image.array == 2, kind="label"), margin_mm=1).array.tolist()
    [[1, 2, 3]]
    """
    shape = spatial_shape(image)
    if mask.array.shape != shape or not margin_mm >= 0:
        raise ValueError(f"expected a mask of shape {shape} and a margin from 0, got {mask.array.shape}, {margin_mm}")
    ends = []
    for axis, step in enumerate(image.geometry.spacing):
        hit = np.flatnonzero(np.any(mask.array != 0, axis=tuple(a for a in range(len(shape)) if a != axis)))
        if not hit.size:
            raise ItemError("empty_mask")
        margin = int(np.ceil(margin_mm / step - _NEARLY))
        ends.append((max(0, int(hit[0]) - margin), min(shape[axis], int(hit[-1]) + 1 + margin)))
    return crop(image, start=[a for a, _ in ends], stop=[b for _, b in ends])


def pad(image: Image, *, before: Sequence[int], after: Sequence[int], value: float | None = None) -> Image:
    """Image with a border of samples added, at its place in space.

    Parameters
    ----------
    image : Image
        Any; all time points and channels are padded.
    before, after : one int per spatial axis
        Samples to add at each end, from 0.
    value : float, optional
        Of the new samples; the image's padding value where absent, or 0.

    Raises
    ------
    ValueError
        For counts that do not fit, or a value that the dtype cannot hold.

    References
    ----------
    DICOM PS3.3 C.7.6.2.1.1, equation C.7.6.2.1-1: from an index to its place, here of the
    new first sample.

    Examples
    --------
    >>> pad(Image(np.array([[7]], np.uint8), Geometry((1.0, 1.0))), before=(0, 1), after=(0, 2)).array.tolist()
    [[0, 7, 0, 0]]
    """
    axes = spatial_axes(image)
    if not len(before) == len(after) == len(axes) or min(*before, *after) < 0:
        raise ValueError(f"expected {len(axes)} counts from 0 at each end, got {tuple(before)} and {tuple(after)}")
    fill = value if value is not None else image.padding or 0
    if np.issubdtype(image.array.dtype, np.integer):
        limits = np.iinfo(image.array.dtype)
        if fill != int(fill) or not limits.min <= fill <= limits.max:
            raise ValueError(f"{image.array.dtype} cannot hold the value {fill}")
    widths = [(0, 0)] * image.array.ndim
    for axis, low, high in zip(axes, before, after, strict=True):
        widths[axis] = (low, high)
    padded = np.pad(image.array, widths, constant_values=image.array.dtype.type(fill))
    return placed_at(image.with_array(padded), image.geometry, [-b for b in before], image.geometry.spacing)


def reorient(image: Image, *, axes: str = "SPL") -> Image:
    """Volume with its axes flipped and exchanged so that they grow in the given directions; values untouched.

    Parameters
    ----------
    image : Image
        With three spatial axes, in any oblique orientation.
    axes : str
        Where array axes 0, 1 and 2 shall grow to: one each of S or I (head, feet), P or A (back, front), L or R
        (patient's left, right). The default is the (z, y, x) order of DICOM axial slices from the feet up.

    Raises
    ------
    ValueError
        For a 2-D image or letters that do not name three axes.

    References
    ----------
    DICOM PS3.3 C.7.6.1.1.1, patient orientation.

    Examples
    --------
    >>> volume = Image(np.arange(2).reshape(1, 1, 2), Geometry((1.0, 1.0, 1.0)))
    >>> flipped = reorient(volume, axes="SPR")
    >>> (flipped.array.ravel().tolist(), flipped.geometry.origin)
    ([1, 0], (1.0, 0.0, 0.0))
    """
    wanted = _directions(axes)
    geometry = image.geometry
    if geometry.ndim != 3:
        raise ValueError("expected three spatial axes; a single slice has no orientation to exchange")
    from scipy.optimize import linear_sum_assignment

    likeness = wanted @ np.asarray(geometry.direction).T
    _, order = linear_sum_assignment(-np.abs(likeness))  # each direction one axis, also at 45 degrees
    flips = [axis for axis, source in enumerate(order) if likeness[axis, source] < 0]
    spatial = spatial_axes(image)
    permutation = list(range(image.array.ndim))
    for axis, source in zip(spatial, order, strict=True):
        permutation[axis] = spatial[source]
    array = np.flip(image.array.transpose(permutation), tuple(spatial[f] for f in flips))
    corner = [0] * 3
    for flip in flips:
        corner[order[flip]] = image.array.shape[spatial[order[flip]]] - 1
    signs = np.where(np.isin(np.arange(3), flips), -1.0, 1.0)
    turned = replace(
        geometry,
        spacing=tuple(geometry.spacing[s] for s in order),
        direction=tuple(vector(sign * np.asarray(geometry.direction[s])) for sign, s in zip(signs, order, strict=True)),
        origin=vector(geometry.affine[:3] @ [*corner, 1.0]),
    )
    return replace(image, array=np.array(array, order="C"), geometry=turned)


def spatial_axes(image: Image) -> list[int]:
    """Axes of the array that are places, in order."""
    extra = {axis % image.array.ndim for axis in (image.time_axis, image.channel_axis) if axis is not None}
    return [axis for axis in range(image.array.ndim) if axis not in extra]


def spatial_shape(image: Image) -> tuple[int, ...]:
    """Samples along each spatial axis."""
    return tuple(image.array.shape[axis] for axis in spatial_axes(image))


def placed_at(image: Image, old: Geometry, start: Sequence[float] | NDArray[np.float64], spacing: Spacing) -> Image:
    """An image whose first sample lies at index `start` of an old grid."""
    return replace(image, geometry=replace(old, spacing=spacing, origin=vector(old.affine[:3] @ [*start, 1.0])))


def vector(values: Array) -> Vector:
    """Three plain floats; no negative zero."""
    x, y, z = (float(v) + 0.0 for v in values)
    return x, y, z


def _directions(axes: str) -> NDArray[np.float64]:
    """Rows of LPS unit vectors for letters such as "SPL"."""
    known = {"L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0), "A": (0, -1, 0), "S": (0, 0, 1), "I": (0, 0, -1)}
    rows = np.array([known.get(letter, (0, 0, 0)) for letter in axes], np.float64).reshape(-1, 3)
    if len(axes) != 3 or abs(np.linalg.det(rows)) != 1:
        raise ValueError(f"axes must name S or I, P or A, and L or R once each, got {axes!r}")
    return rows
