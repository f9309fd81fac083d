"""Matrices at any distances, against the compiled passes at distance 1 and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from radlake.features.pyradiomics_distances import neighbourhoods, offsets, pairs
from radlake.features.texture import Texture

RNG = np.random.default_rng(0)
MASK = RNG.random((4, 6, 5)) > 0.3
LEVELS = np.pad(np.where(MASK, RNG.integers(1, 5, MASK.shape), 0).astype(np.uint16), 1)
TEXTURE = Texture(LEVELS, 4, MASK)


def test_at_distance_one_all_tables_are_those_of_the_compiled_passes() -> None:
    chosen = offsets([1], deep=True)
    theirs = TEXTURE.lines.pairs[0].astype(np.int64)
    own = pairs(TEXTURE, chosen)
    symmetric = {tuple((t + t.T).ravel()) for t in own}
    assert symmetric == {tuple((t + t.T).ravel()) for t in theirs}
    found, compiled = neighbourhoods(TEXTURE, chosen, apart=0), TEXTURE.neighbourhoods
    assert np.array_equal(found.dependence, compiled.dependence.sum(axis=0))
    assert found.tone == pytest.approx(compiled.tone.sum(axis=0))
    assert np.array_equal(found.valid, compiled.valid.sum(axis=0))


def test_pairs_two_voxels_apart_by_hand() -> None:
    row = Texture(np.pad(np.array([[[1, 2, 1, 2, 2]]], np.uint16), 1), 2, np.ones((1, 1, 5), bool))
    assert pairs(row, [(0, 0, 2)]).tolist() == [[[1, 1], [0, 1]]]  # 1-1, 2-2, 1-2
    found = neighbourhoods(row, [(0, 0, 2)], apart=0)
    # the first and third 1 see each other; the second and fourth 2 do; the last 2 sees the middle 1
    assert found.dependence.tolist() == [[0, 2, 0], [1, 2, 0]]
    assert found.tone.tolist() == [0.5, 1.0]  # the middle 1 has the mean 1.5, the last 2 has the mean 1
    assert found.valid.sum() == 5


def test_levels_that_differ_by_no_more_depend_on_each_other() -> None:
    every = neighbourhoods(TEXTURE, offsets([1, 2], deep=True), apart=3)
    number = neighbourhoods(Texture((LEVELS > 0).astype(np.uint16), 1, MASK), offsets([1, 2], deep=True), apart=0)
    assert np.array_equal(every.dependence.sum(axis=0), number.dependence[0])


def test_a_voxel_without_neighbours_has_no_tone_difference() -> None:
    single = Texture(np.pad(np.array([[[1]]], np.uint16), 1), 1, np.ones((1, 1, 1), bool))
    found = neighbourhoods(single, offsets([3], deep=False), apart=0)
    assert found.valid.tolist() == [0]
    assert found.dependence[0, 0] == 1
