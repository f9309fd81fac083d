"""Compiled passes over grey levels that fill the texture matrices; nothing here knows features.

Importing this module compiles it once per installation (seconds) and loads it from the cache afterwards, so import it
inside functions only. Level arrays are (z, y, x), have a border of one voxel of 0, and are 0 outside the region.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radlake.imaging.kernels.compiled import compiled

Levels = NDArray[np.uint16]


@compiled("Tuple((uint32[:,:,:,::1], uint32[:,:,:,::1]))(uint16[:,:,::1], int64[:,::1], int64, int64, boolean)")
def pairs_and_runs(
    levels: Levels, offsets: NDArray[np.int64], count: int, longest: int, by_plane: bool
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Pairs (p, n, count, count) and runs (p, n, count, longest) along n offsets; index 0 is level 1 and length 1.

    p is the number of planes (border left out) with `by_plane`, where no offset may leave its plane, else 1. Offsets
    (dz, dy, dx) point backwards: their first number that is not 0 is -1. So the run that ends at the voxel behind is
    known, and one count a voxel and offset tells all: its level with the level behind where that differs, with its
    place in its run where it is the same. Runs of length k are voxels in place k less those in place k + 1.
    """
    depth, height, width = levels.shape
    n, planes = len(offsets), depth - 2 if by_plane else 1
    seen = np.zeros((planes, n, count + 1, count + longest + 2), np.uint32)
    place = np.zeros((2, n, height, width), np.uint32)  # in the run so far, in this plane and the one before
    for z in range(1, depth - 1):
        for y in range(1, height - 1):
            here = levels[z, y]
            first, last = 1, width - 1
            while first < last and here[first] == 0:
                first += 1
            while last > first and here[last - 1] == 0:
                last -= 1
            for d in range(n):
                dz, dy, dx = offsets[d]
                behind = levels[z + dz, y + dy]
                so_far, before = place[z & 1, d, y], place[(z + dz) & 1, d, y + dy]
                table = seen[z - 1 if by_plane else 0, d]
                for x in range(first, last):
                    # Arithmetic in place of branches, which noise makes hard to foretell.
                    a, b = np.int64(here[x]), np.int64(behind[x + dx])
                    same = np.int64((a == b) & (a != 0))
                    k = same * np.int64(before[x + dx]) + 1
                    so_far[x] = k
                    table[a, b + same * (count + k - b)] += np.uint32(1)
    pairs = np.zeros((planes, n, count, count), np.uint32)
    runs = np.zeros((planes, n, count, longest), np.uint32)
    for p in range(planes):
        for d in range(n):
            for level in range(1, count + 1):
                row, alike, begun = seen[p, d, level], np.uint32(0), np.uint32(0)
                for other in range(count + 1):
                    begun += row[other]
                    if other > 0:
                        pairs[p, d, level - 1, other - 1] = row[other]
                for length in range(2, longest + 1):
                    alike += row[count + length]
                    runs[p, d, level - 1, length - 1] = row[count + length] - row[count + length + 1]
                pairs[p, d, level - 1, level - 1] = alike
                runs[p, d, level - 1, 0] = begun - row[count + 2]
    return pairs, runs


@compiled("uint16[:,:,::1](boolean[:,:,:], boolean)")
def border_distance(mask: NDArray[np.bool_], deep: bool) -> Levels:
    """Steps along the axes (not along the first without `deep`) to the nearest voxel outside, with a border of 0.

    Two passes, forwards and backwards (Rosenfeld and Pfaltz 1968).
    """
    depth, height, width = mask.shape
    steps = np.zeros((depth + 2, height + 2, width + 2), np.uint16)
    for z in range(depth):
        for y in range(height):
            here, up, inside = steps[z + 1, y + 1], steps[z + 1, y], mask[z, y]
            above = steps[z, y + 1] if deep else up
            for x in range(width):
                if inside[x]:
                    here[x + 1] = min(here[x], up[x + 1], above[x + 1]) + np.uint16(1)
    for z in range(depth, 0, -1):
        for y in range(height, 0, -1):
            here, down = steps[z, y], steps[z, y + 1]
            below = steps[z + 1, y] if deep else down
            for x in range(width, 0, -1):
                here[x] = min(here[x], min(here[x + 1], down[x], below[x]) + np.uint16(1))
    return steps


@compiled("Tuple((uint32[:,:,::1], float64[:,::1], int64[:,::1]))(uint16[:,:,::1], int64, boolean)")
def neighbourhoods(
    levels: Levels, count: int, deep: bool
) -> tuple[NDArray[np.uint32], NDArray[np.float64], NDArray[np.int64]]:
    """For every plane (border left out) and level: dependence counts, summed tone differences, voxels with neighbours.

    Shapes (z, count + 1, 28), (z, count + 1) twice. A dependence is the number of voxels of equal level in the 3 x 3
    (deep: 3 x 3 x 3) neighbourhood, the centre included; a tone difference that to the mean of the neighbours inside.
    """
    depth, height, width = levels.shape
    reach = 1 if deep else 0
    dependence = np.zeros((depth - 2, count + 1, 28), np.uint32)
    tone = np.zeros((depth - 2, count + 1), np.float64)
    valid = np.zeros((depth - 2, count + 1), np.int64)
    equal, total, inside = np.zeros(width, np.uint16), np.zeros(width, np.uint16), np.zeros(width, np.uint16)
    for z in range(1, depth - 1):
        for y in range(1, height - 1):
            here = levels[z, y]
            equal[:] = 0
            total[:] = 0
            inside[:] = 0
            for dz in range(-reach, reach + 1):
                for dy in range(-1, 2):
                    row = levels[z + dz, y + dy]
                    for dx in range(-1, 2):
                        for x in range(1, width - 1):
                            equal[x] += np.uint16(here[x] == row[x + dx])
                            total[x] += row[x + dx]
                            inside[x] += np.uint16(row[x + dx] != 0)
            for x in range(1, width - 1):
                level = here[x]
                if level:
                    dependence[z - 1, level, equal[x]] += np.uint32(1)
                    if inside[x] > 1:
                        mean = (np.float64(total[x]) - level) / (inside[x] - 1)
                        tone[z - 1, level] += abs(level - mean)
                        valid[z - 1, level] += 1
    return dependence, tone, valid


@compiled("void(float64[:,:,::1], int64[:,::1], int64[::1], float64[:,:,::1])")
def sphere_sums(
    sums: NDArray[np.float64], rows: NDArray[np.int64], margin: NDArray[np.int64], total: NDArray[np.float64]
) -> None:
    """Add up spheres round the voxels of a box from running sums along x.

    `sums` reaches `margin` (z, y, x) voxels beyond the box on each side, and has one more along x, 0 first. Each of
    `rows` is (dz, dy, reach along x).
    """
    depth, height, width = total.shape
    for z in range(depth):
        for y in range(height):
            here = total[z, y]
            for k in range(len(rows)):
                dz, dy, reach = rows[k]
                row = sums[z + margin[0] + dz, y + margin[1] + dy]
                first, last = row[margin[2] - reach :], row[margin[2] + reach + 1 :]
                for x in range(width):
                    here[x] += last[x] - first[x]


@compiled("int64(int32[::1], int64)")
def _root(parents: NDArray[np.int32], i: int) -> int:
    """Root of a tree of labels, halving the path to it."""
    while parents[i] != i:
        parents[i] = parents[parents[i]]
        i = parents[i]
    return i


@compiled("int64(uint16[:,:,::1])")
def _runs_along_x(levels: Levels) -> int:
    """Number of runs of equal level along x: zones cannot be more."""
    depth, height, width = levels.shape
    number = 0
    for z in range(1, depth - 1):
        for y in range(1, height - 1):
            row = levels[z, y]
            for x in range(1, width - 1):
                number += (row[x] != 0) & (row[x] != row[x - 1])
    return number


@compiled("int32[:,::1](uint16[:,:,::1], uint16[:,:,::1], boolean)")
def zones(levels: Levels, distance: Levels, deep: bool) -> NDArray[np.int32]:
    """Connected zones of equal level, one a row: plane (of the first voxel), level, size, least distance.

    Voxels are neighbours in 8 directions of a plane, with `deep` in 26 of the volume. Runs along x are joined by a
    union-find whose roots are the first runs in order, so the order of rows is fixed.
    """
    depth, height, width = levels.shape
    most = _runs_along_x(levels)
    rows = np.zeros((most, 4), np.int32)
    parents = np.arange(most).astype(np.int32)
    label = np.zeros((2, height, width), np.int32)
    n = 0
    for z in range(1, depth - 1):
        for y in range(1, height - 1):
            here = levels[z, y]
            x = 1
            while x < width - 1:
                level = here[x]
                if level == 0:
                    x += 1
                    continue
                start, least = x, distance[z, y, x]
                while here[x] == level:
                    least = min(least, distance[z, y, x])
                    label[z & 1, y, x] = n
                    x += 1
                rows[n, 0], rows[n, 1], rows[n, 2], rows[n, 3] = z - 1, level, x - start, least
                root = n
                for k in range(4 if deep else 1):
                    dz, dy = (0, -1) if k == 0 else (-1, k - 2)
                    other, known = levels[z + dz, y + dy], label[(z + dz) & 1, y + dy]
                    for t in range(start - 1, x + 1):
                        # the next voxel of a run belongs to the zone that its first one was joined to
                        if other[t] == level and (t == start - 1 or other[t - 1] != level):
                            near = _root(parents, known[t])
                            if near < root:
                                parents[root] = near
                                root = near
                            elif near > root:
                                parents[near] = root
                n += 1
    for i in range(n):
        root = _root(parents, i)
        if root != i:
            rows[root, 2] += rows[i, 2]
            rows[root, 3] = min(rows[root, 3], rows[i, 3])
    first: NDArray[np.int32] = rows[parents == np.arange(most)]
    return first
