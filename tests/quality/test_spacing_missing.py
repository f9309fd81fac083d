from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radlake.core.image import KINDS, Geometry, Image
from radlake.quality.spacing_missing import check


@pytest.mark.parametrize(("kind", "level"), [("ct", "warning"), ("mr", "warning"), ("us", "info"), ("other", "info")])
def test_missing_spacing_weighs_more_where_sizes_are_measured(wrap, kind, level):
    (found,) = check(wrap(np.zeros((2, 2)), kind=kind, calibrated=False), {}, [])
    assert (found.level, found.value) == (level, None)


def test_spacing_at_the_detector_is_information(wrap):
    (found,) = check(wrap(np.zeros((2, 2)), kind="xray"), {"spacing_source": "imager"}, [])
    assert found.level == "info"


@given(st.sampled_from(KINDS), st.sampled_from([None, "pixel_spacing", "region", "header"]))
def test_calibrated_images_are_silent(kind, source):
    image = Image(np.zeros((2, 2)), Geometry((1.0, 1.0)), kind=kind)
    assert check(image, {"spacing_source": source}, []) == []
