"""The search among families: rules that leave some out, a probe of what each costs, and rounds that keep the better.

Round 1 tries the usual settings of every family on one set of folds; round 2 all settings of the better families;
round 3 repeats the finalists on new folds. All folds keep patients together. Before each piece of work the clock is
asked, so that a search ends when its share of the budget does; everything else follows from data and seed.
"""

from __future__ import annotations

import pickle
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radlake.learn import metrics
from radlake.learn.calibration import answers, calibrator, loss
from radlake.learn.classical import Settings
from radlake.learn.clock import Clock
from radlake.learn.families import Family, Task, options
from radlake.learn.problem import Fingerprint, Floats, Ints, Problem
from radlake.learn.split import repeated_folds
from radlake.learn.validate import Fitted, decisions

_PROBE = 250  # cases; fewer say little on the growth of the time
_FINALISTS = 4
_KERNEL_CASES = 20_000


@dataclass(eq=False)
class HeldOut:
    """Answers of one pipeline for cases that it has not seen, and what it cost.

    Parameters
    ----------
    decision : (N, S) array
        Before calibration.
    predicted : (N, K) array
        Probabilities, or values.
    loss : float
        See `loss`.
    score : (K,) array
        Of each fold: AUC (mean over classes), or R2.
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
        """Score of every fold of every repeat."""
        return np.concatenate([run.score for run in self.runs])

    @property
    def mean(self) -> float:
        """Mean score."""
        return self.mean_of(len(self.runs))

    def mean_of(self, repeats: int) -> float:
        """Mean score over the first repeats, rounded so that the last bits of a sum cannot decide."""
        return round(float(np.mean([run.score for run in self.runs[:repeats]])), 10)

    @property
    def loss(self) -> float:
        """Mean loss, rounded like the score."""
        return round(float(np.mean([run.loss for run in self.runs])), 10)

    def standard_error(self, folds: int) -> float:
        """Standard error of the mean score, corrected for folds that share training cases.

        References
        ----------
        Nadeau and Bengio (2003), Inference for the generalization error, Machine Learning 52, 239-281.
        """
        scores = self.scores
        return float(np.sqrt(scores.var(ddof=1) * (1 / len(scores) + 1 / (folds - 1))))


@dataclass(eq=False)
class Search:
    """Everything that was tried, and why the rest was not."""

    trials: list[Trial]
    folds: Ints
    left_out: dict[str, str]

    def best(self) -> dict[str, Trial]:
        """The best trial of each family: most repeats first, then least loss, then the simpler settings."""
        found: dict[str, Trial] = {}
        for trial in self.trials:
            other = found.get(trial.name)
            if other is None or (len(trial.runs), -trial.loss) > (len(other.runs), -other.loss):
                found[trial.name] = trial
        return found


def prune(families: Mapping[str, Family], found: Fingerprint, *, prefer: str) -> dict[str, str]:
    """Families that are not worth a try on such data, each with the reason.

    Parameters
    ----------
    families : mapping
    found : Fingerprint
    prefer : {"balanced", "accuracy", "readable"}
    """
    reasons = {}
    for name, family in families.items():
        if reason := _reason_against(name, family, found, prefer):
            reasons[name] = reason
    return reasons


def _reason_against(name: str, family: Family, found: Fingerprint, prefer: str) -> str | None:
    """Why a family is not tried, or None."""
    n, d = found.cases, found.features
    rules = (
        (prefer == "readable" and family.grade in "CD", "nobody can read how it decides, and readable was asked for"),
        (not options(family, cases=n * 3 // 5, features=d), f"{d} features and {n} cases leave it nothing to choose"),
        (name == "linear" and n < 10 * d, f"without a penalty it needs ten cases a feature; there are {n} for {d}"),
        (name == "boosting" and n < 150, f"its trees need 20 cases a leaf; there are {n} in all"),
        (
            name in {"forest", "extra-trees"} and found.fewest < 15,
            f"{found.fewest} patients in the rarest class are too few for trees",
        ),
        (
            family.holds_rows and n > _KERNEL_CASES,
            f"it compares with all {n} stored cases; above {_KERNEL_CASES} that is slow",
        ),
        (family.holds_rows and d > n, f"with {d} features and {n} cases all cases are equally far apart"),
    )
    return next((reason for applies, reason in rules if applies), None)


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


def held_out(trial: Trial, given: Problem, fold: Ints, *, seed: int) -> HeldOut:
    """Answers for every case by pipelines fitted on the other folds.

    Parameters
    ----------
    trial : Trial
        Family and settings.
    given : Problem
    fold : (N,) int array
    seed : int
        Of models that draw at random.
    """
    parts, fit_s, predict_s, stopped = [], 0.0, 0.0, 0
    for k in range(int(fold.max()) + 1):
        test = fold == k
        model = trial.family.make(trial.settings, given.task, seed)
        started = time.perf_counter()
        stopped += not fit_quietly(model, given.features[~test], given.y[~test])
        fitted = time.perf_counter()
        answer = decisions(model, given.features[test])
        fit_s, predict_s = fit_s + fitted - started, predict_s + time.perf_counter() - fitted
        parts.append((test, answer))
    decision = np.empty((len(fold), parts[0][1].shape[1]))
    for test, answer in parts:
        decision[test] = answer
    megabytes = len(pickle.dumps(model)) / 1e6
    cost = (fit_s / len(parts), 1000 * predict_s / len(fold), megabytes, complexity(model))
    predicted = answers(trial.family, given, decision, fold)
    scores = np.array([score(given.task, given.y[test], predicted[test]) for test, _ in parts])
    return HeldOut(decision, predicted, loss(given, predicted), scores, *cost, stopped)


def complexity(pipeline: Any) -> int:
    """How many numbers a fitted model decides with: weights that are not zero, leaves, or values of stored cases."""
    model = getattr(pipeline[-1], "regressor_", pipeline[-1])
    return next(count(model) for mark, count in _COUNTS.items() if hasattr(model, mark))


def probe(
    families: Mapping[str, Family], given: Problem, clock: Clock, *, until: float, seed: int
) -> tuple[dict[str, float], dict[str, str]]:
    """Seconds that one fit of each family takes on all cases, and the families whose probe the clock refused.

    The usual settings are fitted on a tenth of the cases (250 at least) and the time is scaled by the family's growth.

    Parameters
    ----------
    families : mapping
    given : Problem
    clock : Clock
    until : float
        Share of the budget.
    seed : int
    """
    n = len(given.y)
    size = min(n, max(_PROBE, n // 10))
    rows = np.sort(np.random.default_rng(seed).permutation(n)[:size])
    for c in range(len(given.classes)):  # every class must be there to be fitted
        rows = np.union1d(rows, np.flatnonzero(given.y == c)[:2])
    needs, refused = {}, {}
    for name, family in families.items():
        if not clock.allows(f"probe/{name}", needs=0.0, until=until):
            refused[name] = "the budget was gone before its cost was known"
            continue
        usual = options(family, cases=size, features=given.features.shape[1])
        model = family.make(usual[min(family.usual, len(usual) - 1)], given.task, seed)
        started = time.perf_counter()
        fit_quietly(model, given.features[rows], given.y[rows])
        decisions(model, given.features[rows])
        needs[name] = (time.perf_counter() - started) * (n / len(rows)) ** family.growth
    return needs, refused


# What a fitted estimator has, the first that applies, and how its numbers are counted.
_COUNTS: dict[str, Callable[[Any], int]] = {
    "support_vectors_": lambda m: int(m.support_vectors_.size),
    "coef_": lambda m: int(np.count_nonzero(m.coef_)),
    "get_n_leaves": lambda m: int(m.get_n_leaves()),
    "estimators_": lambda m: int(sum(tree.get_n_leaves() for tree in m.estimators_)),
    "n_trees_per_iteration_": lambda m: int(m.n_iter_ * m.n_trees_per_iteration_ * m.max_leaf_nodes),
    "theta_": lambda m: int(2 * m.theta_.size),
    "n_samples_fit_": lambda m: int(m.n_samples_fit_ * m.n_features_in_),
}


class Searcher:
    """One search: holds the data, the folds and what the clock says.

    Parameters
    ----------
    given : Problem
    families : mapping
        To choose among.
    needs : mapping
        Seconds for one fit of each; improved by what is measured.
    clock : Clock
    part : str
        Name of this search in the plan.
    until : float
        Share of the budget when it must have ended.
    folds, repeats, seed : int
    slack : float
        Families that lie behind the best by more standard errors are not pursued, unless in the better half.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what a search needs
        self, given: Problem, families: Mapping[str, Family], needs: dict[str, float], clock: Clock, part: str,
        until: float, folds: int, repeats: int, seed: int, slack: float,
    ) -> None:  # fmt: skip
        self.given, self.families, self.needs, self.clock = given, families, needs, clock
        self.part, self.until, self.seed, self.slack = part, until, seed, slack
        self.folds = repeated_folds(given.strata, given.groups, folds=folds, seeds=range(seed, seed + repeats))

    def run(self) -> Search:
        """All rounds."""
        order = sorted(self.families)
        if self.clock.replay is None:
            order.sort(key=lambda name: self.needs[name])
        trials = {name: self._trials(name) for name in order}
        left_out = {}
        for name in order:
            usual = trials[name][min(self.families[name].usual, len(trials[name]) - 1)]
            if not self._try(usual, 0):
                left_out[name] = f"one round of it takes about {self._cost(usual):.0f} s, more than the budget left"
        for name in self._better(order, trials):
            for trial in trials[name]:
                self._try(trial, 0)
        found = Search([t for name in self.families for t in trials[name] if t.runs], self.folds, left_out)
        for repeat in range(1, len(self.folds)):
            for trial in self._finalists(found):
                self._try(trial, repeat)
        return found

    def _trials(self, name: str) -> list[Trial]:
        """One trial for each of a family's settings."""
        n, d = self.given.features.shape
        share = (int(self.folds.max()) / (int(self.folds.max()) + 1)) * n
        family = self.families[name]
        return [Trial(name, family, s, i) for i, s in enumerate(options(family, cases=int(share), features=d))]

    def _cost(self, trial: Trial) -> float:
        """Expected seconds of one repeat."""
        return self.needs[trial.name] * int(self.folds.max() + 1)

    def _try(self, trial: Trial, repeat: int) -> bool:
        """Run a trial on a repeat unless it has been, or the clock forbids; whether it has been run now or before."""
        if len(trial.runs) != repeat:
            return len(trial.runs) > repeat
        work = f"{self.part}/{repeat}/{trial.name}/{trial.place}"
        if not self.clock.allows(work, needs=self._cost(trial), until=self.until):
            return False
        started = time.perf_counter()
        trial.runs.append(held_out(trial, self.given, self.folds[repeat], seed=self.seed))
        self.needs[trial.name] = (time.perf_counter() - started) / int(self.folds.max() + 1)
        return True

    def _better(self, order: list[str], trials: Mapping[str, list[Trial]]) -> list[str]:
        """The better half of the families, and all that are nearly as good as the best."""
        tried = {name: max((t for t in trials[name] if t.runs), key=lambda t: t.mean, default=None) for name in order}
        known = sorted(((n, t) for n, t in tried.items() if t), key=lambda pair: (-pair[1].mean, pair[0]))
        if not known:
            return []
        best = known[0][1]
        enough = best.mean - self.slack * best.standard_error(int(self.folds.max()) + 1)
        kept = {n for i, (n, t) in enumerate(known) if 2 * i < len(known) or t.mean >= enough}
        return [name for name in order if name in kept]

    def _finalists(self, found: Search) -> list[Trial]:
        """The best settings of the best families; those that lie too far behind have no chance."""
        best = sorted(found.best().values(), key=lambda t: (-t.mean, t.name))
        if not best:
            return []
        enough = best[0].mean - self.slack * best[0].standard_error(int(self.folds.max()) + 1)
        return [t for i, t in enumerate(best) if i < _FINALISTS and t.mean >= enough]


def final(trial: Trial, given: Problem, *, seed: int) -> Fitted:
    """The trial's model fitted on all cases, with its curve."""
    model = trial.family.make(trial.settings, given.task, seed)
    fit_quietly(model, given.features, given.y)
    return Fitted(
        trial.settings, model, calibrator(trial.family, given, trial.runs[0].decision), given.task, given.classes
    )  # fmt: skip
