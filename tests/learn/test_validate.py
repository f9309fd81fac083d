"""Nested cross-validation: nothing leaks, settings are chosen inside, bits repeat."""

from __future__ import annotations

import numpy as np
import pytest

from radlake.learn.classical import LOGISTIC, SINGLE, SVM, Model, make_svm
from radlake.learn.metrics import auc, calibration_slope
from radlake.learn.split import repeated_folds
from radlake.learn.validate import fit, nested

MODELS = pytest.mark.parametrize("model", [LOGISTIC, SVM, SINGLE], ids=lambda m: m.name)


def cases(signal: float, *, patients: int = 90, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Three features, the first one informative; two cases a patient, some values missing."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(patients), 2)
    y = (rng.random(len(groups)) < 0.4).astype(np.int64)
    x = rng.normal(size=(len(groups), 3))
    x[:, 0] = np.exp(x[:, 0] + signal * y)
    x[rng.random(len(groups)) < 0.05, 1] = np.nan
    return x, y, groups


@MODELS
def test_answers_separate_what_can_be_separated_and_are_calibrated(model: Model) -> None:
    x, y, groups = cases(3.0)
    outer = repeated_folds(y, groups, folds=4, seeds=[0, 1])
    found = nested(model, x, y, groups, outer=outer, inner=3, seeds=[0, 1])
    assert min(float(auc(y, p)) for p in found.probability) > 0.95
    assert 0.4 < float(calibration_slope(y, found.probability[0])) < 2.5
    assert len(found.settings) == 8


@MODELS
def test_noise_is_not_learned(model: Model) -> None:
    x, y, groups = cases(0.0, patients=150)
    outer = repeated_folds(y, groups, folds=5, seeds=[0])
    found = nested(model, x, y, groups, outer=outer, inner=3, seeds=[0])
    assert 0.35 < float(auc(y, found.probability[0])) < 0.65


def test_a_patient_never_helps_to_answer_for_himself() -> None:
    rng = np.random.default_rng(8)
    groups = np.repeat(np.arange(60), 4)
    y = (rng.random(60) < 0.5).astype(np.int64)[groups]
    fingerprint = rng.normal(size=(60, 3))[groups] + 0.001 * rng.normal(size=(240, 3))
    memoriser = Model("narrow kernel", make_svm, ({"C": 10.0, "gamma": 5.0},), False)
    outer = repeated_folds(y, groups, folds=5, seeds=[0])
    apart = nested(memoriser, fingerprint, y, groups, outer=outer, inner=3, seeds=[0])
    torn = repeated_folds(y, np.arange(240), folds=5, seeds=[0])
    leaking = nested(memoriser, fingerprint, y, np.arange(240), outer=torn, inner=3, seeds=[0])
    assert float(auc(y, apart.probability[0])) < 0.65
    assert float(auc(y, leaking.probability[0])) > 0.95


@MODELS
def test_equal_input_and_seed_give_equal_bits(model: Model) -> None:
    x, y, groups = cases(1.0, patients=40)
    outer = repeated_folds(y, groups, folds=3, seeds=[5])
    first, second = (nested(model, x, y, groups, outer=outer, inner=2, seeds=[5]) for _ in range(2))
    assert first.probability.tobytes() == second.probability.tobytes()
    assert first.settings == second.settings


def test_the_simplest_of_equally_good_settings_is_taken() -> None:
    x, y, groups = cases(50.0, patients=40)
    fitted = fit(LOGISTIC, x[:, :1], y, groups, folds=3, rng=np.random.default_rng(0))
    assert fitted.settings == LOGISTIC.grid[0]


def test_one_case_is_answered_as_in_a_batch() -> None:
    x, y, groups = cases(1.0, patients=40)
    fitted = fit(SVM, x, y, groups, folds=3, rng=np.random.default_rng(0))
    alone = np.concatenate([fitted.probability(row[None]) for row in x])
    assert alone == pytest.approx(fitted.probability(x), abs=1e-12)
    assert ((alone > 0) & (alone < 1)).all()
