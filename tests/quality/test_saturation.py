from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.quality.saturation import check, shares


@given(st.floats(0.02, 0.5))
@settings(max_examples=20)
def test_the_clipped_share_is_reported(share):
    values = np.sort(np.random.default_rng(0).integers(0, 60000, 10000))
    values = np.minimum(values, values[int((1 - share) * 10000)])
    assert shares(values)[0] == pytest.approx(share, abs=0.002)


def test_a_clipped_radiograph_is_found_below_the_end_of_its_type(wrap):
    image = np.minimum(np.random.default_rng(0).integers(0, 4000, (100, 100)), 3000).astype(np.uint16)
    (found,) = check(wrap(image, kind="xray"), {}, [])
    assert found.level == "warning"
    assert found.value == pytest.approx(0.25, abs=0.02)


def test_collimation_over_most_of_a_radiograph_is_information(wrap):
    image = np.random.default_rng(0).integers(1, 4000, (100, 100))
    image[:, :70] = 0
    (found,) = check(wrap(image, kind="xray"), {}, [])
    assert (found.level, found.value) == ("info", 0.7)


@pytest.mark.parametrize("options", [{"kind": "optical"}, {"kind": "label"}, {"kind": "other"}])
def test_kinds_in_which_white_is_a_colour_are_left_out(wrap, options):
    assert check(wrap(np.full((40, 40), 255), **options), {}, []) == []


def test_masks_and_drawings_are_left_out(wrap):
    assert check(wrap(np.eye(50, dtype=np.uint8), kind="ct"), {}, []) == []
