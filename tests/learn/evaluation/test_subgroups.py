"""Subgroups: scores and gaps where there are enough cases."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from radlake.learn.evaluation.scores import Answered
from radlake.learn.evaluation.subgroups import subgroups, widest


def answers(n: int = 240) -> tuple[Answered, np.ndarray]:
    """A model that knows nothing about the second half."""
    rng = np.random.default_rng(0)
    y, half = np.arange(n) % 2, np.repeat(["a", "b"], n // 2)
    p = np.where(half == "a", np.clip(0.3 + 0.4 * y + 0.1 * rng.normal(size=n), 0, 1), rng.random(n))
    return Answered("binary", y, np.stack([1 - p, p], axis=1)[None], np.arange(n)), half


def test_a_gap_that_is_there_is_found_with_its_interval() -> None:
    given, half = answers()
    found = subgroups(given, {"half": half})
    first = next(g for g in found if g.value == "a" and g.metric == "auc")
    p = given.p[0, :, 1]
    own, rest = (roc_auc_score(given.y[half == h], p[half == h]) for h in "ab")
    assert first.score == pytest.approx(own)
    assert first.gap == pytest.approx(own - rest)
    assert 0 < first.gap_low < first.gap < first.gap_high
    assert (first.cases, first.patients) == (120, 120)
    worst = widest(found)
    assert worst is not None
    assert abs(worst.gap) == max(abs(g.gap) for g in found if g.gap_low > 0 or g.gap_high < 0)


def test_quantities_are_cut_into_thirds_and_unknown_cases_left_out() -> None:
    given, _ = answers()
    age = np.linspace(20, 80, 240)
    age[:30] = np.nan
    found = [g for g in subgroups(given, {"age": age}) if g.metric == "auc"]
    assert [g.cases for g in found] == [70, 70, 70]
    assert found[2].value.startswith("3: above")


def test_small_subgroups_and_even_ones_say_nothing() -> None:
    given, _ = answers()
    assert subgroups(given, {"site": np.array(["x"] * 19 + ["y"] * 221)}) == []
    even = np.array(["odd", "even"] * 120)[np.random.default_rng(3).permutation(240)]
    assert widest([g for g in subgroups(given, {"coin": even}) if g.metric == "auc"]) is None
