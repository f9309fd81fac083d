"""Whether a model is as good for some as for others: a score in each subgroup, and its gap to everybody else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radlake.learn import metrics
from radlake.learn.evaluation.scores import Answered, calls
from radlake.learn.intervals import interval
from radlake.learn.metrics import Floats

_FEWEST = 20  # cases of a subgroup, and of the others; intervals of fewer say nothing
_PARTS = 3  # of a quantity

SCORES: dict[str, tuple[str, ...]] = {
    "binary": ("auc", "sensitivity", "specificity"),
    "multiclass": ("accuracy",),
    "regression": ("mean_absolute_error",),
}


@dataclass(frozen=True)
class Subgroup:
    """One score in one subgroup; NaN where it is not defined.

    Parameters
    ----------
    by, value : str
        Attribute and its value.
    cases, patients : int
    metric : str
    score, low, high : float
        With a 95% interval by a bootstrap over patients.
    gap, gap_low, gap_high : float
        To the score of all other cases, on the same draws.
    """

    by: str
    value: str
    cases: int
    patients: int
    metric: str
    score: float
    low: float
    high: float
    gap: float
    gap_low: float
    gap_high: float


def subgroups(given: Answered, attributes: Mapping[str, NDArray[Any]], *, seed: int = 0) -> list[Subgroup]:
    """Scores of every subgroup that is large enough.

    Parameters
    ----------
    given : Answered
    attributes : mapping
        (N,) arrays by name. Quantities are cut into thirds; None, NaN and "" are cases of which it is not known.
    seed : int
        Of the bootstrap.

    Examples
    --------
    >>> y, sex = np.arange(80) % 2, np.repeat(["F", "M"], 40)
    >>> p = np.where(sex == "F", 0.2 + 0.6 * y, 0.5)
    >>> found = subgroups(Answered("binary", y, np.stack([1 - p, p], axis=1)[None], np.arange(80)), {"sex": sex})
    >>> [(g.value, g.score, g.gap) for g in found if g.metric == "auc"]
    [('F', 1.0, 0.5), ('M', 0.5, -0.5)]
    """
    weights = given.weights(seed)
    found = []
    for by, values in attributes.items():
        labels = _labels(values)
        for value in sorted(set(labels.tolist()) - {""}):
            inside = labels == value
            others = ~inside & (labels != "")
            if min(inside.sum(), others.sum()) >= _FEWEST:
                found += [_subgroup(given, by, value, inside, others, m, weights) for m in SCORES[given.task]]
    return found


def _labels(values: NDArray[Any]) -> NDArray[np.str_]:
    """Subgroup of each case: words as they are, quantities by thirds, "" where it is not known."""
    known = np.array([v is not None and v == v and v != "" for v in values.tolist()])  # noqa: PLR0124 - NaN
    numbers = values[known]
    if not len(numbers) or not all(isinstance(v, int | float) for v in numbers.tolist()):
        return np.array([str(v) if k else "" for v, k in zip(values.tolist(), known, strict=True)])
    numbers = numbers.astype(np.float64)
    if len(np.unique(numbers)) <= _PARTS:
        return np.array([f"{float(v):g}" if k else "" for v, k in zip(values.tolist(), known, strict=True)])
    cuts = np.quantile(numbers, [1 / 3, 2 / 3])
    names = [f"1: up to {cuts[0]:.4g}", f"2: up to {cuts[1]:.4g}", f"3: above {cuts[1]:.4g}"]
    place = np.searchsorted(cuts, [float(v) if k else 0.0 for v, k in zip(values.tolist(), known, strict=True)])
    return np.array([names[i] if k else "" for i, k in zip(place.tolist(), known, strict=True)])


def _subgroup(
    given: Answered, by: str, value: str, inside: NDArray[np.bool_], others: NDArray[np.bool_], metric: str,
    weights: Floats,
) -> Subgroup:  # fmt: skip
    """One score of one subgroup."""
    once = np.ones((1, len(given.y)))
    score, drawn = _score(given, inside, metric, once), _score(given, inside, metric, weights)
    rest, rest_drawn = _score(given, others, metric, once), _score(given, others, metric, weights)
    patients = len(np.unique(given.groups[inside]))
    return Subgroup(
        by, value, int(inside.sum()), patients, metric, float(score[0]), *interval(drawn),
        float(score[0] - rest[0]), *interval(drawn - rest_drawn),
    )  # fmt: skip


def _score(given: Answered, chosen: NDArray[np.bool_], metric: str, weights: Floats) -> Floats:
    """A score of some cases for each row of weights, averaged over the repeats."""
    y, w = given.y[chosen], weights[:, chosen]
    repeats = []
    for r in range(len(given.p)):
        p = given.p[r, chosen]
        if metric in ("sensitivity", "specificity"):
            repeats.append(getattr(metrics, metric)(y, calls(given)[r, chosen], w))
        else:
            shown = p if metric == "accuracy" else p[:, -1]
            repeats.append(getattr(metrics, metric)(y, shown, w))
    found: Floats = np.mean(repeats, axis=0)
    return found


def widest(found: Sequence[Subgroup]) -> Subgroup | None:
    """The subgroup whose gap is farthest from zero of those whose interval excludes zero; None when there is none."""
    sure = [g for g in found if g.gap_low > 0 or g.gap_high < 0]
    return max(sure, key=lambda g: abs(g.gap), default=None)
