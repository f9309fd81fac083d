"""Leaks that are there are found; those that cannot be looked for are said to be unknown."""

from __future__ import annotations

import numpy as np
import pytest

from radlake.learn.evaluation.leakage import cramers_v, crossing, single_features, site

SIDE = np.repeat(["train", "test"], [6, 4])


def test_patients_on_both_sides_are_counted() -> None:
    patients = np.array(["a", "a", "b", "c", "d", "e", "e", "f", "g", ""])
    found = crossing("patients", "patients", patients, SIDE, "split by patient")
    assert (found.level, found.count) == ("bad", 2)
    assert "1 patients are on both sides (2 cases): split by patient" in found.message
    apart = crossing("patients", "patients", np.arange(10).astype(str), SIDE, "")
    assert apart.level == "good"


def test_cases_outside_the_split_are_on_no_side() -> None:
    side = np.array(["train", "", "test"])
    assert crossing("x", "x", np.array(["a", "a", "b"]), side, "").level == "good"


def test_what_cannot_be_checked_is_not_called_good() -> None:
    for keys in (None, np.array(["", None], dtype=object)):
        assert crossing("patients", "patients", keys, SIDE[:2], "").level == "unknown"
        assert site(keys, np.array([0, 1])).level == "unknown"


def test_a_scanner_that_tells_the_outcome_is_found() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 300)
    random = np.array(["A", "B", "C"])[rng.integers(0, 3, 300)]
    told = np.where(rng.random(300) < 0.9, np.where(y, "A", "B"), "C")
    assert site(random, y).level == "good"
    assert site(told, y).level == "bad"
    assert site(np.array(["A"] * 300), y).level == "look"


def test_cramers_v_of_independent_halves_is_nothing() -> None:
    assert cramers_v(np.array([0, 0, 1, 1] * 25), np.array([0, 1] * 50)) == 0.0
    # 2 x 2 table 40, 10, 10, 40: phi squared .36; corrected .36 - 1/99 over 1 - 1/99 (Bergsma 2013)
    a, b = np.repeat([0, 0, 1, 1], [40, 10, 10, 40]), np.repeat([0, 1, 0, 1], [40, 10, 10, 40])
    assert cramers_v(a, b) == pytest.approx(((0.36 - 1 / 99) / (1 - 1 / 99)) ** 0.5)


def test_single_features_that_tell_all_are_named() -> None:
    assert single_features(()).level == "good"
    assert "code alone" in single_features(("code",)).message
