from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radlake.core.image import Geometry, Image
from radlake.quality.anisotropy import check


@given(st.floats(0.1, 10), st.floats(0.1, 10))
def test_only_ratios_of_two_and_more_are_reported(z, y):
    ratio = max(z, y) / min(z, y)
    found = check(Image(np.zeros((2, 2, 2)), Geometry((z, y, y))), {}, [])
    assert [f.value for f in found] == ([ratio] if ratio >= 2 else [])


def test_five_millimetre_slices_of_half_millimetre_pixels_are_ten_times_longer():
    (found,) = check(Image(np.zeros((2, 2, 2)), Geometry((5.0, 0.5, 0.5))), {}, [])
    assert found.level == "info"
    assert found.value == 10.0


@pytest.mark.parametrize(
    "image", [Image(np.zeros((2, 2)), Geometry((9.0, 1.0))), Image(np.zeros((0, 2, 2)), Geometry((9.0, 1.0, 1.0)))]
)
def test_pictures_and_empty_volumes_are_left_out(image):
    assert check(image, {}, []) == []
