"""A sum of one curve for each feature, learned by boosting: as flexible as trees, and every step of it can be drawn.

The curves are learned by the package `interpret-core` (extra `ebm`); what is kept of them are tables of steps, so that
a trained model answers without the package.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from radlake.core.errors import UsageError

Floats = NDArray[np.float64]

_BAGS = 4  # models on parts of the cases, whose curves are averaged


@dataclass(frozen=True, eq=False)
class Curve:
    """What one feature adds.

    Parameters
    ----------
    feature : str
    cuts : (M,) array
        Borders of the steps, rising: a value belongs to the step that begins at the last border not above it.
    adds : (M + 1,) array
        To the log odds of the second class, or to the value.
    gap : float
        What is added where the value is missing.
    """

    feature: str
    cuts: Floats
    adds: Floats
    gap: float


class _Curves(BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """What classifier and regressor share.

    Parameters
    ----------
    bins : int
        Most steps of a curve.
    seed : int

    Attributes
    ----------
    start_ : (K,) array
        What is said before any feature is looked at.
    cuts_ : list of D arrays
        Borders of the steps of each feature.
    steps_ : list of D arrays, each (steps + 1, K)
        What a feature adds where it is missing, then in each step.
    """

    def __init__(self, bins: int = 32, *, seed: int = 0) -> None:
        self.bins = bins
        self.seed = seed

    def __sklearn_tags__(self) -> Any:
        """Gaps are a step of their own."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _learn(self, kind: str, X: Any, y: NDArray[Any]) -> Self:
        """Let the package find the curves, and keep their tables."""
        try:
            from interpret import glassbox
        except ImportError as error:
            raise UsageError("explainable boosting needs an extra: pip install 'radlake[ebm]'") from error
        model = getattr(glassbox, kind)(
            interactions=0, feature_types=["continuous"] * X.shape[1], max_bins=self.bins, max_leaves=2,
            outer_bags=_BAGS, learning_rate=0.04, n_jobs=1, random_state=self.seed,
        )  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of constant features, which are told elsewhere
            model.fit(X, y)
        self.start_ = np.atleast_1d(np.asarray(model.intercept_, dtype=np.float64))
        self.cuts_ = [np.empty(0) for _ in range(X.shape[1])]
        self.steps_ = [np.zeros((2, len(self.start_))) for _ in range(X.shape[1])]
        for (column,), adds in zip(model.term_features_, model.term_scores_, strict=True):
            table = np.asarray(adds, dtype=np.float64)[:-1]  # its last row is of categories that were not seen
            self.cuts_[column] = np.asarray(model.bins_[column][0], dtype=np.float64)
            self.steps_[column] = table.reshape(len(table), -1)
        return self

    def _parts(self, X: Any) -> Floats:
        """What each feature adds for each case, shape (N, D, K)."""
        check_is_fitted(self, "steps_")
        x = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        found = np.empty((*x.shape, len(self.start_)))
        for column, (cuts, steps) in enumerate(zip(self.cuts_, self.steps_, strict=True)):
            place = np.where(np.isnan(x[:, column]), 0, 1 + np.searchsorted(cuts, x[:, column], side="right"))
            found[:, column] = steps[place]
        return found

    def _said(self, X: Any) -> Floats:
        """The sum, shape (N,), or (N, K) for more than two classes."""
        found: Floats = self._parts(X).sum(axis=1) + self.start_
        return found[:, 0] if found.shape[1] == 1 else found

    def contributions(self, X: Any) -> tuple[Floats, float]:
        """What each feature adds for each case, (N, D), and what all start from; for two classes or a value."""
        return self._parts(X)[..., 0], float(self.start_[0])

    def curves(self, names: Sequence[str]) -> list[Curve]:
        """The curve of each feature, the one that moves answers most first; empty for more than two classes.

        Parameters
        ----------
        names : sequence of D str
        """
        check_is_fitted(self, "steps_")
        if len(self.start_) > 1:
            return []
        found = [
            Curve(name, cuts, steps[1:, 0], float(steps[0, 0]))
            for name, cuts, steps in zip(names, self.cuts_, self.steps_, strict=True)
        ]
        return sorted(found, key=lambda c: (-float(np.ptp(c.adds)), c.feature))


class CurvesClassifier(ClassifierMixin, _Curves):  # type: ignore[misc]
    """Log odds as a sum of curves (explainable boosting); options and what is kept as in `_Curves`.

    References
    ----------
    Lou, Caruana and Gehrke (2012), Intelligible models for classification and regression, KDD, 150-158; Nori et al.
    (2019), InterpretML, arXiv:1909.09223.
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from an (N, D) array, where NaN is a gap, and (N,) labels.

        Raises
        ------
        ValueError
            When there is one class only.
        """
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_all_finite="allow-nan")
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("all cases are of one class; a model needs two: check the label column")
        return self._learn("ExplainableBoostingClassifier", X, codes)

    def decision_function(self, X: Any) -> Floats:
        """Log odds of the second class, (N,), or logits of each class, (N, K)."""
        return self._said(X)

    def predict_proba(self, X: Any) -> Floats:
        """Probability of each class, (N, K)."""
        from scipy.special import softmax

        said = self._said(X)
        logits = np.stack([np.zeros_like(said), said], axis=1) if said.ndim == 1 else said
        return np.asarray(softmax(logits, axis=1), dtype=np.float64)

    def predict(self, X: Any) -> NDArray[Any]:
        """Most probable label of each case."""
        check_is_fitted(self, "steps_")
        return np.asarray(self.classes_[np.argmax(self.predict_proba(X), axis=1)])


class CurvesRegressor(RegressorMixin, _Curves):  # type: ignore[misc]
    """A value as a sum of curves; see `CurvesClassifier`."""

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from an (N, D) array, where NaN is a gap, and (N,) values."""
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_all_finite="allow-nan", y_numeric=True)
        return self._learn("ExplainableBoostingRegressor", X, np.asarray(y, dtype=np.float64))

    def predict(self, X: Any) -> Floats:
        """Value of each case."""
        return self._said(X)
