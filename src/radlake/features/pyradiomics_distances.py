"""PyRadiomics' matrices of neighbours at any distances: pairs, dependences and tone differences.

At distance 1 the compiled passes of `radlake.features.kernels` give the same; these are for settings that few use.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from radlake.features.texture import Texture

Offset = tuple[int, int, int]


class Tables(NamedTuple):
    """Dependence counts (levels, sizes), summed tone differences and voxels with neighbours (levels,)."""

    dependence: NDArray[np.int64]
    tone: NDArray[np.float64]
    valid: NDArray[np.int64]


def offsets(distances: Sequence[int], *, deep: bool) -> tuple[Offset, ...]:
    """Half of the offsets whose greatest part is one of the distances, one of each pair of opposite ones.

    Parameters
    ----------
    distances : sequence of int
        In voxels.
    deep : bool
        Whether they may leave the plane.

    Examples
    --------
    >>> [len(offsets(d, deep=deep)) for d, deep in (([1], True), ([1], False), ([2], True), ([1, 2], False))]
    [13, 4, 49, 12]
    """
    reach = range(-max(distances), max(distances) + 1)
    every = product(reach if deep else (0,), reach, reach)
    return tuple(o for o in every if o > (0, 0, 0) and max(map(abs, o)) in distances)


def pairs(texture: Texture, chosen: Sequence[Offset]) -> NDArray[np.int64]:
    """Pairs of levels in each offset, shape (offsets, levels, levels).

    Parameters
    ----------
    texture : Texture
    chosen : sequence of (z, y, x)

    Examples
    --------
    >>> grid = np.pad(np.array([[[1, 2, 1]]], np.uint16), 1)
    >>> pairs(Texture(grid, 2, np.ones((1, 1, 3), bool)), [(0, 0, 2)]).tolist()
    [[[1, 0], [0, 0]]]
    """
    size = texture.count + 1
    found = np.empty((len(chosen), texture.count, texture.count), np.int64)
    for table, (here, there) in zip(found, _shifted(texture, chosen), strict=True):
        codes = here.astype(np.int64) * size + there
        table[:] = np.bincount(codes.ravel(), minlength=size**2).reshape(size, size)[1:, 1:]
    return found


def neighbourhoods(texture: Texture, chosen: Sequence[Offset], *, apart: float) -> Tables:
    """Dependences and tone differences over neighbours at offsets and their opposites.

    Parameters
    ----------
    texture : Texture
    chosen : sequence of (z, y, x)
    apart : float
        Levels that differ by no more than this depend on each other.

    Examples
    --------
    >>> grid = np.pad(np.array([[[1, 2, 4]]], np.uint16), 1)
    >>> found = neighbourhoods(Texture(grid, 4, np.ones((1, 1, 3), bool)), [(0, 0, 1)], apart=1)
    >>> found.dependence[:, :2].tolist(), found.tone.tolist()
    ([[0, 1], [0, 1], [0, 0], [1, 0]], [1.0, 0.5, 0.0, 2.0])
    """
    both = [o for offset in chosen for o in (offset, (-offset[0], -offset[1], -offset[2]))]
    level = texture.levels[1:-1, 1:-1, 1:-1].astype(np.int64)
    alike, total, number = (np.zeros(level.shape, np.int64) for _ in range(3))
    for here, there in _shifted(texture, both):
        inside = (here > 0) & (there > 0)
        other = there.astype(np.int64)
        alike += inside & (np.abs(here.astype(np.int64) - other) <= apart)
        total += np.where(inside, other, 0)
        number += inside
    counted = level > 0
    sizes = len(both) + 1
    codes = level[counted] * sizes + alike[counted]
    dependence = np.bincount(codes, minlength=(texture.count + 1) * sizes).reshape(-1, sizes)[1:]
    known = counted & (number > 0)
    apart_from_mean = np.abs(level[known] - total[known] / number[known])
    tone = np.bincount(level[known], apart_from_mean, texture.count + 1)[1:]
    valid = np.bincount(level[known], minlength=texture.count + 1)[1:]
    return Tables(dependence.astype(np.int64), tone.astype(np.float64), valid.astype(np.int64))


def _shifted(texture: Texture, chosen: Sequence[Offset]) -> Iterator[tuple[NDArray[np.uint16], NDArray[np.uint16]]]:
    """Levels of all voxels, and of their neighbours at each offset; 0 outside."""
    reach = max(abs(part) for offset in chosen for part in offset)
    grid = np.pad(texture.levels, reach - 1)  # they have a border of 1 already
    here = texture.levels[1:-1, 1:-1, 1:-1]
    for offset in chosen:
        box = tuple(slice(reach + part, reach + part + n) for part, n in zip(offset, here.shape, strict=True))
        yield here, grid[box]
