"""The table of families: settings reach the models, and fit the data."""

from __future__ import annotations

import numpy as np
import pytest

from radlake.learn.families import FAMILIES, applicable, options


def test_every_task_has_readable_and_strong_families() -> None:
    for task in ("binary", "multiclass", "regression"):
        grades = [family.grade for family in applicable(task).values()]
        assert grades == sorted(grades)
        assert set(grades) == set("ABCD")


def test_settings_reach_the_models() -> None:
    assert FAMILIES["svm"].make({"normal": 1, "gamma": 0.5, "C": 7.0}, "binary", 0)[-1].get_params()["gamma"] == 0.5
    assert FAMILIES["forest"].make({"leaf": 4}, "regression", 9)[-1].get_params()["random_state"] == 9
    assert FAMILIES["tree"].make({"depth": 2}, "multiclass", 0)[-1].max_depth == 2


def test_few_features_are_kept_as_many_as_asked() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 6))
    model = FAMILIES["short"].make({"features": 2}, "binary", 0).fit(x, x[:, 1] - x[:, 4] > 0)
    assert model[-1].coef_.shape == (1, 2)
    assert model[-2].get_support(indices=True).tolist() == [1, 4]


def test_ridge_gives_the_textbook_weight() -> None:
    x = np.array([[-1.0], [1.0], [-1.0], [1.0]])
    y = np.array([-2.0, 2.0, -2.0, 2.0])
    model = FAMILIES["ridge"].make({"normal": 0, "alpha": 4.0}, "regression", 0).fit(x, y)
    assert model[-1].coef_ == pytest.approx([8 / (4 + 4)])  # sum x y / (sum x^2 + alpha)


def test_settings_that_data_cannot_bear_are_left_out() -> None:
    assert [s["k"] for s in options(FAMILIES["neighbours"], cases=50, features=3)] == [15, 5, 15, 5]
    assert options(FAMILIES["short"], cases=50, features=2) == ()
