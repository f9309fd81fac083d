"""What a report draws and lists: counts on the way, points of curves, seeds, sets of answers, worst cases."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given as drawn_from
from hypothesis import strategies as st

from radlake.learn.cases import Cohort
from radlake.learn.evaluation.paired import delong
from radlake.learn.evaluation.record import best_alone, conformal, counted_sets, drawn, flow, gain, seeds, worst
from radlake.learn.evaluation.scores import Answered
from radlake.learn.metrics import auc


def cohort(roles: list[str], clusters: list[str], patients: list[str]) -> Cohort:
    n = len(roles)
    return Cohort(
        "image", np.array([f"i{k}" for k in range(n)]), np.array(patients), np.array(roles), np.array(clusters),
        np.zeros((n, 1)), ("size",), {}, np.arange(n) % 2, {},
    )  # fmt: skip


def answers(n: int = 90, *, classes: int = 2, repeats: int = 2, seed: int = 0) -> Answered:
    """Probabilities that lean to the truth, in three folds."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % classes
    p = rng.dirichlet(np.ones(classes), size=(repeats, n))
    p[:, np.arange(n), y] += 0.7
    fold = np.stack([rng.permutation(n) % 3 for _ in range(repeats)])
    return Answered("binary" if classes == 2 else "multiclass", y, p / p.sum(axis=2, keepdims=True), np.arange(n), fold)


def test_the_way_into_training_and_test_is_counted() -> None:
    found = flow(cohort(["train", "val", "test", "test", "train"], ["a", "", "a", "", "b"], ["p", "p", "q", "r", ""]))
    assert [(row["n"], row["patients"]) for row in found] == [(5, None), (2, 2), (1, 1), (3, None), (1, 1), (2, None)]
    assert found[2]["words"] == "of these, resembling a training case"


def test_curves_are_those_of_the_mean_answer_and_json() -> None:
    given = answers()
    found = json.loads(json.dumps(drawn(given)))
    x, y = np.array(found["roc"]).T
    assert np.trapezoid(y, x) == pytest.approx(
        float(auc(given.y, given.p[..., 1].mean(axis=0))), abs=1e-5
    )  # six digits
    assert sum(row["cases"] for row in found["reliability"]) == 90
    assert np.sum(found["confusion"]) == 90
    assert found["everybody"][49][1] == pytest.approx(0.0)  # half are ill: acting on all at one half gains nothing


def test_one_class_alone_has_no_curves_and_values_have_points() -> None:
    given = answers()
    assert drawn(given.part(given.y == 1)) == {}
    assert drawn(given.part(np.arange(90) < 29))["reliability"] == []  # two bins need thirty cases
    assert len(drawn(given)["reliability"]) == 6
    values = Answered("regression", np.arange(500.0), np.arange(500.0)[None, :, None] + 1, np.arange(500))
    points = np.array(drawn(values)["values"])
    assert len(points) == 300
    assert (points[:, 1] - points[:, 0] == 1).all()


def test_each_drawing_of_the_folds_has_its_own_score() -> None:
    rows = seeds(answers(repeats=3))
    assert [r["repeat"] for r in rows] == [0, 1, 2]
    assert len({r["auc"] for r in rows}) == 3
    assert set(seeds(answers(classes=3))[0]) == {"repeat", "macro_auc", "accuracy"}


@drawn_from(st.integers(0, 30))
def test_sets_of_answers_hold_the_truth_as_often_as_promised(seed: int) -> None:
    found = conformal(answers(600, repeats=1, seed=seed), coverage=0.9)
    assert found is not None
    assert found["held"] == pytest.approx(0.9, abs=0.06)  # five standard errors of 600 cases
    assert 0 < found["sure"] <= 1


def test_intervals_of_values_hold_the_truth_and_fixed_models_have_none() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=400)
    given = Answered(
        "regression", y, (y + rng.normal(size=400))[None, :, None], np.arange(400), np.arange(400)[None] % 5
    )
    found = conformal(given)
    assert found is not None
    assert found["held"] == pytest.approx(0.9, abs=0.06)
    assert found["width"] == pytest.approx(2 * 1.645, rel=0.1)  # of a standard normal
    assert conformal(replace(given, fold=None)) is None


def test_empty_sets_and_absent_classes_are_counted_as_what_they_are() -> None:
    found = counted_sets(np.array([0, 0]), np.array([[False, False], [True, False]]))
    assert (found["none"], found["held"], found["by_class"]) == (0.5, 0.5, [0.5, None])


def test_only_mistakes_are_listed_the_worst_first() -> None:
    p = np.array([0.9, 0.6, 0.2, 0.4])
    given = Answered("binary", np.array([0, 0, 0, 1]), np.stack([1 - p, p], axis=1)[None], np.arange(4))
    found = worst(given, np.array(["a", "b", "c", "d"]), ("benign", "malignant"))
    assert [(r["unit_id"], r["truth"], r["answer"]) for r in found] == [
        ("a", "benign", "malignant"), ("b", "benign", "malignant"), ("d", "malignant", "benign"),
    ]  # fmt: skip
    assert found[0]["said"] == pytest.approx(0.1)
    values = Answered("regression", np.array([1.0, 2.0]), np.array([[[1.5], [5.0]]]), np.arange(2))
    assert worst(values, np.array(["a", "b"]), ())[0] == {"unit_id": "b", "truth": 2.0, "said": 5.0}


def test_the_gain_over_one_measure_is_the_paired_difference() -> None:
    given = replace(answers(200, repeats=1), fold=None)
    size = given.y + np.random.default_rng(1).normal(size=200)
    found = gain(given, -size)  # turned by itself
    own = float(auc(given.y, given.p[0, :, 1]))
    assert found["alone"] == pytest.approx(float(auc(given.y, size)))
    assert found["value"] == pytest.approx(own - found["alone"])
    wanted = delong(given.y, given.p[0, :, 1], size)  # one case a patient: DeLong's interval is right as well
    assert (found["low"], found["high"]) == pytest.approx((wanted.low, wanted.high), abs=0.02)
    nothing = gain(given, given.p[0, :, 1])
    assert (nothing["value"], nothing["low"], nothing["high"]) == (0.0, 0.0, 0.0)


def test_the_best_single_feature_is_the_baseline() -> None:
    given = answers(120)
    rng = np.random.default_rng(2)
    features = np.stack(
        [rng.normal(size=120), given.y + rng.normal(size=120), np.ones(120), np.full(120, np.nan)], axis=1
    )
    found = best_alone(given, features, ("noise", "size", "constant", "empty"))
    assert found is not None
    assert found["feature"] == "size"
    assert best_alone(given, features[:, 1:], ("size", "constant", "empty")) is None
    assert best_alone(answers(classes=3), features[:90], ("a", "b", "c", "d")) is None
