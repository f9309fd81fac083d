from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.core.image import Geometry, Image
from radlake.quality.ct_range import check


def _scan(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-1:1:80j, -1:1:80j]
    return np.where(np.hypot(y, x) < 0.8, 40, -1000) + rng.integers(-20, 21, (80, 80))


def _ct(array: np.ndarray, **options: object) -> Image:
    return Image(array, Geometry((1.0, 1.0)), **{"kind": "ct", "unit": "HU", **options})


@given(st.integers(0, 2**16))
@settings(max_examples=10)
def test_a_scan_of_tissue_in_air_is_silent(seed):
    assert check(_ct(_scan(seed)), {}, []) == []


def test_a_wrong_intercept_leaves_no_air_and_then_no_soft_tissue():
    (no_air,) = check(_ct(_scan() + 1024), {}, [])
    assert no_air.value == pytest.approx(4, abs=1)
    found = check(_ct(_scan() + 2000), {}, [])
    assert [f.level for f in found] == ["warning", "warning"]
    assert found[1].value == 0.0


def test_one_value_below_air_is_padding_and_several_are_a_wrong_rescale():
    padded, wrong = _scan(), _scan()
    padded[:8] = -2000
    wrong[:8] -= 1000
    assert [f.level for f in check(_ct(padded), {}, [])] == ["info"]
    assert check(_ct(padded, padding=-2000.0), {}, []) == []
    assert [(f.level, round(f.value or 0, 3)) for f in check(_ct(wrong), {}, [])] == [("warning", 0.1)]


def test_another_unit_is_reported():
    (found,) = check(_ct(_scan(), unit="a.u."), {}, [])
    assert found.value is None


@pytest.mark.parametrize(
    ("image", "members"),
    [
        (_ct(_scan() + 1024), [{"localizer": True}]),
        (_ct(_scan() + 1024, kind="mr", unit="a.u."), []),
        (_ct(np.zeros((16, 16))), []),
        (_ct(np.full((80, 80), np.nan)), []),
        (_ct(np.zeros((0, 80))), []),
    ],
)
def test_localizers_cut_outs_and_empty_images_are_left_out(image, members):
    assert check(image, {}, members) == []
