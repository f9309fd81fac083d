"""Features as a step of scikit-learn's pipelines."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from radlake.features import RadiomicsTransformer, StableFeatures, extract
from radlake.features.stability import USUAL, perturbed

RNG = np.random.default_rng(0)
CASES = [(RNG.normal(k % 2, 0.2, (4, 5, 5)), np.ones((4, 5, 5), bool)) for k in range(12)]


def test_it_gives_the_values_of_extract_and_learns_in_a_pipeline() -> None:
    step = RadiomicsTransformer(families=["intensity", "ngtdm"], options={"bin_count": 8})
    table = clone(step).fit_transform(CASES)
    expected = extract(*CASES[3], families=["intensity", "ngtdm"], bin_count=8, as_dict=True)
    assert dict(zip(step.fit(CASES).get_feature_names_out(), table[3], strict=True)) == expected
    model = make_pipeline(step, SimpleImputer(), LogisticRegression())
    y = np.arange(12) % 2
    assert (model.fit(CASES, y).predict(CASES) == y).all()


def test_a_case_that_cannot_be_measured_is_nan_and_none_at_all_is_told() -> None:
    empty = (CASES[0][0], np.zeros((4, 5, 5), bool))
    table = RadiomicsTransformer(families=["intensity"]).fit_transform([empty, CASES[1]])
    assert np.isnan(table[0]).all()
    assert np.isfinite(table[1]).all()
    with pytest.raises(ValueError, match="no case could be measured"):
        RadiomicsTransformer().fit([empty])


def test_scikit_learn_is_imported_for_nothing_else() -> None:
    program = "import sys, radlake.features; assert 'sklearn' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)


def _repeated(seed: int, noise: float, cases: int = 40) -> np.ndarray:
    """Cases x 3 measurements x 3 features: a steady one, its double, and noise."""
    rng = np.random.default_rng(seed)
    first = rng.normal(size=(cases, 1))
    steady = first + noise * rng.normal(size=(cases, 3))
    return np.stack([rng.normal(size=(cases, 3)), steady, 2 * steady + 1], axis=2)


def test_unsteady_and_redundant_features_go() -> None:
    given = _repeated(0, 0.05)
    step = StableFeatures().fit(given)
    assert step.kept_.tolist() == [1]
    assert [v.reliable for v in step.verdicts_] == [False, True, True]
    assert np.array_equal(step.transform(given), given[:, 0, [1]])
    assert np.array_equal(step.transform(given[:, 0]), given[:, 0, [1]])
    assert step.get_feature_names_out(["a", "b", "c"]).tolist() == ["b"]
    assert StableFeatures(redundancy=None).fit(given).kept_.tolist() == [1, 2]
    assert clone(StableFeatures(least=0.9)).get_params()["least"] == 0.9


def test_inside_cross_validation_only_training_cases_choose() -> None:
    seen = []

    class Spy(StableFeatures):
        def fit(self, X: np.ndarray, y: object = None) -> StableFeatures:
            seen.append(X.copy())
            return super().fit(X, y)

    given = _repeated(1, 0.05)
    given[:20, 1:, 1:] += 30.0  # of the first half all repeats are off
    y = np.arange(40) % 2
    steady, off = np.arange(20, 40), np.arange(20)
    model = make_pipeline(Spy(redundancy=None), LogisticRegression())
    assert np.isfinite(cross_val_score(model, given, y, cv=[(steady, off)])).all()
    # trained on the other half nothing is reliable, whatever the steady one says
    with pytest.raises(ValueError, match="none of 3 features is reliable"):
        cross_val_score(model, given, y, cv=[(off, steady)], error_score="raise")
    assert [np.array_equal(part, given[rows]) for part, rows in zip(seen, (steady, off), strict=True)] == [True, True]


def test_the_transformer_gives_what_it_chooses_by() -> None:
    rng = np.random.default_rng(5)
    cases = [(rng.normal(10 * (k % 5), 1, (5, 12, 12)), np.pad(np.ones((3, 6, 6), bool), ((1, 1), (3, 3), (3, 3))))
             for k in range(10)]  # fmt: skip
    step = RadiomicsTransformer(families=["intensity"], changes=USUAL)
    found = step.fit_transform(cases)
    assert found.shape == (10, 9, 18)
    moved = extract(cases[2][0], perturbed(cases[2][1], USUAL[3]), families=["intensity"], as_dict=True)
    assert found[2, 4].tolist() == [moved[name] for name in step.feature_names_]
    model = make_pipeline(step, StableFeatures(), LogisticRegression())
    y = np.array([k % 5 > 1 for k in range(10)])
    assert cross_val_score(model, cases, y, cv=StratifiedKFold(2)).min() > 0.5


def test_what_cannot_be_judged_is_told() -> None:
    with pytest.raises(ValueError, match=r"expected \(cases, measurements, features\)"):
        StableFeatures().fit(np.zeros((4, 5)))
    with pytest.raises(ValueError, match="none of 2 features is reliable"):
        StableFeatures().fit(np.random.default_rng(0).normal(size=(9, 3, 2)))
    fitted = StableFeatures().fit(_repeated(0, 0.05))
    with pytest.raises(ValueError, match="expected 3 features"):
        fitted.transform(np.zeros((2, 4)))
