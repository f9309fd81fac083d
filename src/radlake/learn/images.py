"""What a model of images is given: pictures or volumes in one layout, checked; and the contract of what it accepts.

Arrays (N, Y, X), (N, Y, X, C) with C of 1, 3 or 4, (N, Z, Y, X), (N, Z, Y, X, C), or a sequence of single images of
mixed sizes. Messages name axes, counts and positions, never values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from radlake.core.errors import UsageError

Axes = Literal["auto", "yx", "yxc", "zyx", "zyxc"]
CHANNELS = (1, 3, 4)  # a last axis of this length holds channels: grey, RGB, RGBA
_NARROW = 8  # columns: so few are more often channels
_SMALLEST = 4  # pixels along y and x


@dataclass(frozen=True, eq=False)
class Images:
    """Images of one kind, channels first.

    Parameters
    ----------
    arrays : (N, C, [Z,] Y, X) array, or (N,) object array of (C, [Z,] Y, X) arrays where sizes differ
    spatial : str
        "yx" or "zyx".
    channels : int
    """

    arrays: NDArray[Any]
    spatial: str
    channels: int

    def __len__(self) -> int:
        return len(self.arrays)

    @property
    def one_size(self) -> bool:
        """Whether all images are equally large."""
        return self.arrays.dtype != np.object_

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Extent of each image along its spatial axes, shape (N, 2 or 3)."""
        if self.one_size:
            return np.tile(np.array(self.arrays.shape[2:], dtype=np.int64), (len(self), 1))
        return np.array([a.shape[1:] for a in self.arrays], dtype=np.int64)

    def contract(self) -> dict[str, Any]:
        """What a model trained on these images has seen, in plain JSON types.

        Keys: kind, axes, channels, smallest and largest size, lowest and highest intensity.
        """
        sizes = self.sizes
        low, high = np.min([a.min() for a in self.arrays]), np.max([a.max() for a in self.arrays])
        return {
            "kind": "images",
            "axes": self.spatial,
            "channels": self.channels,
            "smallest": sizes.min(axis=0).tolist(),
            "largest": sizes.max(axis=0).tolist(),
            "low": float(low),
            "high": float(high),
        }

    def like(self, contract: Mapping[str, Any]) -> Images:
        """These images, if a model with that contract can take them.

        Raises
        ------
        UsageError
            When their axes or channels are others.
        """
        for key, got in (("axes", self.spatial), ("channels", self.channels)):
            if got != contract[key]:
                raise UsageError(
                    f"the model was trained on images with {key} {contract[key]}, got {got}; convert the images"
                    " or choose another model"
                )
        return self

    def digest(self, before: str = "") -> str:
        """SHA-256 of a text and the images."""
        found = hashlib.sha256(before.encode())
        for image in self.arrays:
            found.update(repr((image.shape, image.dtype.str)).encode() + np.ascontiguousarray(image).tobytes())
        return found.hexdigest()

    def part(self, chosen: NDArray[np.bool_] | slice) -> Images:
        """Some of the images."""
        return Images(self.arrays[chosen], self.spatial, self.channels)


def are_images(inputs: Any) -> bool:
    """Whether inputs are images, and no table of features.

    Examples
    --------
    >>> are_images(np.zeros((5, 8, 8))), are_images(np.zeros((5, 3))), are_images([np.zeros((8, 9)), np.zeros((7, 8))])
    (True, False, True)
    """
    if isinstance(inputs, np.ndarray) and inputs.dtype != np.object_:
        return inputs.ndim >= 3
    if hasattr(inputs, "columns") or not isinstance(inputs, Sequence | np.ndarray) or not len(inputs):
        return False
    return isinstance(inputs[0], np.ndarray) and inputs[0].ndim >= 2


def images(inputs: Any, *, axes: Axes = "auto") -> Images:
    """Check images and bring them into one layout.

    Parameters
    ----------
    inputs : array or sequence of arrays
        Numbers or truth values.
    axes : {"auto", "yx", "yxc", "zyx", "zyxc"}
        Axes of one image. By default a last axis of length 1, 3 or 4 holds channels, and one more axis is z.

    Raises
    ------
    UsageError
        When there are no images, they are text, of different dimensions or channels, too small, or hold values that
        are not finite.

    Examples
    --------
    >>> found = images(np.zeros((5, 8, 9, 3)))
    >>> found.arrays.shape, found.spatial, found.channels
    ((5, 3, 8, 9), 'yx', 3)
    """
    single = _one_array(inputs)
    if single is not None:
        layout = _axes(single.shape[1:], axes)
        return _checked(Images(_channels_first(single, layout, 1), layout.removesuffix("c"), _count(single, layout)))
    arrays = [np.asarray(image) for image in inputs]
    layouts = [_axes(image.shape, axes) for image in arrays]
    counts = [_count(a, layout) for a, layout in zip(arrays, layouts, strict=True)]
    for i, (layout, count) in enumerate(zip(layouts, counts, strict=True)):
        if (layout.removesuffix("c"), count) != (layouts[0].removesuffix("c"), counts[0]):
            raise UsageError(
                f"image {i} has axes {layout} and {count} channels, image 0 has {layouts[0]} and {counts[0]}; all"
                " images must have the same: convert them, or give axes="
            )
    found = np.empty(len(arrays), dtype=np.object_)
    for i, (image, layout) in enumerate(zip(arrays, layouts, strict=True)):
        found[i] = _channels_first(image, layout, 0)
    return _checked(Images(found, layouts[0].removesuffix("c"), counts[0]))


def stacked(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """One array where all images have one shape, an array of arrays otherwise.

    Examples
    --------
    >>> stacked([np.zeros((2, 3)), np.zeros((2, 3))]).shape, stacked([np.zeros((2, 3)), np.zeros((3, 2))]).shape
    ((2, 2, 3), (2,))
    """
    if len({np.shape(a) for a in arrays}) == 1:
        return np.stack([np.asarray(a) for a in arrays])
    found = np.empty(len(arrays), dtype=np.object_)
    for i, array in enumerate(arrays):
        found[i] = np.asarray(array)
    return found


def _one_array(inputs: Any) -> NDArray[Any] | None:
    """Inputs as one array where all images have one shape, None where they have not."""
    if isinstance(inputs, np.ndarray) and inputs.dtype != np.object_:
        return inputs
    if not isinstance(inputs, Sequence | np.ndarray) or not len(inputs):
        raise UsageError("there are no images; expected an array (N, Y, X), (N, Z, Y, X) or a list of arrays")
    shapes = {np.shape(image) for image in inputs}
    return np.stack([np.asarray(image) for image in inputs]) if len(shapes) == 1 else None


def _axes(shape: tuple[int, ...], axes: Axes) -> str:
    """Axes of one image of a shape."""
    if axes != "auto":
        if len(shape) != len(axes):
            raise UsageError(f"axes={axes!r} asks for {len(axes)} axes an image, got {len(shape)}")
        return axes
    channels = len(shape) >= 3 and shape[-1] in CHANNELS
    if len(shape) >= 3 and not channels and shape[-1] < _NARROW and 2 * shape[-1] < shape[-2]:
        raise UsageError(
            f"the last axis has {shape[-1]} entries: no number of channels (1, 3 or 4), and narrow for an image;"
            " keep 1, 3 or 4 channels, or say what the axes are by axes="
        )
    found = {2: "yx", 3: "zyx"}.get(len(shape) - channels)
    if found is None:
        raise UsageError(f"an image has 2 or 3 axes and perhaps channels; got {len(shape)} axes: give one image each")
    return found + "c" * channels


def _count(array: NDArray[Any], layout: str) -> int:
    """Number of channels."""
    return int(array.shape[-1]) if layout.endswith("c") else 1


def _channels_first(array: NDArray[Any], layout: str, first: int) -> NDArray[Any]:
    """A view with an axis of channels before the spatial axes."""
    return np.moveaxis(array, -1, first) if layout.endswith("c") else np.expand_dims(array, first)


def _checked(found: Images) -> Images:
    """The images, if a network can work with them."""
    if not len(found):
        raise UsageError("there are no images")
    kinds = {image.dtype.kind for image in found.arrays}
    if not kinds <= set("biuf"):
        raise UsageError("images must hold numbers; got text or objects")
    sizes = found.sizes
    small = np.flatnonzero((sizes[:, -2:].min(axis=1) < _SMALLEST) | (sizes.min(axis=1) < 1))
    if len(small):
        size = " x ".join(str(n) for n in sizes[small[0]])
        raise UsageError(
            f"{len(small)} images are too small, the first is image {small[0]} with {size} pixels; at least"
            f" {_SMALLEST} x {_SMALLEST} are needed: leave them out, or check how they were cut"
        )
    if kinds <= set("f"):
        bad = np.flatnonzero([not np.isfinite(image).all() for image in found.arrays])
        if len(bad):
            raise UsageError(
                f"pixels that are not finite (NaN) in {len(bad)} of {len(found)} images, first in image {bad[0]}; fill"
                " them (for example with the value of air) or leave these images out"
            )
    return found
