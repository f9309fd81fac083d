"""What so many cases can show, before anything is trained."""

from __future__ import annotations

import numpy as np
import pytest

from radlake.learn.expectation import auc_standard_error, what_it_can_show
from radlake.learn.metrics import auc
from radlake.learn.problem import fingerprint, problem

X = np.random.default_rng(0).normal(size=(40, 3))
Y = np.arange(40) % 2


def test_the_standard_error_of_an_auc_agrees_with_simulation() -> None:
    rng = np.random.default_rng(4)
    y = np.repeat([1, 0], [30, 60])
    drawn = [float(auc(y, rng.normal(size=90) + 1.19 * y)) for _ in range(800)]  # 1.19: an AUC of .80
    # Hanley's formula assumes exponential scores; normal ones agree within a tenth.
    assert auc_standard_error(0.8, 30, 60) == pytest.approx(np.std(drawn), rel=0.1)


def test_expectations_grow_with_the_cases() -> None:
    few, many = (what_it_can_show(fingerprint(problem(X[:n], Y[:n])), "binary") for n in (20, 40))
    assert "within +-.20" in few
    assert "within +-.14" in many
    assert "3 features are too many" in few
    assert "patients: expect an R2" in what_it_can_show(fingerprint(problem(X, X[:, 0] ** 2)), "regression")
