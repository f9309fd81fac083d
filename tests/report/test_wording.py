"""Words and number formats."""

from __future__ import annotations

import math
import string

from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.features.names import FEATURES
from radlake.quality import CHECKS as REGISTERED
from radlake.report import wording


@settings(max_examples=100)
@given(st.floats(-1e15, 1e15, allow_nan=False))
def test_a_number_is_written_to_three_digits(value: float) -> None:
    read = float(wording.number(value).replace(",", "").replace("−", "-"))
    assert math.isclose(read, value, rel_tol=0.006)


def test_numbers_that_are_none_or_not_finite_are_a_dash() -> None:
    for value in (None, math.nan, math.inf):
        assert wording.number(value) == wording.fixed(value) == "–"


def test_signs_are_minus_signs() -> None:
    assert wording.number(-12.0) == "−12"
    assert wording.fixed(0.25, 2, signed=True) == "+0.25"


def test_every_registered_check_has_words() -> None:
    assert set(wording.CHECKS) == set(REGISTERED)


def test_units_of_all_features_are_printed_without_plain_exponents() -> None:
    for feature in FEATURES.values():
        assert not any(c in string.digits for c in wording.unit(feature.unit("HU", calibrated=True)))


def test_durations_round_to_what_matters() -> None:
    assert [wording.duration(s) for s in (0.04, 59.0, 3600.0)] == ["0.04 s", "59 s", "1 h 0 min"]
