"""Pictures of pictures: an image in grey, a map over it in two colours, the outline of a region, as PNG in the page."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radlake.imaging.preview import png_bytes

Plane = NDArray[Any]

_FOR, _AGAINST, _OUTLINE = (255.0, 122.0, 20.0), (60.0, 150.0, 255.0), (70.0, 220.0, 120.0)
_STRENGTH = 0.75  # of the colour where a map is highest
_SHORTEST = 160  # pixels: smaller pictures are enlarged by whole steps, so that their pixels stay to be seen
_TAILS = (0.5, 99.5)


def slice_of(values: NDArray[Any], image: NDArray[Any]) -> int | None:
    """Slice of a volume that holds most of a map, None for flat images.

    Parameters
    ----------
    values : ([Z,] Y, X) array
    image : (C, [Z,] Y, X) array
    """
    return None if image.ndim == 3 else int(np.argmax(np.abs(values).sum(axis=(1, 2))))


def grey(image: NDArray[Any], at: int | None) -> Plane:
    """A flat image or a slice of a volume in levels 0 to 255, shape (Y, X, 3).

    Parameters
    ----------
    image : (C, [Z,] Y, X) array
    at : int or None
    """
    plane = image if at is None else image[:, at]
    if plane.dtype != np.uint8:
        low, high = np.percentile(image, _TAILS)
        plane = np.clip((plane - low) / ((high - low) or 1.0), 0.0, 1.0) * 255
    colours = plane[:3] if len(plane) >= 3 else np.repeat(plane[:1], 3, axis=0)
    return np.moveaxis(colours, 0, -1).astype(np.float64)


def with_map(plane: Plane, values: NDArray[Any]) -> Plane:
    """A picture with a map over it: orange above zero, blue below, clear at zero; the highest is full.

    Parameters
    ----------
    plane : (Y, X, 3) array
    values : (Y, X) array
        Already divided by the largest absolute value of its map.
    """
    weight = np.clip(np.abs(values), 0.0, 1.0)[..., None] * _STRENGTH
    colour = np.where((values > 0)[..., None], _FOR, _AGAINST)
    return np.asarray(plane * (1 - weight) + colour * weight)


def enlarged(plane: Plane) -> Plane:
    """A small picture in whole steps up to 160 pixels at least."""
    step = max(1, -(-_SHORTEST // min(plane.shape[:2])))
    return plane.repeat(step, axis=0).repeat(step, axis=1)


def with_outline(plane: Plane, mask: NDArray[np.bool_]) -> Plane:
    """A picture with the edge of a region drawn in green, after both were enlarged.

    Parameters
    ----------
    plane : (Y, X, 3) array
    mask : (Y, X) bool array
    """
    from scipy.ndimage import binary_erosion

    edge = mask & ~binary_erosion(mask, iterations=max(1, min(mask.shape) // 80))
    drawn = plane.copy()
    drawn[edge] = _OUTLINE
    return drawn


def data_uri(plane: Plane) -> str:
    """A picture as a page holds it."""
    png = png_bytes(np.ascontiguousarray(np.clip(np.rint(plane), 0, 255).astype(np.uint8)))
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
