"""From what a search found to one model: the rule of choice, and the table of evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from radlake.learn import metrics
from radlake.learn.families import Family, Task
from radlake.learn.intervals import interval, patient_weights
from radlake.learn.problem import Floats, Ints, Problem
from radlake.learn.search import Search
from radlake.learn.trial import Trial, leading

Prefer = Literal["balanced", "accuracy", "readable"]
TOLERANCE: dict[Prefer, float] = {"accuracy": 0.0, "balanced": 1.0, "readable": 2.0}  # standard errors

_REPLICATES = 500
_LARGEST = 20_000_000  # weights of a bootstrap in memory
NOT_ASKED = "it was not asked for"
SCORES: dict[Task, str] = {"binary": "AUC", "multiclass": "mean AUC", "regression": "R2"}


@dataclass(frozen=True)
class Figures:
    """How good out-of-fold predictions are; what does not apply is None.

    Parameters
    ----------
    score : float
        AUC, its mean over the classes, or R2; mean over the folds.
    low, high : float
        95% interval by a bootstrap over groups.
    brier, accuracy : float or None
        Of calibrated probabilities.
    error : float or None
        Mean absolute error, in the unit of the outcome.
    """

    score: float
    low: float
    high: float
    brier: float | None
    accuracy: float | None
    error: float | None


def figures(given: Problem, predicted: Floats, fold: Ints, *, seed: int) -> Figures:
    """Score predictions of cases that the model had not seen, averaged over repeats.

    Ranks are compared within folds only and averaged over them: every fold has a model of its own, and their scales may
    differ. Errors are over all cases together.

    Parameters
    ----------
    given : Problem
    predicted : (R, N, K) array
        Probabilities, or one column of values; one layer for each repeat.
    fold : (R, N) int array
        Fold in which each case was held out.
    seed : int
        Of the bootstrap.

    References
    ----------
    Forman and Scholz (2010), Apples-to-apples in cross-validation studies, ACM SIGKDD Explorations 12, 49-57.
    """
    replicates = max(50, min(_REPLICATES, _LARGEST // len(given.y)))
    weights = patient_weights(given.groups, replicates=replicates, rng=np.random.default_rng(seed))
    score = {"binary": _auc, "multiclass": metrics.macro_auc, "regression": _r2}[given.task]
    once = np.ones((1, len(given.y)))
    repeats = list(zip(predicted, fold, strict=True))
    value = float(np.mean([_over_folds(score, given.y, p, f, once) for p, f in repeats]))
    ends = interval(np.mean([_over_folds(score, given.y, p, f, weights) for p, f in repeats], axis=0))
    if given.task == "regression":
        error = np.mean([metrics.mean_absolute_error(given.y, p[:, 0]) for p in predicted])
        return Figures(value, *ends, None, None, float(error))
    two = given.task == "binary"  # the Brier score of two classes is that of the second, by custom
    brier = [metrics.brier(given.y, p[:, 1]) if two else metrics.multiclass_brier(given.y, p) for p in predicted]
    right = [metrics.accuracy(given.y, p) for p in predicted]
    return Figures(value, *ends, float(np.mean(brier)), float(np.mean(right)), None)


def _auc(y: Any, p: Floats, weights: Floats) -> Floats:
    """AUC of the probability of the second class."""
    found: Floats = metrics.auc(y, p[:, 1], weights)
    return found


def _r2(y: Any, p: Floats, weights: Floats) -> Floats:
    """R2 of the only column."""
    found: Floats = metrics.r2(y, p[:, 0], weights)
    return found


def _over_folds(score: Callable[..., Floats], y: Any, p: Floats, fold: Ints, weights: Floats) -> Floats:
    """Mean over the folds in which the score is defined, for each row of weights; NaN where it is in none."""
    tests = [fold == k for k in np.unique(fold)]
    return metrics.mean_where_defined(np.stack([score(y[t], p[t], weights[:, t]) for t in tests]))


@dataclass(frozen=True)
class Line:
    """One line of the table: a family, how good it is, what it costs and what became of it.

    Parameters
    ----------
    family, title : str
    verdict : {"chosen", "as good", "worse", "not tried"}
        "As good" is within the tolerance of the best.
    why : str
        In words.
    settings : mapping
    mean, standard_error : float or None
        Score averaged over folds, by which models are compared.
    repeats : int
    figures : Figures or None
        Of all out-of-fold predictions together.
    fit_seconds, predict_ms, megabytes : float or None
        One fit; one case; the fitted model.
    complexity : int or None
        Numbers that the model decides with.
    grade : str
        Readability, A to D.
    pareto : bool
        No other family is at least as good in every column and better in one.
    """

    family: str
    title: str
    verdict: str
    why: str
    settings: Mapping[str, float]
    mean: float | None
    standard_error: float | None
    repeats: int
    figures: Figures | None
    fit_seconds: float | None
    predict_ms: float | None
    megabytes: float | None
    complexity: int | None
    grade: str
    pareto: bool

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types, the figures in columns of their own."""
        row = asdict(self)
        scored = row.pop("figures") or dict.fromkeys(Figures.__dataclass_fields__)
        return {**row, "settings": dict(self.settings), **scored}


def pick(found: Search, *, prefer: Prefer) -> tuple[Trial, set[str]]:
    """The chosen trial, and the families that are as good as the best.

    Of the families within the tolerance of the best (one standard error, two for "readable", none for "accuracy") the
    most readable; of equally readable ones those that store no cases of patients, then those whose probabilities need
    no curve, then the best. Each is compared on the folds that both were tried on.

    Parameters
    ----------
    found : Search
        With at least one trial.
    prefer : {"balanced", "accuracy", "readable"}

    References
    ----------
    Breiman et al. (1984), Classification and regression trees, section 3.4.3: the one-standard-error rule.
    """
    best = found.best()
    most = max(len(t.runs) for t in best.values())
    leader = leading(t for t in best.values() if len(t.runs) == most)
    slack = TOLERANCE[prefer] * leader.standard_error(int(found.folds.max()) + 1)
    good = {n: t for n, t in best.items() if leader.lead_over(t) <= slack}
    if prefer == "accuracy":
        return leader, {leader.name}
    chosen = min(good.values(), key=lambda t: (*_for_others(t.family), -t.mean, t.name))
    return chosen, set(good)


def _for_others(family: Family) -> tuple[str, bool, bool]:
    """What decides among families that are equally good: readability, stored cases of patients, the need of a curve."""
    return family.grade, family.holds_rows, not family.calibrated


def table(
    given: Problem, found: Search, families: Mapping[str, Family], left_out: Mapping[str, str], *, prefer: Prefer,
    seed: int,
) -> list[Line]:  # fmt: skip
    """Lines for every family that could answer the task, the chosen one first, then by score, untried ones last.

    Parameters
    ----------
    given : Problem
    found : Search
    families : mapping
        All that can answer the task.
    left_out : mapping
        Reasons of those that were not tried.
    prefer, seed
        As in `radlake.learn.select`.
    """
    chosen, good = pick(found, prefer=prefer)
    best = found.best()
    lines = [_line(t, given, found, chosen, good, seed) for t in best.values()]
    lines.sort(key=lambda line: (line.verdict != "chosen", -(line.mean or 0.0)))
    rest = [
        Line(n, f.title, "not tried", left_out[n], {}, None, None, 0, None, None, None, None, None, f.grade, False)
        for n, f in families.items()
        if n not in best
    ]
    return _with_front(lines) + rest


def _line(trial: Trial, given: Problem, found: Search, chosen: Trial, good: set[str], seed: int) -> Line:
    """Line of a family that was tried."""
    folds = int(found.folds.max()) + 1
    error = trial.standard_error(folds)
    verdict = "chosen" if trial is chosen else "as good" if trial.name in good else "worse"
    run = trial.runs[0]
    why = {
        "chosen": _why_chosen(chosen, found),
        "as good": f"no better as far as chance lets tell, and {_drawback(trial.family, chosen.family)}",
        "worse": f"{chosen.lead_over(trial):.3f} behind the chosen one"
        if chosen.lead_over(trial) > 0
        else "tested on fewer folds than the chosen one",
    }[verdict]
    if run.stopped:
        why += f"; its solver stopped early in {run.stopped} of {folds} folds"
    if len(trial.runs) == 1 and trial.folds < folds:
        why += f"; there was time for {trial.folds} of {folds} folds"
    seen = run.seen
    scored = figures(given.part(seen), run.predicted[None, seen], found.folds[:1, seen], seed=seed)
    return Line(
        trial.name, trial.family.title, verdict, why, trial.settings, _mean(trial, found), error, len(trial.runs),
        scored, float(np.mean([r.fit_s for r in trial.runs])), float(np.mean([r.predict_ms for r in trial.runs])),
        run.megabytes, run.complexity, trial.family.grade, False,
    )  # fmt: skip


def _why_chosen(chosen: Trial, found: Search) -> str:
    """What speaks for the chosen trial against the leader, or against all others."""
    best = found.best().values()
    if len(best) == 1:
        return "the only one that was tried"
    most = max(len(t.runs) for t in best)
    leader = leading(t for t in best if len(t.runs) == most)
    return "the best" if leader is chosen else f"as good as the best, and {_advantage(chosen.family, leader.family)}"


def _advantage(family: Family, other: Family) -> str:
    """What a family has before another one that is as good."""
    if family.grade < other.grade:
        return "easier to read"
    if family.holds_rows < other.holds_rows:
        return "it stores no training cases"
    return "its probabilities need no curve" if family.calibrated > other.calibrated else "it led on the folds of both"


def _drawback(family: Family, chosen: Family) -> str:
    """What a family that is as good lacks before the chosen one."""
    if family.grade > chosen.grade:
        return "harder to read"
    if family.holds_rows > chosen.holds_rows:
        return "it stores training cases"
    return "its probabilities need a curve" if family.calibrated < chosen.calibrated else "as easy to read"


def _mean(trial: Trial, found: Search) -> float:
    """Mean score; folds that it has not been through count as if they were as hard as for the leader of all that have.

    So the numbers of a table can be compared, however often each family was tested.
    """
    trials = found.best().values()
    most = max(t.folds for t in trials)
    if trial.folds == most:
        return trial.mean
    leader = leading(t for t in trials if t.folds == most)
    return round(leader.mean - leader.lead_over(trial), 10)


def _with_front(lines: list[Line]) -> list[Line]:
    """The lines with those marked that no other line dominates."""
    cost = np.array(
        [
            (-(l.mean or 0), l.figures.brier or 0, l.fit_seconds, l.predict_ms, l.megabytes, l.complexity, ord(l.grade))
            for l in lines  # noqa: E741 - a line
            if l.figures is not None
        ],
        dtype=np.float64,
    )
    beaten = [(np.all(cost <= row, axis=1) & np.any(cost < row, axis=1)).any() for row in cost]
    return [Line(**{**vars(line), "pareto": not b}) for line, b in zip(lines, beaten, strict=True)]
