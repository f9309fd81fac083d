"""Trials: answers for unseen cases, standard errors, sizes."""

from __future__ import annotations

import numpy as np
import pytest

from radlake.learn.families import FAMILIES
from radlake.learn.prepare import Folds
from radlake.learn.problem import Problem, problem
from radlake.learn.split import grouped_folds
from radlake.learn.trial import Trial, complexity
from tests.learn.conftest import held_out


def cases() -> tuple[Problem, np.ndarray]:
    """Three features, two cases a patient, and folds."""
    rng = np.random.default_rng(0)
    y = np.repeat(rng.integers(0, 2, 60), 2)
    x = rng.normal(size=(120, 3))
    x[:, 0] += 1.5 * y
    given = problem(x, y, groups=np.repeat(np.arange(60), 2))
    return given, grouped_folds(given.y, given.groups, folds=5, rng=np.random.default_rng(0))


def tried(name: str, scores: list[float]) -> Trial:
    given, fold = cases()
    trial = Trial(name, FAMILIES[name], FAMILIES[name].grid[0], 0)
    trial.runs.append(held_out(trial, given, fold))
    trial.runs[0].score = np.array(scores)
    return trial


def test_standard_errors_allow_for_shared_training_cases() -> None:
    trial = tried("bayes", [0.1, 0.2, 0.3, 0.4, 0.5])
    assert trial.standard_error(5) == pytest.approx((0.025 * (1 / 5 + 1 / 4)) ** 0.5)
    assert trial.mean == pytest.approx(0.3)
    other = tried("logistic", [0.0, 0.2, 0.2, 0.4, 0.4])  # differences 0.1, 0, 0.1, 0, 0.1
    assert trial.standard_error_against(other, 5) == pytest.approx((0.003 * (1 / 5 + 1 / 4)) ** 0.5)


@pytest.mark.parametrize("name", ["short", "logistic", "svm", "neighbours", "tree", "boosting"])
def test_prepared_folds_change_no_answer(name: str) -> None:
    given, fold = cases()
    shared = Folds()
    for settings in FAMILIES[name].grid:
        trial = Trial(name, FAMILIES[name], settings, 0)
        fresh, kept = held_out(trial, given, fold), held_out(trial, given, fold, prepared=shared)
        assert fresh.decision.tobytes() == kept.decision.tobytes()
        assert fresh.megabytes == kept.megabytes


def test_what_comes_out_is_what_the_whole_pipeline_would_say() -> None:
    given, fold = cases()
    family = FAMILIES["logistic"]
    run = held_out(Trial("logistic", family, family.grid[0], 0), given, fold)
    pipeline = family.make(family.grid[0], "binary", 0).fit(given.features[fold != 2], given.y[fold != 2])
    np.testing.assert_array_equal(run.decision[fold == 2, 0], pipeline.decision_function(given.features[fold == 2]))
    assert complexity(pipeline) == 3
