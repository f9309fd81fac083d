"""Probabilities that no case calibrates for itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from radlake.learn import metrics
from radlake.learn.calibration import answers, calibrator, probabilities
from radlake.learn.families import FAMILIES
from radlake.learn.problem import Problem
from radlake.learn.split import grouped_folds
from radlake.learn.trial import Trial
from tests.learn.conftest import held_out
from tests.learn.test_search import cases


def test_logits_become_probabilities() -> None:
    one = probabilities(np.array([[0.0], [np.log(3.0)]]))
    assert one == pytest.approx(np.array([[0.5, 0.5], [0.25, 0.75]]))
    assert probabilities(np.log([[0.2, 0.3, 0.5]])) == pytest.approx(np.array([[0.2, 0.3, 0.5]]))


@pytest.mark.parametrize("name", ["svm", "bayes", "tree"])
def test_probabilities_are_calibrated_out_of_fold(name: str) -> None:
    given, family = cases(600, seed=3), FAMILIES[name]
    fold = grouped_folds(given.y, given.groups, folds=4, rng=np.random.default_rng(0))
    run = held_out(Trial(name, family, family.grid[family.usual], 0), given, fold)
    assert float(metrics.calibration_slope(given.y, run.predicted[:, 1])) == pytest.approx(1, abs=0.2)
    assert float(metrics.calibration_intercept(given.y, run.predicted[:, 1])) == pytest.approx(0, abs=0.2)


def test_no_case_calibrates_itself() -> None:
    given, family = cases(200), FAMILIES["svm"]
    fold = grouped_folds(given.y, given.groups, folds=2, rng=np.random.default_rng(0))
    decision = np.random.default_rng(1).normal(size=(200, 1))
    turned = Problem(
        given.features, np.where(fold == 0, 1 - given.y, given.y), given.groups, given.names, "binary", (0, 1)
    )
    before, after = (answers(family, p, decision, fold) for p in (given, turned))
    assert before[fold == 0].tobytes() == after[fold == 0].tobytes()
    assert before[fold == 1].tobytes() != after[fold == 1].tobytes()
    assert calibrator(FAMILIES["logistic"], given, decision) is None


def test_answers_worse_than_chance_keep_their_order() -> None:
    given, family = cases(200), FAMILIES["svm"]
    decision = np.linspace(-1, 1, 200)[:, None]
    fold = np.arange(200) % 4
    contrary = replace(given, y=(np.arange(200) < 60).astype(np.intp))
    curve = calibrator(family, contrary, decision)
    assert curve is not None
    told = curve.predict_proba(decision)[:, 1]
    assert np.all(np.diff(told) > 0)
    assert told == pytest.approx(0.3, abs=0.001)
    for k in range(4):
        assert np.all(np.diff(answers(family, contrary, decision, fold)[fold == k, 1]) > 0)
