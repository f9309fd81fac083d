"""Prepared folds: equal steps are fitted once, others anew, and large tables are not kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from radlake.learn import prepare
from radlake.learn.classical import make_logistic, prepared
from radlake.learn.problem import Problem, problem


def cases() -> tuple[Problem, np.ndarray]:
    rng = np.random.default_rng(3)
    x = rng.normal(2.0, 3.0, size=(40, 2))
    return problem(x, np.arange(40) % 2), np.arange(40) < 10


def standard() -> Any:
    return prepared(None, normal=False)[:-1]


def test_the_training_cases_alone_decide_the_scale() -> None:
    given, test = cases()
    fold = prepare.Folds().prepare(standard(), given, test)
    seen, unseen = given.features[~test], given.features[test]
    np.testing.assert_allclose(fold.seen, (seen - seen.mean(axis=0)) / seen.std(axis=0), atol=1e-12)
    np.testing.assert_allclose(fold.unseen, (unseen - seen.mean(axis=0)) / seen.std(axis=0), atol=1e-12)


def test_equal_steps_and_cases_are_prepared_once() -> None:
    given, test = cases()
    folds = prepare.Folds()
    first = folds.prepare(standard(), given, test)
    assert folds.prepare(standard(), given, test) is first
    assert folds.prepare(make_logistic({"C": 1.0})[:-1], given, test) is not first
    assert folds.prepare(standard(), given, ~test) is not first


def test_a_model_alone_gets_the_cases_as_they_are() -> None:
    given, test = cases()
    fold = prepare.Folds().prepare(None, given, test)
    np.testing.assert_array_equal(fold.unseen, given.features[test])


def test_folds_of_large_tables_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "_MOST", 10)
    given, test = cases()
    folds = prepare.Folds()
    folds.prepare(standard(), given, test)
    assert not folds.kept
