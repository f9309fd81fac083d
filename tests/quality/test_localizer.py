from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radlake.core.image import Geometry, Image
from radlake.quality.localizer import check

IMAGE = Image(np.zeros((2, 2)), Geometry((1.0, 1.0)))


@given(st.lists(st.booleans(), max_size=8))
def test_localizers_are_counted(flags):
    found = check(IMAGE, {}, [{"localizer": f} for f in flags])
    assert [f.value for f in found] == ([float(sum(flags))] if any(flags) else [])


def test_the_image_type_names_a_localizer_too():
    assert check(IMAGE, {}, [{"image_type": "ORIGINAL\\PRIMARY\\LOCALIZER"}])[0].value == 1.0


@pytest.mark.parametrize(
    "members", [[], [{}], [{"localizer": None, "image_type": None}], [{"image_type": "NOLOCALIZER"}]]
)
def test_nothing_stated_is_no_finding(members):
    assert check(IMAGE, {}, members) == []
