"""Parameters of a step against the function's annotations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import pytest

from radlake.core.stage import Item, Rows, Stage
from radlake.engine.parameters import BadParameter, check_pattern, checked, describe
from radlake.engine.registry import UnknownName


def blur(
    item: Item,
    *,
    sigma_mm: float,
    border: Literal["reflect", "nearest"] = "reflect",
    passes: int = 1,
    names: Sequence[str] = ("a",),
    to: str | None = None,
) -> Rows:
    """A function as stages have them."""
    return []


STAGE = Stage("filter.blur", 1, "each", "images", (), (), blur)


def test_defaults_are_filled_in_and_numbers_become_floats() -> None:
    assert checked(STAGE, {"sigma_mm": 2}) == {
        "sigma_mm": 2.0,
        "border": "reflect",
        "passes": 1,
        "names": ["a"],
        "to": None,
    }


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "needs parameter 'sigma_mm' .a number"),
        ({"sigma_mm": "2"}, "sigma_mm must be a number, got '2'"),
        ({"sigma_mm": True}, "must be a number"),
        ({"sigma_mm": 1.0, "border": "wrap"}, "must be one of 'reflect', 'nearest'"),
        ({"sigma_mm": 1.0, "passes": 1.5}, "must be a whole number"),
        ({"sigma_mm": 1.0, "passes": True}, "must be a whole number"),
        ({"sigma_mm": 1.0, "names": ["a", 1]}, "must be a list of texts"),
        ({"sigma_mm": 1.0, "to": 3}, "must be a text or nothing"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_what_is_allowed(given: dict[str, Any], words: str) -> None:
    with pytest.raises(BadParameter, match=words):
        checked(STAGE, given)


def test_an_unknown_parameter_is_met_with_the_nearest_name() -> None:
    with pytest.raises(UnknownName, match="did you mean 'sigma_mm'"):
        checked(STAGE, {"sigma_m": 1.0})


def test_descriptions_read_as_words() -> None:
    assert describe(float | None) == "a number or nothing"


def test_a_pattern_for_patients_is_a_regular_expression_with_a_group() -> None:
    check_pattern(None)
    check_pattern("/(P[0-9]+)/")
    with pytest.raises(BadParameter, match="no regular expression: missing"):
        check_pattern("(")
    with pytest.raises(BadParameter, match="needs a group"):
        check_pattern("(?:P)[0-9]")
