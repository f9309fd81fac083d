"""Every score of one set of answers, each with an interval and the method that gave it.

Answers may be those of a fixed model on other cases (one layer), or out-of-fold answers of repeated cross-validation
(one layer for each repeat, with the folds).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radlake.learn import metrics
from radlake.learn.evaluation.operating import predictive_values
from radlake.learn.evaluation.paired import delong_interval
from radlake.learn.families import Task
from radlake.learn.intervals import interval, patient_weights, wilson

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Metric = Callable[..., Floats]

_REPLICATES = 2000  # percentile ends move by about a hundredth of the interval's width
_LARGEST = 20_000_000  # weights of a bootstrap in memory


def _right(y: ArrayLike, called: ArrayLike, w: ArrayLike | None = None) -> Floats:
    """Share of the cases that are called what they are."""
    right = np.asarray(called, dtype=np.float64) == np.asarray(y)
    return metrics.sensitivity(np.ones(len(right)), right.astype(np.float64), w)


RANKS: dict[str, Metric] = {"auc": metrics.auc, "average_precision": metrics.average_precision}
PROBABILITIES: dict[str, Metric] = {
    "brier": metrics.brier,
    "calibration_intercept": metrics.calibration_intercept,
    "calibration_slope": metrics.calibration_slope,
    "calibration_error": metrics.calibration_error,
}
DECISIONS: dict[str, Metric] = {
    "accuracy_at_operating_point": _right,
    "sensitivity": metrics.sensitivity,
    "specificity": metrics.specificity,
    "balanced_accuracy": metrics.balanced_accuracy,
    "matthews": metrics.matthews,
}
LIKELIER = "accuracy_of_likelier_answer"  # what published tables call accuracy; the operating point has no part in it
BINARY: dict[str, Metric] = RANKS | PROBABILITIES | DECISIONS


@dataclass(frozen=True)
class Measure:
    """One score; ends are NaN where they are not defined.

    Parameters
    ----------
    metric : str
    value, low, high : float
        With a 95% interval.
    method : str
        Where the interval comes from.
    """

    metric: str
    value: float
    low: float
    high: float
    method: str


@dataclass(frozen=True, eq=False)
class Answered:
    """Cases with what a model said about them.

    Parameters
    ----------
    task : Task
    y : (N,) array
        Class number, or value.
    p : (R, N, K) array
        Probabilities of the classes, or one column of values.
    groups : (N,) array
        Patient of each case.
    fold : (R, N) int array, optional
        Fold whose model answered; None for one fixed model.
    called : (R, N) bool array, optional
        Whether the model says yes (binary): by default from a probability of one half.
    """

    task: Task
    y: NDArray[Any]
    p: Floats
    groups: NDArray[Any]
    fold: Ints | None = None
    called: NDArray[np.bool_] | None = None

    @property
    def independent(self) -> bool:
        """Whether the model is fixed and each patient has one case."""
        return self.fold is None and len(self.p) == 1 and len(np.unique(self.groups)) == len(self.groups)

    def weights(self, seed: int, replicates: int = _REPLICATES) -> Floats:
        """Draws of a bootstrap over patients, fewer where there are very many cases."""
        size = max(50, min(replicates, _LARGEST // max(len(self.y), 1)))
        return patient_weights(self.groups, replicates=size, rng=np.random.default_rng(seed))

    def part(self, chosen: NDArray[np.bool_]) -> Answered:
        """The same for some cases only."""
        return Answered(
            self.task, self.y[chosen], self.p[:, chosen], self.groups[chosen],
            None if self.fold is None else self.fold[:, chosen],
            None if self.called is None else self.called[:, chosen],
        )  # fmt: skip


def evaluate(given: Answered, *, prevalences: Sequence[float] = (), seed: int = 0) -> list[Measure]:
    """All scores that apply to the task.

    Parameters
    ----------
    given : Answered
    prevalences : sequence of float
        For which predictive values are told (binary).
    seed : int
        Of the bootstrap.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = np.arange(60) % 2
    >>> p = np.clip(0.3 + 0.4 * y + 0.2 * rng.normal(size=60), 0.01, 0.99)
    >>> found = evaluate(Answered("binary", y, np.stack([1 - p, p], axis=1)[None], np.arange(60)))
    >>> found[0].metric, found[0].method, found[0].low < found[0].value < found[0].high
    ('auc', 'DeLong', True)
    """
    weights = given.weights(seed)
    if given.task == "regression":
        return [_measure(name, score, given, weights) for name, score in _values(given).items()]
    if given.task == "multiclass":
        return [_measure(name, score, given, weights) for name, score in _classes(given).items()]
    found = [_measure(name, _second(score), given, weights, ranked=name in RANKS) for name, score in RANKS.items()]
    found.append(_measure(LIKELIER, _all_classes(metrics.accuracy), given, weights))
    found += [_measure(name, _second(score), given, weights) for name, score in PROBABILITIES.items()]
    found = [_biased(m) if m.metric == "calibration_error" else m for m in found]
    found += [_measure(name, _called(score), given, weights) for name, score in DECISIONS.items()]
    found += _predictive(given, weights, prevalences)
    return [_independent(m, given) for m in found] if given.independent else found


Scorer = Callable[[Answered, int, NDArray[np.bool_], ArrayLike | None], Floats]


def _second(score: Metric) -> Scorer:
    """A score of the second class's probability in one repeat, of some cases."""
    return lambda given, repeat, chosen, w: score(given.y[chosen], given.p[repeat, chosen, 1], w)


def _all_classes(score: Metric) -> Scorer:
    """A score of the probabilities of all classes."""
    return lambda given, repeat, chosen, w: score(given.y[chosen], given.p[repeat, chosen], w)


def _called(score: Metric) -> Scorer:
    """A score of yes and no."""
    return lambda given, repeat, chosen, w: score(given.y[chosen], calls(given)[repeat, chosen], w)


def calls(given: Answered) -> Floats:
    """1 where the model says yes, shape (R, N)."""
    found = given.p[..., 1] >= 0.5 if given.called is None else given.called
    return found.astype(np.float64)


def _classes(given: Answered) -> dict[str, Scorer]:
    """Scores of several classes."""
    return {
        "macro_auc": _all_classes(metrics.macro_auc),
        "accuracy": _all_classes(metrics.accuracy),
        "balanced_accuracy": _all_classes(_macro_recall),
        "brier": _all_classes(metrics.multiclass_brier),
    }


def _macro_recall(y: NDArray[Any], p: Floats, w: ArrayLike | None = None) -> Floats:
    """Mean over the classes of the share of its cases that are recognised."""
    right = (np.argmax(p, axis=1) == y).astype(np.float64)
    shares = [metrics.sensitivity(y == c, right, w) for c in range(p.shape[1])]
    found: Floats = np.mean(shares, axis=0)
    return found


def _values(given: Answered) -> dict[str, Scorer]:
    """Scores of values.

    References
    ----------
    Bland and Altman (1986), Statistical methods for assessing agreement between two methods of clinical measurement,
    Lancet 327, 307-310, for bias and limits of agreement.
    """

    def plain(score: Metric) -> Scorer:
        return lambda g, repeat, chosen, w: score(g.y[chosen], g.p[repeat, chosen, 0], w)

    return {
        "r2": plain(metrics.r2),
        "mean_absolute_error": plain(metrics.mean_absolute_error),
        "bias": plain(partial(_agreement, sides=0.0)),
        "limit_low": plain(partial(_agreement, sides=-1.96)),
        "limit_high": plain(partial(_agreement, sides=1.96)),
    }


def _agreement(y: ArrayLike, p: ArrayLike, w: ArrayLike | None = None, *, sides: float) -> Floats:
    """Mean difference of prediction and outcome, moved by so many of its standard deviations."""
    gap = np.asarray(p, dtype=np.float64) - np.asarray(y, dtype=np.float64)
    weight = np.ones_like(gap) if w is None else np.asarray(w, dtype=np.float64)
    total = weight.sum(axis=-1)
    mean = weight @ gap / total
    spread = np.sqrt(np.maximum(weight @ gap**2 / total - mean**2, 0) * total / (total - 1))
    found: Floats = mean + sides * spread
    return found


def point_scores(given: Answered, repeat: int) -> dict[str, float]:
    """The leading scores of one repeat, without intervals: two for each task."""
    once = np.ones((1, len(given.y)))
    chosen = {
        "binary": {"auc": _second(metrics.auc), "brier": _second(metrics.brier)},
        "multiclass": {n: s for n, s in _classes(given).items() if n in ("macro_auc", "accuracy")},
        "regression": {n: s for n, s in _values(given).items() if n in ("r2", "mean_absolute_error")},
    }[given.task]
    return {n: float(np.ravel(_repeat(s, given, repeat, once, n in RANKS))[0]) for n, s in chosen.items()}


def _measure(name: str, score: Scorer, given: Answered, weights: Floats, *, ranked: bool = False) -> Measure:
    """A score with its bootstrap interval, averaged over the repeats."""
    once = np.ones((1, len(given.y)))
    value = np.mean([_repeat(score, given, r, once, ranked) for r in range(len(given.p))])
    drawn = np.mean([_repeat(score, given, r, weights, ranked) for r in range(len(given.p))], axis=0)
    return Measure(name, float(value), *interval(drawn), f"bootstrap over {len(np.unique(given.groups))} patients")


def _repeat(score: Scorer, given: Answered, repeat: int, weights: Floats, ranked: bool) -> Floats:
    """One repeat. Ranks are compared within the answers of one model: scales of different folds' models may differ."""
    everyone = np.ones(len(given.y), dtype=np.bool_)
    if not ranked or given.fold is None:
        return score(given, repeat, everyone, weights)
    tests = [given.fold[repeat] == k for k in np.unique(given.fold[repeat])]
    return metrics.mean_where_defined(np.stack([score(given, repeat, t, weights[:, t]) for t in tests]))


def ranked(given: Answered, weights: Floats) -> Floats:
    """AUC of two classes for each row of weights, within the answers of one model, averaged over the repeats."""
    return np.asarray(
        np.mean([_repeat(_second(metrics.auc), given, r, weights, True) for r in range(len(given.p))], axis=0)
    )


def _predictive(given: Answered, weights: Floats, prevalences: Sequence[float]) -> list[Measure]:
    """Predictive values where so many are ill: Bayes' theorem on sensitivity and specificity."""
    found = []
    for prevalence in prevalences:
        for side, which in enumerate(("ppv", "npv")):
            score = _called(partial(_predictive_value, prevalence=prevalence, side=side))
            found.append(_measure(f"{which}_at_{prevalence:g}", score, given, weights))
    return found


def _predictive_value(y: NDArray[Any], called: Floats, w: ArrayLike | None, *, prevalence: float, side: int) -> Floats:
    """Positive (side 0) or negative predictive value."""
    return predictive_values(metrics.sensitivity(y, called, w), metrics.specificity(y, called, w), prevalence)[side]


def _biased(found: Measure) -> Measure:
    """Without an interval: each draw of the bootstrap adds noise, which this error takes for a lack of calibration.

    References
    ----------
    Roelofs et al. (2022), Mitigating bias in calibration error estimation, AISTATS.
    """
    return Measure(found.metric, found.value, float("nan"), float("nan"), "no interval: too large in few cases")


def _independent(found: Measure, given: Answered) -> Measure:
    """The interval that holds for one case a patient and a fixed model, where there is one."""
    y, called = given.y.astype(bool), calls(given)[0].astype(bool)
    everyone = np.ones(len(y), dtype=np.bool_)
    shares = {
        "sensitivity": (called & y, y), "specificity": (~called & ~y, ~y),
        "accuracy_at_operating_point": (called == y, everyone),
        LIKELIER: (np.argmax(given.p[0], axis=1) == given.y, everyone),
    }  # fmt: skip
    if found.metric == "auc" and min(y.sum(), (~y).sum()) >= 2:
        ends, method = delong_interval(given.y, given.p[0, :, 1]), "DeLong"
    elif found.metric in shares:
        hits, cases = shares[found.metric]
        ends, method = wilson(int(hits.sum()), int(cases.sum())), "Wilson"
    else:
        return found
    return found if np.isnan(ends.low) else Measure(found.metric, found.value, *ends, method)
