"""Explanations of models of features, against models whose workings are known."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.inspection import partial_dependence as reference
from sklearn.pipeline import Pipeline

from radlake.learn.explain.shapley import shapley
from radlake.learn.explain.tabular import (
    change,
    coefficients,
    deletion,
    partial_dependence,
    permutation,
    reached,
    rules,
)
from radlake.learn.families import FAMILIES
from radlake.learn.metrics import auc

NAMES = ("size", "form", "noise")


def cases(n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Size tells most, form a little, noise nothing."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 3))
    return x, (2 * x[:, 0] + 0.7 * x[:, 1] + rng.normal(size=n) > 0).astype(int)


def fitted(family: str, **settings: float) -> Pipeline:
    x, y = cases()
    usual = FAMILIES[family].grid[FAMILIES[family].usual]
    return FAMILIES[family].make({**usual, **settings}, "binary", 0).fit(x, y)


def answer(pipeline: Pipeline):
    return lambda x: pipeline.predict_proba(x)[:, 1]


def test_coefficients_are_those_of_the_model_with_odds_ratios() -> None:
    pipeline = fitted("logistic")
    found = coefficients(pipeline, NAMES)
    assert [w.feature for w in found] == ["size", "form", "noise"]
    assert found[0].weight == pipeline[-1].coef_[0, 0]
    assert found[0].ratio == pytest.approx(np.exp(found[0].weight))
    assert coefficients(fitted("tree"), NAMES) == []


def test_chosen_features_keep_their_names() -> None:
    assert reached(fitted("short", features=2), NAMES) == ["size", "form"]
    assert [w.feature for w in coefficients(fitted("short", features=2), NAMES)] == ["size", "form"]


def test_rules_say_for_every_case_what_the_tree_says() -> None:
    pipeline = fitted("tree", depth=2)
    x, _ = cases()
    said = rules(pipeline, NAMES, classes=("no", "yes"))
    assert sum(int(line.rsplit("(", 1)[1].split()[0]) for line in said) == 300
    for row, label in zip(x[:30], pipeline.predict(x[:30]), strict=True):
        values = dict(zip(NAMES, row, strict=True))
        held = [line for line in said if all(_holds(part, values) for part in line[3 : line.index(":")].split(" and "))]
        assert len(held) == 1
        assert f"answer {'yes' if label else 'no'}," in held[0]
    assert rules(fitted("logistic"), NAMES) == []


def _holds(part: str, values: dict[str, float]) -> bool:
    name, sign, level = part.split()
    return values[name] <= float(level) if sign == "<=" else values[name] > float(level)


def test_shuffling_hurts_where_the_model_looks() -> None:
    x, y = cases()
    found = permutation(answer(fitted("logistic")), lambda p: float(auc(y, p)), x, NAMES, rng=np.random.default_rng(0))
    assert [i.feature for i in found] == ["size", "form", "noise"]
    assert found[0].drop > 4 * found[1].drop > 0
    assert abs(found[2].drop) < 0.01


def test_partial_dependence_agrees_with_scikit_learn() -> None:
    x, _ = cases()
    pipeline = fitted("forest")
    values, answers = partial_dependence(answer(pipeline), x, 0)
    expected = reference(pipeline, x, [0], custom_values={0: values}, method="brute", response_method="predict_proba")
    np.testing.assert_allclose(answers, expected["average"][0], atol=1e-12)
    assert partial_dependence(answer(pipeline), np.full((5, 3), np.nan), 1)[0].size == 0


def test_the_smallest_change_that_flips_an_answer_is_found() -> None:
    x, _ = cases()
    given = answer(fitted("logistic"))
    case = np.array([-0.4, 0.0, 0.0])
    found = change(given, case, x, NAMES, threshold=0.5)
    assert found is not None
    assert found.features == ("size",)
    assert found.probability >= 0.5
    moved = case.copy()
    moved[0] = found.after[0]
    assert given(moved[None])[0] == found.probability
    tried = np.quantile(x[:, 0], np.linspace(0.01, 0.99, 21))
    closer = tried[np.abs(tried - case[0]) < abs(found.after[0] - case[0])]
    assert all(given(np.array([[v, 0.0, 0.0]]))[0] < 0.5 for v in closer)


def test_two_features_change_where_one_is_not_enough() -> None:
    rng = np.random.default_rng(1)
    x = rng.random((200, 2))

    def both(rows: np.ndarray) -> np.ndarray:
        return ((rows[:, 0] > 0.7).astype(float) + (rows[:, 1] > 0.7)) / 2

    found = change(both, np.array([0.1, 0.1]), x, ("a", "b"), threshold=0.9)
    assert found is not None
    assert set(found.features) == {"a", "b"}
    assert change(both, np.array([0.1, 0.1]), x, ("a", "b"), threshold=0.9, most=1) is None
    assert change(both, np.array([np.nan, np.nan]), x, ("a", "b"), threshold=0.9) is None


def test_an_order_that_means_something_falls_faster_than_chance() -> None:
    x, y = cases()
    score = lambda p: float(auc(y, p))  # noqa: E731
    given = answer(fitted("logistic"))
    right, random = deletion(given, score, x, [0, 1, 2], rng=np.random.default_rng(0))
    wrong, _ = deletion(given, score, x, [2, 1, 0], rng=np.random.default_rng(0))
    assert right[1] < random[1] < wrong[1]
    assert right[0] == random[0]
    assert right[-1] == 0.5


@pytest.mark.parametrize("family", ["logistic", "forest", "tree", "boosting", "extra-trees"])
def test_shapley_values_add_up_to_the_answer(family: str) -> None:
    x, _ = cases()
    pipeline = fitted(family)
    found = shapley(pipeline, x[:20], x, NAMES)
    assert found is not None
    total = found.usual + found.values.sum(axis=1)
    said = pipeline.decision_function(x[:20]) if hasattr(pipeline, "decision_function") else answer(pipeline)(x[:20])
    np.testing.assert_allclose(total, said, atol=1e-6)  # shap adds in single precision
    assert np.abs(found.values).mean(axis=0).argmax() == 0


def test_models_that_compare_cases_have_no_shapley_values() -> None:
    assert shapley(fitted("neighbours"), cases()[0][:2], cases()[0], NAMES) is None
