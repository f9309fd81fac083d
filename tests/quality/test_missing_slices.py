from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.core.image import Geometry, Image
from radlake.quality.missing_slices import check

IMAGE = Image(np.zeros((2, 2, 2)), Geometry((1.0, 1.0, 1.0)))


def test_two_lost_slices_are_counted_and_placed(slices):
    heights = [1.25 * k for k in range(12) if k not in (5, 6)]
    numbers = [k + 1 for k in range(12) if k not in (5, 6)]
    (found,) = check(IMAGE, {}, slices(heights, numbers))
    assert found.level == "error"
    assert found.value == 2
    assert found.message == "expected 12 slices at 1.25 mm, found 10; the first gap follows slice 5"


@given(st.integers(5, 40), st.floats(0.3, 8), st.data())
@settings(max_examples=40)
def test_as_many_are_missing_as_were_taken_out(count, step, data):
    inside = st.integers(1, count - 2)
    lost = data.draw(st.sets(inside, max_size=max(1, count // 5)))
    rows = [
        {"position": [0, 0, step * k], "orientation": [1, 0, 0, 0, 1, 0], "instance_number": 3 * k}
        for k in range(count)
        if k not in lost
    ]
    found = check(IMAGE, {}, rows)
    assert (found[0].value if found else 0) == len(lost)


@pytest.mark.parametrize("members", [[], [{}], [{"position": [0, 0, 0]}]])
def test_images_without_positions_have_no_finding(members):
    assert check(IMAGE, {}, members) == []


def test_repeated_time_points_are_no_gap(slices):
    assert check(IMAGE, {}, slices([0, 1, 2, 0, 1, 2])) == []
