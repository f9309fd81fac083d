"""Shapley values: how much each feature moves one answer away from the usual one. Exact for trees and linear models."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from radlake.core.errors import UsageError
from radlake.learn.explain.tabular import last_step, reached
from radlake.learn.metrics import Floats


@dataclass(frozen=True, eq=False)
class Shapley:
    """Contributions to the answers of a model before calibration.

    Parameters
    ----------
    values : (N, F) array
        In log odds, probability or value, as the model decides.
    usual : float
        The answer that they start from; `usual` plus the sum of a row is the model's answer.
    names : tuple of F str
        Features as the model sees them.
    """

    values: Floats
    usual: float
    names: tuple[str, ...]


def shapley(pipeline: Any, x: Floats, background: Floats, names: Sequence[str]) -> Shapley | None:
    """Shapley values of trees, linear models and sums of curves, of two classes or a value; None for other models.

    Linear models: weight times the distance from the mean, which takes features as independent; curves likewise. Trees:
    along the paths that the training cases took, by the package `shap`.

    Parameters
    ----------
    pipeline : fitted scikit-learn pipeline
    x : (N, D) array
        Cases to explain.
    background : (M, D) array
        The usual cases, for linear models and curves.
    names : sequence of D str

    Raises
    ------
    UsageError
        When the package `shap` is needed and absent.

    References
    ----------
    Lundberg and Lee (2017), A unified approach to interpreting model predictions, NeurIPS; Lundberg et al. (2020), From
    local explanations to global understanding with explainable AI for trees, Nature Machine Intelligence 2, 56-67.
    """
    model, known = last_step(pipeline), tuple(reached(pipeline, names))
    prepare = pipeline[:-1] if hasattr(pipeline, "steps") and len(pipeline.steps) > 1 else None
    seen = x if prepare is None else prepare.transform(x)
    weights = np.atleast_2d(getattr(model, "coef_", np.empty((0, 0))))
    if len(weights) == 1:
        middle = (background if prepare is None else prepare.transform(background)).mean(axis=0)
        usual = float(weights[0] @ middle + np.ravel(model.intercept_)[0])
        return Shapley(np.asarray(weights[0] * (seen - middle)), usual, known)
    if hasattr(model, "contributions") and len(model.start_) == 1:
        added, start = model.contributions(seen)
        middle = model.contributions(background if prepare is None else prepare.transform(background))[0].mean(axis=0)
        return Shapley(added - middle, start + float(middle.sum()), known)
    if not (hasattr(model, "tree_") or hasattr(model, "estimators_") or hasattr(model, "n_trees_per_iteration_")):
        return None
    if len(getattr(model, "classes_", ())) > 2:
        return None
    return _of_trees(model, seen, known)


def _of_trees(model: Any, seen: Floats, known: tuple[str, ...]) -> Shapley:
    """By paths through the trees."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of packages that shap looks for
            import shap
    except ImportError as error:
        raise UsageError("Shapley values of trees need an extra: pip install 'radlake[explain]'") from error
    explainer = shap.TreeExplainer(model)
    values = np.asarray(explainer.shap_values(seen, check_additivity=False), dtype=np.float64)
    usual = np.ravel(explainer.expected_value)
    if values.ndim == 3:  # one layer for each class: those of the second
        values = values[..., -1]
    return Shapley(values, float(usual[-1]), known)
