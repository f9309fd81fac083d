from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.core.image import Geometry, Image
from radlake.quality.uneven_spacing import check

IMAGE = Image(np.zeros((2, 2, 2)), Geometry((1.0, 1.0, 1.0)))


def test_a_head_scan_with_two_slice_distances_is_uneven_not_incomplete(slices):
    heights = [*np.arange(0, 20, 2.5), *np.arange(20, 40, 5.0)]
    (found,) = check(IMAGE, {}, slices(heights))
    assert found.value == pytest.approx(2.0)
    assert "3 of 11 slice distances differ from 2.5 mm" in found.message


@given(st.integers(3, 60), st.floats(0.3, 10))
@settings(max_examples=40)
def test_positions_rounded_to_a_hundredth_of_a_millimetre_are_even(count, step):
    rows = [{"position": [0, 0, round(step * k, 2)], "orientation": [1, 0, 0, 0, 1, 0]} for k in range(count)]
    assert check(IMAGE, {}, rows) == []


def test_missing_slices_do_not_make_the_rest_uneven(slices):
    assert check(IMAGE, {}, slices([0, 1, 2, 5, 6], [1, 2, 3, 6, 7])) == []


@pytest.mark.parametrize("members", [[], [{}, {}], [{"position": [0, 0, 0], "orientation": [1, 0, 0, 0, 1, 0]}]])
def test_fewer_than_two_positions_have_no_finding(members):
    assert check(IMAGE, {}, members) == []
