from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.data import get_testdata_file

from radlake.quality.alignment import oriented
from radlake.quality.fingerprint import SLOTS, digest, fingerprint, hashes, narrowest, panels


def _smooth(seed: int = 0, side: int = 100) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(side, side)).cumsum(axis=0).cumsum(axis=1)


@given(st.sampled_from(["<i2", ">i2", "<i4", "<i8", "<f4", "<f8"]), st.integers(0, 2**16))
@settings(max_examples=20)
def test_digests_do_not_depend_on_how_values_are_stored(dtype, seed):
    from radlake.core.image import Geometry, Image

    values = np.random.default_rng(seed).integers(-1024, 3072, (3, 8, 8))
    volume = Geometry((1.0, 1.0, 1.0))
    assert digest(Image(values, volume)) == digest(Image(values.astype(dtype), volume))


def test_digests_depend_on_values_shape_unit_and_axes(wrap):
    base = np.arange(16).reshape(4, 4)
    changed = base.copy()
    changed[3, 3] = 0
    images = [
        wrap(base),
        wrap(changed),
        wrap(base.reshape(2, 8)),
        wrap(base, unit="HU"),
        wrap(base[None]),
        wrap(base[None], time_axis=0, spacing=(1.0, 1.0)),
    ]
    assert len({digest(i) for i in images}) == len(images)


def test_digests_agree_over_transfer_syntaxes_of_one_picture(wrap):
    names = ("MR_small.dcm", "MR_small_bigendian.dcm", "MR_small_RLE.dcm")
    arrays = [dcmread(get_testdata_file(name)).pixel_array for name in names]
    assert len({digest(wrap(a)) for a in arrays}) == 1


def test_nan_payloads_and_negative_zero_are_one_value(wrap):
    other_nan = np.array([0x7FC00001], dtype=np.uint32).view(np.float32)[0]
    a, b = np.array([[np.nan, 0.5, 0.0]], np.float32), np.array([[other_nan, 0.5, -0.0]], np.float32)
    assert digest(wrap(a)) == digest(wrap(b))


@given(st.lists(st.integers(-(2**40), 2**40), min_size=1, max_size=9))
@settings(max_examples=40)
def test_the_narrowest_type_keeps_every_value(values):
    array = np.array(values)
    found = narrowest(array)
    assert np.array_equal(found, array)
    assert found.dtype.itemsize <= array.dtype.itemsize


def test_double_values_that_single_precision_cannot_hold_stay_double():
    assert narrowest(np.array([0.1])).dtype == np.dtype("<f8")
    assert narrowest(np.array([1e300, 0.5])).dtype == np.dtype("<f8")


@given(st.integers(0, 7), st.integers(0, 2**16))
@settings(max_examples=16)
def test_the_hashes_of_all_orientations_are_one_set(orientation, seed):
    picture = np.random.default_rng(seed).normal(size=(48, 48)).astype(np.float32)
    assert set(hashes(picture)[:8]) == set(hashes(np.ascontiguousarray(oriented(picture, orientation)))[:8])


def test_brightness_and_contrast_leave_the_picture_as_it_is(wrap):
    base = _smooth()
    one, other = (panels(wrap(a)) for a in (base, 3.5 * base + 100))
    assert np.allclose(one, other, atol=1e-4)
    assert one.mean() == pytest.approx(0, abs=1e-5)
    assert one.std() == pytest.approx(1, abs=1e-5)


def test_a_volume_has_three_panels_and_a_mirrored_stack_has_them_reversed(wrap):
    volume = np.stack([_smooth(k, 30) for k in range(9)])
    one, other = panels(wrap(volume)), panels(wrap(volume[::-1].copy()))
    assert one.shape == (3, 48, 48)
    assert np.allclose(one, other[::-1], atol=1e-5)


@pytest.mark.parametrize(
    "array", [np.zeros((8, 8)), np.full((8, 8), 1e6), np.zeros((0, 8)), np.full((8, 8), np.nan), np.array([[5]])]
)
def test_flat_and_empty_images_have_a_digest_only(wrap, array):
    found = fingerprint(wrap(array))
    assert len(found.digest) == 64
    assert (found.hashes, found.thumb) == ([], None)


def test_a_fingerprint_is_small(wrap):
    found = fingerprint(wrap(_smooth()))
    assert len(found.hashes) == SLOTS
    assert len(found.thumb) == 48 * 48
    assert all(-(2**63) <= h < 2**63 for h in found.hashes)
