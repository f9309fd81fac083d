from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.quality.stack import gaps, modal_step, places, stack


def test_slices_are_ordered_along_the_normal_of_an_oblique_stack():
    c, s = math.cos(0.3), math.sin(0.3)
    rows = [{"position": [0, -s * d, c * d], "orientation": [1, 0, 0, 0, c, s]} for d in (4.0, 0.0, 2.0)]
    found = stack(rows)
    assert found is not None
    assert np.allclose(found.along, [0, 2, 4])
    assert np.allclose(found.normal, [0, -s, c])


def test_frames_of_one_file_are_slices_and_only_those_in_use_count():
    row = {"orientation": [1, 0, 0, 0, 1, 0], "frame_positions": [0, 0, 0, 0, 0, 5, 0, 0, 9], "frames": [0, 2]}
    found = stack([row])
    assert found is not None
    assert found.along.tolist() == [0.0, 9.0]
    assert np.isnan(found.numbers).all()


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"position": None, "orientation": None},
        {"position": [0, 0], "orientation": [1, 0, 0, 0, 1, 0]},
        {"position": [0, 0, math.nan], "orientation": [1, 0, 0, 0, 1, 0]},
        {"position": [0, 0, 0], "orientation": [0, 0, 0, 0, 0, 0]},
        {"position": [0, 0, None], "orientation": [1, 0, 0, 0, 1, 0]},
        {"frame_positions": [0, 0, 0], "frames": [4]},
    ],
)
def test_rows_without_usable_positions_give_no_stack(row):
    good = {"position": [0, 0, 1], "orientation": [1, 0, 0, 0, 1, 0]}
    assert stack([good, row]) is None


def test_orientations_that_differ_give_no_stack(slices):
    rows = slices([0, 1, 2])
    rows[1]["orientation"] = [0, 1, 0, 0, 0, 1]
    assert stack(rows) is None


@given(st.floats(0.1, 10), st.integers(3, 30), st.integers(0, 2**16))
@settings(max_examples=30)
def test_the_modal_step_survives_rounding_and_a_minority_of_other_steps(step, count, seed):
    rng = np.random.default_rng(seed)
    steps = np.concatenate([np.full(count, step) * rng.uniform(0.995, 1.005, count), rng.uniform(20, 900, count // 3)])
    assert modal_step(rng.permutation(steps)) == pytest.approx(step, rel=0.01)


def test_no_steps_have_no_modal_step():
    assert modal_step(np.zeros(0)) == 0.0


def test_places_count_slices_that_share_a_position(slices):
    found = stack(slices([0, 1, 1.001, 2]))
    assert found is not None
    along, counts = places(found)
    assert along.tolist() == [0.0, 1.0, 2.0]
    assert counts.tolist() == [1, 2, 1]


def test_a_gap_needs_numbers_that_jump_too(slices):
    heights = [0, 1, 2, 5, 6, 7]
    jumped = stack(slices(heights, [1, 2, 3, 6, 7, 8]))
    consecutive = stack(slices(heights))
    assert jumped is not None
    assert consecutive is not None
    assert gaps(jumped)[1].tolist() == [0, 0, 2, 0, 0]
    assert gaps(consecutive)[1].tolist() == [0, 0, 0, 0, 0]
