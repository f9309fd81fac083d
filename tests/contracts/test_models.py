"""Every classical family on real data: the same promises for all."""

from __future__ import annotations

import pickle
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from radlake.learn.bundle import Bundle, load, save
from radlake.learn.families import FAMILIES, GRADES, options
from radlake.learn.problem import Problem, problem
from radlake.learn.search import final
from radlake.learn.split import grouped_folds
from radlake.learn.trial import Trial, complexity, fit_quietly
from tests.learn.conftest import held_out

# What the weakest family must reach out of fold; chance is .5, 1/2 and 0.
FLOORS = {"binary": 0.94, "multiclass": 0.88, "regression": 0.3}
PAIRS = [(name, task) for name, family in FAMILIES.items() for task in family.tasks]


@cache
def real(task: str) -> Problem:
    """Breast cancer (30 features), every third of the digits (64), diabetes (10): all inside scikit-learn."""
    from sklearn import datasets

    if task == "binary":
        return problem(*datasets.load_breast_cancer(return_X_y=True))
    if task == "regression":
        return problem(*datasets.load_diabetes(return_X_y=True))
    x, y = datasets.load_digits(return_X_y=True)
    return problem(x[::3], y[::3])


@cache
def tried(name: str, task: str) -> tuple[Trial, Problem]:
    """The family's usual settings, held out in three folds."""
    given, family = real(task), FAMILIES[name]
    settings = options(family, cases=200, features=given.features.shape[1])
    trial = Trial(name, family, settings[family.usual], family.usual)
    fold = grouped_folds(given.strata, given.groups, folds=3, rng=np.random.default_rng(0))
    trial.runs.append(held_out(trial, given, fold))
    return trial, given


@pytest.mark.parametrize(("name", "task"), PAIRS)
def test_families_learn_from_real_data(name: str, task: str) -> None:
    trial, given = tried(name, task)
    run = trial.runs[0]
    weak = name in {"short", "tree"} and task == "multiclass"  # six features, five questions: ten digits need more
    assert run.score.mean() > (0.75 if weak else FLOORS[task])
    assert np.isfinite(run.predicted).all()
    assert run.complexity > 0
    if task != "regression":
        assert run.predicted.shape == (len(given.y), len(given.classes))
        assert run.predicted.sum(axis=1) == pytest.approx(1)


@pytest.mark.parametrize(("name", "task"), PAIRS)
def test_families_keep_the_contract_of_scikit_learn(name: str, task: Any) -> None:
    from sklearn.base import clone
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    given, family = real(task), FAMILIES[name]
    model = family.make(family.grid[family.usual], task, 3)
    with pytest.raises(NotFittedError):
        check_is_fitted(model)
    copy = clone(model)
    assert repr(copy.get_params()) == repr(model.get_params())
    x, y, before = given.features[:250], given.y[:250], given.features.copy()
    assert fit_quietly(model, x, y)
    assert fit_quietly(copy, x, y)
    assert model.n_features_in_ == x.shape[1]
    assert model.predict(x[:5]).shape == (5,)
    assert model.predict(x).tobytes() == copy.predict(x).tobytes()
    assert model.predict(x).tobytes() == pickle.loads(pickle.dumps(model)).predict(x).tobytes()
    assert np.array_equal(given.features, before)
    with pytest.raises(ValueError, match="features"):
        model.predict(x[:, :-1])


@pytest.mark.parametrize(("name", "task"), PAIRS)
def test_families_meet_gaps_empty_and_constant_features(name: str, task: Any) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(90, 8))
    y = np.digitize(x[:, 0], [-0.5, 0.5]) if task == "multiclass" else x[:, 0] > 0
    x[::7, 1], x[:, 2], x[:, 3] = np.nan, np.nan, 5.0
    given = problem(x, y * 1.0 if task == "regression" else y, task=task)
    family = FAMILIES[name]
    for settings in options(family, cases=60, features=8):
        model = family.make(settings, task, 0)
        assert fit_quietly(model, given.features, given.y)
        assert np.isfinite(np.asarray(model.predict(given.features), dtype=float)).all()
        assert complexity(model) >= 0


@pytest.mark.parametrize(("name", "task"), PAIRS)
def test_families_round_trip_through_a_bundle(name: str, task: str, tmp_path: Path) -> None:
    trial, given = tried(name, task)
    fitted = final(trial, given, seed=0)
    save(Bundle(name, "outcome", given.names, fitted), tmp_path / "m")
    loaded = load(tmp_path / "m").fitted
    assert (loaded.task, loaded.classes) == (task, given.classes)
    assert loaded.predict(given.features).tobytes() == fitted.predict(given.features).tobytes()
    if task != "regression":
        assert loaded.predict_proba(given.features).tobytes() == fitted.predict_proba(given.features).tobytes()


@pytest.mark.parametrize("name", FAMILIES)
def test_families_say_what_they_are(name: str) -> None:
    family = FAMILIES[name]
    assert family.grade in GRADES
    assert 0 <= family.usual < len(family.grid)
    assert len({repr(s) for s in family.grid}) == len(family.grid)
    assert all((family.title, family.formula, family.assumes, family.good_for))


def test_stored_rows_are_declared() -> None:
    holding = {name for name, family in FAMILIES.items() if family.holds_rows}
    assert holding == {"svm", "neighbours"}
