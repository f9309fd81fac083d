from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.quality.bit_depth import check, stored_range


def _member(**changes: object) -> dict[str, object]:
    plain = {"bits_stored": 12, "bits_allocated": 16, "pixel_signed": False, "photometric": "MONOCHROME2"}
    return {**plain, **changes}


def test_more_bits_stored_than_allocated_is_an_error(wrap):
    (found,) = check(wrap(np.zeros((2, 2))), {}, [_member(bits_stored=12, bits_allocated=8)])
    assert found.message == "12 bits stored in 8 allocated bits"


def test_values_are_taken_back_through_the_rescale(wrap):
    hu = np.array([[-1024.0, 3071.0]])
    rescale = {"rescale_slope": 1.0, "rescale_intercept": -1024.0}
    assert check(wrap(hu, unit="HU"), {}, [_member(**rescale)]) == []
    (found,) = check(wrap(hu + 1, unit="HU"), {}, [_member(**rescale)])
    assert found.value == 4096.0


@given(st.integers(1, 16), st.booleans())
@settings(max_examples=30)
def test_the_range_holds_as_many_integers_as_the_bits(bits, signed):
    low, high = stored_range(bits, signed)
    assert high - low + 1 == 2**bits
    assert (low < 0) == signed


@pytest.mark.parametrize(
    "changes",
    [
        {"has_modality_lut": True},
        {"photometric": "MONOCHROME1"},
        {"photometric": "PALETTE COLOR"},
        {"float_pixels": True},
        {"pixel_signed": None},
        {"bits_stored": None},
        {"bits_stored": 0, "bits_allocated": None},
        {"rescale_slope": 0.0},
    ],
)
def test_values_that_cannot_be_taken_back_are_not_judged(wrap, changes):
    assert check(wrap(np.full((2, 2), 9e6)), {}, [_member(**changes)]) == []


def test_members_that_differ_are_not_judged_by_value(wrap):
    members = [_member(), _member(bits_stored=8)]
    assert check(wrap(np.full((2, 2, 2), 5000)), {}, members) == []
