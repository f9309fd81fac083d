"""Edges, textures and a small copy of an image as numbers: what classical models of images work on.

Histograms of oriented gradients, histograms of local binary patterns, and means on a coarse grid; nothing is learned.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radlake.imaging.descriptors import binary_patterns, gradient_histograms, square

Floats = NDArray[np.float32]

_COARSE = 8


def texture_histograms(images: Floats) -> Floats:
    """Shares of local binary patterns, at distances of one and two pixels, shape (N, 20).

    Of the eight pixels round each; see `radlake.imaging.descriptors.binary_patterns`.

    Parameters
    ----------
    images : (N, Y, X) float32 array
    """
    found = []
    for far in (1, 2):
        code = binary_patterns(images, square(far))
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
