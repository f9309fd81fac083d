from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.quality.blur import SOFT, check, sharpness


@given(st.floats(0.5, 5))
@settings(max_examples=15)
def test_more_blur_is_less_sharp(sigma):
    edge = np.tile(np.repeat([0.0, 1.0], 64), (128, 1)).astype(np.float32)
    softer, softest = (cv2.GaussianBlur(edge, (0, 0), s) for s in (sigma, 1.5 * sigma))
    assert sharpness(edge) > sharpness(softer) > sharpness(softest)


def test_one_edge_gives_the_value_worked_out_by_hand():
    # inside 98 x 98: two columns of +1 and -1; variance 2/98 (mean 0), contrast 1
    edge = np.tile(np.repeat([0.0, 1.0], 50), (100, 1)).astype(np.float32)
    assert sharpness(edge) == pytest.approx((2 / 98) ** 0.5, rel=1e-5)


def test_noise_does_not_pass_for_sharpness(disc):
    clear = sharpness(disc(256))
    assert clear is not None
    # the contrast grows by the noise beyond both percentiles: 2 * 2.33 * 5 on 100
    assert sharpness(disc(256, sigma=5)) == pytest.approx(clear / 1.233, rel=0.05)


def test_real_radiographs_are_sharp_and_blurred_ones_are_found(shared, wrap):
    paths = sorted((shared / "cxr_covid" / "images").glob("*.jpg"))[:12]
    planes = [cv2.imread(str(p), cv2.IMREAD_GRAYSCALE) for p in paths]
    real = [check(wrap(p, kind="xray"), {}, []) for p in planes]
    soft = [check(wrap(cv2.GaussianBlur(p, (0, 0), 5), kind="xray"), {}, []) for p in planes]
    assert all(f.level == "info" for found in real for f in found)
    assert sum(f.level == "warning" and f.value < SOFT for found in soft for f in found) >= 10


@pytest.mark.parametrize("array", [np.ones((100, 100)), np.ones((3, 3)), np.full((100, 100), np.inf), np.zeros((0, 9))])
def test_flat_tiny_and_empty_images_have_no_sharpness(wrap, array):
    assert check(wrap(array), {}, []) == []
