"""Connected parts of a mask by runs, stretches of a row that lie inside: those that touch are joined."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radlake.core.image import BoolArray
from radlake.imaging.kernels.compiled import compiled, part

Numbers = NDArray[np.int32]
Places = NDArray[np.int64]

# Earlier rows that a row is joined with: planes back, rows back, samples that a run may start beside another's end.
_NEIGHBOURS: dict[int, tuple[tuple[int, int, int], ...]] = {
    4: ((0, 1, 0),),
    8: ((0, 1, 1),),
    6: ((0, 1, 0), (1, 0, 0)),
    18: ((0, 1, 1), (1, 0, 1), (1, 1, 0), (1, -1, 0)),
    26: ((0, 1, 1), (1, 0, 1), (1, 1, 1), (1, -1, 1)),
}


@dataclass(frozen=True)
class Parts:
    """The connected parts of a mask, numbered from 1 in the order of their first samples.

    Parameters
    ----------
    shape : (z, y, x)
        Of the mask.
    first : (z * y + 1,) int64 array
        Number of runs before each row.
    start, stop : (n,) int32 arrays
        First sample of each run, and the one after its last.
    number : (n,) int32 array
        Part that each run belongs to.
    count : int
        How many parts there are.
    """

    shape: tuple[int, int, int]
    first: Places
    start: Numbers
    stop: Numbers
    number: Numbers
    count: int

    def sizes(self) -> Places:
        """Samples of each part, shape (count + 1,); number 0, the outside, has none."""
        sizes = np.zeros(self.count + 1, np.int64)
        _add_lengths(self.start, self.stop, self.number, sizes)
        return sizes

    def labels(self, values: Numbers | None = None) -> Numbers:
        """A label for each sample: that of its part, `values[number]`, or the number itself; 0 outside."""
        found = np.zeros(self.shape, np.int32)
        chosen = self.number if values is None else values.astype(np.int32)[self.number]
        _paint(self.first, self.start, self.stop, chosen, found)
        return found

    def mask(self, keep: BoolArray, *, outside: bool = False) -> BoolArray:
        """The parts with `keep[number]`, as a mask; samples of no part are `outside`."""
        found = np.full(self.shape, outside, np.bool_)
        _paint(self.first, self.start, self.stop, keep[self.number], found)
        return found

    def at_edge(self, axes: Iterable[int]) -> BoolArray:
        """Which parts reach the first or the last sample along one of the axes, shape (count + 1,)."""
        row = np.repeat(np.arange(self.first.size - 1), np.diff(self.first))
        reaches = np.zeros(row.size, np.bool_)
        for axis in axes:
            last = self.shape[axis] - 1
            low, high = ((self.start, self.stop - 1), (row % self.shape[1],) * 2, (row // self.shape[1],) * 2)[2 - axis]
            reaches |= (low == 0) | (high == last)
        found = np.zeros(self.count + 1, np.bool_)
        found[self.number[reaches]] = True
        return found

    def at(self, places: Places) -> Numbers:
        """Number of the part at each of (n, 3) places; 0 outside."""
        found = np.zeros(len(places), np.int32)
        for i, (z, y, x) in enumerate(places.tolist()):
            row = z * self.shape[1] + y
            runs = slice(self.first[row], self.first[row + 1])
            run = int(np.searchsorted(self.start[runs], x, side="right")) - 1
            if run >= 0 and x < self.stop[runs][run]:
                found[i] = self.number[runs][run]
        return found


def parts_of(inside: BoolArray, connectivity: int) -> Parts:
    """Connected parts of a mask.

    Parameters
    ----------
    inside : (z, y, x) bool array
    connectivity : {4, 8, 6, 18, 26}
        Neighbours that belong together; 4 and 8 are those within a plane, so that planes are parted one by one.

    References
    ----------
    Rosenfeld and Pfaltz (1966), Sequential operations in digital picture processing, JACM 13:471-494; on runs, as He,
    Chao, Suzuki (2008), A run-based two-scan labeling algorithm, IEEE TIP 17:749-756.

    Examples
    --------
    >>> parts = parts_of(np.array([[[1, 0, 1], [0, 1, 0]]], bool), 4)
    >>> parts.labels().tolist(), parts.sizes().tolist()
    ([[[1, 0, 2], [0, 3, 0]]], [0, 1, 1, 1])
    """
    mask = np.ascontiguousarray(inside)
    depth, rows, width = mask.shape
    first = np.zeros(depth * rows + 1, np.int64)
    _count_runs(mask, first)
    np.cumsum(first, out=first)
    start, stop = np.empty(first[-1], np.int32), np.empty(first[-1], np.int32)
    number = np.empty(first[-1], np.int32)
    _find_runs(mask, first, start, stop)
    count = _number(first, start, stop, rows, np.array(_NEIGHBOURS[connectivity], np.int64), number)
    return Parts((depth, rows, width), first, start, stop, number, count)


@compiled("void(boolean[:,:,::1], int64[::1])")
def _count_runs(mask: BoolArray, first: Places) -> None:
    """How many runs each row holds, one place behind it."""
    depth, rows, width = mask.shape
    for z in range(depth):
        for y in range(rows):
            line = mask[z, y]
            count = np.int32(0)
            for x in range(width - 1):
                count += line[x] < line[x + 1]
            first[z * rows + y + 1] = count + (width > 0 and line[0])


@compiled("void(boolean[:,:,::1], int64[::1], int32[::1], int32[::1])")
def _find_runs(mask: BoolArray, first: Places, start: Numbers, stop: Numbers) -> None:
    """Where runs start and stop."""
    depth, rows, width = mask.shape
    for z in range(depth):
        for y in range(rows):
            line, x = mask[z, y], 0
            for run in range(first[z * rows + y], first[z * rows + y + 1]):
                while not line[x]:
                    x += 1
                start[run] = x
                while x < width and line[x]:
                    x += 1
                stop[run] = x


@part
def _root(parent: Numbers, run: int) -> int:
    """First run of the part that a run belongs to so far; paths are halved on the way."""
    while parent[run] != run:
        parent[run] = parent[parent[run]]
        run = parent[run]
    return run


@part
def _join(parent: Numbers, one: int, other: int) -> None:
    """Make two runs belong together; the earlier root stays one."""
    a, b = _root(parent, one), _root(parent, other)
    if a < b:
        parent[b] = a
    else:
        parent[a] = b


@compiled("int64(int64[::1], int32[::1], int32[::1], int64, int64[:,::1], int32[::1])")
def _number(
    first: Places, start: Numbers, stop: Numbers, rows: int, neighbours: NDArray[np.int64], number: Numbers
) -> int:
    """Join touching runs, then number their parts in the order of first runs; returns how many there are."""
    for run in range(number.size):
        number[run] = run
    for row in range(first.size - 1):
        z, y = row // rows, row % rows
        for k in range(len(neighbours)):
            above, beside, reach = z - neighbours[k, 0], y - neighbours[k, 1], neighbours[k, 2]
            if above < 0 or beside < 0 or beside >= rows:
                continue
            run, other = first[row], first[above * rows + beside]
            last = first[above * rows + beside + 1]
            while run < first[row + 1] and other < last:
                if start[run] < stop[other] + reach and start[other] < stop[run] + reach:
                    _join(number, run, other)
                if stop[run] < stop[other]:
                    run += 1
                else:
                    other += 1
    count = 0
    for run in range(number.size):  # a run comes after its root, whose number is there already
        if number[run] == run:
            count += 1
            number[run] = count
        else:
            number[run] = number[number[run]]
    return count


@compiled("void(int32[::1], int32[::1], int32[::1], int64[::1])")
def _add_lengths(start: Numbers, stop: Numbers, number: Numbers, sizes: Places) -> None:
    """Add the samples of each run to its part."""
    for run in range(start.size):
        sizes[number[run]] += stop[run] - start[run]


@compiled(
    "void(int64[::1], int32[::1], int32[::1], int32[::1], int32[:,:,::1])",
    "void(int64[::1], int32[::1], int32[::1], boolean[::1], boolean[:,:,::1])",
)
def _paint(first: Places, start: Numbers, stop: Numbers, value: NDArray[np.generic], out: NDArray[np.generic]) -> None:
    """Give the samples of each run its value."""
    rows = out.shape[1]
    for row in range(first.size - 1):
        line = out[row // rows, row % rows]
        for run in range(first[row], first[row + 1]):
            for x in range(start[run], stop[run]):
                line[x] = value[run]
