from __future__ import annotations

import math

import numpy as np
import pytest

from radlake.core.errors import UsageError
from radlake.deid.aggregates import Person
from radlake.deid.noise import noisy, threshold_delta

pytest.importorskip("opendp")


def group(cell: str, ages: list[float]) -> list[Person]:
    """Patients of one cell."""
    return [Person({"sex": frozenset({cell})}, {"age": age}) for age in ages]


def test_noise_has_the_spread_of_the_discrete_laplace() -> None:
    people, epsilon = group("F", [50.0] * 100), 0.5
    found = [noisy(people, by=["sex"], bounds={}, epsilon=epsilon)[0][0].count for _ in range(600)]
    # Variance of the discrete Laplace with p = exp(-epsilon): 2 p / (1 - p)^2; its estimate from 600 draws is within
    # 35% in all but one run of many thousands (kurtosis 6: relative deviation sqrt(5 / 600) = 9%).
    p = math.exp(-epsilon)
    assert np.var(found) == pytest.approx(2 * p / (1 - p) ** 2, rel=0.4)
    assert np.mean(found) == pytest.approx(100, abs=6 * math.sqrt(2 * p / (1 - p) ** 2 / 600))


def test_means_stay_within_their_bounds_and_near_the_truth() -> None:
    people = group("F", [40.0] * 4000) + group("M", [70.0] * 4000)
    lines, delta = noisy(people, by=["sex"], bounds={"age": (0, 90)}, epsilon=1.0)
    # Scale of a sum's noise 45 / (1/3) = 135; over 4,000 values 0.034 a year: ten years never.
    assert [round(line.means["age"], -1) for line in lines] == [40, 70]
    assert delta == threshold_delta(1 / 3, 11)
    wild, _ = noisy(group("F", [500.0] * 20), by=["sex"], bounds={"age": (0, 90)}, epsilon=50.0)
    assert 0 <= wild[0].means["age"] <= 90


def test_cells_known_beforehand_are_all_shown_and_others_below_k_are_not() -> None:
    people = group("F", [40.0] * 200) + group("X", [40.0])
    lines, delta = noisy(people, by=["sex"], bounds={}, epsilon=10.0)
    assert [line.cell for line in lines] == [("F",)]
    lines, delta = noisy(people, by=["sex"], bounds={}, epsilon=10.0, cells=[("F",), ("M",)])
    assert ([line.cell for line in lines], delta) == ([("F",), ("M",)], 0.0)


def test_delta_is_the_tail_of_the_discrete_laplace() -> None:
    p = math.exp(-0.7)
    tail = sum((1 - p) / (1 + p) * p**n for n in range(10, 400))  # a single patient, noise of 10 or more
    assert threshold_delta(0.7, 11) == pytest.approx(tail, rel=1e-9)


@pytest.mark.parametrize("epsilon", [0, -1, 1000, math.nan])
def test_an_epsilon_that_makes_no_sense_is_refused(epsilon: float) -> None:
    with pytest.raises(UsageError, match="epsilon"):
        noisy([], by=["sex"], bounds={}, epsilon=epsilon)


def test_bounds_that_make_no_sense_are_refused() -> None:
    with pytest.raises(UsageError, match="bounds"):
        noisy([], by=["sex"], bounds={"age": (90, 0)}, epsilon=1)
