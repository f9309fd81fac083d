"""Edges, textures and a small copy of an image as numbers: what classical models of images work on.

Histograms of oriented gradients, histograms of local binary patterns, and means on a coarse grid; nothing is learned.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_SIDE = 32  # pixels that images are brought to
_CELL, _BLOCK, _BINS = 8, 2, 9
_COARSE = 8
_EPSILON = 1e-5


def gradient_histograms(images: Floats) -> Floats:
    """Histograms of oriented gradients of square images, shape (N, D).

    Nine unsigned directions in cells of 8 x 8 pixels, normalised in blocks of 2 x 2 cells (L2, cut at .2, L2 again).

    Parameters
    ----------
    images : (N, Y, X) float32 array
        Y and X multiples of 8, at least 16.

    References
    ----------
    Dalal and Triggs (2005), Histograms of oriented gradients for human detection, CVPR.
    """
    down, right = np.zeros_like(images), np.zeros_like(images)
    down[:, 1:-1] = images[:, 2:] - images[:, :-2]
    right[:, :, 1:-1] = images[:, :, 2:] - images[:, :, :-2]
    size = np.hypot(down, right)
    bins = (np.rad2deg(np.arctan2(down, right)) % 180 / (180 / _BINS)).astype(np.int64) % _BINS
    number, rows, columns = len(images), images.shape[1] // _CELL, images.shape[2] // _CELL
    cell = np.add.outer(np.arange(images.shape[1]) // _CELL * columns, np.arange(images.shape[2]) // _CELL)
    place = (np.arange(number)[:, None, None] * rows * columns + cell) * _BINS + bins
    sums = np.bincount(place.ravel(), size.ravel().astype(np.float64), number * rows * columns * _BINS)
    cells = (sums / _CELL**2).reshape(number, rows, columns, _BINS)
    blocks = np.lib.stride_tricks.sliding_window_view(cells, (_BLOCK, _BLOCK), axis=(1, 2))
    flat = blocks.transpose(0, 1, 2, 4, 5, 3).reshape(number, (rows - 1) * (columns - 1), -1)
    flat = np.minimum(flat / np.sqrt((flat**2).sum(axis=2, keepdims=True) + _EPSILON**2), 0.2)
    flat = flat / np.sqrt((flat**2).sum(axis=2, keepdims=True) + _EPSILON**2)
    found: Floats = flat.reshape(number, -1).astype(np.float32)
    return found


def texture_histograms(images: Floats) -> Floats:
    """Shares of local binary patterns, at distances of one and two pixels, shape (N, 20).

    Which of the eight neighbours are at least as bright as the pixel: patterns with at most two changes around the
    circle are told by how many are, all others together (rotation-invariant, uniform).

    Parameters
    ----------
    images : (N, Y, X) float32 array

    References
    ----------
    Ojala, Pietikainen, Maenpaa (2002), Multiresolution gray-scale and rotation invariant texture classification with
    local binary patterns, IEEE PAMI 24, 971-987.
    """
    ring = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))
    found = []
    for far in (1, 2):
        middle = images[:, far:-far, far:-far]
        rows, columns = middle.shape[1:]
        bits = np.stack(
            [images[:, far * (1 + y) :, far * (1 + x) :][:, :rows, :columns] >= middle for y, x in ring]
        )  # fmt: skip
        changes = (bits != np.roll(bits, 1, axis=0)).sum(axis=0)
        code = np.where(changes <= 2, bits.sum(axis=0), 9)
        found.append(np.stack([(code == k).mean(axis=(1, 2)) for k in range(10)], axis=1))
    return np.concatenate(found, axis=1).astype(np.float32)


def described(images: Floats) -> Floats:
    """All numbers of square images, shape (N, D): gradients, textures, and means on a grid of 8 x 8.

    Parameters
    ----------
    images : (N, 32, 32) float32 array
        In standard units.
    """
    side = images.shape[1] // _COARSE
    coarse = images.reshape(len(images), _COARSE, side, _COARSE, side).mean(axis=(2, 4)).reshape(len(images), -1)
    return np.concatenate([gradient_histograms(images), texture_histograms(images), coarse], axis=1)
