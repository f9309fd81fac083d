"""What a report draws and lists beside the scores: who is in it, curves, seeds, sets of answers, worst cases.

All of it is plain JSON, small, and names cases by their id alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radlake.learn import curves, metrics
from radlake.learn.cases import Cohort
from radlake.learn.contract import middles
from radlake.learn.evaluation.conformal import cutoffs, margin, sets
from radlake.learn.evaluation.operating import confusion
from radlake.learn.evaluation.scores import Answered, calls, point_scores, ranked
from radlake.learn.intervals import interval
from radlake.learn.metrics import Floats

_THRESHOLDS = np.arange(1, 100) / 100
_POINTS = 300  # of a curve or a cloud
_WORST = 12
_BINS = 10
_EACH = 15  # cases of a bin; the interval of fewer spans nearly everything
_COVERAGE = 0.9
_REPLICATES = 1000

Rows = list[dict[str, Any]]


def flow(cohort: Cohort) -> Rows:
    """Cases on their way into training and test, with what was kept apart and why.

    Parameters
    ----------
    cohort : Cohort
        All labelled cases.
    """
    held, val = cohort.roles == "test", cohort.roles == "val"
    near = set(cohort.clusters[~held].tolist()) - {""}
    seen = held & np.isin(cohort.clusters, sorted(near)) if near else np.zeros(len(held), np.bool_)
    lines = [
        ("cases with a label and something to learn from", np.ones(len(held), np.bool_)),
        ("kept apart as the published test part", held),
        ("of these, resembling a training case", seen),
        ("used for training and for every choice", ~held),
        ("of these, published as a validation part: used for training as well", val),
        ("of these, in a cluster of pictures that are alike: kept on one side", ~held & (cohort.clusters != "")),
    ]
    return [
        {"words": words, "n": int(chosen.sum()), "patients": _people(cohort, chosen)}
        for words, chosen in lines
        if chosen.any()
    ]


def _people(cohort: Cohort, chosen: NDArray[np.bool_]) -> int | None:
    """Patients of some cases; None where not all are known."""
    known = cohort.patients[chosen]
    return None if (known == "").any() else len(np.unique(known))


def drawn(given: Answered) -> dict[str, Any]:
    """Curves of answers: ROC, reliability and decision curve for two classes, reliability of what is answered for more.

    Values: predictions with outcomes, for the plots of prediction against truth and of Bland and Altman.

    Parameters
    ----------
    given : Answered
    """
    p = given.p.mean(axis=0)
    if given.task == "regression":
        some = np.unique(np.linspace(0, len(p) - 1, min(len(p), _POINTS)).astype(np.int64))
        order = np.argsort(given.y, kind="stable")[some]
        return {"values": _pairs(given.y[order], p[order, 0])}
    if given.task == "multiclass":
        answer = p.argmax(axis=1)
        right = (answer == given.y).astype(np.float64)
        return {
            "reliability": _reliability(right, p.max(axis=1)),
            "confusion": confusion(given.y, answer, p.shape[1]).tolist(),
        }
    if not 0 < given.y.sum() < len(given.y):
        return {}
    corners = curves.roc(given.y, p[:, 1])
    kept = np.unique(np.linspace(0, len(corners.x) - 1, min(len(corners.x), _POINTS)).astype(np.int64))
    everybody = curves.net_benefit(given.y, np.ones(len(p)), _THRESHOLDS)
    return {
        "roc": _pairs(corners.x[kept], corners.y[kept]),
        "reliability": _reliability(given.y, p[:, 1]),
        "decision": _pairs(_THRESHOLDS, curves.net_benefit(given.y, p[:, 1], _THRESHOLDS)),
        "everybody": _pairs(_THRESHOLDS, everybody),
        "confusion": confusion(given.y, calls(given).mean(axis=0) > 0.5, 2).tolist(),
    }  # fmt: skip


def _pairs(x: NDArray[Any], y: NDArray[Any]) -> list[list[float]]:
    """Points with six digits: more are not to be seen."""
    return [[float(f"{a:.6g}"), float(f"{b:.6g}")] for a, b in zip(x.tolist(), y.tolist(), strict=True)]


def _reliability(y: NDArray[Any], p: NDArray[Any]) -> Rows:
    """Mean probability and observed share in bins of equally many cases, with their number; few cases have fewer."""
    bins = min(_BINS, len(y) // _EACH)
    if bins < 2:
        return []
    found = curves.calibration(y, p, bins=bins)
    borders = np.unique(np.quantile(p, np.linspace(0, 1, bins + 1)[1:-1]))
    _, cases = np.unique(np.searchsorted(borders, p, side="right"), return_counts=True)
    return [
        {"predicted": float(a), "observed": float(b), "cases": int(n)}
        for a, b, n in zip(found.x, found.y, cases, strict=True)
    ]


def seeds(given: Answered) -> Rows:
    """Scores of each repeat, whose folds were drawn anew: how much of a score is the luck of the draw.

    Parameters
    ----------
    given : Answered
        Of repeated cross-validation.
    """
    return [
        {"repeat": r, **{name: _number(v) for name, v in point_scores(given, r).items()}} for r in range(len(given.p))
    ]


def conformal(given: Answered, *, coverage: float = _COVERAGE) -> dict[str, Any] | None:
    """How sets of answers (intervals of values) do on cases that their calibration has not seen.

    Calibrated on all folds but one and counted on that one, in turn, in the first repeat.

    Parameters
    ----------
    given : Answered
        Of cross-validation: with folds.
    coverage : float
        Promised.

    Returns
    -------
    dict or None
        coverage, held (share whose set or interval holds the truth), sure (share with exactly one answer), right
        (share of the sure ones that is right), none (share without any answer); for values: held and width. None
        without folds.
    """
    if given.fold is None:
        return None
    p, fold = given.p[0], given.fold[0]
    if given.task == "regression":
        wide = np.empty(len(p))
        for k in np.unique(fold):
            wide[fold == k] = margin(given.y[fold != k], p[fold != k, 0], coverage=coverage)
        held = np.abs(given.y - p[:, 0]) <= wide
        return {"coverage": coverage, "held": float(held.mean()), "width": _number(2 * float(np.median(wide)))}
    inside = np.zeros(p.shape, dtype=np.bool_)
    for k in np.unique(fold):
        inside[fold == k] = sets(p[fold == k], cutoffs(given.y[fold != k], p[fold != k], coverage=coverage))
    return counted_sets(given.y, inside, coverage=coverage)


def counted_sets(y: NDArray[Any], inside: NDArray[np.bool_], *, coverage: float = _COVERAGE) -> dict[str, Any]:
    """How often sets of answers hold the truth, and how often they are one answer.

    Parameters
    ----------
    y : (N,) int array
    inside : (N, K) bool array
    coverage : float
        Promised.

    Examples
    --------
    >>> found = counted_sets(np.array([0, 1, 1]), np.array([[True, False], [True, True], [True, False]]))
    >>> round(found["held"], 2), round(found["sure"], 2), found["right"], found["none"]
    (0.67, 0.67, 0.5, 0.0)
    """
    holds = inside[np.arange(len(y)), y]
    sure = inside.sum(axis=1) == 1
    return {
        "coverage": coverage,
        "held": float(holds.mean()),
        "by_class": [_number(float(holds[y == c].mean())) if (y == c).any() else None for c in range(inside.shape[1])],
        "sure": float(sure.mean()),
        "right": float(holds[sure].mean()) if sure.any() else None,
        "none": float((inside.sum(axis=1) == 0).mean()),
    }


def gain(given: Answered, values: NDArray[Any], *, seed: int = 0) -> dict[str, float | None]:
    """Gain of a model over one measure alone on the same cases: difference of AUC with a 95% interval by patient.

    Ranks are compared within folds and averaged, for the model and the measure alike. The measure is turned so that
    more of it speaks for the second class; gaps become its median.

    Parameters
    ----------
    given : Answered
        Of two classes.
    values : (N,) array
    seed : int
        Of the bootstrap.

    Returns
    -------
    dict
        alone (AUC of the measure), value, low, high.
    """
    known = _filled(np.asarray(values, dtype=np.float64)[:, None])[:, 0]
    up = known if float(metrics.auc(given.y, known)) >= 0.5 else -known
    single = np.repeat(np.stack([-up, up], axis=1)[None], len(given.p), axis=0)
    other = replace(given, p=single)

    def gap(weights: Floats) -> Floats:
        return ranked(given, weights) - ranked(other, weights)

    low, high = interval(gap(given.weights(seed, _REPLICATES)))
    once = np.ones((1, len(given.y)))
    area, value = float(ranked(other, once)[0]), float(gap(once)[0])
    return {"alone": area, "value": value, "low": _number(low), "high": _number(high)}


def _filled(features: NDArray[Any]) -> Floats:
    """Features whose gaps are their medians, 0 where there is no value at all."""
    return np.where(np.isnan(features), np.nan_to_num(middles(features)), features)


def best_alone(
    given: Answered, features: NDArray[Any], names: Sequence[str], *, seed: int = 0
) -> dict[str, Any] | None:
    """Gain over the one feature that tells most, chosen on all cases: a baseline that is hard to beat.

    Parameters
    ----------
    given : Answered
    features : (N, D) array
    names : sequence of D str
    seed : int

    Returns
    -------
    dict or None
        As `gain`, with `feature`; None unless there are two classes and two features that differ between cases.
    """
    if given.task != "binary" or not 0 < given.y.sum() < len(given.y):
        return None
    filled = _filled(features)
    differ = np.flatnonzero(np.ptp(filled, axis=0) > 0)
    if len(differ) < 2:
        return None
    areas = {int(i): abs(float(metrics.auc(given.y, filled[:, i])) - 0.5) for i in differ}
    best = max(areas, key=lambda i: (areas[i], -i))
    return {"feature": str(names[best]), **gain(given, filled[:, best], seed=seed)}


def worst(given: Answered, ids: NDArray[Any], classes: Sequence[Any], *, most: int = _WORST) -> Rows:
    """Cases on which the model was most wrong, the worst first.

    Parameters
    ----------
    given : Answered
    ids : (N,) array of str
    classes : sequence
        Labels; empty for values.
    most : int
    """
    p = given.p.mean(axis=0)
    if given.task == "regression":
        off, wrong = np.abs(p[:, 0] - given.y), np.ones(len(p), np.bool_)
    else:
        off = 1 - p[np.arange(len(p)), given.y.astype(int)]
        answer = calls(given).mean(axis=0) > 0.5 if given.task == "binary" else p.argmax(axis=1)
        wrong = answer != given.y
    order = [i for i in np.argsort(-off, kind="stable").tolist() if wrong[i]][:most]
    if given.task == "regression":
        return [{"unit_id": str(ids[i]), "truth": float(given.y[i]), "said": float(p[i, 0])} for i in order]
    return [
        {"unit_id": str(ids[i]), "truth": str(classes[int(given.y[i])]), "answer": str(classes[int(answer[i])]),
         "said": float(p[i, int(given.y[i])])}
        for i in order
    ]  # fmt: skip


def _number(value: float) -> float | None:
    """A number that JSON knows."""
    return float(value) if np.isfinite(value) else None
