"""Small pictures of images for reports: the middle slice as a person would look at it, and PNG bytes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radlake.core.image import Array, Image
from radlake.imaging.channels import middle_time_point
from radlake.imaging.window import apply_window, display_window

# Radiological convention: the patient's left is on the right, the front on top, the head on top. LPS x, y, z.
_SCREEN = (1.0, 1.0, -1.0)
_PNG_EFFORT = 6


def thumbnail(image: Image, *, longest: int = 256) -> NDArray[np.uint8]:
    """Middle slice in display grey levels, shape (h, w), or (h, w, 3) RGB; pixels are square in millimetres.

    Slices are turned so that the patient's left is on the right and head or front on top; cine images show their middle
    time point. Small images are not enlarged.

    Parameters
    ----------
    image : Image
        Any kind.
    longest : int
        Pixels on the longer side, at most.

    Raises
    ------
    ValueError
        When the image holds no samples.

    Examples
    --------
    >>> from radlake.core.image import Geometry
    >>> thumbnail(Image(np.zeros((10, 600, 300), np.int16), Geometry((5.0, 1.0, 1.0)))).shape
    (256, 128)
    """
    import cv2

    if image.array.size == 0:
        raise ValueError("an image without samples has no picture")
    image = middle_time_point(image)
    plane = _colour_last(_middle_slice(image), image)
    # 8-bit colours are display levels already.
    ready = plane.ndim == 3 and plane.dtype == np.uint8
    picture = _upright(plane if ready else apply_window(plane, display_window(image)), image)
    height, width = _size(picture.shape[:2], image.geometry.spacing[-2:], longest)
    if (height, width) == picture.shape[:2]:
        return np.ascontiguousarray(picture)
    shrinking = height * width < picture.shape[0] * picture.shape[1]
    how = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(np.ascontiguousarray(picture), (width, height), interpolation=how), np.uint8)


def png_bytes(picture: NDArray[np.uint8]) -> bytes:
    r"""A grey (h, w) or RGB (h, w, 3) picture as PNG, without metadata; equal pictures give equal bytes.

    Raises
    ------
    ValueError
        When the array is no such picture.

    References
    ----------
    W3C, Portable Network Graphics (third edition), 2025.

    Examples
    --------
    >>> png_bytes(np.zeros((2, 2), np.uint8))[:4]
    b'\x89PNG'
    """
    import cv2

    if picture.dtype != np.uint8 or picture.ndim not in (2, 3) or picture.shape[2:] not in ((), (3,)):
        raise ValueError(f"expected a uint8 array (h, w) or (h, w, 3), got {picture.dtype} {picture.shape}")
    ordered = picture if picture.ndim == 2 else np.ascontiguousarray(picture[..., ::-1])  # OpenCV writes BGR
    _, encoded = cv2.imencode(".png", ordered, [cv2.IMWRITE_PNG_COMPRESSION, _PNG_EFFORT])
    return encoded.tobytes()


def _middle_slice(image: Image) -> Array:
    """Slice n // 2 along the first spatial axis of a volume; a plane as it is."""
    if image.geometry.ndim == 2:
        return image.array
    axis = 1 if image.channel_axis == 0 else 0
    return np.asarray(np.take(image.array, image.array.shape[axis] // 2, axis=axis))


def _colour_last(plane: Array, image: Image) -> Array:
    """A grey plane, or three colours in the last axis; alpha is dropped."""
    if image.channel_axis is None:
        return plane
    first = image.channel_axis == 0
    colours = np.moveaxis(plane, 0, -1) if first else plane
    return colours[..., :3] if colours.shape[-1] >= 3 else colours[..., 0]


def _upright(picture: NDArray[np.uint8], image: Image) -> NDArray[np.uint8]:
    """Flip rows and columns whose patient direction runs against the screen's."""
    for axis, direction in enumerate(image.geometry.direction[-2:]):
        along = int(np.argmax(np.abs(direction)))
        if direction[along] * _SCREEN[along] < 0:
            picture = np.flip(picture, axis)
    return picture


def _size(shape: tuple[int, ...], spacing: tuple[float, ...], longest: int) -> tuple[int, int]:
    """Rows and columns with square pixels: at most `longest`, and no finer than the image."""
    extent = [n * s for n, s in zip(shape, spacing, strict=True)]
    pixel = max(min(spacing), max(extent) / longest)
    rows, columns = (max(1, min(longest, round(e / pixel))) for e in extent)
    return rows, columns
