"""Area and volume inside the marching-cubes surface of a mask, without building a mesh.

The surface of a binary mask at level 1/2 is fixed, cell by cell, by which of the cell's 8 corners are inside. So the
256 possible cells are counted, and every measure is the histogram times a table. The table is derived here from the
rules of the algorithm rather than copied:

- vertices lie in the middle of cell edges whose ends differ;
- on a cell face with two inside corners across the diagonal, the inside is joined (regions are 26-connected), so that
  neighbouring cells always agree and the surface is closed;
- a loop of five or more vertices is triangulated with the greatest area, which gives the triangles of Lorensen and
  Cline's published cases; equal choices are averaged, so that turning or mirroring a mask never changes a value.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from radlake.core.image import BoolArray, FloatArray
from radlake.imaging.arguments import Spacing

# Corner k of a cell lies at (z, y, x) = the bits of k, z the highest. Corners of each face in turn, seen from outside
# anticlockwise for a right-handed (z, y, x).
_FACES = (
    (0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3),
)  # fmt: skip


class _Table(NamedTuple):
    """Triangles of every cell on the unit cube, and the volume inside each cell."""

    cell: NDArray[np.intp]  # (t,) which cell a triangle belongs to
    normal: NDArray[np.float64]  # (t, 3) cross product of two sides: twice the area
    weight: NDArray[np.float64]  # (t,) below 1 where equal triangulations are averaged
    volume: NDArray[np.float64]  # (256,) share of the cell that is inside


def mesh_area_volume(mask: BoolArray, spacing: Spacing) -> tuple[float, float]:
    """Surface area (mm2) and enclosed volume (mm3) of the marching-cubes mesh of a mask.

    Parameters
    ----------
    mask : (z, y, x) bool array
        May touch the array's sides: outside counts as not in the mask.
    spacing : (z, y, x)
        Millimetres.

    References
    ----------
    Lorensen, Cline (1987), Marching cubes: a high resolution 3D surface construction algorithm, SIGGRAPH 21:163-169;
    IBSI arXiv:1612.07003, 3.1 (mesh-based representation), RNU0 and C0JK.

    Examples
    --------
    A single voxel becomes an octahedron:

    >>> area, volume = mesh_area_volume(np.ones((1, 1, 1), bool), (1.0, 1.0, 1.0))
    >>> round(area, 4), round(volume, 4)
    (1.7321, 0.1667)
    """
    table, counts = _cube_table(), cell_counts(mask)
    # A cross product scales by the products of the two other spacings.
    scale = np.array([spacing[1] * spacing[2], spacing[0] * spacing[2], spacing[0] * spacing[1]])
    areas = np.sqrt(((table.normal * scale) ** 2).sum(axis=1)) * table.weight / 2
    area = float((counts[table.cell] * areas).sum())
    volume = float((counts * table.volume).sum() * np.prod(spacing))
    return area, volume


def cell_counts(mask: BoolArray) -> NDArray[np.int64]:
    """How many cells of 2 x 2 (x 2) neighbouring samples have each pattern; bit k of a pattern is corner k.

    Examples
    --------
    >>> cell_counts(np.ones((1, 1), bool)).nonzero()[0].tolist()
    [1, 2, 4, 8]
    """
    from radlake.features import shape_kernels

    return shape_kernels.cells(mask) if mask.ndim == 3 else shape_kernels.plane_cells(mask)


# Share of a face inside, by its four corners: corners cut off at the middle of edges.
_FACE_AREA = np.array([0, 1, 1, 4, 1, 4, 6, 7, 1, 6, 4, 7, 4, 7, 7, 8]) / 8


@cache
def _cube_table() -> _Table:
    """The table of all 256 cells."""
    corners = np.array([[k >> 2 & 1, k >> 1 & 1, k & 1] for k in range(8)], np.float64)
    edges = [(a, b) for a in range(8) for b in range(a + 1, 8) if (a ^ b) in (1, 2, 4)]
    middles = np.array([(corners[a] + corners[b]) / 2 for a, b in edges])
    number = {edge: i for i, edge in enumerate(edges)}
    triple = _cross_products(middles)
    found = [
        (cell, triangle, weight)
        for cell in range(256)
        for loop in _loops(cell, number)
        for triangle, weight in _triangles(loop, triple)
    ]
    cells = np.array([f[0] for f in found])
    index = np.array([f[1] for f in found])
    weight = np.array([f[2] for f in found])
    normal = triple[tuple(index.T)]
    # Divergence theorem about the cell's centre: triangles, and the inside part of the faces at distance 1/2.
    cone = ((middles[index[:, 0]] - 0.5) * normal).sum(axis=1) * weight / 6
    volume = np.bincount(cells, cone, minlength=256) + _inside_faces() / 6
    return _Table(cells, normal, weight, volume)


def _cross_products(points: FloatArray) -> NDArray[np.float64]:
    """Cross product (b - a) x (c - a) of every three points, shape (n, n, n, 3)."""
    sides = points[None, :, :] - points[:, None, :]
    return np.asarray(np.cross(sides[:, :, None, :], sides[:, None, :, :]))


def _inside_faces() -> NDArray[np.float64]:
    """Inside area of the six faces of each cell together."""
    total = np.zeros(256)
    for face in _FACES:
        a, b, c, d = ((np.arange(256) >> corner) & 1 for corner in face)
        # _FACE_AREA counts corners row by row, a face runs round: the last two change places.
        total += _FACE_AREA[a | b << 1 | d << 2 | c << 3]
    return total


def _loops(cell: int, number: dict[tuple[int, int], int]) -> Iterator[list[int]]:
    """Closed loops of edge numbers in which the surface crosses a cell, outward side anticlockwise."""
    following: dict[int, int] = {}
    for face in _FACES:
        inside = [bool(cell >> corner & 1) for corner in face]
        crossing = [number[min(a, b), max(a, b)] for a, b in pairwise((*face, face[0]))]
        for k in range(4):
            if inside[k] and not inside[(k + 1) % 4]:
                # Round the outside corners to where the face is entered again: the inside stays joined.
                back = next(j % 4 for j in range(k + 1, k + 4) if inside[(j + 1) % 4])
                following[crossing[back]] = crossing[k]
    while following:
        start, at = following.popitem()
        loop = [start]
        while at != start:
            loop.append(at)
            at = following.pop(at)
        yield loop


def _triangles(loop: list[int], cross: FloatArray) -> Iterator[tuple[tuple[int, int, int], float]]:
    """Triangles of a loop with weights: those of greatest area, averaged where several triangulations have it."""
    choices = []
    for triangulation in _triangulations(0, len(loop) - 1):
        triangles = [(loop[a], loop[b], loop[c]) for a, b, c in triangulation]
        area = sum(float(np.linalg.norm(cross[t])) for t in triangles)
        choices.append((round(area, 9), triangles))
    greatest = max(area for area, _ in choices)
    best = [triangles for area, triangles in choices if area == greatest]
    for triangles in best:
        for triangle in triangles:
            yield triangle, 1.0 / len(best)


def _triangulations(first: int, last: int) -> Iterator[list[tuple[int, int, int]]]:
    """All ways to cut the polygon of vertices first ... last into triangles."""
    if last - first < 2:
        yield []
        return
    for k in range(first + 1, last):
        for left in _triangulations(first, k):
            for right in _triangulations(k, last):
                yield [*left, *right, (first, k, last)]
