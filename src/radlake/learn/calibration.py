"""From decision values to probabilities, out of fold, and the loss by which settings of one family are chosen."""

from __future__ import annotations

from typing import Any

import numpy as np

from radlake.learn.families import Family
from radlake.learn.problem import Bools, Floats, Ints, Problem

_SURE = 1e-6  # a wrong answer costs no more than this probability does
_FLAT = 1e-3  # log odds for each standard deviation of the answers: all that a curve gives answers that it cannot trust


def calibrator(family: Family, given: Problem, decision: Floats, seen: Bools | None = None) -> Any | None:
    """Curve from decision values to probabilities, fitted on answers for unseen cases; None where none is needed.

    Logistic regression on the decision values (Platt 1999), multinomial for more than two classes. A curve of two
    classes never falls: answers that were worse than chance on unseen cases (small balanced folds alone make them so)
    say that the model knows little and not that it means the opposite. The curve is flat then and keeps their order.

    Parameters
    ----------
    family : Family
    given : Problem
    decision : (N, S) array
        Out-of-fold decision values.
    seen : (N,) bool array, optional
        Cases to fit on; all by default.
    """
    from scipy.special import logit
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if given.task == "regression" or family.calibrated:
        return None
    chosen = np.ones(len(given.y), dtype=np.bool_) if seen is None else seen
    weak = 1e4 if given.task == "binary" else 1.0
    curve = make_pipeline(StandardScaler(), LogisticRegression(C=weak, max_iter=5000))
    curve.fit(decision[chosen], given.y[chosen])
    line = curve[-1]
    if given.task == "binary" and line.coef_[0, 0] < _FLAT:
        share = float(np.mean(given.y[chosen]))
        line.coef_, line.intercept_ = np.full_like(line.coef_, _FLAT), np.full_like(line.intercept_, logit(share))
    return curve


def answers(family: Family, given: Problem, decision: Floats, fold: Ints) -> Floats:
    """Out-of-fold predictions: probabilities (N, K), or values (N, 1) for regression.

    Each fold's curve is fitted on the answers in the other folds, so that no case calibrates itself.

    Parameters
    ----------
    family : Family
    given : Problem
    decision : (N, S) array
        Out-of-fold decision values.
    fold : (N,) int array
    """
    if given.task == "regression":
        return decision
    if family.calibrated:
        return probabilities(decision)
    found = np.empty((len(fold), len(given.classes)))
    for k in np.unique(fold):
        curve = calibrator(family, given, decision, fold != k)
        found[fold == k] = curve.predict_proba(decision[fold == k])  # type: ignore[union-attr]
    return found


def loss(given: Problem, predicted: Floats) -> float:
    """What settings of one family are chosen by: log loss, or mean squared error.

    Unlike the AUC they see the probabilities and not only their order, and so tell close settings apart.
    """
    if given.task == "regression":
        return float(np.mean((predicted[:, 0] - given.y) ** 2))
    return float(-np.log(np.clip(predicted[np.arange(len(given.y)), given.y], _SURE, 1.0)).mean())


def probabilities(decision: Floats) -> Floats:
    """Softmax of decision values that are log odds (one column) or logits of each class."""
    from scipy.special import softmax

    logits = np.hstack([np.zeros_like(decision), decision]) if decision.shape[1] == 1 else decision
    found: Floats = softmax(logits, axis=1)
    return found
