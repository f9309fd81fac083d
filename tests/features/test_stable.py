"""Verdicts on features: reliable by ICC(2,1), one of each cluster, and what is missing."""

from __future__ import annotations

import numpy as np
import pytest

from radlake.features.stability import icc, reliable
from radlake.features.stable import verdicts

RNG = np.random.default_rng(3)
TRUTH = RNG.normal(size=(25, 1))
STEADY = TRUTH + 0.1 * RNG.normal(size=(25, 4))
LOOSE = RNG.normal(size=(25, 4))


def test_reliable_are_those_whose_interval_lies_above_the_bound() -> None:
    values = {"steady": STEADY, "loose": LOOSE, "between": TRUTH + 0.55 * RNG.normal(size=(25, 4))}
    for by_lower_bound in (True, False):
        found = verdicts(values, by_lower_bound=by_lower_bound)
        assert [n for n, v in found.items() if v.reliable] == [*reliable(values, by_lower_bound=by_lower_bound)]
    assert found["steady"].agreement == icc(STEADY)
    assert (found["steady"].cases, found["steady"].measurements) == (25, 4)


def test_of_features_that_say_the_same_the_first_stands_for_all() -> None:
    other = RNG.normal(size=(25, 1)) + 0.05 * RNG.normal(size=(25, 4))
    found = verdicts({"a": STEADY, "loose": LOOSE, "b": -3 * STEADY, "c": other})
    assert [(n, v.cluster, v.kept) for n, v in found.items()] == [
        ("a", 1, True), ("loose", None, False), ("b", 1, False), ("c", 2, True),
    ]  # fmt: skip
    assert all(v.kept == v.reliable for v in verdicts({"a": STEADY, "b": -STEADY}, redundancy=None).values())


def test_missing_values_leave_their_case_out_of_that_feature() -> None:
    gap = STEADY.copy()
    gap[3, 2] = np.nan
    found = verdicts({"gap": gap, "twin": STEADY})
    assert found["gap"].cases == 24
    assert found["gap"].agreement == icc(np.delete(STEADY, 3, axis=0))
    assert found["twin"].cluster == found["gap"].cluster


@pytest.mark.parametrize("ratings", [STEADY[:2], STEADY[:, :1], np.ones((9, 3)), np.full((9, 3), np.nan)])
def test_too_few_cases_or_measurements_and_constants_have_no_agreement(ratings: np.ndarray) -> None:
    (found,) = verdicts({"x": ratings}).values()
    assert (found.agreement, found.reliable, found.kept) == (None, False, False)
