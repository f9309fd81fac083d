from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.quality.photometric import check, rim_brightness


@pytest.mark.parametrize(("name", "samples"), [("RGB", 1), ("MONOCHROME2", 3), ("YBR_FULL_422", 1)])
def test_samples_that_do_not_fit_the_interpretation_are_an_error(wrap, name, samples):
    (found,) = check(wrap(np.zeros((2, 2))), {}, [{"photometric": name, "samples": samples}])
    assert (found.level, found.value) == ("error", samples)


@pytest.mark.parametrize("member", [{}, {"photometric": "RGB"}, {"photometric": "NEW", "samples": 7}])
def test_what_is_unknown_contradicts_nothing(wrap, member):
    assert check(wrap(np.zeros((2, 2))), {}, [member]) == []


def test_a_radiograph_with_a_bright_rim_looks_inverted(wrap, disc):
    usual = disc()
    assert check(wrap(usual, kind="xray"), {"modality": "CR"}, []) == []
    (found,) = check(wrap(-usual, kind="xray"), {"modality": "CR"}, [])
    assert found.value == pytest.approx(1.0)
    assert check(wrap(-usual, kind="xray"), {"modality": "XA"}, []) == []


@given(st.integers(0, 2**16), st.floats(0.1, 50), st.floats(-1000, 1000))
@settings(max_examples=20)
def test_rim_brightness_ignores_gain_and_offset_and_turns_with_the_sign(seed, gain, offset):
    plane = np.random.default_rng(seed).normal(size=(32, 32)).cumsum(axis=0).astype(np.float32)
    value = rim_brightness(plane)
    assert rim_brightness((gain * plane + offset).astype(np.float32)) == pytest.approx(value, abs=0.01)
    assert rim_brightness(-plane) == pytest.approx(-value, abs=1e-5)


@pytest.mark.parametrize("plane", [np.zeros((32, 32)), np.full((32, 32), np.nan), np.ones((1, 1)), np.eye(5)])
def test_flat_tiny_and_empty_planes_have_no_rim(plane):
    assert rim_brightness(plane.astype(np.float32)) == 0.0


def test_most_real_radiographs_pass_and_some_inverted_ones_are_found(shared):
    images = np.load(shared / "medmnist" / "pneumoniamnist.npz")["test_images"].astype(np.float32)
    assert np.mean([rim_brightness(a) > 0.25 for a in images]) < 0.01
    assert np.mean([rim_brightness(-a) > 0.25 for a in images]) > 0.2
