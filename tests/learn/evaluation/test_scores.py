"""All scores of a set of answers: right values, the right method of each interval."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as reference

from radlake.learn.evaluation.scores import Answered, Measure, evaluate
from radlake.learn.intervals import wilson


def binary(n: int = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    p = 1 / (1 + np.exp(-(1.5 * (y - 0.5) + rng.normal(size=n))))
    return y, np.stack([1 - p, p], axis=1)[None]


def by_name(found: list[Measure]) -> dict[str, Measure]:
    return {m.metric: m for m in found}


def test_a_fixed_model_on_one_case_a_patient_has_exact_intervals() -> None:
    y, p = binary()
    found = by_name(evaluate(Answered("binary", y, p, np.arange(200)), prevalences=[0.1]))
    assert found["auc"].value == pytest.approx(reference.roc_auc_score(y, p[0, :, 1]))
    assert found["average_precision"].value == pytest.approx(reference.average_precision_score(y, p[0, :, 1]))
    called = p[0, :, 1] >= 0.5
    assert found["matthews"].value == pytest.approx(reference.matthews_corrcoef(y, called))
    assert found["balanced_accuracy"].value == pytest.approx(reference.balanced_accuracy_score(y, called))
    assert found["sensitivity"].method == "Wilson"
    assert found["sensitivity"].low == pytest.approx(wilson((called & (y == 1)).sum(), (y == 1).sum()).low)
    assert found["auc"].method == "DeLong"
    assert found["brier"].method == "bootstrap over 200 patients"
    sens, spec = found["sensitivity"].value, found["specificity"].value
    assert found["ppv_at_0.1"].value == pytest.approx(0.1 * sens / (0.1 * sens + 0.9 * (1 - spec)))
    assert found["accuracy_at_operating_point"].value == pytest.approx(reference.accuracy_score(y, called))
    assert found["accuracy_at_operating_point"].high == pytest.approx(wilson((called == y).sum(), 200).high)
    assert np.isnan(found.pop("calibration_error").low)  # draws of a bootstrap make it larger
    assert all(m.low < m.value < m.high for m in found.values())


def test_patients_with_several_cases_and_refitted_models_are_drawn_anew() -> None:
    y, p = binary()
    many = by_name(evaluate(Answered("binary", y, p, np.arange(200) // 2)))
    folds = by_name(evaluate(Answered("binary", y, p, np.arange(200), fold=(np.arange(200) % 5)[None])))
    for found, patients in ((many, 100), (folds, 200)):
        methods = {m.method for n, m in found.items() if n != "calibration_error"}
        assert methods == {f"bootstrap over {patients} patients"}


def test_ranks_are_compared_within_folds_only() -> None:
    y, p = binary()
    fold = np.arange(200) % 2
    moved = p.copy()
    moved[0, fold == 1, 1] = 0.3 * moved[0, fold == 1, 1]  # the second fold's model has another scale
    plain = by_name(evaluate(Answered("binary", y, p, np.arange(200), fold=fold[None])))
    other = by_name(evaluate(Answered("binary", y, moved, np.arange(200), fold=fold[None])))
    assert plain["auc"].value == other["auc"].value
    areas = [reference.roc_auc_score(y[fold == k], p[0, fold == k, 1]) for k in (0, 1)]
    assert plain["auc"].value == pytest.approx(np.mean(areas))


def test_thresholds_of_each_case_count() -> None:
    y, p = binary()
    found = by_name(evaluate(Answered("binary", y, p, np.arange(200), called=p[..., 1] >= 0.1)))
    assert found["sensitivity"].value == pytest.approx((p[0, y == 1, 1] >= 0.1).mean())


def test_the_likelier_answer_is_counted_whatever_the_operating_point() -> None:
    y = np.array([0, 0, 1, 1, 1])
    p = np.array([0.1, 0.4, 0.3, 0.6, 0.9])
    both = np.stack([1 - p, p], axis=1)[None]
    found = by_name(evaluate(Answered("binary", y, both, np.arange(5), called=p[None] >= 0.35)))
    assert found["accuracy_of_likelier_answer"].value == 0.8
    assert found["accuracy_of_likelier_answer"].method == "Wilson"
    assert found["accuracy_of_likelier_answer"].low == wilson(4, 5).low
    assert found["accuracy_at_operating_point"].value == 0.6
    assert "accuracy" not in found


def test_classes_and_values_have_scores_of_their_own() -> None:
    rng = np.random.default_rng(1)
    y = rng.integers(0, 3, 150)
    p = np.eye(3)[y] + rng.random((150, 3))
    p = p / p.sum(axis=1, keepdims=True)
    found = by_name(evaluate(Answered("multiclass", y, p[None], np.arange(150))))
    assert found["macro_auc"].value == pytest.approx(reference.roc_auc_score(y, p, multi_class="ovr"))
    assert found["balanced_accuracy"].value == pytest.approx(reference.balanced_accuracy_score(y, p.argmax(axis=1)))
    x = rng.normal(size=150)
    guess = x + 0.5 + 0.2 * rng.normal(size=150)
    values = by_name(evaluate(Answered("regression", x, guess[None, :, None], np.arange(150))))
    assert values["r2"].value == pytest.approx(reference.r2_score(x, guess))
    assert values["bias"].value == pytest.approx((guess - x).mean())
    assert values["limit_high"].value == pytest.approx((guess - x).mean() + 1.96 * (guess - x).std(ddof=1))
