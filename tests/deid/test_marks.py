from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radlake.deid.marks import ALLOWED, is_allowed


@pytest.mark.parametrize("text", ["L", "r", "PA", "Semi-Upright", "PORTABLE", "AP SUPINE", "L CC"])
def test_marks_of_side_and_projection_stay(text: str) -> None:
    assert is_allowed(text)


@pytest.mark.parametrize("text", ["", "?", "L SMITH", "Smith", "PA 12345", "01.09.2012", "Lee", "AP 12:45"])
def test_everything_else_goes(text: str) -> None:
    assert not is_allowed(text)


@given(st.lists(st.sampled_from(sorted(ALLOWED)), min_size=1), st.text(st.characters(categories=["Nd"]), min_size=1))
def test_one_number_more_and_all_of_it_goes(words: list[str], number: str) -> None:
    assert is_allowed(" ".join(words))
    assert not is_allowed(" ".join([*words, number]))
