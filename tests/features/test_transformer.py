"""Features as a step of scikit-learn's pipelines."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from radlake.features import RadiomicsTransformer, extract

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
