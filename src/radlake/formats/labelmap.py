"""Regions from label maps: volumes or pictures in which the value of a sample names its region."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError, Term
from radlake.core.image import Array, BoolArray, Geometry, Image
from radlake.core.stage import Row
from radlake.formats import load_image
from radlake.formats.source import MIB

MAX_REGIONS = 256
_ON_SAMPLES = 0.1  # of a sample
_RESAMPLE = Term("resample the mask to the image's grid (nearest neighbour), or draw it on this image")
_SAME_PLACE_MM = 1e-3  # NIfTI stores the sform in single precision: positions differ by 1e-5 mm and more


def load_regions(member: Row, image: Image, *, memory_bytes: int) -> list[tuple[str, BoolArray]]:
    """Regions of a label file on the image's grid; see `regions`.

    Raises
    ------
    ItemError
        As `regions` and as loading the file; ``too_large`` when the masks would take more than `memory_bytes`.
    """
    labels = load_image([member], {}, memory_bytes=memory_bytes)
    return regions(labels, image, memory_bytes=memory_bytes)


def regions(
    labels: Image, image: Image, *, memory_bytes: int = 2 << 30, resampled: bool = True
) -> list[tuple[str, BoolArray]]:
    """A mask on the image's grid for each value other than zero, in ascending order, named ``label_<value>``.

    Parameters
    ----------
    labels : Image
        Whole numbers, any grid that shares the image's space.
    image : Image
        Gives the grid; time and colour axes are left out.
    memory_bytes : int
        Most that the masks may take together.
    resampled : bool
        Whether labels on another grid are sampled at the image's samples. Otherwise every sample of the image must lie
        on one of the labels' or outside them; axes may be turned or cut.

    Returns
    -------
    list of (str, bool array)
        Arrays have the image's spatial shape; a region that lies outside the image is left out.

    Raises
    ------
    ItemError
        ``empty_mask`` when all values are zero; ``misaligned_mask`` when the grids differ and one of them has no
        physical spacing or they may not be resampled, or nothing overlaps;
        ``unsupported_format`` for fractions or more than 256 values.

    Examples
    --------
    >>> grid = Geometry((1.0, 1.0))
    >>> found = regions(Image(np.array([[0, 2], [5, 0]]), grid, "label"), Image(np.zeros((2, 2)), grid))
    >>> [(name, int(mask.sum())) for name, mask in found]
    [('label_2', 1), ('label_5', 1)]
    """
    values = _values(labels)
    if not values:
        raise ItemError("empty_mask")
    needed = len(values) * math.prod(spatial_shape(image))
    if needed > memory_bytes:
        raise ItemError("too_large", needed_mib=round(needed / MIB), limit_mib=round(memory_bytes / MIB))
    on_grid = _on_grid(labels, image, resampled=resampled)
    masks = [(f"label_{value}", on_grid == value) for value in values]
    present = [(name, mask) for name, mask in masks if mask.any()]
    if not present:
        raise ItemError("misaligned_mask", what=Term("it lies outside the image"))
    return present


def _values(labels: Image) -> list[int]:
    """Whole numbers other than zero that occur, ascending."""
    if labels.time_axis is not None or labels.channel_axis is not None:
        raise ItemError("unsupported_format", format=Term("label map with time or colour"))
    values = np.unique(labels.array)
    if values.dtype.kind == "f" and not (np.isfinite(values).all() and (values == np.rint(values)).all()):
        raise ItemError("unsupported_format", format=Term("label map with fractions"))
    found = [int(v) for v in values if v]
    if len(found) > MAX_REGIONS:
        raise ItemError("unsupported_format", format=Term("label map with more than 256 values"))
    return found


def spatial_shape(image: Image) -> tuple[int, ...]:
    """Extents of the image's spatial axes."""
    return tuple(n for a, n in enumerate(image.array.shape) if a not in (image.channel_axis, image.time_axis))


def _on_grid(labels: Image, image: Image, *, resampled: bool) -> Array:
    """Labels sampled at the centres of the image's samples, zero outside; nearest neighbour."""
    shape = spatial_shape(image)
    squeezed = labels.array.size == np.prod(shape) and [n for n in labels.array.shape if n > 1] == [
        n for n in shape if n > 1
    ]
    both_calibrated = labels.geometry.calibrated and image.geometry.calibrated
    if squeezed and (not both_calibrated or _same_place(labels.geometry, image.geometry)):
        return labels.array.reshape(shape)
    if not both_calibrated:
        raise ItemError(
            "misaligned_mask", what=Term(f"sizes differ ({_sizes(labels, shape)}) without physical spacing")
        )
    if not resampled and not _same_lattice(labels.geometry, image.geometry, shape):
        what = Term(f"its samples lie between those of the image ({_sizes(labels, shape)})")
        raise ItemError("misaligned_mask", hint=_RESAMPLE, what=what)
    return _nearest(labels, image.geometry, shape)


def _sizes(labels: Image, shape: tuple[int, ...]) -> str:
    """Both extents in words."""
    return f"image {' x '.join(map(str, shape))}, mask {' x '.join(map(str, labels.array.shape))}"


def _same_lattice(one: Geometry, other: Geometry, shape: tuple[int, ...]) -> bool:
    """Whether all samples of the other grid, of that shape, lie within a tenth of a sample of the first's lattice."""
    steps = np.linalg.inv(_matrix(one)) @ _matrix(other)
    depth, height, width = shape if len(shape) == 3 else (1, *shape)
    corners = np.array([[*np.multiply(c, (depth - 1, height - 1, width - 1)), 1] for c in np.ndindex(2, 2, 2)]).T
    return bool(np.abs((steps - np.rint(steps)) @ corners).max() <= _ON_SAMPLES)


def _same_place(one: Geometry, other: Geometry) -> bool:
    """Whether two grids of one shape have their samples in the same places."""
    return one.ndim == other.ndim and np.allclose(one.affine, other.affine, rtol=1e-5, atol=_SAME_PLACE_MM)


def _nearest(labels: Image, target: Geometry, shape: tuple[int, ...]) -> Array:
    """Value of the nearest label sample at each sample of the target grid, plane by plane to bound memory."""
    source = labels.array if labels.array.ndim == 3 else labels.array[None]
    to_source = np.linalg.inv(_matrix(labels.geometry)) @ _matrix(target)
    depth, height, width = shape if len(shape) == 3 else (1, *shape)
    result = np.zeros((depth, height, width), labels.array.dtype)
    rows, columns = np.mgrid[:height, :width].reshape(2, -1)
    for z in range(depth):
        points = to_source @ np.stack([np.full(rows.size, z), rows, columns, np.ones(rows.size)])
        index = np.floor(points[:3] + 0.5).astype(np.int64)
        inside = ((index >= 0) & (index < np.array(source.shape)[:, None])).all(axis=0)
        result[z].reshape(-1)[inside] = source[tuple(index[:, inside])]
    return result.reshape(shape)


def _matrix(geometry: Geometry) -> NDArray[np.float64]:
    """(4, 4) matrix from (z, y, x, 1) indices to LPS millimetres; a plane gets its normal as z axis, 1 mm thick."""
    if geometry.ndim == 3:
        return geometry.affine
    row, column = (np.asarray(d) for d in geometry.direction)
    normal = np.append(np.cross(column, row), 0.0)
    return np.column_stack([normal, geometry.affine])
