"""What the six texture families share: the grey levels of a region, the passes over them, and the aggregations of IBSI.

A pass is made once per region and kept, because two families read each of its tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import Term
from radlake.core.image import BoolArray

Aggregation = Literal["2D_avg", "2D_comb", "2_5D_avg", "2_5D_comb", "3D_avg", "3D_comb"]
Dimension = Literal["2D", "2_5D", "3D"]
AGGREGATIONS: tuple[Aggregation, ...] = get_args(Aggregation)
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)
DEFAULT_AGGREGATIONS: tuple[Aggregation, ...] = ("3D_comb",)
_KEPT_CELLS = 1 << 23  # cells of the tables of all planes that are kept: 32 MiB
NO_VALUE = Term("too few neighbouring voxels or grey levels for this measure")

Counts = NDArray[np.integer[Any]]
Levels = NDArray[np.uint16]

# Backwards from a voxel as (dz, dy, dx): the 4 directions of a plane, then the 9 that leave it.
IN_PLANE = ((0, 0, -1), (0, -1, -1), (0, -1, 0), (0, -1, 1))
ACROSS = tuple((-1, dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1))


class Lines(NamedTuple):
    """Pairs (p, n, levels, levels) and runs (p, n, levels, lengths) of p parts in n directions, voxels (p,) of each.

    Parts are planes, or the volume as one. Index 0 is level 1 and length 1.
    """

    pairs: Counts
    runs: Counts
    voxels: NDArray[np.int64]


class Zones(NamedTuple):
    """Connected zones of equal level: first plane, level, size, least distance to the border; one number a zone."""

    plane: NDArray[np.int32]
    level: NDArray[np.int32]
    size: NDArray[np.int32]
    distance: NDArray[np.int32]


class Neighbourhoods(NamedTuple):
    """Dependence counts (planes, levels, 27), summed tone differences and voxels with neighbours (planes, levels)."""

    dependence: NDArray[np.uint32]
    tone: NDArray[np.float64]
    valid: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Texture:
    """Grey levels of a region, ready for the texture families.

    Parameters
    ----------
    levels : (z + 2, y + 2, x + 2) uint16 array
        Levels from 1, 0 outside the intensity mask, with a border of 0.
    count : int
        Number of levels, N_g.
    mask : (z, y, x) bool array
        The morphological mask, which the distances of zones are measured in.
    """

    levels: NDArray[np.uint16]
    count: int
    mask: BoolArray

    @cached_property
    def voxels(self) -> NDArray[np.int64]:
        """Voxels with a level, per plane."""
        from radlake.features import kernels

        return kernels.voxels(self.levels)

    @property
    def _all(self) -> slice:
        """All planes."""
        return slice(0, len(self.levels) - 2)

    @property
    def longest(self) -> int:
        """No run can be longer."""
        return int(max(self.levels.shape)) - 2

    @cached_property
    def lines(self) -> Lines:
        """Pairs and runs in the 13 directions of the volume."""
        if "_lines_by_plane" not in self.__dict__:
            return self._lines(self._all, (*IN_PLANE, *ACROSS), by_plane=False)
        # Directions that leave no plane have been walked already.
        across = self._lines(self._all, ACROSS, by_plane=False)
        pairs = _whole([lines.pairs for lines in self._lines_by_plane], across.pairs)
        runs = _whole([lines.runs for lines in self._lines_by_plane], across.runs)
        return Lines(pairs, runs, across.voxels)

    def lines_by_plane(self) -> Iterable[Lines]:
        """Pairs and runs in the 4 directions of each plane, some planes at a time."""
        return self._lines_by_plane if len(self.levels) * self._cells_of_a_plane <= _KEPT_CELLS else self._each_plane()

    @property
    def _cells_of_a_plane(self) -> int:
        """Cells of the tables of a plane."""
        return len(IN_PLANE) * self.count * (self.count + self.longest)

    @cached_property
    def _lines_by_plane(self) -> tuple[Lines, ...]:
        """The same, kept for the next aggregation and family."""
        return tuple(self._each_plane())

    def _each_plane(self) -> Iterator[Lines]:
        """The same, one after the other."""
        step = max(1, _KEPT_CELLS // 8 // self._cells_of_a_plane)
        for z in range(0, len(self.levels) - 2, step):
            yield self._lines(slice(z, z + step), IN_PLANE, by_plane=True)

    def _lines(self, planes: slice, directions: Sequence[tuple[int, int, int]], *, by_plane: bool) -> Lines:
        """Pairs and runs of some planes in some directions."""
        from radlake.features import kernels

        offsets = np.array(directions, np.int64)
        levels = self.levels[planes.start : planes.stop + 2]
        pairs, runs = kernels.pairs_and_runs(levels, offsets, self.count, self.longest, by_plane)
        voxels = self.voxels[planes]
        return Lines(pairs, runs, voxels if by_plane else voxels.sum(keepdims=True))

    @cached_property
    def zones(self) -> Zones:
        """Zones of the volume (26 neighbours), distances in its 6 directions."""
        return self._zones(deep=True)

    @cached_property
    def zones_in_planes(self) -> Zones:
        """Zones of all planes (8 neighbours), distances in the 4 directions of a plane."""
        return self._zones(deep=False)

    @cached_property
    def neighbourhoods(self) -> Neighbourhoods:
        """Of 3 x 3 x 3 voxels."""
        return self._neighbourhoods(deep=True)

    @cached_property
    def neighbourhoods_in_planes(self) -> Neighbourhoods:
        """Of 3 x 3 voxels."""
        return self._neighbourhoods(deep=False)

    def _zones(self, *, deep: bool) -> Zones:
        """Zones with their distances."""
        from radlake.features import zone_kernels

        found = zone_kernels.zones(self.levels, border_distance(self.mask, deep=deep), *_neighbours(deep))
        return Zones(*found.T)

    def _neighbourhoods(self, *, deep: bool) -> Neighbourhoods:
        """Tables of neighbourhoods, level 1 and dependence 1 first."""
        from radlake.features import kernels

        dependence, tone, valid = kernels.neighbourhoods(self.levels, self.count, deep)
        return Neighbourhoods(dependence[:, 1:, 1:], tone[:, 1:], valid[:, 1:])


@cache
def _neighbours(deep: bool) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:
    """Neighbours behind a voxel, in its plane or in the volume, and which of them a zone must be joined to."""
    from radlake.features import zone_kernels

    offsets = np.array((*IN_PLANE, *ACROSS) if deep else IN_PLANE, np.int64)
    return offsets, zone_kernels.representatives(offsets)


def _whole(planes: Sequence[Counts], across: Counts) -> Counts:
    """Tables of the directions of planes, summed over all, before those of the directions across."""
    within = np.concatenate(planes).sum(axis=0, keepdims=True, dtype=np.uint32)
    return np.concatenate([within, across], axis=1)


def in_place(mask: BoolArray, levels: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Levels of the voxels inside a mask (z, y, x), given in order, where they lie, with a border of 0.

    Examples
    --------
    >>> in_place(np.array([[[True, False, True]]]), np.array([3, 4], np.uint16))[1, 1].tolist()
    [0, 3, 0, 4, 0]
    """
    from radlake.features import kernels

    return kernels.in_place(mask, levels)


def border_distance(mask: BoolArray, *, deep: bool) -> NDArray[np.uint16]:
    """Steps along the axes from each voxel to the nearest outside the mask, 1 at its border; with a border of 0.

    Parameters
    ----------
    mask : (z, y, x) bool array
        Outside the array counts as outside the mask.
    deep : bool
        Whether steps may leave the plane.

    References
    ----------
    Rosenfeld, Pfaltz (1968), Distance functions on digital pictures, Pattern Recognition 1:33-61 (city block).

    Examples
    --------
    >>> border_distance(np.ones((1, 3, 3), bool), deep=False)[1, 1:-1, 1:-1].tolist()
    [[1, 1, 1], [1, 2, 1], [1, 1, 1]]
    """
    from radlake.features import kernels

    return kernels.border_distance(mask, deep)


def for_axes(aggregations: Iterable[Aggregation], axes: int) -> tuple[Aggregation, ...]:
    """The aggregations that exist with so many axes: a plane has only the 2-D ones, averaged or merged.

    Examples
    --------
    >>> for_axes(("3D_comb", "2D_comb", "3D_avg"), 2)
    ('2D_comb', '2D_avg')
    """
    return _for_axes(tuple(aggregations), axes)


@cache
def _for_axes(aggregations: tuple[Aggregation, ...], axes: int) -> tuple[Aggregation, ...]:
    """The same, found once."""
    if axes == 3:
        return aggregations
    merged: tuple[Aggregation, Aggregation] = ("2D_avg", "2D_comb")
    return tuple(dict.fromkeys(merged[a.endswith("comb")] for a in aggregations))


def dimensions(aggregations: Iterable[Aggregation]) -> tuple[Dimension, ...]:
    """For families without directions, which know no difference between averaged and merged ones.

    Examples
    --------
    >>> dimensions(("3D_comb", "3D_avg", "2_5D_comb"))
    ('3D', '2_5D')
    """
    return _dimensions(tuple(aggregations))


@cache
def _dimensions(aggregations: tuple[Aggregation, ...]) -> tuple[Dimension, ...]:
    """The same, found once."""
    found = (dimension for a in aggregations for dimension in DIMENSIONS if a.startswith(dimension + "_"))
    return tuple(dict.fromkeys(found))


@cache
def full_names(names: tuple[str, ...], suffix: str) -> tuple[str, ...]:
    """Names of features with their aggregation or dimension.

    Examples
    --------
    >>> full_names(("cm_energy",), "2D_avg")
    ('cm_energy_2D_avg',)
    """
    return tuple(f"{name}_{suffix}" for name in names)


def aggregation_of(name: str) -> str | None:
    """The aggregation or dimension at the end of a texture feature's name.

    Examples
    --------
    >>> aggregation_of("cm_joint_max_2_5D_comb"), aggregation_of("szm_sze_2D"), aggregation_of("stat_mean")
    ('2_5D_comb', '2D', None)
    """
    return next((known for known in (*AGGREGATIONS, "2_5D", "2D", "3D") if name.endswith(f"_{known}")), None)


def by_direction(
    texture: Texture, aggregation: Aggregation, table: Callable[[Lines], Counts]
) -> Iterator[tuple[Counts, NDArray[np.int64]]]:
    """Matrices (n, levels, m) of one aggregation, over which features are averaged, each with its number of voxels.

    They come in parts, so that those of all planes need not be held at once.

    References
    ----------
    IBSI arXiv:1612.07003, 3.6 (aggregating features): BTW3, SUJT, JJUI, ZW7Z, ITBB, IAZD.
    """
    dimension, how = aggregation.rsplit("_", 1)
    parts: Iterable[Lines] = [texture.lines] if dimension == "3D" else texture.lines_by_plane()
    merged: Counts | None = None
    voxels = np.zeros(1, np.int64)
    for lines in parts:
        counts = table(lines)
        if dimension == "2_5D":
            whole = counts.sum(axis=0, keepdims=True, dtype=np.int64)
            merged = whole if merged is None else merged + whole
            voxels += lines.voxels.sum()
        else:
            yield _directions(counts, lines.voxels, how)
    if merged is not None:
        yield _directions(merged, voxels, how)


def _directions(counts: Counts, voxels: NDArray[np.int64], how: str) -> tuple[Counts, NDArray[np.int64]]:
    """Each direction by itself, or all merged: then each voxel was met once a direction."""
    directions = counts.shape[1]
    if how == "comb":
        return counts.sum(axis=1, dtype=np.int64), voxels * directions
    return counts.reshape(-1, *counts.shape[2:]), np.repeat(voxels, directions)


def average(names: Sequence[str], tables: Iterable[NDArray[np.float64]]) -> dict[str, float | Term]:
    """Mean of each feature over matrices; where none has a value (NaN), a Term says so.

    Parameters
    ----------
    names : sequence of str
        Of the first columns.
    tables : iterable of (n, columns) arrays
        Features of n matrices each.

    Examples
    --------
    >>> average(["a", "b"], [np.array([[1.0, np.nan], [2.0, np.nan]])])["a"]
    1.5
    """
    parts = [*tables]
    table = (parts[0] if len(parts) == 1 else np.concatenate(parts))[:, : len(names)]
    means = table[0]
    if len(table) > 1:
        known = ~np.isnan(table)
        number = known.sum(axis=0)
        means = np.where(number > 0, np.where(known, table, 0).sum(axis=0) / np.maximum(number, 1), np.nan)
    return {name: NO_VALUE if m != m else m for name, m in zip(names, means.tolist(), strict=True)}  # noqa: PLR0124
