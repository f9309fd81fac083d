"""One family with one choice of settings: answers for cases that it has not seen, how good they are, what they cost."""

from __future__ import annotations

import pickle
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radlake.learn import metrics
from radlake.learn.calibration import answers, loss
from radlake.learn.classical import Settings
from radlake.learn.families import Family, Task
from radlake.learn.prepare import Folds
from radlake.learn.problem import Bools, Floats, Ints, Problem
from radlake.learn.validate import decisions

_ARRAYS = ("decision", "predicted", "score")


@dataclass(eq=False)
class HeldOut:
    """Answers of one pipeline for cases that it has not seen, and what it cost.

    Parameters
    ----------
    decision : (N, S) array
        Before calibration; NaN for cases of folds for which there was no time.
    predicted : (N, K) array
        Probabilities, or values; NaN likewise.
    loss : float
        See `loss`.
    score : (K,) array
        Of each fold: AUC (mean over classes), or R2; NaN likewise.
    fit_s, predict_ms, megabytes, complexity : float
        Mean seconds to fit; milliseconds a case; size and stored numbers of the last fold's model.
    stopped : int
        Folds in which the solver stopped before it converged.
    """

    decision: Floats
    predicted: Floats
    loss: float
    score: Floats
    fit_s: float
    predict_ms: float
    megabytes: float
    complexity: int
    stopped: int

    @property
    def seen(self) -> Bools:
        """Cases that there is an answer for."""
        return np.asarray(np.isfinite(self.predicted).all(axis=1))

    def parts(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Named arrays and plain JSON types; `of` makes it again."""
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        return arrays, {name: value for name, value in vars(self).items() if name not in _ARRAYS}

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> HeldOut:
        """Answers from what `parts` gave."""
        values: dict[str, Any] = {**arrays, **facts}
        return cls(**values)


@dataclass(eq=False)
class Trial:
    """One family with one choice of settings, on one repeat of the folds or more."""

    name: str
    family: Family
    settings: Settings
    place: int
    runs: list[HeldOut] = field(default_factory=list)

    @property
    def scores(self) -> Floats:
        """Score of every fold of every repeat; NaN where there was no time for it."""
        return np.concatenate([run.score for run in self.runs])

    @property
    def folds(self) -> int:
        """How many folds have been through."""
        return int(np.isfinite(self.scores).sum())

    @property
    def mean(self) -> float:
        """Mean score."""
        return self.mean_of(len(self.runs))

    def mean_of(self, repeats: int) -> float:
        """Mean score over the first repeats, rounded so that the last bits of a sum cannot decide."""
        return round(float(np.nanmean([run.score for run in self.runs[:repeats]])), 10)

    @property
    def loss(self) -> float:
        """Mean loss, rounded like the score."""
        return round(float(np.mean([run.loss for run in self.runs])), 10)

    def lead_over(self, other: Trial) -> float:
        """How much higher its mean score is on the folds that both have been through; rounded like the score."""
        return round(float(np.nanmean(self._against(other))), 10)

    def standard_error(self, folds: int) -> float:
        """Standard error of the mean score, corrected for folds that share training cases.

        References
        ----------
        Nadeau and Bengio (2003), Inference for the generalization error, Machine Learning 52, 239-281.
        """
        return _corrected(self.scores, folds)

    def standard_error_against(self, other: Trial, folds: int) -> float:
        """Standard error of the difference to another trial, on the folds that both have been through."""
        return _corrected(self._against(other), folds)

    def _against(self, other: Trial) -> Floats:
        """Differences of the scores, fold by fold; NaN where one has not been through."""
        shared = min(len(self.scores), len(other.scores))
        return self.scores[:shared] - other.scores[:shared]


def leading(trials: Iterable[Trial]) -> Trial:
    """The best trial: of those with the most folds the one with the highest mean, or who beats it on folds of both."""
    first, *others = sorted(trials, key=lambda t: (t.folds, t.mean, t.name), reverse=True)
    for trial in others:
        if trial.folds < first.folds and trial.lead_over(first) > 0:
            first = trial
    return first


def _corrected(scores: Floats, folds: int) -> float:
    """Standard error of a mean over folds that share training cases."""
    known = scores[np.isfinite(scores)]
    return float(np.sqrt(known.var(ddof=1) * (1 / len(known) + 1 / (folds - 1))))


def score(task: Task, y: NDArray[Any], predicted: Floats) -> float:
    """The number by which models are compared: AUC, mean AUC over classes, or R2."""
    if task == "multiclass":
        return float(metrics.macro_auc(y, predicted))
    return float((metrics.r2 if task == "regression" else metrics.auc)(y, predicted[:, -1]))


def fit_quietly(pipeline: Any, features: Floats, y: NDArray[Any]) -> bool:
    """Fit, and tell whether the solver converged. Constant features in a fold are no reason to warn."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        pipeline.fit(features, y)
    return not any(issubclass(w.category, ConvergenceWarning) for w in told)


@dataclass(frozen=True, eq=False)
class FoldAnswer:
    """What a pipeline that was fitted on the other folds says about the cases of one, and what that cost.

    Parameters
    ----------
    decision : (M, S) array
        Before calibration.
    fit_s, predict_s, seconds : float
        To fit and to answer, with what was prepared before; all that it took here.
    megabytes, complexity : float or None
        Size and stored numbers of the fitted pipeline, where they were asked for.
    stopped : bool
        Whether the solver stopped before it converged.
    """

    decision: Floats
    fit_s: float
    predict_s: float
    seconds: float
    megabytes: float | None
    complexity: int | None
    stopped: bool


def fold_answer(pipeline: Any, given: Problem, test: Bools, *, prepared: Folds, weigh: bool) -> FoldAnswer:
    """Answers for held-out cases by a pipeline that is fitted on all others.

    Parameters
    ----------
    pipeline : scikit-learn pipeline
        Unfitted.
    given : Problem
    test : (N,) bool array
        Cases that are held out.
    prepared : Folds
        Memory of the steps before the model, shared by trials; the seconds to fit include what was taken from it.
    weigh : bool
        Whether size and stored numbers are wanted.
    """
    began = time.perf_counter()
    steps, model = _parted(pipeline)
    ready = prepared.prepare(steps, given, test)
    started = time.perf_counter()
    converged = fit_quietly(model, ready.seen, given.y[~test])
    fitted = time.perf_counter()
    answer = decisions(model, ready.unseen)
    ended = time.perf_counter()
    megabytes = (len(pickle.dumps(ready.steps)) + len(pickle.dumps(model))) / 1e6 if weigh else None
    return FoldAnswer(
        answer, ready.fit_s + fitted - started, ready.transform_s + ended - fitted, time.perf_counter() - began,
        megabytes, complexity(model) if weigh else None, not converged,
    )  # fmt: skip


def assembled(family: Family, given: Problem, fold: Ints, told: Sequence[FoldAnswer]) -> HeldOut:
    """Answers for every case, scored.

    Parameters
    ----------
    family : Family
    given : Problem
    fold : (N,) int array
    told : sequence of FoldAnswer
        Of each fold in turn, the last one weighed.
    """
    decision = np.empty((len(fold), told[0].decision.shape[1]))
    for k, one in enumerate(told):
        decision[fold == k] = one.decision
    predicted = answers(family, given, decision, fold)
    scores = np.array([score(given.task, given.y[fold == k], predicted[fold == k]) for k in range(len(told))])
    return HeldOut(
        decision, predicted, loss(given, predicted), scores, sum(one.fit_s for one in told) / len(told),
        1000 * sum(one.predict_s for one in told) / len(fold), told[-1].megabytes or 0.0, told[-1].complexity or 0,
        sum(one.stopped for one in told),
    )  # fmt: skip


def _parted(pipeline: Any) -> tuple[Any, Any]:
    """The steps before the model, None where there are none, and the model."""
    if not hasattr(pipeline, "steps"):
        return None, pipeline
    return (pipeline[:-1] if len(pipeline.steps) > 1 else None), pipeline[-1]


def complexity(model: Any) -> int:
    """How many numbers a fitted model decides with: weights that are not zero, leaves, or values of stored cases."""
    model = _parted(model)[1]
    model = getattr(model, "regressor_", model)
    return next(count(model) for mark, count in _COUNTS.items() if hasattr(model, mark))


# What a fitted estimator has, the first that applies, and how its numbers are counted.
_COUNTS: dict[str, Callable[[Any], int]] = {
    "support_vectors_": lambda m: int(m.support_vectors_.size),
    "coef_": lambda m: int(np.count_nonzero(m.coef_)),
    "get_n_leaves": lambda m: int(m.get_n_leaves()),
    "estimators_": lambda m: int(sum(tree.get_n_leaves() for tree in m.estimators_)),
    "n_trees_per_iteration_": lambda m: int(m.n_iter_ * m.n_trees_per_iteration_ * m.max_leaf_nodes),
    "steps_": lambda m: int(sum(table.size for table in m.steps_)),
    "theta_": lambda m: int(2 * m.theta_.size),
    "n_samples_fit_": lambda m: int(m.n_samples_fit_ * m.n_features_in_),
}
