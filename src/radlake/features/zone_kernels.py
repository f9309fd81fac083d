"""Compiled search for connected zones of equal grey level; nothing here knows features.

Importing this module loads compiled code, so import it inside functions only. Level arrays are (z, y, x), have a border
of one voxel of 0, and are 0 outside the region.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radlake.imaging.kernels.compiled import compiled, part

Levels = NDArray[np.uint16]


@part
def _touch(offsets: NDArray[np.int64], i: int, j: int) -> bool:
    """Whether two voxels at these offsets are neighbours of each other."""
    z, y, x = offsets[i]
    return bool(max(abs(z - offsets[j, 0]), abs(y - offsets[j, 1]), abs(x - offsets[j, 2])) <= 1)


@compiled("uint16[::1](int64[:,::1])")
def representatives(offsets: NDArray[np.int64]) -> NDArray[np.uint16]:
    """For every set of neighbours behind a voxel (bit k: offset k) those that it must be joined to, in four bits each.

    Neighbours behind that touch each other have been joined already, so one of each group of them is enough: at most
    four. A number is that of the offset and 1 more; 0 ends them.

    References
    ----------
    Wu, Otoo, Suzuki (2009), Optimizing two-pass connected-component labeling algorithms, Pattern Analysis and
    Applications 12:117-135 (the same for neighbours in a plane, as a decision tree).
    """
    n = len(offsets)
    found = np.zeros(1 << n, np.uint16)
    for code in range(1, 1 << n):
        left, shift = code, 0
        for k in range(n):
            if not left >> k & 1:
                continue
            found[code] |= np.uint16((k + 1) << shift)
            shift += 4
            group, before = 1 << k, 0
            while group != before:
                before = group
                for j in range(n):
                    for i in range(n):
                        if code >> j & 1 and group >> i & 1 and _touch(offsets, i, j):
                            group |= 1 << j
            left &= ~group
    return found


@part
def _root(parents: NDArray[np.int32], i: int) -> int:
    """Root of a tree of labels, halving the path to it."""
    while parents[i] != i:
        parents[i] = parents[parents[i]]
        i = parents[i]
    return i


@part
def _joined(parents: NDArray[np.int32], label: NDArray[np.int32], steps: NDArray[np.int64], at: int, near: int) -> int:
    """A label that stands for all `near` neighbours of the voxel `at`, joined where they are several."""
    mine = int(label[steps[near & 15] + at])
    if near >> 4:
        mine = _root(parents, mine)
    near >>= 4
    while near:
        other = _root(parents, int(label[steps[near & 15] + at]))
        parents[max(mine, other)] = min(mine, other)
        mine = min(mine, other)
        near >>= 4
    return mine


@part
def _most_zones(levels: Levels) -> int:
    """Number of runs of equal level along x: zones cannot be more."""
    depth, height, width = levels.shape
    number = 0
    for z in range(1, depth - 1):
        for y in range(1, height - 1):
            row = levels[z, y]
            for x in range(1, width - 1):
                number += (row[x] != 0) & (row[x] != row[x - 1])
    return number


@part
def _equals(levels: Levels, offsets: NDArray[np.int64], z: int, y: int, codes: NDArray[np.uint16]) -> None:
    """For each voxel of a row, border left out, which of its neighbours behind have its level: bit k for offset k."""
    last = levels.shape[2] - 1
    here = levels[z, y, 1:last]
    codes[:] = 0
    for k in range(len(offsets)):
        dz, dy, dx = offsets[k]
        behind, bit = levels[z + dz, y + dy, 1 + dx : last + dx], np.uint16(1 << k)
        for x in range(len(here)):
            codes[x] |= np.uint16(here[x] == behind[x]) * bit


@part
def _merged(rows: NDArray[np.int32], parents: NDArray[np.int32], n: int) -> NDArray[np.int32]:
    """Rows of the roots among n labels, in order, with sizes and distances of all labels of their trees."""
    zones = 0
    for i in range(n):
        root = parents[i] = parents[parents[i]]  # a root comes before all labels of its tree
        zones += root == i
        if root != i:
            rows[root, 2] += rows[i, 2]
            rows[root, 3] = min(rows[root, 3], rows[i, 3])
    found = np.empty((zones, 4), np.int32)
    k = 0
    for i in range(n):
        if parents[i] == i:
            found[k] = rows[i]
            k += 1
    return found


@compiled("int32[:,::1](uint16[:,:,::1], uint16[:,:,::1], int64[:,::1], uint16[::1])")
def zones(
    levels: Levels, distance: Levels, offsets: NDArray[np.int64], joined: NDArray[np.uint16]
) -> NDArray[np.int32]:
    """Connected zones of equal level, one a row: plane (of the first voxel), level, size, least distance.

    Voxels are neighbours at `offsets` (dz, dy, dx), which point backwards, and at the opposite ones; `joined`: their
    `representatives`. A voxel takes the label of a neighbour behind or begins a zone, and a union-find joins labels
    that meet; its roots are the first labels in order, so the order of rows is fixed.
    """
    depth, height, width = levels.shape
    plane, n = height * width, 0
    most = _most_zones(levels)
    rows, parents = np.empty((most, 4), np.int32), np.empty(most, np.int32)
    label = np.zeros(2 * plane, np.int32)  # of this plane and the one before
    codes, steps = np.zeros(width - 2, np.uint16), np.zeros(len(offsets) + 1, np.int64)
    for z in range(1, depth - 1):
        for k in range(len(offsets)):
            dz, dy, dx = offsets[k]
            steps[k + 1] = ((z + dz) & 1) * plane + dy * width + dx
        for y in range(1, height - 1):
            _equals(levels, offsets, z, y, codes)
            here, depths = levels[z, y, 1:-1], distance[z, y, 1:-1]
            for x in range(len(codes)):
                if here[x] == 0:
                    continue
                at, near = y * width + 1 + x, int(joined[codes[x]])
                if near == 0:
                    rows[n, 0], rows[n, 1], rows[n, 2], rows[n, 3] = z - 1, here[x], 1, depths[x]
                    parents[n] = label[(z & 1) * plane + at] = n
                    n += 1
                    continue
                mine = _joined(parents, label, steps, at, near)
                label[(z & 1) * plane + at] = mine
                rows[mine, 2] += 1
                rows[mine, 3] = min(rows[mine, 3], np.int32(depths[x]))
    return _merged(rows, parents, n)
