"""Patches of images: cut at random for training, in overlapping windows for answering."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_SIGMA = 1 / 8  # of a window's extent: how fast its say falls off towards its border
_FOREGROUND = 1 / 3  # share of the patches that are cut around a labelled pixel


def padded(image: NDArray, size: Sequence[int], *, edge: bool) -> tuple[NDArray, tuple[slice, ...]]:  # type: ignore[type-arg] # floats or labels
    """An image (C, [Z,] Y, X) filled up to at least a size, and where the image is in it.

    Parameters
    ----------
    image : array
    size : sequence of int
    edge : bool
        Repeat the edge; otherwise zeros (labels: background).
    """
    room = [max(0, n - m) for n, m in zip(size, image.shape[1:], strict=True)]
    sides = [(0, 0), *((r // 2, r - r // 2) for r in room)]
    where = (slice(None), *(slice(a, a + n) for (a, _), n in zip(sides[1:], image.shape[1:], strict=True)))
    return (np.pad(image, sides, mode="edge") if edge else np.pad(image, sides)), where


def random_corner(labels: NDArray[np.int64], size: Sequence[int], rng: np.random.Generator) -> tuple[int, ...]:
    """Lowest corner of a patch inside an image; every third is cut around a pixel that is labelled.

    Parameters
    ----------
    labels : (1, [Z,] Y, X) int array
        At least as large as the patch.
    size : sequence of int
    rng : numpy.random.Generator
    """
    most = [n - m for n, m in zip(labels.shape[1:], size, strict=True)]
    corner = [int(rng.integers(0, m + 1)) for m in most]
    if any(most) and rng.random() < _FOREGROUND:
        marked = np.flatnonzero(labels[0])
        if len(marked):
            pixel = np.unravel_index(int(rng.choice(marked)), labels.shape[1:])
            corner = [
                min(max(0, int(p) - int(rng.integers(0, n))), m)
                for p, n, m in zip(pixel, size, most, strict=True)
            ]  # fmt: skip
    return tuple(corner)


def cut(image: Any, corner: Sequence[int], size: Sequence[int]) -> Any:
    """The patch of an image (C, [Z,] Y, X), an array or a tensor, at a corner."""
    return image[(slice(None), *(slice(c, c + n) for c, n in zip(corner, size, strict=True)))]


def window_corners(extent: Sequence[int], size: Sequence[int]) -> list[tuple[int, ...]]:
    """Lowest corners of windows that cover an image with at least half of each shared with its neighbour.

    Examples
    --------
    >>> window_corners((5, 8), (5, 4))
    [(0, 0), (0, 2), (0, 4)]
    """
    axes = []
    for whole, part in zip(extent, size, strict=True):
        number = 1 + -(-(whole - part) // max(1, part // 2))
        axes.append(sorted({round(i * (whole - part) / max(1, number - 1)) for i in range(number)}))
    return list(product(*axes))


def say(size: Sequence[int]) -> Floats:
    """How much each pixel of a window counts: a Gaussian about its centre, never zero."""
    found = np.ones(tuple(size))
    for axis, n in enumerate(size):
        x = (np.arange(n) - (n - 1) / 2) / (_SIGMA * n)
        found *= np.exp(-(x**2) / 2).reshape([-1 if a == axis else 1 for a in range(len(size))])
    return np.maximum(found, 1e-3).astype(np.float32)


def over_windows(image: Floats, size: Sequence[int], answer: Callable[[Floats], Floats], classes: int) -> Floats:
    """Weighted mean of what windows say, (K, [Z,] Y, X).

    Parameters
    ----------
    image : (C, [Z,] Y, X) float32 array
    size : sequence of int
        Of the windows; a smaller image is filled up.
    answer : callable
        (1, C, *size) -> (1, K, *size).
    classes : int
    """
    whole, where = padded(image, size, edge=True)
    total = np.zeros((classes, *whole.shape[1:]), np.float32)
    weight = np.zeros(whole.shape[1:], np.float32)
    own = say(size)
    for corner in window_corners(whole.shape[1:], size):
        cut(total, corner, size)[...] += own * answer(cut(whole, corner, size)[None])[0]
        cut(weight[None], corner, size)[...] += own
    return np.asarray((total / weight)[where], dtype=np.float32)
