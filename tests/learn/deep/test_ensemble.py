"""Networks that answer together: the mean of what each says, for classes and values, and nothing nested."""

from __future__ import annotations

import numpy as np
import pytest

from radlake.learn.deep import ImageClassifier, ImageRegressor
from radlake.learn.deep.ensemble import Together
from radlake.learn.deep.estimators import from_parts

RNG = np.random.default_rng(0)
Y = np.arange(24) % 2
X = RNG.normal(size=(24, 8, 8)) + Y[:, None, None]


def test_classifiers_answer_with_their_mean_decision() -> None:
    models = [ImageClassifier("cnn-small", epochs=1, batch=12, seed=seed).fit(X, Y) for seed in (0, 1)]
    both = Together(models)
    mean = np.mean([m.decision_function(X) for m in models], axis=0)
    assert both.decision_function(X) == pytest.approx(mean)
    assert both.predict_proba(X)[:, 1] == pytest.approx(1 / (1 + np.exp(-mean)))
    assert both.predict(X).tolist() == (mean > 0).astype(int).tolist()
    again = from_parts(*both.parts())
    assert again.predict_proba(X).tobytes() == both.predict_proba(X).tobytes()
    assert both.contract_["largest"] == [8, 8]


def test_regressors_answer_with_their_mean_value() -> None:
    models = [ImageRegressor("cnn-small", epochs=1, batch=12, seed=seed).fit(X, X.mean(axis=(1, 2))) for seed in (0, 1)]
    both = Together(models)
    assert both.predict(X) == pytest.approx(np.mean([m.predict(X) for m in models], axis=0))
    assert not hasattr(both, "decision_function")


def test_nested_or_missing_networks_are_refused() -> None:
    inner = {"estimator": "Together", "models": []}
    for description in (inner, {"estimator": "Together", "models": [inner]}):
        with pytest.raises(ValueError, match="at least one"):
            from_parts(description, {})
