"""Compiled passes against plain loops over voxels; where compiled code is kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from radlake.features import kernels
from radlake.features.peak import sphere_means
from radlake.features.texture import ACROSS, IN_PLANE

COUNT = 3
OFFSETS = np.array([*IN_PLANE, *ACROSS], np.int64)
volumes = arrays.arrays(
    np.uint16, st.tuples(*[st.integers(1, 5)] * 3), elements=st.integers(0, COUNT), fill=st.nothing()
).map(lambda a: np.pad(a, 1))


def test_offsets_point_backwards_and_reach_every_neighbour_once() -> None:
    both = {tuple(o) for o in OFFSETS.tolist()} | {tuple(o) for o in (-OFFSETS).tolist()}
    assert len(both) == 26
    assert all(next(step for step in offset if step) == -1 for offset in OFFSETS)


@settings(max_examples=40)
@given(volumes)
def test_pairs_and_runs_are_those_of_lines_walked_one_by_one(levels: np.ndarray) -> None:
    longest = max(levels.shape) - 2
    (pairs,), (runs,) = kernels.pairs_and_runs(levels, OFFSETS, COUNT, longest, False)
    for d, offset in enumerate(OFFSETS):
        expected_pairs, expected_runs = np.zeros((COUNT + 1, COUNT + 1)), np.zeros((COUNT + 1, longest + 1))
        for place in np.argwhere(levels):
            here, behind = levels[tuple(place)], levels[tuple(place + offset)]
            expected_pairs[here, behind] += behind != 0
            if behind == here:
                continue  # not the end of its run
            length = 1
            while levels[tuple(place - length * offset)] == here:
                length += 1
            expected_runs[here, length] += 1
        assert (pairs[d] == expected_pairs[1:, 1:]).all()
        assert (runs[d] == expected_runs[1:, 1:]).all()


@settings(max_examples=30)
@given(volumes)
def test_pairs_and_runs_of_planes_are_those_of_each_alone(levels: np.ndarray) -> None:
    longest, offsets = max(levels.shape) - 2, OFFSETS[:4]
    pairs, runs = kernels.pairs_and_runs(levels, offsets, COUNT, longest, True)
    for z in range(len(levels) - 2):
        plane = levels[z : z + 3].copy()
        plane[0] = plane[2] = 0
        alone = kernels.pairs_and_runs(plane, offsets, COUNT, longest, False)
        assert (alone[0][0] == pairs[z]).all()
        assert (alone[1][0] == runs[z]).all()


@settings(max_examples=40)
@given(volumes, st.booleans())
def test_neighbourhoods_are_those_of_each_voxel(levels: np.ndarray, deep: bool) -> None:
    dependence, tone, valid = kernels.neighbourhoods(levels, COUNT, deep)
    expected = [np.zeros_like(a) for a in (dependence, tone, valid)]
    reach = 1 if deep else 0
    for z, y, x in np.argwhere(levels):
        level = levels[z, y, x]
        block = levels[z - reach : z + reach + 1, y - 1 : y + 2, x - 1 : x + 2].astype(float)
        expected[0][z - 1, level, (block == level).sum()] += 1
        others = (block > 0).sum() - 1
        if others:
            expected[1][z - 1, level] += abs(level - (block.sum() - level) / others)
            expected[2][z - 1, level] += 1
    assert (dependence == expected[0]).all()
    assert tone == pytest.approx(expected[1])
    assert (valid == expected[2]).all()


def test_sphere_sums_are_those_of_every_voxel() -> None:
    rng = np.random.default_rng(3)
    image = rng.integers(0, 50, (6, 7, 9)).astype(float)
    spacing, radius = (2.0, 1.0, 0.7), 2.3
    found = sphere_means(image, spacing, radius_mm=radius, corner=(1, 2, 3), shape=(4, 5, 6))
    where = np.stack(np.meshgrid(*map(np.arange, image.shape), indexing="ij"), -1) * spacing
    for place in np.ndindex(found.shape):
        centre = np.add(place, (1, 2, 3)) * spacing
        inside = ((where - centre) ** 2).sum(-1) <= radius**2
        assert found[place] == pytest.approx(image[inside].mean())


def test_nothing_is_compiled_at_import_and_the_cache_may_lie_elsewhere(tmp_path: Path) -> None:
    program = (
        "import sys, radlake.features.stages; assert 'numba' not in sys.modules;import radlake.features.zone_kernels"
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
    assert [*tmp_path.rglob("*.nbi")]
