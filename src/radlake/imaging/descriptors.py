"""Edges and textures of planes as numbers: histograms of oriented gradients, and local binary patterns.

Nothing is learned. What is made of them lies in the rooms above: features of regions, and views of whole images.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ring = tuple[tuple[float, float], ...]  # (y, x) offsets of the neighbours, round the circle

CELL, BLOCK, BINS = 8, 2, 9
_EPSILON = 1e-5


def gradient_histograms(images: Floats) -> Floats:
    """Histograms of oriented gradients, shape (N, D), without unit.

    Nine unsigned directions in cells of 8 x 8 pixels, normalised in blocks of 2 x 2 cells (L2, cut at .2, L2 again);
    D: blocks row by row, in each its cells row by row, in each the directions from 0 to 180 degrees.

    Parameters
    ----------
    images : (N, Y, X) float32 array
        Y and X multiples of 8, at least 16.

    References
    ----------
    Dalal and Triggs (2005), Histograms of oriented gradients for human detection, CVPR.

    Examples
    --------
    A ramp to the right has gradients of 0 degrees only; they are as strong in all four cells:

    >>> ramp = np.tile(np.arange(16, dtype=np.float32), (1, 16, 1))
    >>> [round(float(v), 2) for v in gradient_histograms(ramp)[0, ::9]]
    [0.5, 0.5, 0.5, 0.5]
    """
    down, right = np.zeros_like(images), np.zeros_like(images)
    down[:, 1:-1] = images[:, 2:] - images[:, :-2]
    right[:, :, 1:-1] = images[:, :, 2:] - images[:, :, :-2]
    size = np.hypot(down, right)
    bins = (np.rad2deg(np.arctan2(down, right)) % 180 / (180 / BINS)).astype(np.int64) % BINS
    number, rows, columns = len(images), images.shape[1] // CELL, images.shape[2] // CELL
    cell = np.add.outer(np.arange(images.shape[1]) // CELL * columns, np.arange(images.shape[2]) // CELL)
    place = (np.arange(number)[:, None, None] * rows * columns + cell) * BINS + bins
    sums = np.bincount(place.ravel(), size.ravel().astype(np.float64), number * rows * columns * BINS)
    cells = (sums / CELL**2).reshape(number, rows, columns, BINS)
    blocks = np.lib.stride_tricks.sliding_window_view(cells, (BLOCK, BLOCK), axis=(1, 2))
    flat = blocks.transpose(0, 1, 2, 4, 5, 3).reshape(number, (rows - 1) * (columns - 1), -1)
    flat = np.minimum(flat / np.sqrt((flat**2).sum(axis=2, keepdims=True) + _EPSILON**2), 0.2)
    flat = flat / np.sqrt((flat**2).sum(axis=2, keepdims=True) + _EPSILON**2)
    found: Floats = flat.reshape(number, -1).astype(np.float32)
    return found


def square(radius_px: int) -> Ring:
    """The eight pixels at a distance along rows, columns and diagonals.

    Examples
    --------
    >>> square(2)[:2]
    ((-2, -2), (-2, 0))
    """
    around = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))
    return tuple((radius_px * y, radius_px * x) for y, x in around)


def circle(points: int, radius_px: float) -> Ring:
    """Points evenly on a circle, from the right anticlockwise; five decimals, so that those on the axes are pixels.

    Examples
    --------
    >>> circle(4, 1)
    ((0.0, 1.0), (-1.0, 0.0), (0.0, -1.0), (1.0, 0.0))
    """
    angles = 2 * np.pi * np.arange(points) / points
    y, x = np.round(-radius_px * np.sin(angles), 5) + 0.0, np.round(radius_px * np.cos(angles), 5) + 0.0
    return tuple(zip(y.tolist(), x.tolist(), strict=True))


def binary_patterns(images: NDArray[np.floating], ring: Ring) -> NDArray[np.int64]:
    """Which local binary pattern each pixel has whose ring lies in the image; shape (N, Y - 2 m, X - 2 m).

    m is the ring's reach, rounded up. A neighbour counts when it is at least as bright as the pixel; patterns with at
    most two changes round the ring are told by how many do (0 to P), all others are P + 1 (rotation-invariant,
    uniform). Neighbours between pixels are interpolated linearly.

    Parameters
    ----------
    images : (N, Y, X) float array
        Planes larger than the ring.
    ring : P pairs (y, x)
        Such as `square` or `circle` give.

    References
    ----------
    Ojala, Pietikainen, Maenpaa (2002), Multiresolution gray-scale and rotation invariant texture classification with
    local binary patterns, IEEE PAMI 24, 971-987.

    Examples
    --------
    >>> spot = np.zeros((1, 3, 3)); spot[0, 1, 1] = 1
    >>> binary_patterns(spot, square(1)).tolist(), binary_patterns(-spot, square(1)).tolist()
    ([[[0]]], [[[8]]])
    """
    reach = margin(ring)
    middle = images[:, reach : images.shape[1] - reach, reach : images.shape[2] - reach]
    bits = np.stack([_shifted(images, y, x, reach) >= middle for y, x in ring])
    changes = (bits != np.roll(bits, 1, axis=0)).sum(axis=0)
    return np.asarray(np.where(changes <= 2, bits.sum(axis=0), len(ring) + 1))


def margin(ring: Ring) -> int:
    """Pixels at an image's border that `binary_patterns` has no pattern for.

    Examples
    --------
    >>> margin(circle(8, 1.5))
    2
    """
    return int(np.ceil(max(abs(v) for place in ring for v in place)))


def _shifted(images: NDArray[np.floating], y: float, x: float, reach: int) -> NDArray[np.floating]:
    """Images as seen from a neighbour, without the margin."""
    rows, columns = images.shape[1] - 2 * reach, images.shape[2] - 2 * reach
    top, left = int(np.floor(y)), int(np.floor(x))

    def at(down: int, right: int) -> NDArray[np.floating]:
        return images[:, reach + top + down :, reach + left + right :][:, :rows, :columns]

    def across(down: int) -> NDArray[np.floating]:
        # a + (b - a) d: exact where both are equal
        return at(down, 0) if x == left else at(down, 0) + (at(down, 1) - at(down, 0)) * (x - left)

    return across(0) if y == top else across(0) + (across(1) - across(0)) * (y - top)
