"""How every operation takes its input: an `Image` or an array, lengths in millimetres or in voxels.

An `Image` knows its spacing and which axes are channels or time; an array comes with `spacing` and `channel_axis`.
Operations are written for the two or three spatial axes alone and are run here on each channel and time point.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeVar, cast

import numpy as np

from radlake.core.image import Array, Image

Spacing = tuple[float, ...]
Lengths = float | Sequence[float]
Border = Literal["reflect", "nearest", "mirror", "wrap", "constant"]
BORDERS: tuple[Border, ...] = ("reflect", "nearest", "mirror", "wrap", "constant")
Footprint = Literal["box", "ball"]
ImageOrArray = TypeVar("ImageOrArray", bound=Image | Array)


def on_spatial_axes(
    image: ImageOrArray,
    operation: Callable[[Array, Spacing], Array],
    *,
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
) -> ImageOrArray:
    """The image or array whose spatial part went through an operation, each channel and time point by itself.

    Parameters
    ----------
    image : Image or (z, y, x) or (y, x) array
        An array may have channels where `channel_axis` says.
    operation : callable
        Takes a spatial array and its spacing, returns an array of the same shape.
    spacing : floats, optional
        For arrays: one value per spatial axis, millimetres; 1 where absent.
    channel_axis : int, optional
        For arrays only; an `Image` names its own.

    Raises
    ------
    ValueError
        When an `Image` comes with `spacing` or `channel_axis`, or they do not fit the array.

    Examples
    --------
    >>> on_spatial_axes(np.ones((2, 2, 3)), lambda a, _: a * a.size, channel_axis=2).tolist()[0][0]
    [4.0, 4.0, 4.0]
    """
    if isinstance(image, Image):
        if spacing is not None or channel_axis is not None:
            raise ValueError("an Image brings its own spacing and channel axis; give these with arrays only")
        extra = [axis for axis in (image.time_axis, image.channel_axis) if axis is not None]
        return cast(ImageOrArray, image.with_array(_apply(image.array, operation, image.geometry.spacing, extra)))
    array = np.asarray(image)
    extra = [] if channel_axis is None else [channel_axis % array.ndim]
    return cast(ImageOrArray, _apply(array, operation, spacing_of(array.ndim - len(extra), spacing), extra))


def spacing_of(axes: int, spacing: Sequence[float] | None) -> Spacing:
    """Checked spacing of an array with that many spatial axes; 1 a side where it is not given.

    Raises
    ------
    ValueError
        When there are not two or three axes, or the spacing does not fit them.
    """
    if axes not in (2, 3):
        raise ValueError(f"expected 2 or 3 spatial axes, got {axes}; name channels by channel_axis")
    values = tuple(float(s) for s in spacing) if spacing is not None else (1.0,) * axes
    if len(values) != axes or not all(np.isfinite(s) and s > 0 for s in values):
        raise ValueError(f"spacing must hold {axes} positive numbers, got {values}")
    return values


def in_voxels(name: str, mm: Lengths | None, vox: Lengths | None, spacing: Spacing) -> tuple[float, ...]:
    """A length along each axis in voxels, from exactly one of millimetres or voxels.

    Raises
    ------
    ValueError
        When both or none are given, or a length is negative or not finite.

    Examples
    --------
    >>> in_voxels("sigma", 2.0, None, (4.0, 0.5, 0.5))
    (0.5, 4.0, 4.0)
    """
    given = mm if mm is not None else vox
    if given is None or (mm is not None and vox is not None):
        raise ValueError(f"give exactly one of {name}_mm and {name}_vox")
    lengths = np.asarray(given, np.float64)
    if lengths.shape not in ((), (len(spacing),)):
        raise ValueError(f"{name} must be one number or one for each of {len(spacing)} axes, got {given}")
    lengths = np.broadcast_to(lengths, (len(spacing),))
    if not np.all(np.isfinite(lengths)) or np.any(lengths < 0):
        raise ValueError(f"{name} must be finite and not negative, got {given}")
    scale = spacing if mm is not None else (1.0,) * len(spacing)
    return tuple(float(length / step) for length, step in zip(lengths, scale, strict=True))


def box_size(radius_mm: Lengths | None, size_vox: Lengths | None, spacing: Spacing) -> tuple[int, ...]:
    """Sides of a box in voxels: 2 floor(radius / spacing) + 1 from millimetres, or odd sizes as given.

    Raises
    ------
    ValueError
        When both or none are given, or a size is not an odd number of at least 1.

    Examples
    --------
    >>> box_size(2.0, None, (5.0, 0.7, 0.7))
    (1, 5, 5)
    """
    if radius_mm is not None:
        # 1e-9: 2.1 mm at 0.7 mm are three voxels, although 2.1 / 0.7 is a little below 3 in binary
        radii = in_voxels("radius", radius_mm, None, spacing) if size_vox is None else ()
        if not radii:
            raise ValueError("give exactly one of radius_mm and size_vox")
        return tuple(2 * int(np.floor(r + 1e-9)) + 1 for r in radii)
    sizes = in_voxels("size", None, size_vox, spacing)
    if any(s < 1 or s % 2 != 1 for s in sizes):
        raise ValueError(f"size_vox must be odd and at least 1, got {size_vox}")
    return tuple(int(s) for s in sizes)


def known_border(border: Border) -> Border:
    """The border's name, checked.

    Raises
    ------
    ValueError
        When it is not one of `BORDERS`.
    """
    if border not in BORDERS:
        raise ValueError(f"border must be one of {', '.join(BORDERS)}; got {border!r}")
    return border


def _apply(array: Array, operation: Callable[[Array, Spacing], Array], spacing: Spacing, extra: list[int]) -> Array:
    """Run an operation on the spatial part; extra axes are looped over and put back where they were."""
    if not extra:
        return operation(array, spacing)
    moved = np.moveaxis(array, extra, range(len(extra)))
    parts = [operation(moved[index], spacing) for index in np.ndindex(*moved.shape[: len(extra)])]
    if not parts:
        return array.copy()
    stacked = np.stack(parts).reshape(*moved.shape[: len(extra)], *parts[0].shape)
    return np.ascontiguousarray(np.moveaxis(stacked, range(len(extra)), extra))
