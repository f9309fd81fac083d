"""From colour and time to one scalar picture: what segmentation, features and thumbnails look at."""

from __future__ import annotations

import numpy as np

from radlake.core.image import Array, Image

LUMA = (0.299, 0.587, 0.114)  # Rec. ITU-R BT.601-7, 2.5.1


def middle_time_point(image: Image) -> Image:
    """The image at its middle time point (index n // 2); itself when it has no time axis.

    The middle, because first frames of cine loops and dynamic studies often show nothing yet.
    """
    if image.time_axis is None:
        return image
    axis = image.time_axis
    array = np.take(image.array, image.array.shape[axis] // 2, axis=axis)
    channel = image.channel_axis
    if channel is not None and channel > axis:
        channel -= 1
    return image.with_array(array, time_axis=None, channel_axis=channel)


def luminance(array: Array, *, channel_axis: int = -1) -> Array:
    """Brightness of a colour array (BT.601 weights), in its own unit and dtype; one or two channels: the first.

    Examples
    --------
    >>> luminance(np.array([[[100, 200, 50]]], np.uint8)).tolist()
    [[153]]
    """
    moved = np.moveaxis(array, channel_axis, -1)
    if moved.shape[-1] < 3:  # grey, or grey and alpha
        return moved[..., 0]
    mixed = sum(np.float32(weight) * moved[..., i].astype(np.float32) for i, weight in enumerate(LUMA))
    if np.issubdtype(array.dtype, np.integer):
        mixed = np.clip(np.rint(mixed), moved.min(), moved.max())  # float32 may round past the range of 32 bits
    return np.asarray(mixed).astype(array.dtype)


def scalar(image: Image) -> Image:
    """One value per spatial sample: middle time point, brightness of colours.

    Examples
    --------
    >>> from radlake.core.image import Geometry
    >>> cine = Image(np.zeros((5, 4, 4, 3), np.uint8), Geometry((1.0, 1.0)), time_axis=0, channel_axis=3)
    >>> scalar(cine).array.shape
    (4, 4)
    """
    image = middle_time_point(image)
    if image.channel_axis is None:
        return image
    return image.with_array(luminance(image.array, channel_axis=image.channel_axis), channel_axis=None)
