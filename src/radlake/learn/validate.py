"""Nested cross-validation by patient: settings are chosen inside the training folds, answers come from outside.

The inner folds choose the settings and, for models whose decision values are no log odds, fit the curve that turns
them into probabilities (Platt scaling) on answers for cases that the model has not seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from radlake.learn.classical import SINGLE, Model, Settings
from radlake.learn.families import Task
from radlake.learn.metrics import auc
from radlake.learn.split import grouped_folds

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_SURE = 1e-4  # trees that are all of one mind are no surer than this


@dataclass(frozen=True, eq=False)
class Fitted:
    """A model that has seen data.

    Parameters
    ----------
    settings : mapping
        The chosen settings.
    pipeline : scikit-learn pipeline
        Fitted on all cases that were given.
    calibrator : scikit-learn pipeline or None
        From decision values to probabilities; None where the pipeline gives them itself.
    task : Task
        What it answers.
    classes : tuple
        Labels in the order of the columns of `predict_proba`; empty for regression.
    """

    settings: Settings
    pipeline: Any
    calibrator: Any | None
    task: Task | Literal["segmentation"] = "binary"
    classes: tuple[int | float | str, ...] = (0, 1)

    def probability(self, features: Floats) -> Floats:
        """Probability of the second class for each row of an (N, D) array."""
        return self.predict_proba(features)[:, 1]

    def predict_proba(self, features: Floats) -> Floats:
        """Probability of each class for each row of an (N, D) array, shape (N, K).

        Raises
        ------
        ValueError
            When the model predicts a value and no class.
        """
        if self.task == "regression":
            raise ValueError("a regression has no probabilities; use predict")
        if self.calibrator is None:
            return np.asarray(self.pipeline.predict_proba(features), dtype=np.float64)
        return np.asarray(self.calibrator.predict_proba(decisions(self.pipeline, features)), dtype=np.float64)

    def predict(self, features: Floats) -> NDArray[Any]:
        """Most probable label, or the value, for each row of an (N, D) array."""
        if self.task == "segmentation":
            masks: NDArray[Any] = self.pipeline.predict(features)
            return masks
        if self.task == "regression":
            return np.asarray(self.pipeline.predict(features), dtype=np.float64)
        found: NDArray[Any] = np.asarray(self.classes)[np.argmax(self.predict_proba(features), axis=1)]
        return found


def holds_rows(pipeline: Any) -> bool:
    """Whether a fitted pipeline stores training cases: nearest neighbours, and machines with a kernel."""
    if hasattr(pipeline, "support_vectors_") or hasattr(pipeline, "_fit_X"):
        return True
    inside = [step for _, step in getattr(pipeline, "steps", ())]
    inside += [getattr(pipeline, name) for name in ("regressor_", "model_", "pipeline_") if hasattr(pipeline, name)]
    return any(holds_rows(part) for part in inside)


def decisions(pipeline: Any, features: Floats) -> Floats:
    """What a fitted pipeline says before calibration: one column for two classes or a value, else one for each class.

    Decision values where the model has them, otherwise logits of its probabilities, or their logarithms for more than
    two classes.

    Parameters
    ----------
    pipeline : scikit-learn pipeline
        Fitted.
    features : (N, D) float array

    Returns
    -------
    (N, S) float array
    """
    if hasattr(pipeline, "decision_function"):
        given = np.asarray(pipeline.decision_function(features), dtype=np.float64)
    elif hasattr(pipeline, "predict_proba"):
        p = np.log(np.clip(pipeline.predict_proba(features), _SURE, 1.0))
        given = p[:, 1] - p[:, 0] if p.shape[1] == 2 else p
    else:
        given = np.asarray(pipeline.predict(features), dtype=np.float64)
    return given[:, None] if given.ndim == 1 else given


@dataclass(frozen=True, eq=False)
class Answers:
    """Out-of-fold answers of one model.

    Parameters
    ----------
    probability : (R, N) float array
        Of class 1, by the model that did not see the case's patient; one row per repeat.
    fold : (R, N) int array
        Outer fold in which the case was held out.
    settings : tuple of mappings
        Chosen in each repeat and fold, in that order.
    """

    probability: Floats
    fold: Ints
    settings: tuple[Settings, ...]


def fit(
    model: Model, features: Floats, y: Ints, groups: NDArray[Any], *, folds: int, rng: np.random.Generator
) -> Fitted:
    """Choose settings by grouped cross-validation, then fit them on all cases.

    The settings with the highest AUC, averaged over the folds, are taken; of equal ones the first in the grid.

    Parameters
    ----------
    model : Model
        What to fit.
    features : (N, D) float array
        NaN where a value is missing.
    y : (N,) int array
        0 or 1.
    groups : (N,) array
        Patient of each case.
    folds : int
        For the choice; not used by models that leave nothing to choose.
    rng : numpy.random.Generator
        Makes the folds.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(1):  # sums in another order would give other last bits
        if len(model.grid) == 1 and model.calibrated:
            return Fitted(model.grid[0], model.make(model.grid[0]).fit(features, y), None)
        fold = grouped_folds(y, groups, folds=folds, rng=rng)
        unseen = _held_out(model, features, y, fold)
        scores = [np.mean([auc(y[fold == k], d[fold == k]) for k in range(folds)]) for d in unseen]
        best = int(np.argmax(np.round(scores, 12)))
        calibrator = None
        if not model.calibrated:
            calibrator = SINGLE.make(SINGLE.grid[0]).fit(unseen[best][:, None], y)
        return Fitted(model.grid[best], model.make(model.grid[best]).fit(features, y), calibrator)


def _held_out(model: Model, features: Floats, y: Ints, fold: Ints) -> Floats:
    """Decision value of each case by pipelines that were fitted on the other folds, shape (settings, N).

    Settings concern the last step only, so that the steps before it are fitted once a fold.
    """
    decision = np.empty((len(model.grid), len(y)))
    for k in np.unique(fold):
        test = fold == k
        prepare = model.make(model.grid[0])[:-1]
        seen, unseen = prepare.fit_transform(features[~test]), prepare.transform(features[test])
        for row, settings in zip(decision, model.grid, strict=True):
            row[test] = model.make(settings)[-1].fit(seen, y[~test]).decision_function(unseen)
    return decision


def nested(
    model: Model, features: Floats, y: Ints, groups: NDArray[Any], *, outer: Ints, inner: int, seeds: Sequence[int]
) -> Answers:
    """Out-of-fold answers for every case in every repeat.

    Parameters
    ----------
    model : Model
        What to test.
    features : (N, D) float array
        NaN where a value is missing.
    y : (N,) int array
        0 or 1.
    groups : (N,) array
        Patient of each case.
    outer : (R, N) int array
        Folds from `radlake.learn.split.repeated_folds`: give every model the same, so that they can be compared.
    inner : int
        Folds for the choice of settings inside each training part.
    seeds : sequence of R ints
        For the inner folds of each repeat.

    References
    ----------
    Varma and Simon (2006), Bias in error estimation when using cross-validation for model selection, BMC
    Bioinformatics 7:91.
    """
    probability = np.empty(outer.shape)
    settings: list[Settings] = []
    for repeat, (fold, seed) in enumerate(zip(outer, seeds, strict=True)):
        for k in range(int(fold.max()) + 1):
            test = fold == k
            rng = np.random.default_rng([seed, k])
            fitted = fit(model, features[~test], y[~test], groups[~test], folds=inner, rng=rng)
            probability[repeat, test] = fitted.probability(features[test])
            settings.append(fitted.settings)
    return Answers(probability, outer, tuple(settings))
