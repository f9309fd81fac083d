from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.core.image import Geometry, Image
from radlake.quality.nonfinite import check


@given(st.sets(st.integers(0, 63), max_size=20), st.sampled_from([np.nan, np.inf, -np.inf]))
@settings(max_examples=20)
def test_every_sample_that_is_not_finite_is_counted(places, value):
    array = np.zeros((4, 4, 4), dtype=np.float32)
    array.ravel()[list(places)] = value
    found = check(Image(array, Geometry((1.0, 1.0, 1.0))), {}, [])
    assert [f.value for f in found] == ([float(len(places))] if places else [])


def test_the_message_gives_both_numbers():
    (found,) = check(Image(np.array([[np.nan, 1.0]]), Geometry((1.0, 1.0))), {}, [])
    assert (found.level, found.message) == ("error", "1 of 2 samples are not finite")


@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.bool_])
def test_integers_have_none(dtype):
    assert check(Image(np.ones((2, 2), dtype=dtype), Geometry((1.0, 1.0))), {}, []) == []
