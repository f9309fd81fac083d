"""Pipelines: gaps and outliers are met inside, every listed model fits."""

from __future__ import annotations

import numpy as np
import pytest

from radlake.learn.classical import MODELS, SINGLE, Model

ALL = [*MODELS.values(), SINGLE]


@pytest.mark.parametrize("model", ALL, ids=lambda m: m.name)
def test_gaps_empty_and_constant_features_are_met(model: Model) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 4))
    y = (x[:, 0] > 0).astype(int)
    x[::7, 1], x[:, 2], x[:, 3] = np.nan, np.nan, 5.0
    for settings in model.grid:
        decision = model.make(settings).fit(x, y).decision_function(x)
        assert np.isfinite(decision).all()
        assert np.corrcoef(decision, y)[0, 1] > 0.3


@pytest.mark.parametrize("model", ALL, ids=lambda m: m.name)
def test_a_monotone_change_of_a_feature_changes_little(model: Model) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(200, 2))
    y = (x[:, 0] + 0.5 * rng.normal(size=200) > 0).astype(int)
    plain, skewed = (model.make(model.grid[-1]).fit(v, y).decision_function(v) for v in (x, np.exp(3 * x)))
    assert np.corrcoef(plain, skewed)[0, 1] > 0.97


def test_no_model_is_listed_without_settings() -> None:
    assert all(model.grid for model in ALL)
    assert len({model.name for model in ALL}) == len(ALL)
